#pragma once
// The byte-level BPE tokenizer of GPT-2, OPT, RoBERTa and SmolLM2: text to ids and back, with the
// ids of the `tokenizers` package. Used by whatever turns examples into batches. Made once (about
// 0.1 s for 50,000 tokens), cheap to copy (shared and immutable), safe to use from several threads;
// encoding is n log n in the longest stretch without a break, some 8 MB of English a second.
//
// What is read and what is not. Pre-tokenizers: GPT-2's expression, alone or after single digits
// (`smollm`); anything else, a normalizer, or an added token with single_word is an error that
// names it. Truncation and padding settings of a tokenizer.json are ignored: the caller decides on
// lengths.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api.h"
#include "core/text/gpt_vocabulary.h"
#include "core/text/tokenizer_spec.h"

namespace mezo {

class MEZO_API Tokenizer {
 public:
  // Ids of the roles that the tokenizer's files name.
  struct SpecialIds {
    std::optional<std::int32_t> bos, eos, pad, mask, sep, unk;
  };

  // A Hugging Face model folder: its tokenizer.json, else vocab.json + merges.txt. Roles come from
  // tokenizer_config.json, special_tokens_map.json and config.json, in this order, where they
  // exist. Like every source, throws ModelError that names the file, what was expected and what was
  // got.
  static Tokenizer from_folder(const std::filesystem::path& folder);

  static Tokenizer from_vocabulary(const GptVocabulary& vocabulary);

  explicit Tokenizer(const TokenizerSpec& spec);

  // The ids of a text, without the tokens that a model expects around it. Added tokens in the text
  // become their ids. Bytes that are not UTF-8 are first replaced as Python's
  // bytes.decode('utf-8', 'replace') does: U+FFFD for each maximal invalid subpart.
  std::vector<std::int32_t> encode(std::string_view text) const;

  // The bytes that the ids stand for, which need not be UTF-8 when a character is cut in two. An
  // added token gives its content; an id without a token (rows that pad an embedding) gives
  // nothing.
  std::string decode(std::span<const std::int32_t> ids) const;

  // The id of a token by its content: an added token, or a token in byte-level spelling ("Ġgreat").
  std::optional<std::int32_t> token_id(std::string_view token) const;

  // The highest id + 1. A model's embedding must have at least so many rows.
  std::int32_t vocabulary_size() const;

  const SpecialIds& special() const;

  // What a model expects around a whole sequence: OPT </s> … ; RoBERTa <s> … </s>; GPT-2 nothing.
  std::span<const std::int32_t> sequence_start() const;
  std::span<const std::int32_t> sequence_end() const;

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

}  // namespace mezo
