// Mistral: Jiang et al. 2023, arXiv 2310.06825. LLaMA with a window in every layer. llama.cpp's
// files call it llama and have no window.
#include "description.h"
#include "variant.h"

namespace decoder {

namespace {

Description describe(const mezo::ModelConfig& config) {
  Description d = described(config);
  if (const auto window = size_or_none(config, "sliding_window", 4096))
    for (LayerKind& layer : d.layers) layer.window = *window;
  return d;
}

}  // namespace

constinit const Variant mistral{describe, "MistralForCausalLM", "mistral", true};

}  // namespace decoder
