#include "core/forward/dequantize_kernels.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "core/forward/parameter_store.h"
#include "core/io/dequantize.h"
#include "core/machine/device.h"

namespace mezo {

namespace {

constexpr std::int64_t grain = 8192;  // weights below which a thread is not worth waking

DType written(at::ScalarType type) {
  return type == at::kFloat ? DType::F32 : type == at::kHalf ? DType::F16 : DType::BF16;
}

void refuse_unknown_rows(const DequantizePass& pass) {
  for (std::int64_t i = 0; pass.entries && i < pass.count; ++i)
    if (pass.entries[i] < 0 || pass.entries[i] >= pass.rows)
      throw std::out_of_range("[dequantize] row " + std::to_string(pass.entries[i]) + " of " +
                              std::to_string(pass.rows));
}

class CpuDequantizeKernels : public DequantizeKernels {
 public:
  // Units are the rows that are asked for or, of a whole matrix, its blocks: a row may be long.
  void run(const DequantizePass& pass) const override {
    refuse_unknown_rows(pass);
    const std::int64_t unit = pass.entries ? pass.width : block_size(pass.blocks);
    if (pass.count == 0 || pass.width == 0) return;
    const std::int64_t stored = bytes_of(pass.blocks, unit), word = pass.type == at::kFloat ? 4 : 2;
    const auto convert = [&](std::int64_t from, std::int64_t units, std::int64_t to) {
      dequantize(pass.blocks, reinterpret_cast<const std::byte*>(pass.stored) + from * stored,
                 units * unit, written(pass.type),
                 static_cast<std::byte*>(pass.out) + to * unit * word);
    };
    at::parallel_for(0, pass.count * pass.width / unit, std::max<std::int64_t>(1, grain / unit),
                     [&](std::int64_t b, std::int64_t e) {
                       if (!pass.entries) return convert(b, e - b, b);
                       for (std::int64_t i = b; i < e; ++i) convert(pass.entries[i], 1, i);
                     });
  }
};

}  // namespace

DequantizeKernels::~DequantizeKernels() = default;

DequantizePass dequantize_pass(const StoredTensor& tensor) {
  DequantizePass pass;
  pass.blocks = tensor.blocks;
  pass.stored = tensor.words.const_data_ptr<std::uint8_t>();
  pass.rows = pass.count = tensor.words.size(0);
  const std::int64_t block = block_size(tensor.blocks);
  pass.width = tensor.words.size(1) / bytes_of(tensor.blocks, block) * block;
  return pass;
}

const DequantizeKernels& dequantize_kernels(bool cuda) {
  static const CpuDequantizeKernels cpu;
  if (!cuda) return cpu;
  if (!cuda_kernels()) throw std::logic_error("[dequantize] no CUDA library has been loaded");
  return *cuda_kernels()->dequantize;
}

}  // namespace mezo
