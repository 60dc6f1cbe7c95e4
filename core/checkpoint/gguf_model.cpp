#include "core/checkpoint/gguf_model.h"

#include "core/error.h"

namespace mezo {

namespace {

// Files of before llama.cpp knew more than one, and models that its converter did not know: it
// reads them by an expression of its own, which no model was trained with.
std::string pre_tokenizer_of(const GgufMetadata& meta) {
  const std::string name = meta.text("tokenizer.ggml.pre", "");
  if (name.empty() || name == "default")
    throw ModelError("[" + meta.path() +
                     "] tokenizer.ggml.pre: expected how the model's tokenizer cuts text, "
                     "got " +
                     (name.empty() ? "nothing" : "default") +
                     "; convert the model anew, or write what is right into a copy, such as "
                     "`gguf-new-metadata --pre-tokenizer gpt-2 old.gguf new.gguf`");
  return name;
}

}  // namespace

GgufVocabulary vocabulary_of(const GgufFile& file) {
  const GgufMetadata& meta = file.metadata;
  const std::string model = meta.text("tokenizer.ggml.model");
  if (model != "gpt2" && model != "llama")
    throw ModelError("[" + meta.path() +
                     "] tokenizer.ggml.model: only byte-level BPE (gpt2) and SentencePiece's BPE "
                     "(llama) can be read, got " +
                     model);
  const auto id = [&](const char* key) {
    if (!meta.find(key)) return std::optional<std::int32_t>();
    const std::int64_t value = meta.integer(key);
    if (value < 0 || value >= (std::int64_t{1} << 31))
      throw ModelError("[" + meta.path() + "] " + key + ": expected a token's id, got " +
                       std::to_string(value));
    return std::optional(static_cast<std::int32_t>(value));
  };
  GgufVocabulary v;
  v.source = meta.path();
  v.tokens = meta.texts("tokenizer.ggml.tokens");
  v.model = model;
  if (meta.find("tokenizer.ggml.token_type"))
    for (const std::int64_t t : meta.integers("tokenizer.ggml.token_type"))
      v.types.push_back(static_cast<std::int32_t>(t));
  if (model == "llama") {
    v.scores = meta.numbers("tokenizer.ggml.scores");
    v.add_space_prefix = meta.boolean("tokenizer.ggml.add_space_prefix", true);
  } else {
    v.merges = meta.texts("tokenizer.ggml.merges");
    v.pre_tokenizer = pre_tokenizer_of(meta);
  }
  v.add_bos = meta.boolean("tokenizer.ggml.add_bos_token", model == "llama");
  v.add_eos = meta.boolean("tokenizer.ggml.add_eos_token", false);
  v.bos = id("tokenizer.ggml.bos_token_id");
  v.eos = id("tokenizer.ggml.eos_token_id");
  v.pad = id("tokenizer.ggml.padding_token_id");
  v.unk = id("tokenizer.ggml.unknown_token_id");
  return v;
}

Tokenizer tokenizer_of(const GgufFile& file) {
  return Tokenizer::from_vocabulary(vocabulary_of(file));
}

// llama.cpp stores each head's rows as (0, D/2, 1, D/2 + 1, …); transformers has the halves one
// after the other.
std::int64_t rotary_row(std::int64_t row, std::int64_t rows, std::int64_t heads) {
  const std::int64_t head = rows / heads, i = row % head;
  return row - i + i % 2 * (head / 2) + i / 2;
}

}  // namespace mezo
