#pragma once
// Which rows of its files a run uses. Without a seed a file's first ones; with `task.split_seed`
// the first of one permutation of its rows, so that fewer rows are always some of more. What train
// and dev take of one file never overlaps.

#include <optional>
#include <string>
#include <vector>

#include "core/settings/run_settings.h"
#include "core/task/examples.h"
#include "core/task/task.h"

namespace mezo {

// Of a file that is one split alone, in the file's order. `limit` 0: all.
std::vector<Example> choose_rows(const std::string& path, std::int64_t limit,
                                 std::optional<std::uint64_t> seed);

// Of the file of train, each in the file's order. dev is empty unless it comes from train: then it
// is the last rows of the order, at most task.dev_size; with task.train_per_class as many of each
// label as train has, the next ones. Throws DataError where a label has too few rows or train
// leaves none for dev, ConfigError for a task without labels and for a dev of two origins.
struct TrainRows {
  std::vector<Example> train, dev;
};
TrainRows choose_train_rows(const TaskSettings& settings, const Task& task);

// The first task.demonstrations of train's rows. Throws ConfigError where train is not given or has
// fewer.
std::vector<Example> choose_demonstrations(const TaskSettings& settings, const Task& task);

}  // namespace mezo
