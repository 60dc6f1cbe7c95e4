#pragma once
// What every launch of this folder needs: the table of normals on the device, the size of a grid, a
// pass's weights as an argument.
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>

#include <algorithm>
#include <stdexcept>

#include "core/zo/cuda/weights.cuh"

namespace mezo {

// The 2,048 magnitudes in the current device's memory.
const std::uint32_t* table_on_device();

namespace {

// Blocks of threads that the GPU holds at once.
template <class Kernel>
int resident_blocks(Kernel* kernel, int threads) {
  static int blocks = 0;
  if (!blocks) {
    int device = 0, processors = 0, each = 0;
    C10_CUDA_CHECK(cudaGetDevice(&device));
    C10_CUDA_CHECK(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
    C10_CUDA_CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&each, kernel, threads, 0));
    blocks = processors * std::max(1, each);
  }
  return blocks;
}

Weights weights_of(const WeightPass& pass) {
  Weights w{pass.weights.words, pass.weights.residual, {}};
  PhiloxKey key = pass.key;
  for (PhiloxKey& round : w.round_keys) {
    round = key;
    key = {key.low + philox_w0, key.high + philox_w1};
  }
  return w;
}

bool is_aligned(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; }

// Calls `launch` with the pass's distribution and the type that it writes, as template arguments.
template <class Launch>
void by_output(const WeightPass& pass, Launch&& launch) {
  const auto typed = [&](auto distribution) {
    if (pass.type == at::kFloat)
      launch(distribution, float{});
    else if (pass.type == at::kHalf)
      launch(distribution, __half{});
    else
      launch(distribution, __nv_bfloat16{});
  };
  if (pass.distribution == Distribution::gaussian)
    typed(std::integral_constant<Distribution, Distribution::gaussian>{});
  else
    typed(std::integral_constant<Distribution, Distribution::rademacher>{});
}

// The same for its storage.
template <class Launch>
void by_storage(const WeightPass& pass, Launch&& launch) {
  switch (pass.weights.storage) {
    case Storage::float32:
      return launch(std::integral_constant<Storage, Storage::float32>{});
    case Storage::float16:
      return launch(std::integral_constant<Storage, Storage::float16>{});
    case Storage::bfloat16:
      return launch(std::integral_constant<Storage, Storage::bfloat16>{});
    case Storage::bfloat16_8:
      return launch(std::integral_constant<Storage, Storage::bfloat16_8>{});
    case Storage::quantised:
      throw std::logic_error("[weights] a pass over quantised weights");
  }
}

}  // namespace
}  // namespace mezo
