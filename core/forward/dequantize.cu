// Quantised weights on a GPU, by the same functions as on the CPU (core/io/blocks.h). A thread
// makes one weight of each of two runs that lie together, which in blocks of 32 are a byte's two
// nibbles; a block of threads goes from row to row.
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>

#include <algorithm>
#include <bit>

#include "core/forward/cuda_dequantize.h"
#include "core/io/blocks.h"

namespace mezo {

namespace {

constexpr int threads = 256;
constexpr std::int64_t most_blocks = 1 << 16;  // of threads: more than any GPU holds at once

struct AsFloat {
  using Word = float;
  static __device__ Word word(float x) { return x; }
};
struct AsHalf {
  using Word = std::uint16_t;
  static __device__ Word word(float x) { return fp32_to_fp16(x); }
};
struct AsBFloat16 {
  using Word = std::uint16_t;
  static __device__ Word word(float x) { return fp32_to_bf16(x); }
};

template <DType Type, class As>
__global__ void __launch_bounds__(threads)
    dequantize_kernel(const std::uint8_t* stored, std::int64_t rows, std::int64_t blocks_a_row,
                      const std::int64_t* entries, std::int64_t count, typename As::Word* out) {
  constexpr int weights = Block<Type>::weights, threads_a_block = weights / 2;
  const std::int64_t pairs = blocks_a_row * threads_a_block;
  for (std::int64_t i = blockIdx.x; i < count; i += gridDim.x) {
    const std::int64_t row = entries ? entries[i] : i;
    const bool known = row >= 0 && row < rows;
    for (std::int64_t pair = threadIdx.x; pair < pairs; pair += threads) {
      const std::int64_t at = pair / threads_a_block;
      const int in_block = static_cast<int>(pair % threads_a_block);
      const int j = in_block % run_length, run = in_block / run_length * 2;
      typename As::Word* to = out + (i * blocks_a_row + at) * weights + run * run_length + j;
      if (known) {
        const Block<Type> block(stored + (row * blocks_a_row + at) * Block<Type>::bytes);
        to[0] = As::word(block.run(run)(j));
        to[run_length] = As::word(block.run(run + 1)(j));
      } else {
        to[0] = to[run_length] = As::word(__uint_as_float(0x7FC00000u));
      }
    }
  }
}

template <DType Type, class As>
void launch(const DequantizePass& pass) {
  const auto grid = static_cast<unsigned>(std::min(pass.count, most_blocks));
  dequantize_kernel<Type, As><<<grid, threads, 0, c10::cuda::getCurrentCUDAStream()>>>(
      pass.stored, pass.rows, pass.width / Block<Type>::weights, pass.entries, pass.count,
      static_cast<typename As::Word*>(pass.out));
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

template <DType Type>
void launch_typed(const DequantizePass& pass) {
  if (pass.type == at::kFloat)
    launch<Type, AsFloat>(pass);
  else if (pass.type == at::kHalf)
    launch<Type, AsHalf>(pass);
  else
    launch<Type, AsBFloat16>(pass);
}

class CudaDequantizeKernels : public DequantizeKernels {
 public:
  void run(const DequantizePass& pass) const override {
    if (pass.count == 0) return;
    BlockTypes::visit(pass.blocks, [&]<DType Type>() { launch_typed<Type>(pass); });
  }
};

}  // namespace

const DequantizeKernels& cuda_dequantize_kernels() {
  static const CudaDequantizeKernels kernels;
  return kernels;
}

}  // namespace mezo
