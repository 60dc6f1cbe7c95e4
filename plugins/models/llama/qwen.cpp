// Qwen2 (Yang et al. 2024, arXiv 2407.10671): biases of queries, keys and values; the upper layers
// may have a window. Qwen3 (Yang et al. 2025, arXiv 2505.09388): norms of each head in their stead.
#include "description.h"
#include "variant.h"

namespace decoder {

namespace {

void set_qwen_windows(Description& d, const mezo::ModelConfig& config) {
  std::optional<std::int64_t> window = size_or_none(config, "sliding_window", 4096);
  if (!config.boolean("use_sliding_window", false)) window = {};
  const auto first = static_cast<std::size_t>(config.integer("max_window_layers", 28));
  set_windows(
      d, config,
      sliding_layers(config, d.layers.size(), [&](std::size_t i) { return window && i >= first; }),
      window);
}

Description describe_qwen2(const mezo::ModelConfig& config) {
  Description d = described(config);
  d.qkv_bias = true;
  config.has("attention_bias");  // of files made by others; transformers does not read it
  set_qwen_windows(d, config);
  return d;
}

Description describe_qwen3(const mezo::ModelConfig& config) {
  Description d = described(config, {.head_width = 128});
  d.qkv_bias = d.output_bias = config.boolean("attention_bias", false);
  d.head_norms = true;
  set_qwen_windows(d, config);
  return d;
}

constexpr const char* qwen3_keys[] = {"attention_bias"};

}  // namespace

constinit const Variant qwen2{describe_qwen2, "Qwen2ForCausalLM", "qwen2", false};
constinit const Variant qwen3{describe_qwen3, "Qwen3ForCausalLM", "qwen3", false, qwen3_keys};

}  // namespace decoder
