#include "core/run/datasets.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "core/run/chosen_rows.h"
#include "core/run/generation_rules.h"
#include "core/run/question_encoder.h"
#include "core/task/data_faults.h"

namespace mezo {

namespace {

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

namespace {

// Reads splits by name; rows of train's file are chosen once for train and dev.
class Reader {
 public:
  Reader(const RunConfig& config, const TextModel& model, std::int64_t max_length, Datasets& data)
      : config_(config),
        task_(config.settings.task),
        model_(model),
        room_{max_length, new_tokens_of(config.settings.generation, &config.task), true},
        data_(data) {}

  void demonstrations() {
    const std::vector<Example> rows = choose_demonstrations(task_, config_.task);
    if (!rows.empty())
      data_.demonstrations = demonstrations_of(rows, config_.task, model_.tokenizer, task_.train);
  }

  void read(const std::string& name) {
    if (name == "train" && !task_.train.empty())
      data_.train = split(task_.train, of_train().train, "");
    if (name == "dev" && task_.has_dev())
      data_.dev = task_.dev_from_train
                      ? split(task_.train, of_train().dev, data_.demonstrations.text)
                      : measured(task_.dev, task_.dev_size);
    if (name == "test" && !task_.test.empty()) data_.test = measured(task_.test, task_.test_size);
  }

 private:
  const TrainRows& of_train() {
    if (!of_train_) {
      of_train_.emplace();  // first, so that what is wrong with it is told once
      *of_train_ = choose_train_rows(task_, config_.task);
    }
    return *of_train_;
  }

  Split measured(const std::string& path, std::int64_t size) const {
    return split(path, choose_rows(path, size, task_.split_seed), data_.demonstrations.text);
  }

  Split split(const std::string& path, const std::vector<Example>& rows,
              const std::string& before) const {
    const QuestionEncoder encoder(config_.task, model_, room_, task_.bos.tokens(model_.tokenizer),
                                  before);
    Split made{.path = path,
               .examples = encode_all(rows, [&](const Example& e) { return encoder(e, path); }),
               .metrics = metrics_for(config_.task.metric)};
    if (needs_of(config_.objective).right_answer)
      made.right_answers =
          encode_all(rows, [&](const Example& e) { return encoder.right_answer(e, path); });
    if (config_.task.generates())
      made.rules = rules_of(config_.settings.generation, &config_.task, model_);
    return made;
  }

  const RunConfig& config_;
  const TaskSettings& task_;
  const TextModel& model_;
  PromptRoom room_;
  Datasets& data_;
  std::optional<TrainRows> of_train_;
};

void say_demonstrations(const Datasets& data, Console& console) {
  if (data.demonstrations.text.empty()) return;
  DemonstrationCount count(data.demonstrations);
  for (const std::optional<Split>* split : {&data.dev, &data.test})
    if (*split)
      for (const Question& q : (*split)->examples) count.see(q);
  console.say(count.text());
}

// Fewer than were asked for, where train left no more.
void say_short(const Datasets& data, const TaskSettings& task, Console& console) {
  if (!task.dev_from_train || !data.dev || task.train_per_class) return;
  const auto rows = static_cast<std::int64_t>(data.dev->examples.size());
  if (rows < task.dev_size)
    console.note(
        fmt::format("dev has {} rows, which is all that train leaves of {} "
                    "(task.dev_size is {})",
                    rows, task.train, task.dev_size));
}

}  // namespace

Datasets read_datasets(const RunConfig& config, const TextModel& model,
                       const std::vector<std::string>& wanted, Console& console) {
  const std::int64_t max_length =
      longest_sequence(config.settings.task.max_length, config.task, model, console);
  say_mask(config.task, model, console);
  Datasets data;
  Reader reader(config, model, max_length, data);
  reader.demonstrations();
  DataFaults faults;
  for (const std::string& name : wanted) faults.collect([&] { reader.read(name); });
  faults.throw_if_any();
  say_demonstrations(data, console);
  say_short(data, config.settings.task, console);
  say_repeated(data.train, config.settings.trainer.batch_size, console);
  return data;
}

}  // namespace mezo
