#pragma once
// The estimators that `optimizer.type` names: their settings, as parameter tables, and how each is
// made from them.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/parameters.h"
#include "core/zo/estimator.h"

namespace mezo {

// What settings that were left open follow from.
struct EstimatorContext {
  double recommended_epsilon = 1e-3;  // what `epsilon: auto` stands for
  bool shared_matrices = false;       // all streams read the same ones: none of them trains
};

struct EstimatorKind {
  const char* id;
  const char* summary;
  std::span<const mezo_parameter> settings;

  std::unique_ptr<Estimator> (*make)(const Parameters& own, double weight_decay,
                                     const EstimatorContext& context);

  // Settings whose values followed from the context, as a YAML file writes them: {"epsilon",
  // "0.001"} where it was `auto`. They are recorded in place of the given ones.
  std::vector<std::pair<std::string, std::string>> (*resolved)(const Parameters& own,
                                                               const EstimatorContext& context);

  // What is wrong with settings that each pass their own row: the setting to point at, and why.
  std::optional<std::pair<std::string, std::string>> (*problem)(const Parameters& own);
};

MEZO_API std::span<const EstimatorKind> estimator_kinds();

// std::logic_error for an unknown id.
MEZO_API const EstimatorKind& estimator_kind(const std::string& id);

}  // namespace mezo
