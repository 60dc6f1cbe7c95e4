#include "core/run/datasets.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "core/run/generation_rules.h"
#include "core/run/question_encoder.h"
#include "core/task/data_faults.h"
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

void say_mask(const Task& task, const TextModel& model, Console& console) {
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

Datasets read_datasets(const RunConfig& config, const TextModel& model,
                       const std::vector<std::string>& wanted, Console& console) {
  const TaskSettings& task = config.settings.task;
  const std::int64_t max_length = longest_sequence(task.max_length, config.task, model, console);
  say_mask(config.task, model, console);
  const QuestionEncoder encoder(
      config.task, model,
      {max_length, new_tokens_of(config.settings.generation, &config.task), true},
      task.bos.tokens(model.tokenizer));
  const bool right_answers = needs_of(config.objective).right_answer;
  Datasets data;
  DataFaults faults;
  for (const std::string& name : wanted) {
    const Wanted of = split_named(name, task, data);
    if (of.path.empty()) continue;
    faults.collect([&] {
      const std::vector<Example> examples = choose(of.path, of.size, task.split_seed);
      of.split = Split{
          .path = of.path,
          .examples = encode_all(examples, [&](const Example& e) { return encoder(e, of.path); }),
          .metrics = metrics_for(config.task.metric)};
      if (right_answers)
        of.split->right_answers = encode_all(
            examples, [&](const Example& e) { return encoder.right_answer(e, of.path); });
      if (config.task.generates())
        of.split->rules = rules_of(config.settings.generation, &config.task, model);
    });
  }
  faults.throw_if_any();
  say_repeated(data.train, config.settings.trainer.batch_size, console);
  return data;
}

}  // namespace mezo
