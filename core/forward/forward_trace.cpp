#include "core/forward/forward_trace.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <stdexcept>

namespace mezo {

namespace {

// Ops that know shapes alone.
class TraceOps : public Ops {
 public:
  explicit TraceOps(std::span<const ParameterSpec> parameters) : parameters_(parameters) {
    trace.layer.assign(parameters.size(), ForwardTrace::not_used);
  }

  at::Tensor enter_layer(int layer, const at::Tensor& x) override {
    if (layer != trace.layers)
      throw std::logic_error("[forward_trace] layers must be entered from 0, in order");
    current_ = trace.layers++;
    return x;
  }
  at::Tensor embedding(const Embedding& e, const at::Tensor& ids) override {
    return at::zeros({ids.size(0), use(e.weight).at(1)}, at::kFloat);
  }
  at::Tensor linear(const Linear& map, const at::Tensor& x) override {
    const std::int64_t out = use(map.weight).at(map.layout == Layout::out_in ? 0 : 1);
    if (map.bias) use(map.bias);
    return at::zeros({x.size(0), out}, at::kFloat);
  }
  at::Tensor layer_norm(const Norm& norm, const at::Tensor& x, double) override {
    use(norm.bias);
    return like(norm.gain, x);
  }
  at::Tensor rms_norm(const Norm& norm, const at::Tensor& x, double) override {
    return like(norm.gain, x);
  }
  at::Tensor add(Parameter p, const at::Tensor& x) override { return like(p, x); }
  at::Tensor scale(Parameter p, const at::Tensor& x) override { return like(p, x); }
  at::Tensor rope(const at::Tensor& x, const Rotary&) override { return at::zeros_like(x); }
  at::Tensor attention(int layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       const AttentionOptions&) override {
    if (layer != static_cast<int>(trace.attention.size()))
      throw std::logic_error("[forward_trace] layers must be numbered from 0, in order");
    if (k.size(2) != v.size(2))
      throw std::logic_error("[forward_trace] keys and values of one width");
    trace.attention.push_back({q.size(1), k.size(1), k.size(2)});
    return at::zeros_like(q);
  }
  void enter_head() { current_ = trace.layers; }

  ForwardTrace trace;

 private:
  const std::vector<std::int64_t>& use(Parameter p) {
    const auto i = static_cast<std::size_t>(p.index);
    if (trace.layer.at(i) == ForwardTrace::not_used) {
      trace.layer[i] = current_;
      trace.order.push_back(p);
    }
    return parameters_[i].shape;
  }
  at::Tensor like(Parameter p, const at::Tensor& x) {
    use(p);
    return at::zeros_like(x);
  }
  std::span<const ParameterSpec> parameters_;
  int current_ = ForwardTrace::before_layers;
};

}  // namespace

ForwardTrace forward_trace(const Model& model, std::span<const ParameterSpec> parameters) {
  const at::AutoDispatchBelowADInplaceOrView forward_only;
  TraceOps ops(parameters);
  const at::Tensor one = at::zeros({1}, at::kLong);
  const at::Tensor hidden = model.hidden(ops, {one, one});
  ops.enter_head();
  model.head(ops, hidden);
  return std::move(ops.trace);
}

}  // namespace mezo
