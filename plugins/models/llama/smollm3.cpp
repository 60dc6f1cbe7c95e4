// SmolLM3 (Bakouch et al. 2025): LLaMA whose every fourth layer does not rotate (NoPE, Yang et al.
// 2025, arXiv 2501.18795).
#include "description.h"
#include "variant.h"

namespace decoder {

namespace {

// Of each layer, whether it rotates. The key says so despite its name.
std::vector<bool> rotating(const mezo::ModelConfig& config, std::size_t count) {
  constexpr const char* key = "no_rope_layers";
  const auto interval = static_cast<std::size_t>(config.integer("no_rope_layer_interval", 4));
  std::vector<bool> layers;
  if (config.has(key)) {
    for (const std::int64_t rotates : config.integers(key)) layers.push_back(rotates != 0);
    if (layers.size() != count)
      config.refuse(key, "expected one for each of " + std::to_string(count) + " layers");
    return layers;
  }
  if (interval < 1) config.refuse("no_rope_layer_interval", "expected at least 1");
  for (std::size_t i = 0; i < count; ++i) layers.push_back((i + 1) % interval != 0);
  return layers;
}

Description describe(const mezo::ModelConfig& config) {
  Description d = described(config, {.rotary = {.base = 2e6}, .tied = true});
  d.qkv_bias = d.output_bias = config.boolean("attention_bias", false);
  d.mlp_bias = config.boolean("mlp_bias", false);
  const std::vector<bool> rotates = rotating(config, d.layers.size());
  for (std::size_t i = 0; i < d.layers.size(); ++i)
    if (!rotates[i]) d.layers[i].rotary.reset();
  const auto window = size_or_none(config, "sliding_window", {});
  const bool used = config.boolean("use_sliding_window", false) && window;
  set_windows(
      d, config,
      sliding_layers(config, d.layers.size(), [&](std::size_t i) { return used && !rotates[i]; }),
      window);
  return d;
}

constexpr const char* keys[] = {"attention_bias", "mlp_bias"};

}  // namespace

constinit const Variant smollm3{describe, "SmolLM3ForCausalLM", "smollm3", true, keys};

}  // namespace decoder
