#pragma once
// What is peculiar to models in GGUF files: their tokenizer lies in the metadata, their tensors
// have llama.cpp's names, and rows of query and key projections are in another order. Used by
// load_model.cpp and by the export.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/io/gguf.h"
#include "core/model/model.h"
#include "core/text/tokenizer.h"

namespace mezo {

// Throws ModelError for a tokenizer that is not byte-level BPE.
GptVocabulary vocabulary_of(const GgufFile& file);
Tokenizer tokenizer_of(const GgufFile& file);

// What a GGUF calls a tensor, turned into the canonical name: "blk.3.attn_q.weight" by the row
// {"blk.*.attn_q", …}.
struct Canonical {
  std::string name;
  std::int64_t rotary_heads = 0;
};

// Nothing for a tensor that no row names.
std::optional<Canonical> canonical(const std::string& tensor, const std::vector<GgufName>& names);

// Which of transformers' rows a file's `row` is, of a matrix with so many `rows` and heads; rows
// must be a multiple of 2 * heads.
std::int64_t rotary_row(std::int64_t row, std::int64_t rows, std::int64_t heads);

}  // namespace mezo
