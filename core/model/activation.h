#pragma once
// The activations that configurations name, as transformers computes them: each row by itself, on
// any device and in any type. Read by families of models, once a build.

#include <ATen/core/Tensor.h>

#include <string>

#include "core/api.h"

namespace mezo {

class ModelConfig;

struct Activation {
  at::Tensor (*function)(const at::Tensor&) = nullptr;
  bool is_relu = false;  // which matrix products can end in (Ops::activated)

  at::Tensor operator()(const at::Tensor& x) const { return function(x); }
};

// By the name that `key` has, or `otherwise` where it has none: relu; silu (swish); gelu, by the
// error function; gelu_new, gelu_fast and gelu_pytorch_tanh, three spellings of one approximation
// by tanh; quick_gelu. Throws ModelError for another, with the key and what is known.
MEZO_API Activation activation_of(const ModelConfig& config, const std::string& key,
                                  const std::string& otherwise);

}  // namespace mezo
