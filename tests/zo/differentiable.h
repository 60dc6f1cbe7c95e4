#pragma once
// A small model's gradient by automatic differentiation. The same model and the same Ops serve
// training: a ParameterSource that gives tensors which require gradients is all that differs.

#include "small_model.h"

namespace mezo {

class Differentiable : public ParameterSource {
 public:
  explicit Differentiable(ParameterStore& store) {
    for (int i = 0; i < static_cast<int>(store.specs().size()); ++i)
      tensors_.push_back(store.tensor({i}).clone().requires_grad_(true));
  }
  int streams() const override { return 1; }
  at::Tensor whole(Parameter p) override { return of(p).unsqueeze(0); }
  at::Tensor rows(Parameter p, const at::Tensor& entries) override {
    return of(p).index_select(0, entries).unsqueeze(0);
  }
  const at::Tensor& of(Parameter p) const { return tensors_[static_cast<std::size_t>(p.index)]; }

 private:
  std::vector<at::Tensor> tensors_;
};

constexpr std::uint32_t batch = 3;

// All parameters' gradients, one after another.
inline std::vector<double> gradient_of(Training& t) {
  Differentiable source(t.store);
  t.loss(source, batch).sum().backward();
  std::vector<double> all;
  for (int i = 0; i < static_cast<int>(t.store.specs().size()); ++i) {
    const at::Tensor g = source.of({i}).grad().contiguous();
    REQUIRE(g.defined());
    all.insert(all.end(), g.const_data_ptr<float>(), g.const_data_ptr<float>() + g.numel());
  }
  return all;
}

inline std::vector<float> z_of_all(const Training& t, std::uint32_t step, std::uint32_t probe) {
  std::vector<float> z;
  for (const ParameterSpec& spec : t.store.specs()) {
    std::vector<float> own(static_cast<std::size_t>(spec.elements()));
    fill_reference(Distribution::gaussian, {philox_key(5, spec.name), step, probe}, 0,
                   spec.elements(), own.data());
    z.insert(z.end(), own.begin(), own.end());
  }
  return z;
}

inline double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace mezo
