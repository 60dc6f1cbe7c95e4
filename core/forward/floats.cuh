#pragma once
// The numbers that activations are kept in, for kernels that work in fp32: widened, rounded, by 16
// bytes, and by the name of their type.
#include <c10/core/ScalarType.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <stdexcept>

namespace mezo {
namespace {

__device__ float wide(float x) { return x; }
__device__ float wide(__half x) { return __half2float(x); }
__device__ float wide(__nv_bfloat16 x) { return __bfloat162float(x); }
template <class T>
__device__ T narrowed(float x);
template <>
__device__ float narrowed<float>(float x) {
  return x;
}
template <>
__device__ __half narrowed<__half>(float x) {
  return __float2half_rn(x);
}
template <>
__device__ __nv_bfloat16 narrowed<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}

template <class T, int N>
struct alignas(16) Pack {
  T values[N];
};

bool aligned(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; }

// Calls body with a value of the tensor's element type.
template <class Body>
void typed(at::ScalarType type, Body&& body) {
  if (type == at::kFloat)
    body(float{});
  else if (type == at::kHalf)
    body(__half{});
  else if (type == at::kBFloat16)
    body(__nv_bfloat16{});
  else
    throw std::logic_error("activations of a type without a kernel");
}

}  // namespace
}  // namespace mezo
