#pragma once
// The examples of a run, read from the files that its task block names and turned into questions.

#include <optional>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/checkpoint/load_model.h"
#include "core/console/console.h"
#include "core/generate/generator.h"
#include "core/settings/run_config.h"
#include "core/task/demonstrations.h"
#include "core/task/metrics.h"
#include "core/task/question.h"

namespace mezo {

struct Split {
  std::string path;
  std::vector<Question> examples;
  std::vector<Question> right_answers = {};   // of the same, where the objective asks for them
  std::vector<const Metric*> metrics;         // that the task is measured by
  std::optional<GenerationRules> rules = {};  // of texts, where the task asks for them

  const std::vector<Question>& to_train_on() const {
    return right_answers.empty() ? examples : right_answers;
  }
};

struct Datasets {
  std::optional<Split> train, dev, test;
  Demonstrations demonstrations = {};  // before every prompt of dev and test

  // What results are measured on: test, else dev. One of them must have been read.
  const Split& measured() const;
};

// Only the splits that are asked for by name ("train", "dev", "test") and given in the config are
// read, and the demonstrations; how many of those prompts have room for is said. Sequences are cut
// to what the model has positions for; where that is less than task.max_length, a note says so.
MEZO_API Datasets read_datasets(const RunConfig& config, const TextModel& model,
                                const std::vector<std::string>& wanted, Console& console);

}  // namespace mezo
