#include "core/forward/parameter_store.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

#include "core/forward/dequantize_kernels.h"
#include "core/io/float16.h"
#include "core/machine/pinned.h"
#include "core/model/parameter_source.h"

namespace mezo {

ParameterSource::~ParameterSource() = default;

namespace {

// fp32 rounded to nearest at the 16th of its 24 upper bits.
std::uint32_t nearest_bf16_8(std::uint32_t bits) {
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (bits | 0x400000u) & ~0xFFu;
  return (bits + 0x7Fu + ((bits >> 8) & 1u)) & ~0xFFu;
}

template <class Each>
void for_each_element(std::int64_t n, Each&& each) {
  at::parallel_for(0, n, 1 << 16, [&](std::int64_t b, std::int64_t e) {
    for (std::int64_t i = b; i < e; ++i) each(i);
  });
}

void narrow(const float* values, std::int64_t n, Storage storage, std::uint16_t* words,
            std::uint8_t* residual) {
  for_each_element(n, [=](std::int64_t i) {
    const auto bits = std::bit_cast<std::uint32_t>(values[i]);
    if (storage == Storage::float16) {
      words[i] = fp32_bits_to_fp16(bits);
    } else if (storage == Storage::bfloat16) {
      words[i] = fp32_bits_to_bf16(bits);
    } else {
      const std::uint32_t kept = nearest_bf16_8(bits);
      words[i] = static_cast<std::uint16_t>(kept >> 16);
      residual[i] = static_cast<std::uint8_t>(kept >> 8);
    }
  });
}

void widen(const std::uint16_t* words, const std::uint8_t* residual, std::int64_t n,
           Storage storage, float* values) {
  for_each_element(n, [=](std::int64_t i) {
    values[i] = std::bit_cast<float>(storage == Storage::float16
                                         ? fp16_to_fp32_bits(words[i])
                                         : (std::uint32_t{words[i]} << 16) |
                                               (residual ? std::uint32_t{residual[i]} << 8 : 0u));
  });
}

StoredTensor empty_tensor(const ParameterSpec& spec, const StorageType& type, at::Device device) {
  StoredTensor t{is_matrix(spec.role) ? type : StorageType(), {}, {}};
  std::vector<std::int64_t> shape = spec.shape;
  if (t.storage == Storage::quantised) shape.back() = bytes_of(t.blocks, shape.back());
  const auto options = at::TensorOptions(device);
  t.words = at::empty(shape, options.dtype(word_type(t.storage)));
  if (t.storage == Storage::bfloat16_8) t.residual = at::empty(shape, options.dtype(at::kByte));
  return t;
}

// The type of most weights, not counting vectors.
StorageType prevailing(std::span<const ParameterSpec> specs, std::span<const StorageType> types) {
  StorageType most;
  std::int64_t most_elements = 0;
  for (const StorageType& type : types) {
    std::int64_t elements = 0;
    for (std::size_t i = 0; i < specs.size(); ++i)
      if (is_matrix(specs[i].role) && types[i] == type) elements += specs[i].elements();
    if (elements > most_elements) most = type, most_elements = elements;
  }
  return most;
}

}  // namespace

ParameterStore::ParameterStore(std::span<const ParameterSpec> specs,
                               std::span<const StorageType> types, at::Device device)
    : specs_(specs.begin(), specs.end()), storage_(prevailing(specs, types)), device_(device) {
  for (std::size_t i = 0; i < specs_.size(); ++i)
    tensors_.push_back(empty_tensor(specs_[i], types[i], device));
}

ParameterStore::ParameterStore(std::span<const ParameterSpec> specs, Storage storage,
                               at::Device device)
    : ParameterStore(specs, std::vector<StorageType>(specs.size(), {storage}), device) {
  storage_ = {storage};  // whether there are matrices or not
}

std::int64_t ParameterStore::bytes() const {
  std::int64_t sum = 0;
  for (const StoredTensor& t : tensors_)
    for (const at::Tensor& part : {t.words, t.residual})
      if (part.defined()) sum += static_cast<std::int64_t>(part.nbytes());
  return sum;
}

void ParameterStore::write(Parameter p, const float* values) {
  StoredTensor& t = tensors_.at(static_cast<std::size_t>(p.index));
  if (t.storage == Storage::quantised)
    throw std::logic_error("[ParameterStore] quantised weights cannot be written: " + spec(p).name);
  const std::int64_t n = spec(p).elements();
  const bool direct = device_.is_cpu();
  at::Tensor words = direct ? t.words : pinned_like(t.words);
  if (t.storage == Storage::float32) {
    std::memcpy(words.mutable_data_ptr(), values, static_cast<std::size_t>(n) * sizeof(float));
    if (!direct) t.words.copy_(words, /*non_blocking=*/true);
    return;
  }
  at::Tensor residual = t.residual;
  if (residual.defined() && !direct) residual = pinned_like(t.residual);
  narrow(values, n, t.storage, static_cast<std::uint16_t*>(words.mutable_data_ptr()),
         residual.defined() ? residual.mutable_data_ptr<std::uint8_t>() : nullptr);
  if (direct) return;
  t.words.copy_(words, /*non_blocking=*/true);
  if (residual.defined()) t.residual.copy_(residual, /*non_blocking=*/true);
}

void ParameterStore::read(Parameter p, float* values) const {
  const StoredTensor& t = stored(p);
  const std::int64_t n = spec(p).elements();
  const at::Tensor words = t.words.cpu();
  const at::Tensor residual = t.residual.defined() ? t.residual.cpu() : at::Tensor();
  if (t.storage == Storage::quantised) {
    DequantizePass pass = dequantize_pass({t, words, {}});
    pass.out = values;
    dequantize_kernels(false).run(pass);
  } else if (t.storage == Storage::float32) {
    std::memcpy(values, words.const_data_ptr(), static_cast<std::size_t>(n) * sizeof(float));
  } else {
    widen(static_cast<const std::uint16_t*>(words.const_data_ptr()),
          residual.defined() ? residual.const_data_ptr<std::uint8_t>() : nullptr, n, t.storage,
          values);
  }
}

}  // namespace mezo
