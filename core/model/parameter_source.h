#pragma once
// Where Ops gets the numbers of a parameter, one copy for each stream. There are two: the stored
// weights as they are (evaluation; parameter_store.h) and the two perturbed copies of a training step
// (core/zo/exact_weights.h). Everything else about a forward is the same for both, and lives once,
// in stream_ops.h.

#include <ATen/core/Tensor.h>

#include "core/api.h"
#include "core/model/declaration.h"

namespace mezo {

class MEZO_API ParameterSource {
 public:
  virtual ~ParameterSource();

  virtual int streams() const = 0;

  // The parameter under each stream: [S, shape…] with S = streams(), or [1, shape…] where all
  // streams share it. A matrix may lie in scratch that the next call reuses: finish with it first.
  // Vectors stay.
  virtual at::Tensor whole(Parameter) = 0;

  // Rows of a matrix stored row by row: entries [U] int64, ascending without repetition -> [S or 1,
  // U, width].
  virtual at::Tensor rows(Parameter, const at::Tensor& entries) = 0;
};

}  // namespace mezo
