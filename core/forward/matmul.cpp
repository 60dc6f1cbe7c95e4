#include "core/forward/matmul.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/_addmm_activation.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/relu.h>

namespace mezo {

namespace {

std::optional<c10::OperatorHandle> onednn_linear() {
  static const auto op = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  return op;
}

bool wants_gradients(const at::Tensor& x, const at::Tensor& matrix) {
  return x.requires_grad() || matrix.requires_grad();
}

bool suits_onednn(const at::Tensor& x, const at::Tensor& matrix, Layout layout) {
  return layout == Layout::out_in && x.is_cpu() && x.scalar_type() == at::kFloat &&
         matrix.scalar_type() == at::kFloat && x.is_contiguous() && matrix.is_contiguous() &&
         !wants_gradients(x, matrix) && onednn_linear().has_value();
}

// On a GPU with a bias, cuBLASLt ends its product in it; autograd does not know that one.
bool ends_in_relu(const at::Tensor& x, const at::Tensor& matrix, const at::Tensor& bias) {
  return x.is_cuda() && bias.defined() && !wants_gradients(x, matrix) && !bias.requires_grad();
}

}  // namespace

at::Tensor multiply(const at::Tensor& x, const at::Tensor& matrix, Layout layout,
                    const at::Tensor& bias, AndThen then) {
  if (suits_onednn(x, matrix, layout)) {
    torch::jit::Stack stack = {x,
                               matrix,
                               bias.defined() ? c10::IValue(bias) : c10::IValue(),
                               std::string(then == AndThen::relu ? "relu" : "none"),
                               c10::List<std::optional<at::Scalar>>(),
                               c10::IValue()};
    onednn_linear()->callBoxed(stack);
    return stack.front().toTensor();
  }
  const at::Tensor right = layout == Layout::out_in ? matrix.t() : matrix;
  if (then == AndThen::relu && ends_in_relu(x, matrix, bias))
    return at::_addmm_activation(bias, x, right);
  const at::Tensor y = bias.defined() ? at::addmm(bias, x, right) : at::mm(x, right);
  return then == AndThen::relu ? at::relu(y) : y;
}

void multiply_into(at::Tensor out, const at::Tensor& x, const at::Tensor& matrix, Layout layout,
                   const at::Tensor& bias, AndThen then) {
  const at::Tensor right = layout == Layout::out_in ? matrix.t() : matrix;
  if (suits_onednn(x, matrix, layout)) {
    out.copy_(multiply(x, matrix, layout, bias, then));
    return;
  }
  if (then == AndThen::relu && ends_in_relu(x, matrix, bias)) {
    at::_addmm_activation_out(out, bias, x, right);
    return;
  }
  if (bias.defined())
    at::addmm_out(out, bias, x, right);
  else
    at::mm_out(out, x, right);
  if (then == AndThen::relu) at::relu_(out);
}

}  // namespace mezo
