// LLaMA: Touvron et al. 2023, arXiv 2302.13971. All that the others change is at its plainest here.
#include "description.h"
#include "variant.h"

namespace decoder {

namespace {

Description describe(const mezo::ModelConfig& config) {
  Description d = described(config);
  d.qkv_bias = d.output_bias = config.boolean("attention_bias", false);
  d.mlp_bias = config.boolean("mlp_bias", false);
  return d;
}

constexpr const char* keys[] = {"attention_bias", "mlp_bias"};

}  // namespace

constinit const Variant llama{describe, "LlamaForCausalLM", "llama", true, keys};

}  // namespace decoder
