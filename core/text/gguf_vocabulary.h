#pragma once
// The tokenizer that lies inside a GGUF file, as the plain arrays of its `tokenizer.ggml.*` keys.
// Who reads the file fills it; Tokenizer::from_vocabulary compiles it. Two of its models are known:
// gpt2 (byte-level BPE with merges) and llama (SentencePiece's BPE, whose merges follow from the
// tokens' scores).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/text/tokenizer_spec.h"

namespace mezo {

struct GgufVocabulary {
  std::string source;               // the file, for errors
  std::string model = "gpt2";       // model: gpt2 or llama
  std::vector<std::string> tokens;  // tokens: the index is the id
  // token_type: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 a byte; empty (gpt2
  // only) or one a token
  std::vector<std::int32_t> types;
  std::vector<std::string> merges;  // gpt2, merges: "left right", best first
  std::vector<double> scores;       // llama, scores: one a token, joined highest first
  std::string pre_tokenizer;        // gpt2, pre: gpt-2 (also gpt2, default, empty), smollm, …
  bool add_space_prefix = true;     // llama, add_space_prefix
  bool add_bos = false;             // add_bos_token
  bool add_eos = false;             // add_eos_token
  std::optional<std::int32_t> bos, eos;  // bos_token_id …
  std::optional<std::int32_t> pad, mask, sep, unk;
};

// The same as what every tokenizer is compiled from; throws ModelError for a model or a
// pre-tokenizer that is not known, a merge that is none and a number of types or scores that is not
// the tokens'.
MEZO_API TokenizerSpec spec_of(const GgufVocabulary& vocabulary);

}  // namespace mezo
