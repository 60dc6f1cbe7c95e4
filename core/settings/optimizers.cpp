#include "core/settings/optimizers.h"

#include <stdexcept>

#include "core/train/adam.h"

namespace mezo {

namespace {

// What a PEFT mode recommends is for MeZO, and random directions are MeZO's.
std::optional<std::pair<std::string, std::string>> adam_problem(const Parameters& block) {
  if (block.has("learning_rate") && block.is_word("learning_rate"))
    return std::pair<std::string, std::string>(
        "learning_rate",
        "optimizer.learning_rate: auto is what a PEFT mode recommends to MeZO, and adam needs one "
        "of its own: try 1e-5 for full, 1e-4 for lora, 1e-2 for prefix");
  if (block.has("distribution") && block.text("distribution") != "gaussian")
    return std::pair<std::string, std::string>(
        "distribution",
        "optimizer.distribution: adam follows the gradient and draws no directions: leave it out");
  return {};
}

std::optional<std::pair<std::string, std::string>> no_problem(const Parameters&) { return {}; }

std::vector<OptimizerKind> all_kinds() {
  std::vector<OptimizerKind> kinds;
  for (const EstimatorKind& kind : estimator_kinds())
    kinds.push_back({kind.id, "MeZO", "mezo", kind.settings, Way::estimate, &kind, kind.problem});
  kinds.push_back({"adam", "Adam", "adam", adam_settings(), Way::gradient, nullptr, adam_problem});
  kinds.push_back(
      {"linear_probe", "linear probe", "linear_probe", {}, Way::probe, nullptr, no_problem});
  return kinds;
}

const std::vector<OptimizerKind>& kinds() {
  static const std::vector<OptimizerKind> all = all_kinds();
  return all;
}

}  // namespace

std::span<const OptimizerKind> optimizer_kinds() { return kinds(); }

const OptimizerKind& optimizer_kind(const std::string& id) {
  for (const OptimizerKind& kind : kinds())
    if (id == kind.id) return kind;
  throw std::logic_error("[optimizers] no optimizer is called " + id);
}

}  // namespace mezo
