#pragma once
// What is peculiar to models in GGUF files: their tokenizer lies in the metadata, and rows of query
// and key projections are in another order. Used by load_model.cpp and by the export.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/io/gguf.h"
#include "core/text/tokenizer.h"

namespace mezo {

// Throws ModelError for a tokenizer that is not byte-level BPE, or that does not say how it cuts
// text.
GgufVocabulary vocabulary_of(const GgufFile& file);
Tokenizer tokenizer_of(const GgufFile& file);

// Which of transformers' rows a file's `row` is, of a matrix with so many `rows` and heads; rows
// must be a multiple of 2 * heads.
std::int64_t rotary_row(std::int64_t row, std::int64_t rows, std::int64_t heads);

}  // namespace mezo
