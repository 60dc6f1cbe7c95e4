#include "core/run/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/checkpoint/start_adapter.h"
#include "core/checkpoint/weights_hash.h"
#include "core/console/interrupt.h"
#include "core/console/progress.h"
#include "core/error.h"
#include "core/record/provenance.h"
#include "core/record/read_result.h"
#include "core/run/replay.h"
#include "core/settings/host_rows.h"
#include "core/settings/recorded.h"

namespace mezo {

namespace {

constexpr const char* trajectory_file = "trajectory.mezo";

// A place may move, but a file may neither come nor go.
bool only_moved(const std::string& key, const Value& then, const Value& now) {
  return decides(key) == Decides::place &&
         (setting_text(then, key) == "none") == (setting_text(now, key) == "none");
}

std::string change_text(const std::string& key, const Value& then, const Value& now) {
  return fmt::format("{} ({}, then {})", key, setting_text(now, key), setting_text(then, key));
}

void note_other_machine(const Segment& then, const Segment& now, Console& console) {
  std::vector<std::string> differences;
  for (const auto& [what, value] : now.machine) {
    const auto old = then.machine.find(what);
    const std::string before = old == then.machine.end() ? "unknown" : old->second;
    if (before != value) differences.push_back(fmt::format("{} {}, then {}", what, value, before));
  }
  if (!differences.empty())
    console.note(
        fmt::format("this is not where the run was ({}); it goes on correctly, but not to the same "
                    "bits as if it had stayed",
                    fmt::join(differences, "; ")));
}

void require_same_trained(const TrajectoryHeader& then, const TrajectoryHeader& now) {
  for (std::size_t i = 0; i < then.tensors.size(); ++i)
    if (then.tensors[i].trained != now.tensors[i].trained)
      throw ConfigError(fmt::format("[resume] peft: tensor {} is {}trained, which it was{} before",
                                    now.tensors[i].name, now.tensors[i].trained ? "" : "not ",
                                    then.tensors[i].trained ? "" : " not"));
}

void require_recorded_end(const Trajectory& past, const ParameterStore& store) {
  const EndRecord* end = past.last_end ? past.end_at(past.steps()) : nullptr;
  if (!end) return;
  const std::string hash = hash_of_all(store, hash_parameters(store));
  if (hash != end->sha256)
    throw RunError(
        fmt::format("[resume] the weights of step {} have sha256 {}, but those of the "
                    "run had {}; nothing was changed",
                    end->step, hash, end->sha256));
}

}  // namespace

std::optional<Resumption> find_resumption(const RunFolder& folder, Console& console) {
  if (!folder.has(trajectory_file)) {
    if (folder.has("result.json")) folder.refuse_result();
    console.say(fmt::format(
        "resume: there is no trajectory in {}: the run starts from the beginning", folder.path()));
    return std::nullopt;
  }
  Resumption resumption;
  resumption.past = read_trajectory(folder.file(trajectory_file));
  const Trajectory& past = resumption.past;
  if (past.torn > 0)
    console.say(fmt::format("resume: {} ends in {} torn bytes, which are cut off",
                            folder.file(trajectory_file), past.torn));
  console.say(fmt::format("resume: {} steps were done", past.steps()));
  resumption.log = read_log(folder.path(), past.steps());
  if (past.steps() > 0 && !resumption.log.found)
    console.warning("metrics.jsonl has no lines of these steps; they stay lost");
  return resumption;
}

void check_resumption(Resumption& resumption, const TrajectoryHeader& now, const RunConfig& config,
                      Console& console) {
  const Trajectory& past = resumption.past;
  const Value now_tree = recorded_tree(now.first.config);
  const Value then_tree =
      with_later_settings(recorded_tree(past.latest().config), now_tree, *config.registry);
  std::vector<std::string> future, refused;
  for (const std::string& key : changed_settings(then_tree, now_tree)) {
    const Decides what = decides(key);
    if (what == Decides::nothing || only_moved(key, then_tree, now_tree)) continue;
    if (what == Decides::future)
      future.push_back(key);
    else
      refused.push_back(change_text(key, then_tree, now_tree));
  }
  if (!refused.empty())
    throw ConfigError(
        fmt::format("[resume] the run's past depends on {}: set it as it was, or "
                    "start another run with output=…",
                    fmt::join(refused, ", ")));
  if (const std::uint32_t steps = config.settings.trainer.steps; steps < past.steps())
    throw ConfigError(
        fmt::format("[resume] trainer.steps is {}, but {} steps were done; `mezo "
                    "replay --step` gives the weights of any of them",
                    steps, past.steps()));
  require_same_base(past.header, now);
  require_same_trained(past.header, now);
  require_same_files(past.header, now, config);
  note_other_machine(past.latest(), now.first, console);
  if (!future.empty())
    console.say(fmt::format("resume: changed from step {} on: {}", past.steps() + 1,
                            fmt::join(future, ", ")));
  resumption.changed = !future.empty() || past.latest().machine != now.first.machine;
}

std::optional<nlohmann::ordered_json> whole_result(const RunFolder& folder) {
  auto result = read_result(folder.path());
  const bool whole = result && result->value("interrupted", nlohmann::ordered_json()) == false;
  return whole ? std::move(result) : std::nullopt;
}

Start start_new(RunFolder& folder, const TrajectoryHeader& provenance, const LoadedModel& model,
                std::uint32_t flush_every) {
  folder.start(provenance.first.config);
  write_initial(model, folder.file(initial_file));  // before the trajectory that needs it
  return {TrajectoryWriter::create(folder.file(trajectory_file), provenance, flush_every)};
}

Start start_again(RunFolder& folder, const TrajectoryHeader& now, std::uint32_t flush_every,
                  const Resumption& resumption, ExactWeights& weights, const ParameterStore& store,
                  Console& console) {
  const Trajectory& past = resumption.past;
  Replayed replayed;
  {
    Progress bar(console, "replaying", "step", past.steps());
    replayed = replay(past, weights, past.steps(), [&](std::uint32_t done) {
      bar.show(done);
      return !Interrupt::stop();
    });
  }
  if (!replayed.whole) throw RunError("[resume] interrupted before training went on");
  require_recorded_end(past, store);
  folder.resume(now.first.config);
  cut_log(folder.path(), past.steps());
  Start start{TrajectoryWriter(folder.file(trajectory_file), past, flush_every)};
  start.step = past.steps();
  start.training_seconds = resumption.log.training_seconds;
  start.dev = resumption.log.dev;
  start.counts = replayed.counts;
  if (!resumption.changed) {
    start.estimator = std::move(replayed.estimator);
    return start;
  }
  Segment segment = now.first;
  segment.first_step = past.steps();
  start.writer.segment(segment);
  return start;
}

}  // namespace mezo
