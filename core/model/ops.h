#pragma once
// The operations through which a model plugin touches its parameters and its tokens: the seam that
// keeps plugins simple.
//
// MeZO evaluates one batch under several parameter vectors at once, theta + eps z and theta - eps
// z; each is called a stream. A plugin is written as a plain function of a batch and never learns
// how many streams there are, how sequences are packed, or where anything lives. Activations are
// flat, [R, d]: one row a token, all rows of stream 0, then all of stream 1. Only Ops knows which
// rows belong to one sequence.
//
// Rules for plugins:
//   - positions come from the batch, never from arange: rows of a packed batch are not consecutive
//   tokens;
//   - make no mask: attention() knows which rows see which;
//   - what has neither parameters nor positions (activations, residuals) is ordinary ATen on [R, …]
//   tensors, each row by itself;
//   - never work in place on what an operation returned, and keep none of it after the call: memory
//   is reused.

#include <ATen/TensorOperators.h>  // arithmetic on tensors: a + b, a * b
#include <ATen/core/Tensor.h>

#include "core/model/activation.h"
#include "core/model/declaration.h"
#include "core/model/rotary.h"

namespace mezo {

struct Batch {
  at::Tensor ids;        // [R] int64, token of each row
  at::Tensor positions;  // [R] int64, place of each row in its sequence, from 0
};

// Which rows of its sequence a row sees. A layer that is not causal cannot serve sequences that
// share their beginning: ModelError.
struct AttentionOptions {
  double scale = 1;         // multiplies q k^T
  bool causal = true;       // a row sees no later position; false: also later ones
  std::int64_t window = 0;  // > 0: only positions less than `window` away from its own
  // > 0: scores s become cap * tanh(s / cap) before the softmax (Gemma 2). No fused kernel computes
  // that: a layer's scores exist then, those of some sequences at a time.
  double score_cap = 0;
};

class MEZO_API Ops {
 public:
  virtual ~Ops();

  // Opens layer i, from 0 in order: called once, first thing, with the activations that enter it;
  // go on with what it returns.
  virtual at::Tensor enter_layer(int layer, const at::Tensor& x) = 0;

  // ids [R] int64 in [0, entries) -> [R, width]. They are the batch's ids or positions, or computed
  // from these alone.
  virtual at::Tensor embedding(const Embedding&, const at::Tensor& ids) = 0;

  // x [R, in] -> [R, out], plus the bias if there is one. For a vocabulary head, `out` is the
  // number of entries asked for.
  virtual at::Tensor linear(const Linear&, const at::Tensor& x) = 0;

  // activation(linear(map, x)), in one pass where that can be.
  virtual at::Tensor activated(const Linear&, const at::Tensor& x, const Activation& activation);

  // x [R, d], or [R, H, d] with a norm of each head by one gain [d] -> x's shape. Statistics in
  // fp32.
  virtual at::Tensor layer_norm(const Norm&, const at::Tensor& x, double epsilon) = 0;
  virtual at::Tensor rms_norm(const Norm&, const at::Tensor& x, double epsilon) = 0;

  // A vector [d] (Declaration::vector) added to, or multiplied with, each row of x [R, d] or [R, H,
  // d] -> x's shape, computed in fp32.
  virtual at::Tensor add(Parameter vector, const at::Tensor& x) = 0;
  virtual at::Tensor scale(Parameter vector, const at::Tensor& x) = 0;

  // x [R, H, D] -> [R, H, D]: every head turned by its row's position. Costs cosines and sines once
  // a batch for each different Rotary. std::logic_error where D is less than what is to be rotated.
  virtual at::Tensor rope(const at::Tensor& x, const Rotary&) = 0;

  // The rows of x [R, ...] that something reads behind the last layer's keys and values -> [Q,
  // ...]; often few: those that predict an answer. Only for the last layer, where queries, what
  // attention answers and the sums behind it may be of these rows alone; hidden() then returns [Q,
  // d].
  virtual at::Tensor still_read(const at::Tensor& x);

  // Once a layer. q [R, H, D], k and v [R, Hkv, D] with H a multiple of Hkv -> [R, H, D]. Query
  // head h uses key/value head h / (H / Hkv). Of q [Q, H, D], still_read(), [Q, H, D].
  virtual at::Tensor attention(int layer, const at::Tensor& q, const at::Tensor& k,
                               const at::Tensor& v, const AttentionOptions&) = 0;
};

}  // namespace mezo
