// The entry point of libmezo_cuda.so: hands its kernels to the core library that loaded it.
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>

#include "core/forward/cuda_activations.h"
#include "core/forward/cuda_attention.h"
#include "core/forward/cuda_dequantize.h"
#include "core/machine/device.h"
#include "core/zo/cuda/kernels.h"

namespace {

mezo::DeviceMemory memory(int device) {
  cudaDeviceProp properties;
  if (cudaGetDeviceProperties(&properties, device) != cudaSuccess) return {};
  const auto stats =
      c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
  const auto all = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  std::size_t free = 0, total = 0;
  if (cudaMemGetInfo(&free, &total) != cudaSuccess) free = 0;
  // What the allocator has taken and lent to no tensor is free too.
  const std::int64_t spare = stats.reserved_bytes[all].current - stats.allocated_bytes[all].current;
  return {properties.name, stats.allocated_bytes[all].peak,
          static_cast<std::int64_t>(properties.totalGlobalMem),
          static_cast<std::int64_t>(free) + spare};
}

void reset_peak(int device) {
  c10::cuda::CUDACachingAllocator::resetPeakStats(static_cast<c10::DeviceIndex>(device));
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const mezo::CudaLibrary* mezo_cuda_open() {
  static mezo::CudaLibrary library;
  int devices = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&devices); error != cudaSuccess) {
    library.problem = cudaGetErrorString(error);
    return &library;
  }
  library.devices = devices;
  if (devices == 0) library.problem = "this machine has no GPU";
  library.memory = memory;
  library.reset_peak = reset_peak;
  library.kernels = {&mezo::cuda_activation_kernels(), &mezo::cuda_attention_kernels(),
                     &mezo::cuda_dequantize_kernels(), &mezo::cuda_weight_kernels()};
  return &library;
}
