#pragma once
// What the variants' configurations say alike, read once for all of them. Every function throws
// ModelError, with the key, for what no decoder of this kind can be.

#include <functional>

#include "core/model/rotary_config.h"
#include "decoder.h"

namespace decoder {

// What transformers takes where a key is absent; llama.cpp's files say more and have no such
// defaults.
struct Defaults {
  mezo::RotaryKeys rotary = {};  // of all layers, or of those without a window
  std::int64_t head_width = 0;   // 0: hidden_size / num_attention_heads
  bool tied = false;
  const char *activation_key = "hidden_act", *activation = "silu";
};

// Sizes, positions, epsilon and tying; layers without a window that rotate alike; no biases.
Description described(const mezo::ModelConfig& config, const Defaults& defaults = {});

bool is_gguf(const mezo::ModelConfig& config);

// A key of which null says that there is none, and absence `otherwise`. Throws unless it is an
// integer, or a number, above 0.
std::optional<std::int64_t> size_or_none(const mezo::ModelConfig& config, const char* key,
                                         std::optional<std::int64_t> otherwise);
double cap_or_none(const mezo::ModelConfig& config, const char* key, double otherwise);

// Which of so many layers have a window: those that `layer_types` calls sliding_attention, or,
// where it is absent, those that `sliding` gives.
std::vector<bool> sliding_layers(const mezo::ModelConfig& config, std::size_t count,
                                 const std::function<bool(std::size_t)>& sliding);

// Gives those layers the window. Throws where there are some, but none.
void set_windows(Description& description, const mezo::ModelConfig& config,
                 const std::vector<bool>& sliding, std::optional<std::int64_t> window);

}  // namespace decoder
