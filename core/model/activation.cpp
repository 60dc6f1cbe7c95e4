#include "core/model/activation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>

#include "core/model/model_config.h"

namespace mezo {

namespace {

at::Tensor relu(const at::Tensor& x) { return at::relu(x); }
at::Tensor silu(const at::Tensor& x) { return at::silu(x); }
at::Tensor gelu(const at::Tensor& x) { return at::gelu(x); }
at::Tensor tanh_gelu(const at::Tensor& x) { return at::gelu(x, "tanh"); }
at::Tensor quick_gelu(const at::Tensor& x) { return x * at::sigmoid(x * 1.702); }

struct Known {
  const char* name;
  Activation activation;
};
constexpr Known known[] = {{"relu", {relu, true}},      {"silu", {silu}},
                           {"swish", {silu}},           {"gelu", {gelu}},
                           {"gelu_python", {gelu}},     {"gelu_new", {tanh_gelu}},
                           {"gelu_fast", {tanh_gelu}},  {"gelu_pytorch_tanh", {tanh_gelu}},
                           {"quick_gelu", {quick_gelu}}};

}  // namespace

Activation activation_of(const ModelConfig& config, const std::string& key,
                         const std::string& otherwise) {
  const std::string name = config.text(key, otherwise);
  std::string names;
  for (const Known& entry : known) {
    if (name == entry.name) return entry.activation;
    names += (names.empty() ? "" : ", ") + std::string(entry.name);
  }
  config.refuse(key, "expected one of the activations " + names);
}

}  // namespace mezo
