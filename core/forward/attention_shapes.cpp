#include "core/forward/attention_shapes.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <stdexcept>

namespace mezo {

namespace {

// Ops that know shapes alone.
class ShapeOps : public Ops {
 public:
  explicit ShapeOps(std::span<const ParameterSpec> parameters) : parameters_(parameters) {}

  at::Tensor enter_layer(int, const at::Tensor& x) override { return x; }
  at::Tensor embedding(const Embedding& e, const at::Tensor& ids) override {
    return at::zeros({ids.size(0), shape(e.weight).at(1)}, at::kFloat);
  }
  at::Tensor linear(const Linear& map, const at::Tensor& x) override {
    return at::zeros({x.size(0), shape(map.weight).at(map.layout == Layout::out_in ? 0 : 1)},
                     at::kFloat);
  }
  at::Tensor layer_norm(const Norm&, const at::Tensor& x, double) override {
    return at::zeros_like(x);
  }
  at::Tensor rms_norm(const Norm&, const at::Tensor& x, double) override {
    return at::zeros_like(x);
  }
  at::Tensor rope(const at::Tensor& x, const Rotary&) override { return at::zeros_like(x); }
  at::Tensor attention(int layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       const AttentionOptions&) override {
    if (layer != static_cast<int>(found.size()))
      throw std::logic_error("[attention_shapes] layers must be numbered from 0, in order");
    if (k.size(2) != v.size(2))
      throw std::logic_error("[attention_shapes] keys and values of one width");
    found.push_back({q.size(1), k.size(1), k.size(2)});
    return at::zeros_like(q);
  }

  std::vector<AttentionShape> found;

 private:
  const std::vector<std::int64_t>& shape(Parameter p) const {
    return parameters_[static_cast<std::size_t>(p.index)].shape;
  }
  std::span<const ParameterSpec> parameters_;
};

}  // namespace

std::vector<AttentionShape> attention_shapes(const Model& model,
                                             std::span<const ParameterSpec> parameters) {
  const at::AutoDispatchBelowADInplaceOrView forward_only;
  ShapeOps ops(parameters);
  const at::Tensor one = at::zeros({1}, at::kLong);
  model.hidden(ops, {one, one});
  return std::move(ops.found);
}

}  // namespace mezo
