#include "core/forward/matmul.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

namespace mezo {

namespace {

std::optional<c10::OperatorHandle> onednn_linear() {
  static const auto op = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  return op;
}

bool suits_onednn(const at::Tensor& x, const at::Tensor& matrix, Layout layout) {
  return layout == Layout::out_in && x.is_cpu() && x.scalar_type() == at::kFloat &&
         matrix.scalar_type() == at::kFloat && x.is_contiguous() && matrix.is_contiguous() &&
         !x.requires_grad() && !matrix.requires_grad() && onednn_linear().has_value();
}

}  // namespace

at::Tensor multiply(const at::Tensor& x, const at::Tensor& matrix, Layout layout,
                    const at::Tensor& bias) {
  if (suits_onednn(x, matrix, layout)) {
    torch::jit::Stack stack = {x,
                               matrix,
                               bias.defined() ? c10::IValue(bias) : c10::IValue(),
                               std::string("none"),
                               c10::List<std::optional<at::Scalar>>(),
                               c10::IValue()};
    onednn_linear()->callBoxed(stack);
    return stack.front().toTensor();
  }
  const at::Tensor right = layout == Layout::out_in ? matrix.t() : matrix;
  return bias.defined() ? at::addmm(bias, x, right) : at::mm(x, right);
}

void multiply_into(at::Tensor out, const at::Tensor& x, const at::Tensor& matrix, Layout layout,
                   const at::Tensor& bias) {
  const at::Tensor right = layout == Layout::out_in ? matrix.t() : matrix;
  if (suits_onednn(x, matrix, layout))
    out.copy_(multiply(x, matrix, layout, bias));
  else if (bias.defined())
    at::addmm_out(out, bias, x, right);
  else
    at::mm_out(out, x, right);
}

}  // namespace mezo
