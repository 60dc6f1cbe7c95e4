#pragma once
// Settings given on the command line, laid over a configuration: `optimizer.epsilon=1e-3`,
// `peft.targets=[q_proj, v_proj]`.
//
//   key     dotted path; blocks that the file does not have are made
//   value   YAML in flow style where it begins with [ { " or ', else text to the end of the
//   argument; `a.b=` is empty text,
//           `a.b=null` a key without a value. A map merges with the block, a list replaces the
//           list.
//   twice   the last one wins, as everywhere on a command line
//   type    `peft.type=prefix` over a file's `type: lora` drops the file's other settings of that
//   block, see merge.h; those
//           that other arguments give stay, whatever their order

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api.h"
#include "core/config/diagnostics.h"
#include "core/config/merge.h"
#include "core/config/tree.h"

namespace mezo {

struct Argument {
  int number = 1;    // what messages call it: "argument 3"
  std::string text;  // "key=value"
};

// Changes `tree`; what a change of type dropped is added to `notes`. Arguments in error are left
// out.
MEZO_API void apply_overrides(Value& tree, std::span<const Argument> arguments,
                              const HostSettings& host, std::vector<std::string>& notes,
                              Diagnostics& diagnostics);

// Sets one dotted path of a tree; blocks on the way are made. The way that a sweep sets its values
// too. False after an error at `mark`, which becomes the mark of the key.
MEZO_API bool assign(Value& tree, std::string_view path, Value value, const Mark& mark,
                     Diagnostics& diagnostics);

}  // namespace mezo
