#pragma once
// How far a generated text agrees with a right one, as SQuAD's own evaluation has it (Rajpurkar et
// al. 2016): both are lower-cased and lose ASCII punctuation and the words a, an and the; what is
// left are words between spaces. Used by the metrics f1 and exact_match.

#include <string>

#include "core/api.h"

namespace mezo {

// The harmonic mean of precision and recall over words, each as often as both have it: from 0 to 1.
MEZO_API double shared_words(const std::string& text, const std::string& right);

// 1 where the words are the same in the same order, else 0.
MEZO_API double same_words(const std::string& text, const std::string& right);

}  // namespace mezo
