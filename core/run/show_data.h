#pragma once
// What `mezo validate --show N` prints of a run's data: of each split its size and labels, and its
// first examples as the model reads them.

#include <cstddef>

#include "core/console/console.h"
#include "core/run/datasets.h"
#include "core/task/task.h"
#include "core/text/tokenizer.h"

namespace mezo {

// To the console's results; `examples` of each split.
void show_data(const Datasets& data, const Task& task, const Tokenizer& tokenizer,
               std::size_t examples, Console& console);

}  // namespace mezo
