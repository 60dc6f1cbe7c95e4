#pragma once
// The keys of a configuration that a family did not ask for while it was built. Such a key may
// change the numbers of a model that some other code runs: those that are known to are refused
// unless they have the value that changes nothing; those that are known not to are passed over;
// the others are told to the user. So a family need not know what it does not have.

#include <string>
#include <vector>

#include "core/api.h"
#include "core/model/model_config.h"

namespace mezo {

// Call it when all that reads the configuration has done so. Returns the keys that nothing is known
// of. Throws ModelError for one that changes the arithmetic.
MEZO_API std::vector<std::string> unknown_keys(const ModelConfig& config);

}  // namespace mezo
