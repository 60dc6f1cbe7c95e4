#pragma once
// Lays one configuration over another: what `extends:` and the command line's overrides have in
// common.

#include <map>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/config/tree.h"

namespace mezo {

// For each block with a `type`, the settings that belong to the host and not to the component
// (model.path): a change of type leaves them alone.
using HostSettings = std::map<std::string, std::vector<std::string>, std::less<>>;

// Maps merge key by key; anything else of `over` replaces what `base` has, lists included. Values
// keep the marks of where they were written. Where `over` gives a top-level block another `type`
// than `base` has, the block's other settings in `base` belonged to the old type: they are dropped,
// except those named in `host`, and a line for the user is added to `notes`.
MEZO_API void merge(Value& base, Value over, const HostSettings& host,
                    std::vector<std::string>& notes);

}  // namespace mezo
