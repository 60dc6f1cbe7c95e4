#include "core/train/adam.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

namespace mezo {

namespace {

constexpr const char* norm_words[] = {"none", nullptr};

// An estimator's epsilon and clip mean other things: a configuration of MeZO's must not pass for
// one of Adam's by changing its type.
constexpr mezo_parameter settings_of_adam[] = {
    {"beta1", MEZO_NUMBER, "0.9", "[0, 1)", nullptr, nullptr,
     "how much of the mean gradient stays at each step"},
    {"beta2", MEZO_NUMBER, "0.999", "[0, 1)", nullptr, nullptr,
     "how much of the mean squared gradient stays at each step"},
    {"adam_epsilon", MEZO_NUMBER, "1e-8", "(0, 1]", nullptr, nullptr,
     "added to the root of the mean squared gradient"},
    {"max_grad_norm", MEZO_NUMBER, "none", "(0, 1e30]", norm_words, nullptr,
     "a gradient whose norm over all that trains is larger is scaled down to it"}};

}  // namespace

std::span<const mezo_parameter> adam_settings() { return settings_of_adam; }

AdamOptions adam_options(const Parameters& own, double weight_decay) {
  return {own.number("beta1"), own.number("beta2"), own.number("adam_epsilon"), weight_decay,
          own.is_word("max_grad_norm") ? 0.0 : own.number("max_grad_norm")};
}

Adam::Adam(std::vector<Trained> trained, const AdamOptions& options) : options_(options) {
  const at::NoGradGuard no_grad;
  for (Trained& t : trained) {
    const at::Tensor mean = at::zeros_like(t.leaf), square = at::zeros_like(t.leaf);
    states_.push_back({std::move(t), mean, square});
  }
}

double Adam::scale_of_gradients() const {
  std::vector<at::Tensor> norms;
  for (const State& s : states_)
    if (const at::Tensor& g = s.trained.leaf.grad(); g.defined())
      norms.push_back(at::linalg_vector_norm(g));
  if (norms.empty()) return 1;
  const double norm = at::linalg_vector_norm(at::stack(norms)).item<double>();
  if (!std::isfinite(norm)) return norm;
  return options_.max_norm > 0 && norm > options_.max_norm ? options_.max_norm / norm : 1;
}

bool Adam::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  const double scale = scale_of_gradients();
  if (!std::isfinite(scale)) return false;
  ++steps_;
  const auto t = static_cast<double>(steps_);
  const double mean_bias = 1 - std::pow(options_.beta1, t),
               square_bias = 1 - std::pow(options_.beta2, t);
  for (State& s : states_) {
    at::Tensor gradient = s.trained.leaf.grad();
    if (!gradient.defined()) continue;
    if (scale != 1) gradient.mul_(scale);
    if (s.trained.decays) s.trained.leaf.mul_(1 - learning_rate * options_.weight_decay);
    s.mean.lerp_(gradient, 1 - options_.beta1);
    s.square.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    const at::Tensor root = s.square.sqrt().div_(std::sqrt(square_bias)).add_(options_.epsilon);
    s.trained.leaf.addcdiv_(s.mean, root, -learning_rate / mean_bias);
  }
  return true;
}

void Adam::forget_gradients() {
  for (State& s : states_) s.trained.leaf.mutable_grad().reset();
}

std::int64_t Adam::bytes() const {
  std::int64_t bytes = 0;
  for (const State& s : states_) bytes += 3 * static_cast<std::int64_t>(s.mean.nbytes());
  return bytes;
}

}  // namespace mezo
