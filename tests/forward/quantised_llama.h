#pragma once
// A LLaMA of two layers as a GGUF file whose matrices are of every type that such a file may have.
// Used by the tests of models that stay quantised.

#include <ATen/ops/empty.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "core/io/float16.h"
#include "tests/io/random_blocks.h"
#include "tests/model/gguf_file.h"
#include "tests/model/toy.h"

namespace mezo {

inline std::uint32_t ggml_number(DType type) {
  switch (type) {
    case DType::F16:
      return 1;
    case DType::Q4_0:
      return 2;
    case DType::Q4_1:
      return 3;
    case DType::Q8_0:
      return 8;
    case DType::BF16:
      return 30;
    default:
      return 0;
  }
}

// A tensor's bytes: numbers around `mean`, as large as keeps a forward finite.
inline std::string tensor_bytes(DType type, std::int64_t count, std::uint32_t seed, float mean) {
  if (block_size(type) > 1) return random_blocks(type, count, seed, 9);
  const at::Tensor values = numbers({count}, seed).mul_(0.1).add_(mean);
  const float* from = values.const_data_ptr<float>();
  std::string bytes(static_cast<std::size_t>(bytes_of(type, count)), '\0');
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint16_t word = type == DType::F16 ? fp32_to_fp16(from[i]) : fp32_to_bf16(from[i]);
    if (type == DType::F32)
      std::memcpy(bytes.data() + 4 * i, from + i, 4);
    else
      std::memcpy(bytes.data() + 2 * i, &word, 2);
  }
  return bytes;
}

struct QuantisedLlama {
  struct Tensor {
    std::vector<std::int64_t> shape;
    DType type;
    std::string bytes;
  };
  static constexpr std::int64_t heads = 2, kv_heads = 1, hidden = 64, inner = 96, entries = 50;
  std::map<std::string, Tensor> tensors;  // by their names in the file

  explicit QuantisedLlama(bool tied) {
    add("token_embd.weight", {entries, hidden}, DType::Q8_0);
    if (!tied) add("output.weight", {entries, hidden}, DType::Q4_0);
    add("output_norm.weight", {hidden}, DType::F32);
    for (const std::string layer : {"blk.0.", "blk.1."}) {
      add(layer + "attn_norm.weight", {hidden}, DType::F16);
      add(layer + "attn_q.weight", {hidden, hidden}, DType::Q4_1);
      add(layer + "attn_k.weight", {hidden / heads, hidden}, DType::Q4_0);
      add(layer + "attn_v.weight", {hidden / heads, hidden}, DType::F16);
      add(layer + "attn_output.weight", {hidden, hidden}, DType::BF16);
      add(layer + "ffn_norm.weight", {hidden}, DType::F32);
      add(layer + "ffn_gate.weight", {inner, hidden}, DType::Q4_1);
      add(layer + "ffn_up.weight", {inner, hidden}, DType::F32);
      add(layer + "ffn_down.weight", {hidden, inner}, DType::Q4_1);
    }
  }

  std::string file() const {
    Gguf gguf;
    gguf.text("general.architecture", "llama")
        .integer("llama.block_count", 2)
        .integer("llama.embedding_length", hidden)
        .integer("llama.feed_forward_length", inner)
        .integer("llama.attention.head_count", heads)
        .integer("llama.attention.head_count_kv", kv_heads)
        .integer("llama.vocab_size", entries)
        .number("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .text("tokenizer.ggml.model", "gpt2")
        .text("tokenizer.ggml.pre", "gpt-2")
        .texts("tokenizer.ggml.tokens", {"a", "b", "c"})
        .texts("tokenizer.ggml.merges", {});
    for (const auto& [name, t] : tensors) gguf.tensor(name, t.shape, ggml_number(t.type), t.bytes);
    return gguf.bytes();
  }

 private:
  void add(const std::string& name, std::vector<std::int64_t> shape, DType type) {
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    const auto seed = static_cast<std::uint32_t>(tensors.size());
    const float mean = shape.size() == 1 ? 1.0f : 0.0f;
    tensors[name] = {std::move(shape), type, tensor_bytes(type, count, seed, mean)};
  }
};

}  // namespace mezo
