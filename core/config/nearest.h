#pragma once
// The candidate that a misspelt word most likely meant, for "did you mean": keys, choices,
// component ids, file names.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/api.h"

namespace mezo {

// Compares without case, by the Damerau-Levenshtein distance (insert, delete, replace, swap of
// neighbours), and accepts up to a third of the word's length, at most 3. Failing that, initials
// ("lr" for learning_rate) and leading or trailing words
// ("batch" for batch_size) count if only one candidate has them. Ties go to the first candidate.
// Words of more than 64 bytes have no neighbour, which bounds the cost.
MEZO_API std::optional<std::string> nearest(std::string_view word,
                                            std::span<const std::string> candidates);

// "; did you mean 'epsilon'?", or "" where nothing is near: the tail of a message.
MEZO_API std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace mezo
