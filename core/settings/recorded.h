#pragma once
// The configurations that a trajectory holds: read without the files that they came from, and
// compared, so that a resume knows what was changed.

#include <string>
#include <vector>

#include "core/config/tree.h"
#include "core/settings/run_settings.h"

namespace mezo {

// The tree of a resolved configuration. Throws ConfigError.
Value recorded_tree(const std::string& yaml);

// What of it steps follow from. Throws ConfigError for a setting that this mezo does not have.
struct StepSettings {
  OptimizerSettings optimizer;
  TrainerSettings trainer;
};
StepSettings recorded_steps(const Value& tree);

// What its weights follow from: neither the task nor the objective need be here any more.
struct WeightSettings {
  ModelSettings model;
  ComponentSettings peft;
  StepSettings steps;
};

// No file is looked for and no component made. Throws as above, and PluginError for a component
// that the registry does not know.
WeightSettings recorded_weights(const Value& tree, const Registry& registry);

// `then` with what a later mezo brought: settings that `now` has, of the host or of a component
// that both name, as their defaults. What was recorded is left as it is, and not checked.
Value with_later_settings(Value then, const Value& now, const Registry& registry);

// The settings that differ, as dotted keys in the order of `now`: two spellings of one number do
// not. A setting that only one of them has counts.
std::vector<std::string> changed_settings(const Value& then, const Value& now);

// As a message says it: "absent", "none" for an empty one, "…" for a list.
std::string setting_text(const Value& tree, const std::string& key);

}  // namespace mezo
