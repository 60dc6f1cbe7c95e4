#include "core/zo/cuda/kernels.h"

#include <c10/cuda/CUDAException.h>

namespace mezo {

namespace {

class CudaWeightKernels : public WeightKernels {
 public:
  void run(const WeightPass& pass) const override {
    if (!launch_usual(pass)) launch_general(pass);
  }
  void run_vectors(std::span<const WeightPass> passes) const override { launch_vectors(passes); }
};

}  // namespace

const WeightKernels& cuda_weight_kernels() {
  static const CudaWeightKernels kernels;
  return kernels;
}

const std::uint32_t* table_on_device() {
  static std::uint32_t* table[64] = {};
  int device = 0;
  C10_CUDA_CHECK(cudaGetDevice(&device));
  if (!table[device]) {
    C10_CUDA_CHECK(cudaMalloc(&table[device], 2048 * sizeof(std::uint32_t)));
    C10_CUDA_CHECK(cudaMemcpy(table[device], half_normal_bits(), 2048 * sizeof(std::uint32_t),
                              cudaMemcpyHostToDevice));
  }
  return table[device];
}

}  // namespace mezo
