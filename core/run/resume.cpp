#include "core/run/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>

#include "core/checkpoint/weights_hash.h"
#include "core/error.h"
#include "core/run/interrupt.h"
#include "core/run/origin.h"
#include "core/run/progress.h"
#include "core/run/recorded_config.h"
#include "core/run/replay.h"
#include "core/run/start_adapter.h"

namespace mezo {

namespace {

constexpr const char* trajectory_file = "trajectory.mezo";

// Where things lie. What lies there is compared by its hash.
constexpr std::string_view places[] = {"output",    "plugins",    "model.path", "peft.adapter",
                                       "task.file", "task.train", "task.dev",   "task.test"};
// What the weights of earlier steps, or the order of the examples, follow from. Blocks end in a
// dot.
constexpr std::string_view fixed[] = {
    "model.type", "peft.", "task.", "optimizer.distribution", "optimizer.storage", "trainer.seed"};

std::string text_of(const Value& tree, const std::string& key) {
  const std::size_t dot = key.find('.');
  const Value* value = dot == std::string::npos ? tree.find(key) : tree.find(key.substr(0, dot));
  if (value && dot != std::string::npos) value = value->find(key.substr(dot + 1));
  return !value ? "absent" : value->is_scalar() ? value->text.empty() ? "none" : value->text : "…";
}

bool is_place(const std::string& key, const Value& then, const Value& now) {
  if (std::find(std::begin(places), std::end(places), key) == std::end(places)) return false;
  return (text_of(then, key) == "none") == (text_of(now, key) == "none");
}

bool is_fixed(const std::string& key) {
  return std::any_of(std::begin(fixed), std::end(fixed), [&](std::string_view f) {
    return f.ends_with('.') ? key.starts_with(f) : key == f;
  });
}

void note_other_machine(const Segment& then, const Segment& now) {
  std::vector<std::string> differences;
  for (const auto& [what, value] : now.machine) {
    const auto old = then.machine.find(what);
    const std::string before = old == then.machine.end() ? "unknown" : old->second;
    if (before != value) differences.push_back(fmt::format("{} {}, then {}", what, value, before));
  }
  if (!differences.empty())
    fmt::print(
        stderr,
        "note: this is not where the run was ({}); it goes on correctly, but not to the same "
        "bits as if it had stayed\n",
        fmt::join(differences, "; "));
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

std::optional<Resumption> find_resumption(const RunFolder& folder) {
  if (!folder.has(trajectory_file)) {
    fmt::print(stderr, "resume: there is no trajectory in {}: the run starts from the beginning\n",
               folder.path());
    return std::nullopt;
  }
  Resumption resumption;
  resumption.past = read_trajectory(folder.file(trajectory_file));
  const Trajectory& past = resumption.past;
  if (past.torn > 0)
    fmt::print(stderr, "resume: {} ends in {} torn bytes, which are cut off\n",
               folder.file(trajectory_file), past.torn);
  fmt::print(stderr, "resume: {} steps were done\n", past.steps());
  resumption.log = read_log(folder.path(), past.steps());
  if (past.steps() > 0 && !resumption.log.found)
    fmt::print(stderr, "warning: metrics.jsonl has no lines of these steps; they stay lost\n");
  return resumption;
}

void check_resumption(Resumption& resumption, const TrajectoryHeader& now,
                      const RunConfig& config) {
  const Trajectory& past = resumption.past;
  const Value then_tree = recorded_tree(past.latest().config);
  const Value now_tree = recorded_tree(now.first.config);
  std::vector<std::string> changed = changed_settings(then_tree, now_tree), refused;
  std::erase_if(changed, [&](const std::string& k) { return is_place(k, then_tree, now_tree); });
  for (const std::string& key : changed)
    if (is_fixed(key))
      refused.push_back(
          fmt::format("{} ({}, then {})", key, text_of(now_tree, key), text_of(then_tree, key)));
  if (!refused.empty())
    throw ConfigError(
        fmt::format("[resume] the run's past depends on {}: set it as it was, or "
                    "start another run with output=…",
                    fmt::join(refused, ", ")));
  if (const auto steps = config.trainer.integer("steps"); steps < past.steps())
    throw ConfigError(
        fmt::format("[resume] trainer.steps is {}, but {} steps were done; `mezo "
                    "replay --step` gives the weights of any of them",
                    steps, past.steps()));
  require_same_base(past.header, now);
  require_same_trained(past.header, now);
  require_same_files(past.header, now, config);
  note_other_machine(past.latest(), now.first);
  if (!changed.empty())
    fmt::print(stderr, "resume: changed from step {} on: {}\n", past.steps() + 1,
               fmt::join(changed, ", "));
  resumption.changed = !changed.empty() || past.latest().machine != now.first.machine;
}

bool has_whole_result(const RunFolder& folder) {
  std::ifstream in(folder.file("result.json"));
  const auto json = nlohmann::json::parse(in, nullptr, false);
  return json.is_object() && json.value("interrupted", nlohmann::json()) == false;
}

Start start_new(RunFolder& folder, const TrajectoryHeader& origin, const LoadedModel& model,
                std::uint32_t flush_every) {
  folder.start(origin.first.config);
  write_initial(model, folder.file(initial_file));  // before the trajectory that needs it
  return {TrajectoryWriter::create(folder.file(trajectory_file), origin, flush_every)};
}

Start start_again(RunFolder& folder, const TrajectoryHeader& now, std::uint32_t flush_every,
                  const Resumption& resumption, ExactWeights& weights,
                  const ParameterStore& store) {
  const Trajectory& past = resumption.past;
  Replayed replayed;
  {
    Progress bar("replaying", "step", past.steps());
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
  if (!resumption.changed) {
    start.unapplied = replayed.unapplied;
    return start;
  }
  Segment segment = now.first;
  segment.first_step = past.steps();
  start.writer.segment(segment);
  return start;
}

}  // namespace mezo
