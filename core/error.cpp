#include "core/error.h"

namespace mezo {

// Out of line: the vtables and type information live in the host library alone.
Error::~Error() = default;
ConfigError::~ConfigError() = default;
PluginError::~PluginError() = default;
DataError::~DataError() = default;
ModelError::~ModelError() = default;
RunError::~RunError() = default;

}  // namespace mezo
