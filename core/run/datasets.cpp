#include "core/run/datasets.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "core/task/data_faults.h"
#include "core/task/encode.h"
#include "core/task/encode_masked.h"
#include "core/train/batch_order.h"

namespace mezo {

namespace {

// The first rows of the file, or with a seed a random choice of its rows, in the file's order.
std::vector<Example> choose(const std::string& path, std::int64_t limit,
                            std::optional<std::uint64_t> seed) {
  if (!seed) return read_examples(path, limit);
  std::vector<Example> all = read_examples(path);
  const auto n = static_cast<std::uint32_t>(all.size());
  std::vector<std::uint32_t> order = permutation(*seed, 0, n);
  if (limit > 0 && limit < n) order.resize(static_cast<std::size_t>(limit));
  std::sort(order.begin(), order.end());
  std::vector<Example> chosen;
  for (const std::uint32_t i : order) chosen.push_back(std::move(all[i]));
  return chosen;
}

std::int64_t longest_sequence(std::int64_t wanted, const PreparedModel& model, Console& console) {
  const std::optional<std::int64_t> positions = model.max_positions;
  if (!positions || *positions >= wanted) return wanted;
  console.note(
      fmt::format("sequences are cut to {} tokens, as the model has no more positions "
                  "(task.max_length is {})",
                  *positions, wanted));
  return *positions;
}

struct Wanted {
  const std::string& path;
  std::int64_t size;
  std::optional<Split>& split;
};

Wanted split_named(const std::string& name, const TaskSettings& task, Datasets& data) {
  if (name == "train") return {task.train, task.train_size, data.train};
  if (name == "dev") return {task.dev, task.dev_size, data.dev};
  return {task.test, task.test_size, data.test};
}

// What makes questions of a file's examples: a causal model is asked what follows a prompt, another
// what stands at its mask.
class Encoder {
 public:
  Encoder(const RunConfig& config, const PreparedModel& model, std::int64_t max_length)
      : task_(config.task),
        tokenizer_(model.tokenizer),
        max_length_(max_length),
        start_(config.settings.task.bos.tokens(model.tokenizer)) {
    if (!model.network.causal) masked_.emplace(task_, tokenizer_, max_length_, start_);
  }

  std::vector<Question> operator()(const std::vector<Example>& examples,
                                   const std::string& path) const {
    return encode_all(examples, [&](const Example& example) {
      return masked_ ? (*masked_)(example, path)
                     : encode(example, task_, tokenizer_, max_length_, path, start_);
    });
  }

 private:
  const Task& task_;
  const Tokenizer& tokenizer_;
  std::int64_t max_length_;
  std::vector<std::int32_t> start_;
  std::optional<MaskedEncoder> masked_;
};

void say_mask(const Task& task, const PreparedModel& model, Console& console) {
  if (model.network.causal && task.prompt.masks() > 0)
    console.warning(task.path +
                    ": the prompt has <mask>, which this model does not fill: it continues text, "
                    "reads <mask> as it stands, and options are read behind the prompt");
}

void say_repeated(const std::optional<Split>& train, std::uint32_t batch_size, Console& console) {
  if (train && batch_size > train->examples.size())
    console.warning(
        fmt::format("trainer.batch_size is {}, and {} has {} examples: a step takes some of them "
                    "more than once",
                    batch_size, train->path, train->examples.size()));
}

}  // namespace

const Split& Datasets::measured() const {
  if (test) return *test;
  if (dev) return *dev;
  throw std::logic_error("[datasets] neither test nor dev was read");
}

Datasets read_datasets(const RunConfig& config, const PreparedModel& model,
                       const std::vector<std::string>& wanted, Console& console) {
  const TaskSettings& task = config.settings.task;
  const std::int64_t max_length = longest_sequence(task.max_length, model, console);
  say_mask(config.task, model, console);
  const Encoder encoder(config, model, max_length);
  Datasets data;
  DataFaults faults;
  for (const std::string& name : wanted) {
    const Wanted of = split_named(name, task, data);
    if (of.path.empty()) continue;
    faults.collect([&] {
      const std::vector<Example> examples = choose(of.path, of.size, task.split_seed);
      of.split = Split{of.path, encoder(examples, of.path), metrics_for(config.task.metric)};
    });
  }
  faults.throw_if_any();
  say_repeated(data.train, config.settings.trainer.batch_size, console);
  return data;
}

}  // namespace mezo
