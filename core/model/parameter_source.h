#pragma once
// Where Ops gets the numbers of a parameter, one copy for each stream. There are two: the stored
// weights as they are (evaluation; core/zo/stored_source.h) and the perturbed copies of a
// training step (core/zo/exact_weights.h); what generates keeps what it got from them
// (core/forward/held_source.h). Everything else about a forward is the same for all, and lives
// once, in stream_ops.h.

#include <ATen/core/Tensor.h>

#include "core/api.h"
#include "core/model/declaration.h"

namespace mezo {

class MEZO_API ParameterSource {
 public:
  virtual ~ParameterSource();

  virtual int streams() const = 0;

  // What a forward computes in, and where.
  virtual at::ScalarType dtype() const { return at::kFloat; }
  virtual at::Device device() const { return at::kCPU; }

  // The parameter under each stream: [S, shape…] with S = streams(), or [1, shape…] where all
  // streams share it. Vectors are fp32 and stay; adapters' tensors are dtype() and stay; matrices
  // are dtype(), and may lie in scratch that the next call reuses: finish with them first.
  virtual at::Tensor whole(Parameter) = 0;

  // Whether what whole() gives of a matrix stays as it is when others are asked for.
  virtual bool stays(Parameter) const { return false; }

  // A vector in dtype(), to be added inside a matrix product: [S or 1, d]. Where that rounds, a
  // source whose streams differ rounds so that a difference smaller than the type's spacing is kept
  // on average.
  virtual at::Tensor addend(Parameter p) { return whole(p).to(dtype()); }

  // Rows of a matrix stored row by row: entries [U] int64, which may repeat -> [S or 1, U, width]
  // of dtype().
  virtual at::Tensor rows(Parameter, const at::Tensor& entries) = 0;
};

}  // namespace mezo
