// Norms on a GPU, each in one pass: reads the activations, works in fp32 with fp32
// parameters, writes the activations' type. What activations.cpp says in ATen.
#include <ATen/ops/empty_like.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "core/model/cuda_activations.h"

namespace mezo {

namespace {

constexpr int threads = 256;

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

// 16 bytes of T.
template <class T>
struct alignas(16) Pack {
  static constexpr int size = 16 / sizeof(T);
  T values[size];
};

// The sum over all threads of a block, in every one of them.
__device__ float block_sum(float value) {
  __shared__ float partial[threads / 32];
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2)
    value += __shfl_xor_sync(0xFFFFFFFFu, value, offset);
  __syncthreads();
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  float sum = 0;
#pragma unroll
  for (int w = 0; w < threads / 32; ++w) sum += partial[w];
  return sum;
}

// A block of threads a row. The row is read again for each of mean, variance and result: from the
// second time on it lies in the first-level cache.
template <class T, bool Centred>
__global__ void __launch_bounds__(threads)
    norm_kernel(const T* x, const float* gain, const float* bias, T* y, std::int64_t width,
                std::int64_t rows_a_stream, bool shared, float epsilon, bool packed) {
  const std::int64_t row = blockIdx.x;
  const std::int64_t parameter = shared ? 0 : row / rows_a_stream * width;
  const T* from = x + row * width;
  const auto each = [&](auto&& body) {
    if (packed) {
      for (std::int64_t i = threadIdx.x * Pack<T>::size; i < width; i += threads * Pack<T>::size) {
        const auto pack = *reinterpret_cast<const Pack<T>*>(from + i);
#pragma unroll
        for (int k = 0; k < Pack<T>::size; ++k) body(i + k, wide(pack.values[k]));
      }
    } else {
      for (std::int64_t i = threadIdx.x; i < width; i += threads) body(i, wide(from[i]));
    }
  };
  const float n = static_cast<float>(width);
  float mean = 0;
  if constexpr (Centred) {
    float sum = 0;
    each([&](std::int64_t, float v) { sum += v; });
    mean = block_sum(sum) / n;
  }
  float squares = 0;
  each([&](std::int64_t, float v) { squares += (v - mean) * (v - mean); });
  const float scale = rsqrtf(block_sum(squares) / n + epsilon);
  T* to = y + row * width;
  const auto result = [&](std::int64_t i, float v) {
    const float scaled = (v - mean) * scale * gain[parameter + i];
    return narrowed<T>(Centred ? scaled + bias[parameter + i] : scaled);
  };
  if (packed) {
    for (std::int64_t i = threadIdx.x * Pack<T>::size; i < width; i += threads * Pack<T>::size) {
      auto pack = *reinterpret_cast<const Pack<T>*>(from + i);
#pragma unroll
      for (int k = 0; k < Pack<T>::size; ++k) pack.values[k] = result(i + k, wide(pack.values[k]));
      *reinterpret_cast<Pack<T>*>(to + i) = pack;
    }
  } else {
    for (std::int64_t i = threadIdx.x; i < width; i += threads) to[i] = result(i, wide(from[i]));
  }
}

template <class T>
bool packs(const at::Tensor& x) {
  return x.size(1) % Pack<T>::size == 0 &&
         reinterpret_cast<std::uintptr_t>(x.const_data_ptr()) % 16 == 0;
}

// Calls body with a value of the tensor's element type.
template <class Body>
void typed(at::ScalarType type, Body&& body) {
  if (type == at::kFloat)
    body(float{});
  else if (type == at::kHalf)
    body(__half{});
  else
    body(__nv_bfloat16{});
}

class CudaActivationKernels : public ActivationKernels {
 public:
  at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& bias,
                        double epsilon) const override {
    return norm<true>(x, gain, bias.const_data_ptr<float>(), epsilon);
  }

  at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& gain, double epsilon) const override {
    return norm<false>(x, gain, nullptr, epsilon);
  }

 private:
  template <bool Centred>
  static at::Tensor norm(const at::Tensor& input, const at::Tensor& gain, const float* bias,
                         double epsilon) {
    const at::Tensor x = input.contiguous();
    at::Tensor y = at::empty_like(x);
    if (x.size(0) == 0) return y;
    typed(x.scalar_type(), [&](auto type) {
      using T = decltype(type);
      norm_kernel<T, Centred>
          <<<static_cast<unsigned>(x.size(0)), threads, 0, c10::cuda::getCurrentCUDAStream()>>>(
              static_cast<const T*>(x.const_data_ptr()), gain.const_data_ptr<float>(), bias,
              static_cast<T*>(y.mutable_data_ptr()), x.size(1), x.size(0) / gain.size(0),
              gain.size(0) == 1, static_cast<float>(epsilon), packs<T>(x));
      C10_CUDA_KERNEL_LAUNCH_CHECK();
    });
    return y;
  }
};

}  // namespace

const ActivationKernels& cuda_activation_kernels() {
  static const CudaActivationKernels kernels;
  return kernels;
}

}  // namespace mezo
