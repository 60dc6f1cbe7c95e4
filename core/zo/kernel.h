#pragma once
// The kernels of exact zeroth-order training: one pass over stored weights that applies the updates
// they have missed and writes what the streams of a forward read. The only code that writes weights
// during training. The arithmetic is that of an exact update: for each missed step, with its terms
// in order,
//
//   u = 0;  u = fma(c_t, z_t, u);  theta' = fma(-decay, theta, theta) - u
//
// in fp32 with one rounding each (no decay: no fma), then one stochastic rounding (rounding.h)
// where the storage is narrower than fp32. A stream reads fma(epsilon, z, theta'), rounded to
// nearest to the type that the forward computes in. Kernel files are compiled without contraction,
// so no compiler adds or drops a rounding: CPU and GPU give the same bits. Malladi et al. 2023,
// algorithm 1.

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <span>

#include "core/api.h"
#include "core/forward/storage.h"
#include "core/zo/direction.h"

namespace mezo {

// A multiple of one direction: that of a probe of a step, which need not be the step that is taken.
// Its coefficient is, for SPSA, fp32(learning rate * projected gradient / probes).
struct Term {
  std::uint32_t step = 0;
  std::uint32_t probe = 0;
  float coefficient = 0;
};

// What one finished step does to the weights: theta moves by minus the sum of its terms, added up
// in their order. A step whose coefficients and decay are all zero writes nothing.
struct Update {
  std::uint32_t step = 0;  // whose draws round the result
  float decay = 0;         // fp32(learning rate * weight decay), 0 where a tensor is not decayed
  std::span<const Term> terms;
};

// What a stream reads: theta + epsilon * z of a probe. probe < 0: theta itself.
struct Stream {
  std::int32_t probe = 0;
  float epsilon = 0;
};

// The most that one pass takes; a GPU gets all of it as arguments of one launch.
constexpr std::size_t most_streams = 64, most_updates = 32, most_terms = 1536;

// Stored weights: the first element of a whole tensor.
struct StoredView {
  Storage storage = Storage::float32;
  void* words = nullptr;
  std::uint8_t* residual = nullptr;  // bfloat16+8 only
};

// One pass. Elements come in units of `width` that know together which updates they have seen: rows
// of an embedding, or one unit that is the whole tensor. All pointers are of one device.
struct WeightPass {
  StoredView weights;
  PhiloxKey key;
  Distribution distribution = Distribution::gaussian;
  std::int64_t width = 0;              // elements of a unit
  std::int64_t units = 0;              // of the tensor
  const std::int64_t* rows = nullptr;  // [count] units to visit, may repeat; null: 0 .. count
  std::int64_t count = 0;

  // updates[seen ..) are applied, and seen becomes their number. `unit_seen`: one a unit of the
  // tensor; without it `seen` counts for all units and the caller keeps the new number.
  std::span<const Update> updates;
  std::int32_t* unit_seen = nullptr;
  std::int32_t seen = 0;

  // out [streams, count, width] of `type` (fp32, bf16 or fp16); no streams: only the updates. A row
  // outside [0, units) is std::out_of_range on the CPU; on a GPU, where asking would make the host
  // wait, it reads as NaN.
  std::uint32_t step = 0;  // of the streams' probes
  std::span<const Stream> streams;
  void* out = nullptr;
  at::ScalarType type = at::kFloat;
  bool dithered = false;  // round what is read stochastically, by the draws of `step`
};

class MEZO_API WeightKernels {
 public:
  virtual ~WeightKernels();
  virtual void run(const WeightPass& pass) const = 0;

  // Passes over vectors, which are short: a GPU takes many in one launch. They differ in weights,
  // key, size, `seen` and where they write alone; storage is float32, and there are no rows.
  virtual void run_vectors(std::span<const WeightPass> passes) const {
    for (const WeightPass& pass : passes) run(pass);
  }
};

// Threads of at::parallel_for share a pass out; the results do not depend on how many there are.
MEZO_API const WeightKernels& cpu_weight_kernels();

// Of the device that the weights lie on: cpu, or cuda once its library has been loaded
// (core/machine/device.h).
MEZO_API const WeightKernels& weight_kernels(bool cuda);

MEZO_API bool writes(const Update& update);

// The part of the CPU's kernel that one thread runs: n elements, the first of which has the index
// `first` in its tensor, lies where `weights` points, and goes to where each of `outs` points.
MEZO_API void run_range(const WeightPass& pass, const StoredView& weights, std::uint64_t first,
                        std::int64_t n, std::span<const Update> missed,
                        std::span<void* const> outs);

// The view that begins `elements` further on.
MEZO_API StoredView advanced(const StoredView& view, std::int64_t elements);

}  // namespace mezo
