#pragma once
// Which questions an evaluation computes together: from the shortest to the longest, so that those
// of a batch are alike, as many as fill a forward.

#include <cstdint>
#include <span>
#include <vector>

#include "core/forward/parameter_store.h"
#include "core/task/question.h"

namespace mezo {

// Token rows of a forward: enough to keep the device busy, little enough to stay in memory. On a
// GPU six activations of the widest matrix's size take at most a quarter of what is free.
std::int64_t rows_a_forward(const ParameterStore& store, at::ScalarType dtype);

// Places of the questions, by rising length.
std::vector<std::size_t> by_length(std::span<const Question> questions);

// How many of `order`, from `begin` on, make the next batch of at most `rows` rows: one at least.
std::size_t batch_size(std::span<const Question> questions, std::span<const std::size_t> order,
                       std::size_t begin, std::int64_t rows);

}  // namespace mezo
