// Norms on a GPU, each in one pass: reads the activations, works in fp32 with fp32
// parameters, writes the activations' type. What activations.cpp says in ATen.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>

#include "core/forward/cuda_activations.h"
#include "core/forward/floats.cuh"

namespace mezo {

namespace {

constexpr int threads = 256;

// A thread's part of a row: up to Packs packs of 16 bytes, read once and kept in registers.
template <class T, int Packs>
class Row {
 public:
  static constexpr int size = 16 / sizeof(T);  // of a pack

  __device__ Row(const T* from, std::int64_t width) : width_(width) {
#pragma unroll
    for (int p = 0; p < Packs; ++p)
      if (at(p) < width_) packs_[p] = *reinterpret_cast<const Pack<T, size>*>(from + at(p));
  }

  template <class Body>
  __device__ void each(Body&& body) const {
#pragma unroll
    for (int p = 0; p < Packs; ++p) {
      if (at(p) >= width_) break;
#pragma unroll
      for (int k = 0; k < size; ++k) body(wide(packs_[p].values[k]));
    }
  }

  // to[i] = value(x[i], gain[i], bias[i]); bias may be null, and counts as 0 then.
  template <class Value>
  __device__ void write(T* to, const float* gain, const float* bias, Value&& value) const {
    using Floats = Pack<float, size>;
#pragma unroll
    for (int p = 0; p < Packs; ++p) {
      if (at(p) >= width_) break;
      const Floats g = *reinterpret_cast<const Floats*>(gain + at(p));
      const Floats b = bias ? *reinterpret_cast<const Floats*>(bias + at(p)) : Floats{};
      Pack<T, size> result;
#pragma unroll
      for (int k = 0; k < size; ++k)
        result.values[k] = narrowed<T>(value(wide(packs_[p].values[k]), g.values[k], b.values[k]));
      *reinterpret_cast<Pack<T, size>*>(to + at(p)) = result;
    }
  }

 private:
  __device__ std::int64_t at(int p) const {
    return (static_cast<std::int64_t>(p) * threads + threadIdx.x) * size;
  }
  std::int64_t width_;
  Pack<T, size> packs_[Packs];
};

// Of any width and alignment: read anew each time.
template <class T>
class Row<T, 0> {
 public:
  __device__ Row(const T* from, std::int64_t width) : from_(from), width_(width) {}

  template <class Body>
  __device__ void each(Body&& body) const {
    for (std::int64_t i = threadIdx.x; i < width_; i += threads) body(wide(from_[i]));
  }
  template <class Value>
  __device__ void write(T* to, const float* gain, const float* bias, Value&& value) const {
    for (std::int64_t i = threadIdx.x; i < width_; i += threads)
      to[i] = narrowed<T>(value(wide(from_[i]), gain[i], bias ? bias[i] : 0.0f));
  }

 private:
  const T* from_;
  std::int64_t width_;
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

struct NormPass {
  const void* x;
  const float *gain, *bias;  // bias: null of an RMS norm
  void* y;
  std::int64_t rows, width, rows_a_stream;
  bool shared;  // gain and bias are one for all streams
  float epsilon;
};

// A block of threads a row.
template <class T, bool Centred, int Packs>
__global__ void __launch_bounds__(threads) norm_kernel(NormPass pass) {
  const std::int64_t row = blockIdx.x, width = pass.width;
  const std::int64_t parameter = pass.shared ? 0 : row / pass.rows_a_stream * width;
  const Row<T, Packs> own(static_cast<const T*>(pass.x) + row * width, width);
  const float n = static_cast<float>(width);
  float mean = 0;
  if constexpr (Centred) {
    float sum = 0;
    own.each([&](float v) { sum += v; });
    mean = block_sum(sum) / n;
  }
  float squares = 0;
  own.each([&](float v) { squares += (v - mean) * (v - mean); });
  const float scale = rsqrtf(block_sum(squares) / n + pass.epsilon);
  own.write(static_cast<T*>(pass.y) + row * width, pass.gain + parameter,
            Centred ? pass.bias + parameter : nullptr,
            [&](float v, float gain, float bias) { return (v - mean) * scale * gain + bias; });
}

template <class T, bool Centred, int Packs>
void launch(const NormPass& pass) {
  norm_kernel<T, Centred, Packs>
      <<<static_cast<unsigned>(pass.rows), threads, 0, c10::cuda::getCurrentCUDAStream()>>>(pass);
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

// y is of the allocator's alignment.
template <class T, bool Centred>
void run(const NormPass& pass) {
  constexpr int size = 16 / sizeof(T);
  const std::int64_t packs = (pass.width + threads * size - 1) / (threads * size);
  const bool packed = pass.width % size == 0 && aligned(pass.x) && aligned(pass.gain) &&
                      (!pass.bias || aligned(pass.bias));
  if (!packed || packs > 8)
    launch<T, Centred, 0>(pass);
  else if (packs > 4)
    launch<T, Centred, 8>(pass);
  else if (packs > 2)
    launch<T, Centred, 4>(pass);
  else
    launch<T, Centred, 2>(pass);
}

// A kernel's result is nobody's to autograd: gradients would stop at it without a word.
bool wants_gradients(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& bias) {
  return at::GradMode::is_enabled() &&
         (x.requires_grad() || gain.requires_grad() || (bias.defined() && bias.requires_grad()));
}

class CudaActivationKernels : public ActivationKernels {
 public:
  at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& bias,
                        double epsilon) const override {
    if (wants_gradients(x, gain, bias))
      return ActivationKernels::layer_norm(x, gain, bias, epsilon);
    return norm<true>(x, gain, bias.const_data_ptr<float>(), epsilon);
  }

  at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& gain, double epsilon) const override {
    if (wants_gradients(x, gain, {})) return ActivationKernels::rms_norm(x, gain, epsilon);
    return norm<false>(x, gain, nullptr, epsilon);
  }

 private:
  // Heads of a row lie together, and streams after one another: both are rows here.
  template <bool Centred>
  static at::Tensor norm(const at::Tensor& input, const at::Tensor& gain, const float* bias,
                         double epsilon) {
    const at::Tensor x = input.contiguous();
    at::Tensor y = at::empty_like(x);
    if (x.numel() == 0) return y;
    const std::int64_t width = x.size(-1), rows = x.numel() / width;
    const NormPass pass{x.const_data_ptr(),
                        gain.const_data_ptr<float>(),
                        bias,
                        y.mutable_data_ptr(),
                        rows,
                        width,
                        rows / gain.size(0),
                        gain.size(0) == 1,
                        static_cast<float>(epsilon)};
    typed(x.scalar_type(), [&](auto type) { run<decltype(type), Centred>(pass); });
    return y;
  }
};

}  // namespace

const ActivationKernels& cuda_activation_kernels() {
  static const CudaActivationKernels kernels;
  return kernels;
}

}  // namespace mezo
