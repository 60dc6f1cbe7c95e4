#include "core/run/untraced_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/io/read_file.h"
#include "core/record/run_folder.h"
#include "core/settings/optimizers.h"
#include "core/settings/recorded.h"

namespace mezo {

namespace {

const OptimizerKind* baseline_named(const std::string& type) {
  for (const OptimizerKind& kind : optimizer_kinds())
    if (type == kind.id && !kind.estimator) return &kind;
  return nullptr;
}

}  // namespace

std::string kept_without_trajectory(const std::filesystem::path& path) {
  std::error_code none;
  const std::filesystem::path config = path / "config.yaml";
  if (!std::filesystem::exists(config, none) ||
      std::filesystem::exists(path / "trajectory.mezo", none))
    return "";
  const Value tree = recorded_tree(read_file<RunError>(config.string(), most_text, "[run] "));
  const OptimizerKind* kind = baseline_named(setting_text(tree, "optimizer.type"));
  if (!kind) return "";
  if (kind->way == Way::probe)
    return fmt::format(
        "{} is a run of {}, which trains no weight of the model; its answers are in {}",
        path.string(), kind->id, (path / "predictions.jsonl").string());
  const std::string of = fmt::format(
      "{} is a run of {}, which keeps no trajectory, so that there is no step to go back to",
      path.string(), kind->id);
  if (std::filesystem::exists(path / model_folder / "config.json", none))
    return fmt::format("{}; its trained model is the folder {}", of,
                       (path / model_folder).string());
  if (std::filesystem::exists(path / "adapter" / "adapter_config.json", none))
    return fmt::format("{}; its adapter goes with the base model: {} peft.type={} peft.adapter={}",
                       of, setting_text(tree, "model.path"), setting_text(tree, "peft.type"),
                       (path / "adapter").string());
  return of + ", and it holds no weights";
}

}  // namespace mezo
