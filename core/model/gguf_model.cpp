#include "core/model/gguf_model.h"

#include <cstring>

#include "core/error.h"

namespace mezo {

GptVocabulary vocabulary_of(const GgufFile& file) {
  const GgufMetadata& meta = file.metadata;
  const std::string model = meta.text("tokenizer.ggml.model");
  if (model != "gpt2")
    throw ModelError("[" + meta.path() +
                     "] tokenizer.ggml.model: only byte-level BPE (gpt2) can be read, got " +
                     model);
  const auto id = [&](const char* key) {
    if (!meta.find(key)) return std::optional<std::int32_t>();
    const std::int64_t value = meta.integer(key);
    if (value < 0 || value >= (std::int64_t{1} << 31))
      throw ModelError("[" + meta.path() + "] " + key + ": expected a token's id, got " +
                       std::to_string(value));
    return std::optional(static_cast<std::int32_t>(value));
  };
  GptVocabulary v;
  v.source = meta.path();
  v.tokens = meta.texts("tokenizer.ggml.tokens");
  v.merges = meta.texts("tokenizer.ggml.merges");
  if (meta.find("tokenizer.ggml.token_type"))
    for (const std::int64_t t : meta.integers("tokenizer.ggml.token_type"))
      v.types.push_back(static_cast<std::int32_t>(t));
  v.pre_tokenizer = meta.text("tokenizer.ggml.pre", "");
  v.add_bos = meta.boolean("tokenizer.ggml.add_bos_token", false);
  v.bos = id("tokenizer.ggml.bos_token_id");
  v.eos = id("tokenizer.ggml.eos_token_id");
  v.pad = id("tokenizer.ggml.padding_token_id");
  v.unk = id("tokenizer.ggml.unknown_token_id");
  return v;
}

Tokenizer tokenizer_of(const GgufFile& file) {
  return Tokenizer::from_vocabulary(vocabulary_of(file));
}

std::optional<Canonical> canonical(const std::string& tensor, const std::vector<GgufName>& names) {
  const std::size_t dot = tensor.rfind('.');
  if (dot == std::string::npos) return std::nullopt;
  const std::string module = tensor.substr(0, dot), suffix = tensor.substr(dot);
  std::string number, pattern = module;
  if (module.starts_with("blk.")) {
    const std::size_t end = module.find('.', 4);
    if (end == std::string::npos) return std::nullopt;
    number = module.substr(4, end - 4);
    pattern = "blk.*" + module.substr(end);
  }
  for (const GgufName& row : names)
    if (row.gguf == pattern) {
      std::string name = row.name;
      if (const std::size_t star = name.find('*'); star != std::string::npos)
        name.replace(star, 1, number);
      return Canonical{name + suffix, row.rotary_heads};
    }
  return std::nullopt;
}

// llama.cpp stores each head's rows as (0, D/2, 1, D/2 + 1, …); transformers has the halves one
// after the other.
void undo_rotary_order(float* data, std::int64_t rows, std::int64_t width, std::int64_t heads) {
  const std::int64_t head = rows / heads, half = head / 2;
  std::vector<float> copy(static_cast<std::size_t>(head * width));
  for (std::int64_t h = 0; h < heads; ++h) {
    float* block = data + h * head * width;
    std::memcpy(copy.data(), block, copy.size() * sizeof(float));
    for (std::int64_t i = 0; i < head; ++i)
      std::memcpy(block + (i % 2 * half + i / 2) * width, copy.data() + i * width,
                  static_cast<std::size_t>(width) * sizeof(float));
  }
}

}  // namespace mezo
