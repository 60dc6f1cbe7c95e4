#pragma once
// A run's configuration as values of their own types: read once, from a YAML file or from what a
// trajectory recorded, and from then on nobody asks for a setting by its name. What is `auto` in
// them is nothing or a word of its own here; what it stands for is found out later
// (core/settings/resolved.h). Components that the settings name are made elsewhere (run_config.h).

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/parameters.h"
#include "core/config/tree.h"
#include "core/forward/storage.h"
#include "core/generate/sampling.h"
#include "core/plugin/registry.h"
#include "core/task/encode.h"
#include "core/task/task.h"
#include "core/zo/direction.h"
#include "core/zo/schedule.h"

namespace mezo {

struct TopSettings {
  std::string output;
  std::vector<std::string> plugins;  // names or paths, as they are written
};

struct ModelSettings {
  std::string path, type;  // type: a component id, or "auto"
  std::optional<at::ScalarType> dtype;
  std::string device;             // "auto", "cpu", "cuda"
  std::optional<Parameters> own;  // of the family that `type` names; nothing where it is auto
};

// A block whose `type` chose a component.
struct ComponentSettings {
  Component component;
  Parameters own;  // with the host's `type`
};

struct TaskSettings {
  std::string file, train, dev, test;                        // empty: none is given
  std::int64_t train_size = 0, dev_size = 0, test_size = 0;  // rows; 0: all
  std::optional<std::uint64_t> split_seed;
  bool dev_from_train = false;
  std::optional<std::int64_t> train_per_class;  // nothing: train_size says how many
  std::int64_t demonstrations = 0;
  std::int64_t max_length = 0;
  SequenceStart bos;
  std::optional<OptionScore> score;  // nothing: as the task says

  bool has_dev() const { return dev_from_train || !dev.empty(); }
};

struct GenerationSettings {
  std::optional<std::int64_t> max_new_tokens;  // nothing: as the task says
  std::vector<std::string> stop;               // beside the task's
  Sampling sampling;
  std::int64_t texts_at_once = 0;
};

// How matrices that train are kept, or all of them.
struct StorageSettings {
  std::optional<Storage> type;  // nothing: auto, or as filed
  bool as_filed = false;        // as the model's file has them
};

struct OptimizerSettings {
  std::string type;                     // an estimator's id
  std::optional<double> learning_rate;  // nothing: what the PEFT mode recommends
  double weight_decay = 0;
  Distribution distribution = Distribution::gaussian;
  Decay schedule = Decay::constant;
  std::uint32_t warmup = 0;
  StorageSettings storage;
  Parameters own;  // the estimator's
};

// Which step's weights are a run's result: its last one's, or those that dev scores best.
enum class Keep { last, best_loss, best_metric };

struct TrainerSettings {
  std::uint32_t steps = 0, batch_size = 0;
  std::uint32_t micro_batch = 0;  // 0: the whole batch
  std::int64_t eval_every = 0, log_every = 0;
  std::uint32_t flush_every = 0;
  std::uint64_t seed = 0;
  bool guard = true;
  Keep keep = Keep::last;
};

struct RunSettings {
  TopSettings top;
  ModelSettings model;
  ComponentSettings peft, objective;
  TaskSettings task;
  GenerationSettings generation;
  OptimizerSettings optimizer;
  TrainerSettings trainer;
  Value tree;  // all of it as it would be written, every default included
};

// Each adds what is wrong to `diagnostics`, with its place, and then gives what could be read.
TopSettings read_top(const Value& tree, Diagnostics& diagnostics);
TaskSettings read_task(const Value& tree, Diagnostics& diagnostics);
GenerationSettings read_generation(const Value& tree, Diagnostics& diagnostics);
ModelSettings read_model(const Value& tree, const Registry& registry, Diagnostics& diagnostics);
ComponentSettings read_peft(const Value& tree, const Registry& registry, Diagnostics& diagnostics);
OptimizerSettings read_optimizer(const Value& tree, Diagnostics& diagnostics);
TrainerSettings read_trainer(const Value& tree, Diagnostics& diagnostics);

// The whole; the registry knows the components.
RunSettings read_settings(const Value& tree, const Registry& registry, Diagnostics& diagnostics);

// Where a setting stands, for a message: its value, its block, or the file.
Mark mark_of(const Value& tree, const char* block, const char* key);

}  // namespace mezo
