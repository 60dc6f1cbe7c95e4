#pragma once
// Quantised weights, turned into what a forward computes in while it asks for them: a whole matrix
// into scratch, or some of its rows. The CPU's and the GPU's kernels decode by the same functions
// (core/io/blocks.h) and give the same bits, but for a NaN's payload. Used by
// core/zo/stored_source.h, once a matrix and forward, and by ParameterStore::read. Costs a
// reading of the blocks and a writing of the result: memory traffic on a GPU; 3 to 20 GB of result
// a second and core on the CPU, where threads share the blocks.

#include <c10/core/ScalarType.h>

#include <cstdint>

#include "core/api.h"
#include "core/io/dtype.h"

namespace mezo {

struct StoredTensor;

// All pointers are of one device.
struct DequantizePass {
  DType blocks = DType::Q4_0;             // of core/io/blocks.h
  const std::uint8_t* stored = nullptr;   // [rows, bytes_of(blocks, width)]
  std::int64_t rows = 0, width = 0;       // of the matrix, in weights
  const std::int64_t* entries = nullptr;  // [count] rows to give, may repeat; null: 0 .. count
  std::int64_t count = 0;

  // out [count, width] of `type` (fp32, bf16 or fp16; rounded to nearest). A row outside [0, rows)
  // is std::out_of_range on the CPU; on a GPU, where asking would make the host wait, it reads as
  // NaN.
  void* out = nullptr;
  at::ScalarType type = at::kFloat;
};

// Over the whole of a quantised tensor, without where it goes.
MEZO_API DequantizePass dequantize_pass(const StoredTensor& tensor);

class MEZO_API DequantizeKernels {
 public:
  virtual ~DequantizeKernels();
  virtual void run(const DequantizePass& pass) const = 0;
};

// Of the device that the weights lie on: cpu, or cuda once its library has been loaded
// (core/machine/device.h).
MEZO_API const DequantizeKernels& dequantize_kernels(bool cuda);

}  // namespace mezo
