#pragma once
// Turns stored weights into fp32, exactly as ggml defines it, or into that rounded to 16 bits. Used
// when a model is loaded or exported, and by every forward over weights that stay quantised
// (core/forward/dequantize_kernels.h), so its loops are compiled for each instruction set: 4 to 20
// GB of output a second on one core. No allocation; callers share rows among threads.
//
// Pinned: fp16 scales widen by the integer algorithm of float16.h; the rest is fp32 arithmetic as
// blocks.h has it. Its products are exact (a scale of 11 bits, its multiple of at most 8 and a
// weight of at most 8 have 24 together), so one rounding is left, in the sum with a minimum of
// Q4_1, Q5_1, Q2_K, Q4_K and Q5_K; the file is compiled without contraction all the same. Every
// value of ggml's is a multiple of 2^-24, so flush-to-zero changes nothing. The blocks of
// other libraries' folders round their product, and that to 16 bits where these do.

#include <cstddef>
#include <cstdint>

#include "core/api.h"
#include "core/io/dtype.h"
#include "core/io/tensor_file.h"

namespace mezo {

// Reads bytes_of(dtype, count) bytes at `source`, which need not be aligned, and writes `count`
// floats. Takes F64 (rounded to nearest), F32, F16, BF16 and all blocks; throws ModelError
// for another type or when count is not a whole number of blocks.
MEZO_API void dequantize(DType dtype, const std::byte* source, int64_t count, float* out);

// The same, written as `to`: F32, or F16 or BF16 rounded to nearest as float16.h does.
MEZO_API void dequantize(DType dtype, const std::byte* source, int64_t count, DType to, void* out);

// All of `tensor` into out[0, tensor.count()); the error for an unfit type names the tensor.
MEZO_API void dequantize(const TensorView& tensor, float* out);

}  // namespace mezo
