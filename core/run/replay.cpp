#include "core/run/replay.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "core/checkpoint/start_adapter.h"
#include "core/checkpoint/weights_hash.h"
#include "core/console/interrupt.h"
#include "core/console/progress.h"
#include "core/error.h"
#include "core/plugin/create.h"
#include "core/record/provenance.h"
#include "core/record/run_log.h"
#include "core/run/best_step.h"
#include "core/run/placement.h"
#include "core/run/untraced_run.h"
#include "core/settings/host_rows.h"
#include "core/settings/recorded.h"
#include "core/settings/resolved.h"
#include "core/zo/step.h"

namespace mezo {

namespace {

constexpr std::uint32_t steps_a_report = 32;

std::filesystem::path file_of(const std::string& run) {
  const std::filesystem::path path(run);
  std::error_code none;
  if (!std::filesystem::exists(path, none)) throw RunError("[replay] no such run folder: " + run);
  if (!std::filesystem::is_directory(path, none)) return path;
  if (const std::string kept = kept_without_trajectory(path); !kept.empty())
    throw RunError("[replay] " + kept);
  if (!std::filesystem::exists(path / "trajectory.mezo", none))
    throw RunError("[replay] " + run + " holds no trajectory.mezo: nothing was trained there");
  return path / "trajectory.mezo";
}

// The run's own folder is the one that is read.
std::vector<std::string> can_be_given() {
  static constexpr std::string_view read[] = {"", "model", "peft"};
  std::vector<std::string> places = places_of(read);
  std::erase(places, "output");
  return places;
}

// Where the model and its plugins lie may have changed since, and any device gives the same bits;
// what was done has not changed.
Value with_overrides(const Trajectory& trajectory, const ReplayRequest& request) {
  const Value then = recorded_tree(trajectory.latest().config);
  Value now = then;
  now.entry("model")->value.set("device", Value::scalar("auto"));
  Diagnostics diagnostics;
  std::vector<std::string> notes;
  apply_overrides(now, request.overrides, host_settings(), notes, diagnostics);
  diagnostics.throw_if_any();
  std::vector<std::string> refused = changed_settings(then, now);
  std::vector<std::string> places = can_be_given();
  std::erase_if(refused, [&](const std::string& key) {
    return std::ranges::find(places, key) != places.end() ||
           std::ranges::find(request.free_blocks, key.substr(0, key.find('.'))) !=
               request.free_blocks.end();
  });
  for (const std::string& block : request.free_blocks) places.push_back(block + ".*");
  if (!refused.empty())
    throw ConfigError(
        fmt::format("[replay] {}: replaying repeats what was done; only {} can be given",
                    fmt::join(refused, ", "), fmt::join(places, ", ")));
  return now;
}

// The base model of a recorded run, under its mode. The objective's plugin may be gone, or whatever
// else the run named and its weights do not need.
LoadedModel load_base(const Value& tree, const std::vector<PluginFolder>& folders) {
  Diagnostics diagnostics;
  PluginSearch search;
  search.named = read_top(tree, diagnostics).plugins;
  search.demand_named = false;
  diagnostics.throw_if_any();
  search.base = std::filesystem::current_path();
  search.folders = folders;
  const Registry registry(search);
  const WeightSettings settings = recorded_weights(tree, registry);
  const ChosenPeft mode{create<Peft>(settings.peft.component, settings.peft.own),
                        settings.peft.component};
  PreparedModel prepared =
      prepare_model(settings.model.path, registry, {settings.model.type, settings.model.own, mode});
  return load_weights(std::move(prepared),
                      placement_of(settings.model, settings.steps.optimizer.storage));
}

// A trajectory alone does not know; the log beside it does.
void warn_of_divergence(const std::filesystem::path& folder, std::uint32_t steps,
                        std::uint32_t wanted, Console& console) {
  const std::optional<LoggedDivergence> diverged = read_log(folder.string(), steps).diverged;
  if (!diverged || diverged->step != steps || wanted <= diverged->last_good) return;
  console.warning(fmt::format(
      "the run has diverged at step {}: {}; {}", steps, diverged->reason,
      diverged->last_good ? fmt::format("step {0} was last good: --step {0}", diverged->last_good)
                          : "no step was good"));
}

// The step whose weights are the run's result: of one that keeps its best, that.
std::int64_t kept_step(const std::filesystem::path& folder, std::uint32_t steps, Console& console) {
  const auto best = best_in_result(folder);
  if (!best || *best >= steps) return steps;
  console.say(
      fmt::format("step {0} of {1} is best on dev and kept (result.json); --step {1} is the last",
                  *best, steps));
  return *best;
}

std::uint32_t wanted_step(const ReplayRequest& request, const Trajectory& trajectory,
                          const std::filesystem::path& folder, Console& console) {
  const std::int64_t step = request.step   ? *request.step
                            : request.last ? trajectory.steps()
                                           : kept_step(folder, trajectory.steps(), console);
  if (step < 0 || step > trajectory.steps())
    throw RunError(fmt::format("[replay] there is no step {}: the trajectory has steps 0 to {}",
                               step, trajectory.steps()));
  return static_cast<std::uint32_t>(step);
}

// How the steps of a segment are taken.
struct Rules {
  Schedule schedule;
  std::unique_ptr<Estimator> estimator;

  explicit Rules(const Segment& segment) {
    const StepSettings steps = recorded_steps(recorded_tree(segment.config));
    schedule = schedule_of(steps.optimizer, steps.trainer, *steps.optimizer.learning_rate);
    estimator = make_estimator(steps.optimizer, {});  // nothing is open in what was recorded
    if (estimator->scalars_a_step() != segment.scalars)
      throw RunError(fmt::format(
          "[trajectory] from step {} on {} scalars a step are recorded, and the estimator {} has "
          "{}",
          segment.first_step, segment.scalars, steps.optimizer.type, estimator->scalars_a_step()));
  }
};

}  // namespace

Replayed replay(const Trajectory& trajectory, ExactWeights& weights, std::uint32_t steps,
                const ReplayProgress& progress) {
  Replayed replayed;
  const Segment* segment = nullptr;
  std::optional<Rules> rules;
  for (std::uint32_t step = 0; step < steps; ++step) {
    if (const Segment& now = trajectory.segment_of(step); &now != segment) {
      segment = &now;
      rules.emplace(now);
    }
    const std::span<const float> scalars = trajectory.scalars[step];
    const bool applied = repeat_step(weights, *rules->estimator, step,
                                     learning_rate_at(rules->schedule, step), scalars);
    replayed.counts.add(applied, scalars.first(rules->estimator->projected_gradients()));
    if (progress && (step + 1) % steps_a_report == 0 && !progress(step + 1)) {
      replayed.whole = false;
      return replayed;
    }
  }
  weights.apply_pending();
  replayed.whole = !progress || progress(steps);
  // A latest segment without steps has other rules, and begins with an estimator of its own.
  if (segment == &trajectory.latest()) replayed.estimator = std::move(rules->estimator);
  return replayed;
}

std::unique_ptr<Estimator> estimator_after(const Trajectory& trajectory, std::uint32_t steps) {
  const Segment& segment = trajectory.segment_of(steps);
  Rules rules(segment);
  for (std::uint32_t step = segment.first_step; step < steps; ++step)
    rules.estimator->update(step, learning_rate_at(rules.schedule, step), trajectory.scalars[step]);
  return std::move(rules.estimator);
}

void take_back(const Trajectory& trajectory, const std::filesystem::path& folder,
               LoadedModel& model, std::uint32_t step, Console& console) {
  const StepSettings settings = recorded_steps(recorded_tree(trajectory.latest().config));
  read_initial(model, folder / initial_file);
  require_same_base(trajectory.header, model.store);
  ExactWeights weights(model.store, trained_of(trajectory.header, model.store),
                       exact_options(settings.optimizer, settings.trainer, model.dtype));
  Progress bar(console, "replaying", "step", step);
  const Replayed replayed = replay(trajectory, weights, step, [&](std::uint32_t done) {
    bar.show(done);
    return !Interrupt::stop();
  });
  if (!replayed.whole) throw RunError("[replay] interrupted");
}

ReplayedRun replay_run(const ReplayRequest& request, Console& console) {
  const Interrupt interrupt;
  const std::filesystem::path file = file_of(request.run);
  Trajectory trajectory = read_trajectory(file);
  if (trajectory.torn > 0)
    console.note(fmt::format("{} ends in {} torn bytes, which are left out", file.string(),
                             trajectory.torn));
  const std::uint32_t step = wanted_step(request, trajectory, file.parent_path(), console);
  warn_of_divergence(file.parent_path(), trajectory.steps(), step, console);
  Value tree = with_overrides(trajectory, request);
  LoadedModel model = load_base(tree, request.plugin_folders);
  if (request.check) request.check(model);
  ReplayedRun run{std::move(trajectory), std::move(model), step, std::move(tree)};
  take_back(run.trajectory, file.parent_path(), run.model, step, console);
  return run;
}

void report_replay(const ReplayRequest& request, bool verify, Console& console) {
  ReplayRequest last = request;
  last.last = true;
  const ReplayedRun run = replay_run(last, console);
  const std::string hash = hash_of_all(run.model.store, hash_parameters(run.model.store));
  if (!verify) {
    console.result(fmt::format("step {}: sha256 {}", run.step, hash));
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
  console.result(fmt::format("step {}: sha256 {}, as the run recorded it", run.step, hash));
}

}  // namespace mezo
