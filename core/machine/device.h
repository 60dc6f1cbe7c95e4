#pragma once
// Where a run computes. The CUDA kernels, and with them LibTorch's CUDA libraries, lie in a library
// of their own, libmezo_cuda.so beside this one, which is loaded only by a run that asks for a GPU:
// a run on the CPU neither waits for them nor needs a driver.

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/api.h"

namespace mezo {

// "auto" (the first GPU that is visible, else the CPU), "cpu" or "cuda" (the first GPU). Loads the
// CUDA library for a GPU. Throws RunError saying what is missing: the library (built without CUDA),
// a driver, a GPU.
MEZO_API at::Device open_device(const std::string& name);

// What is used of a device, for reports.
struct DeviceMemory {
  std::string name;              // "NVIDIA H200", or the CPU's
  std::int64_t peak_bytes = 0;   // CPU: resident since the start; GPU: taken by tensors
  std::int64_t total_bytes = 0;  // GPU only
  std::int64_t free_bytes = 0;   // that could be taken now
};
MEZO_API DeviceMemory device_memory(at::Device device);

// From now on a GPU's peak counts anew.
MEZO_API void reset_peak_memory(at::Device device);

class ActivationKernels;
class AttentionKernels;
class DequantizeKernels;
class WeightKernels;

// What a GPU's library brings in place of the CPU's kernels, one of each kind; they live as long as
// the process.
struct CudaKernels {
  const ActivationKernels* activations = nullptr;
  const AttentionKernels* attention = nullptr;
  const DequantizeKernels* dequantize = nullptr;
  const WeightKernels* weights = nullptr;
};

// Those of the library, once open_device() has loaded it; else nullptr.
MEZO_API const CudaKernels* cuda_kernels();

// What the entry point of libmezo_cuda.so returns.
struct CudaLibrary {
  int devices = 0;           // that can be used
  const char* problem = "";  // why there are none
  CudaKernels kernels;
  DeviceMemory (*memory)(int device) = nullptr;
  void (*reset_peak)(int device) = nullptr;
};

}  // namespace mezo

extern "C" {
using mezo_cuda_open_t = const mezo::CudaLibrary* (*)();
}
