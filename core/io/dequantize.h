#pragma once
// Turns stored weights into fp32, exactly as ggml defines it, or into that rounded to 16 bits. Used
// when a model is loaded or exported, and by every forward over weights that stay quantised
// (core/forward/dequantize_kernels.h), so its loops are compiled for each instruction set: 2 to 12
// GB of output a second on one core. No allocation; callers share rows among threads.
//
// Pinned: fp16 scales widen by the integer algorithm of float16.h; Q4_0 is (q - 8) * d, Q8_0 is q *
// d, Q4_1 is q * d + m in fp32. The products are exact (11 bits by at most 8), so one rounding is
// left, in Q4_1's sum; the file is compiled without contraction all the same. Every value is a
// multiple of 2^-24, so flush-to-zero changes nothing.

#include <cstddef>
#include <cstdint>

#include "core/api.h"
#include "core/io/dtype.h"
#include "core/io/tensor_file.h"

namespace mezo {

// Reads bytes_of(dtype, count) bytes at `source`, which need not be aligned, and writes `count`
// floats. Takes F64 (rounded to nearest), F32, F16, BF16, Q4_0, Q4_1 and Q8_0; throws ModelError
// for another type or when count is not a whole number of blocks.
MEZO_API void dequantize(DType dtype, const std::byte* source, int64_t count, float* out);

// The same, written as `to`: F32, or F16 or BF16 rounded to nearest as float16.h does.
MEZO_API void dequantize(DType dtype, const std::byte* source, int64_t count, DType to, void* out);

// All of `tensor` into out[0, tensor.count()); the error for an unfit type names the tensor.
MEZO_API void dequantize(const TensorView& tensor, float* out);

}  // namespace mezo
