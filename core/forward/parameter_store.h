#pragma once
// The model's numbers, once: a tensor for each declared parameter, and for each that a PEFT mode
// added, in its storage type, on one device. Nothing but an update writes here
// (core/zo/exact_weights.h), so what an evaluation reads is always theta itself.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/api.h"
#include "core/forward/storage.h"
#include "core/model/declaration.h"

namespace mezo {

// words have the parameter's shape and word_type(storage), but for quantised weights: a row is the
// bytes of its blocks there, as in a GGUF file. residual, of bytes, is there for bfloat16+8 alone.
struct StoredTensor : StorageType {
  at::Tensor words;
  at::Tensor residual;
};

class MEZO_API ParameterStore {
 public:
  // Uninitialised tensors of the declared shapes; vectors and adapters are float32 whatever
  // `storage` is.
  explicit ParameterStore(std::span<const ParameterSpec> specs, Storage storage = Storage::float32,
                          at::Device device = at::kCPU);
  // The same with a type for each.
  ParameterStore(std::span<const ParameterSpec> specs, std::span<const StorageType> types,
                 at::Device device);

  std::span<const ParameterSpec> specs() const { return specs_; }
  const ParameterSpec& spec(Parameter p) const {
    return specs_.at(static_cast<std::size_t>(p.index));
  }
  const StoredTensor& stored(Parameter p) const {
    return tensors_.at(static_cast<std::size_t>(p.index));
  }
  // Of matrices and embeddings; where they differ, that of most weights.
  const StorageType& storage() const { return storage_; }
  at::Device device() const { return device_; }
  std::int64_t bytes() const;

  // Stores spec(p).elements() numbers, rounded to nearest where the storage is narrower; quantised
  // weights are only copied (std::logic_error). What it holds, widened to fp32. Both are on the
  // host.
  void write(Parameter p, const float* values);
  void read(Parameter p, float* values) const;

  // float32 parameters of a store on the CPU.
  at::Tensor& tensor(Parameter p) { return tensors_.at(static_cast<std::size_t>(p.index)).words; }
  float* data(Parameter p) { return tensor(p).mutable_data_ptr<float>(); }

 private:
  std::vector<ParameterSpec> specs_;
  std::vector<StoredTensor> tensors_;
  StorageType storage_;
  at::Device device_;
};

}  // namespace mezo
