#pragma once
// The configurations that a trajectory holds: read without the files that they came from, and
// compared, so that a resume knows what was changed.

#include <string>
#include <vector>

#include "core/config/tree.h"
#include "core/run/run_config.h"

namespace mezo {

// The tree of a resolved configuration. Throws ConfigError.
Value recorded_tree(const std::string& yaml);

// Its model, optimizer and trainer and what stands beside the blocks: what the weights of a run
// follow from. No file is looked for and no component made. Throws ConfigError for a setting that
// this mezo does not have.
RunConfig recorded_config(const Value& tree);

// Its PEFT mode, made anew.
ChosenPeft recorded_mode(const Value& tree, const Registry& registry);

// The settings that differ, as dotted keys in the order of `now`: two spellings of one number do
// not. A setting that only one of them has counts.
std::vector<std::string> changed_settings(const Value& then, const Value& now);

}  // namespace mezo
