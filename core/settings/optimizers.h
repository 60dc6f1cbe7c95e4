#pragma once
// What `optimizer.type` names: an estimator (core/zo/estimators.h), whose steps need forwards
// alone, or a baseline to set beside it. Only an estimator's run has a trajectory.

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/parameters.h"
#include "core/zo/estimators.h"

namespace mezo {

enum class Way {
  estimate,  // by an estimator
  gradient,  // by automatic differentiation
  probe      // no step: a classifier on hidden rows
};

struct OptimizerKind {
  const char* id;
  const char* title;   // "Adam", for a table of results
  const char* method;  // "adam", for result.json
  std::span<const mezo_parameter> settings;
  Way way;
  const EstimatorKind* estimator;  // nullptr: a baseline

  // What is wrong with settings of the block that each pass their own row: the setting to point at,
  // and why.
  std::optional<std::pair<std::string, std::string>> (*problem)(const Parameters& block);
};

MEZO_API std::span<const OptimizerKind> optimizer_kinds();

// std::logic_error for an unknown id.
MEZO_API const OptimizerKind& optimizer_kind(const std::string& id);

}  // namespace mezo
