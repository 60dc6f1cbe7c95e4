#pragma once
// Text to ids and back, with the ids and the text of the `tokenizers` package. Used by whatever
// turns examples into batches. Made once (about 0.1 s for 50,000 tokens), cheap to copy (shared and
// immutable), safe to use from several threads; encoding is n log n in the longest stretch without
// a break, some 4 to 8 MB of text a second.
//
// What is read: normalizer, pre-tokenizer, model (BPE, WordPiece, Unigram) and decoder of the steps
// in core/text/tokenizer_steps.h, from a folder or from a GGUF file. An unknown step, an expression
// with what core/text/expression_syntax.h does not know, an added token with single_word, dropout,
// affixes of BPE's subwords or a class of transformers with other rules of its own is an error that
// names it. Truncation and padding settings of a tokenizer.json are ignored: the caller decides on
// lengths. Where tokenizer_class is one that transformers 5 makes anew of little more than the
// vocabulary (GPT2Tokenizer, LlamaTokenizer …), all of tokenizer.json counts here, as in
// transformers 4, and notes() says where that differs.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api.h"
#include "core/text/gguf_vocabulary.h"
#include "core/text/tokenizer_spec.h"

namespace mezo {

class MEZO_API Tokenizer {
 public:
  // Ids of the roles that the tokenizer's files name.
  struct SpecialIds {
    std::optional<std::int32_t> bos, eos, pad, mask, sep, unk;
  };

  // A Hugging Face model folder: its tokenizer.json, else vocab.json + merges.txt, else vocab.txt
  // (BERT's). Roles and further tokens come from the small files beside it
  // (core/text/special_tokens.h). Like every source, throws ModelError that names the file, what
  // was expected and what was got.
  static Tokenizer from_folder(const std::filesystem::path& folder);

  static Tokenizer from_vocabulary(const GgufVocabulary& vocabulary);

  explicit Tokenizer(const TokenizerSpec& spec);

  // The same for a model with so many rows of embedding. An added token beyond them does no harm
  // until a text has it: encode() then throws DataError. Throws ModelError where any other token,
  // or one that every sequence begins or ends with, lies beyond them; `path` is the model's.
  Tokenizer for_rows(std::int64_t rows, const std::string& path) const;

  // The ids of a text, without the tokens that a model expects around it. Added tokens in the text
  // become their ids: a literal "</s>" is that token, as in transformers. Bytes that are not UTF-8
  // are first replaced as Python's bytes.decode('utf-8', 'replace') does: U+FFFD for each maximal
  // invalid subpart.
  std::vector<std::int32_t> encode(std::string_view text) const;

  // The text that the ids stand for. Of a byte-level tokenizer it is their bytes, which need not be
  // UTF-8 when a character is cut in two; others give what their decoder makes of the tokens, as
  // the package does. An added token gives its content; an id without a token (rows that pad an
  // embedding) gives nothing.
  std::string decode(std::span<const std::int32_t> ids) const;

  // The same for people: special tokens give nothing, and what is not UTF-8 becomes U+FFFD.
  std::string readable(std::span<const std::int32_t> ids) const;

  // The id of a token by its content: an added token, or one as the model spells it ("Ġgreat",
  // "▁great", "##eat").
  std::optional<std::int32_t> token_id(std::string_view token) const;

  // The highest id + 1, but no more than the model's rows.
  std::int32_t vocabulary_size() const;

  const SpecialIds& special() const;

  // For people: where transformers reads the files otherwise, one line each.
  std::span<const std::string> notes() const;

  // What a model expects around a whole sequence: OPT </s> … ; RoBERTa <s> … </s>; GPT-2 nothing.
  std::span<const std::int32_t> sequence_start() const;
  std::span<const std::int32_t> sequence_end() const;

 private:
  struct Parts;
  [[noreturn]] void throw_beyond(std::int32_t id) const;

  std::shared_ptr<const Parts> parts_;
  std::int64_t rows_ = INT64_MAX;
};

}  // namespace mezo
