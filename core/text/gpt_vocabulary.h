#pragma once
// The tokenizer that lies inside a GGUF file, as the plain arrays of its `tokenizer.ggml.*` keys.
// Who reads the file fills it; Tokenizer::from_vocabulary compiles it. Only `tokenizer.ggml.model`
// = gpt2 (byte-level BPE) has this form.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/text/tokenizer_spec.h"

namespace mezo {

struct GptVocabulary {
  std::string source;               // the file, for errors
  std::vector<std::string> tokens;  // tokens: byte-level spelling, the index is the id
  std::vector<std::string> merges;  // merges: "left right", best first
  std::vector<std::int32_t> types;  // token_type: 3 control, 4 user-defined; empty or one a token
  std::string pre_tokenizer;        // pre: gpt-2 (also gpt2, default, empty) or smollm
  bool add_bos = false;             // add_bos_token
  std::optional<std::int32_t> bos, eos;  // bos_token_id …
  std::optional<std::int32_t> pad, mask, sep, unk;
};

// The same as what every tokenizer is compiled from; throws ModelError for a pre-tokenizer that is
// not known, a merge that is none and a number of types that is not the tokens'.
TokenizerSpec spec_of(const GptVocabulary& vocabulary);

}  // namespace mezo
