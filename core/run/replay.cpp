#include "core/run/replay.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "core/checkpoint/weights_hash.h"
#include "core/error.h"
#include "core/run/interrupt.h"
#include "core/run/origin.h"
#include "core/run/placement.h"
#include "core/run/progress.h"
#include "core/run/recorded_config.h"
#include "core/run/settings.h"
#include "core/run/start_adapter.h"
#include "core/run/trainer.h"

namespace mezo {

namespace {

constexpr std::uint32_t steps_a_report = 32;

std::filesystem::path file_of(const std::string& run) {
  const std::filesystem::path path(run);
  std::error_code none;
  if (!std::filesystem::exists(path, none)) throw RunError("[replay] no such run folder: " + run);
  if (!std::filesystem::is_directory(path, none)) return path;
  if (!std::filesystem::exists(path / "trajectory.mezo", none))
    throw RunError("[replay] " + run + " holds no trajectory.mezo: nothing was trained there");
  return path / "trajectory.mezo";
}

// Where the model and its plugins lie may have changed since, and any device gives the same bits;
// what was done has not changed.
Value with_overrides(const Trajectory& trajectory, const std::vector<Argument>& overrides) {
  const Value then = recorded_tree(trajectory.latest().config);
  Value now = then;
  now.entry("model")->value.set("device", Value::scalar("auto"));
  Diagnostics diagnostics;
  std::vector<std::string> notes;
  apply_overrides(now, overrides, host_settings(), notes, diagnostics);
  diagnostics.throw_if_any();
  std::vector<std::string> refused = changed_settings(then, now);
  std::erase_if(refused, [](const std::string& key) {
    return key == "model.path" || key == "model.device" || key == "peft.adapter" ||
           key == "plugins";
  });
  if (!refused.empty())
    throw ConfigError(
        fmt::format("[replay] {}: replaying repeats what was done; only model.path, "
                    "model.device, peft.adapter and plugins can be given",
                    fmt::join(refused, ", ")));
  return now;
}

LoadedModel load_base(const Value& tree, const std::vector<PluginFolder>& folders) {
  const RunConfig config = recorded_config(tree);
  PluginSearch search;
  search.named = config.top.list("plugins");
  search.base = std::filesystem::current_path();
  search.folders = folders;
  const Registry registry(search);
  PreparedModel prepared =
      prepare_model(config.model.text("path"), registry,
                    {config.model.text("type"), {}, recorded_mode(tree, registry)});
  ModelPlacement placement = placement_of(config);
  placement.frozen = placement.frozen || prepared.frozen();
  return load_weights(std::move(prepared), placement);
}

std::uint32_t wanted_step(const ReplayRequest& request, const Trajectory& trajectory) {
  const std::int64_t step = request.step.value_or(trajectory.steps());
  if (step < 0 || step > trajectory.steps())
    throw RunError(fmt::format("[replay] there is no step {}: the trajectory has steps 0 to {}",
                               step, trajectory.steps()));
  return static_cast<std::uint32_t>(step);
}

}  // namespace

Replayed replay(const Trajectory& trajectory, ExactWeights& weights, std::uint32_t steps,
                const ReplayProgress& progress) {
  Replayed replayed;
  const Segment* segment = nullptr;
  TrainerOptions options;
  for (std::uint32_t step = 0; step < steps; ++step) {
    if (const Segment& now = trajectory.segment_of(step); &now != segment) {
      segment = &now;
      options = trainer_options(recorded_config(recorded_tree(now.config)));
    }
    StepUpdate update = update_of(options.spsa, learning_rate_at(options.schedule, step),
                                  trajectory.gradients[step]);
    if (update.applied) weights.push(step, std::move(update.coefficients), update.decay);
    replayed.unapplied = update.applied ? 0 : replayed.unapplied + 1;
    if (progress && (step + 1) % steps_a_report == 0 && !progress(step + 1)) {
      replayed.whole = false;
      return replayed;
    }
  }
  weights.settle();
  replayed.whole = !progress || progress(steps);
  return replayed;
}

Replayed replay(const Trajectory& trajectory, LoadedModel& model, std::uint32_t step,
                const ReplayProgress& progress) {
  require_same_base(trajectory.header, model.store);
  const RunConfig config = recorded_config(recorded_tree(trajectory.header.first.config));
  ExactWeights weights(model.store, trained_of(trajectory.header, model.store),
                       exact_options(config, model));
  return replay(trajectory, weights, step, progress);
}

ReplayedRun replay_run(const ReplayRequest& request) {
  const Interrupt interrupt;
  const std::filesystem::path file = file_of(request.run);
  Trajectory trajectory = read_trajectory(file);
  if (trajectory.torn > 0)
    fmt::print(stderr, "note: {} ends in {} torn bytes, which are left out\n", file.string(),
               trajectory.torn);
  const std::uint32_t step = wanted_step(request, trajectory);
  LoadedModel model =
      load_base(with_overrides(trajectory, request.overrides), request.plugin_folders);
  if (request.check) request.check(model);
  read_initial(model, file.parent_path() / initial_file);
  ReplayedRun run{std::move(trajectory), std::move(model), step};
  Progress bar("replaying", "step", step);
  const Replayed replayed = replay(run.trajectory, run.model, step, [&](std::uint32_t done) {
    bar.show(done);
    return !Interrupt::stop();
  });
  if (!replayed.whole) throw RunError("[replay] interrupted");
  return run;
}

void report_replay(const ReplayRequest& request, bool verify) {
  const ReplayedRun run = replay_run(request);
  const std::string hash = hash_of_all(run.model.store, hash_parameters(run.model.store));
  if (!verify) {
    fmt::print("step {}: sha256 {}\n", run.step, hash);
    return;
  }
  const EndRecord* end = run.trajectory.end_at(run.step);
  if (!end)
    throw RunError(
        fmt::format("[replay] step {}: sha256 {}, but the run recorded no hash there: "
                    "training did not end at that step",
                    run.step, hash));
  if (end->sha256 != hash)
    throw RunError(
        fmt::format("[replay] step {}: the weights have sha256 {}, but those of the run "
                    "had {}",
                    run.step, hash, end->sha256));
  fmt::print("step {}: sha256 {}, as the run recorded it\n", run.step, hash);
}

}  // namespace mezo
