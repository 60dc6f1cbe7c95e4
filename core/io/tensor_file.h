#pragma once
// The tensors of a model's weight files, whichever format they came in. Both loaders return one,
// model code looks tensors up in it by name, and nothing is copied: a TensorView points into the
// mapping, which the TensorFile (and each copy of it) keeps alive.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api.h"
#include "core/io/dtype.h"
#include "core/io/mapped_file.h"

namespace mezo {

struct TensorView {
  std::string name;
  DType dtype = DType::F32;
  // Hugging Face order, [out, in] for a matrix: what GGUF calls ne, reversed. Empty for a scalar.
  std::vector<int64_t> shape;
  // Exactly bytes_of(dtype, count()) bytes. Safetensors files written by others need not align
  // them: read through memcpy or dequantize().
  std::span<const std::byte> data;
  // Only where several tensors of the files together are this one
  // (core/checkpoint/quantised_folder.h): makes bytes_of(dtype, count) bytes of its elements from
  // `first` on, whole rows. `data` then is that of the largest of them.
  std::function<void(std::int64_t first, std::int64_t count, std::byte* out)> assemble = {};

  // The number of elements; a loader has checked that the product does not overflow.
  int64_t count() const { return element_count(shape).value_or(0); }
};

class MEZO_API TensorFile {
 public:
  using Files = std::vector<std::shared_ptr<const MappedFile>>;

  TensorFile() = default;
  // Takes views into `files` in any order; throws ModelError when two have one name.
  TensorFile(Files files, std::vector<TensorView> tensors,
             std::map<std::string, std::string> metadata = {});

  // The same files, with these views into them instead.
  TensorFile with(std::vector<TensorView> tensors) const {
    return TensorFile(files_, std::move(tensors), metadata_);
  }

  // All tensors, sorted by name. Not of a temporary, whose mapping a loop over them would outlive.
  const std::vector<TensorView>& tensors() const& { return tensors_; }
  const std::vector<TensorView>& tensors() && = delete;

  // The tensor called `name`, or nullptr.
  const TensorView* find(std::string_view name) const;

  // The tensor called `name`; throws ModelError naming the file(s) when there is none.
  const TensorView& at(std::string_view name) const;

  // The file, or the shards in the order they were read.
  std::vector<std::string> paths() const;

  // The file that a tensor of this object lies in, for messages.
  const std::string& path_of(const TensorView& tensor) const { return file_of(tensor).path(); }

  // A tensor that will be read soon (MappedFile::expect).
  void expect(const TensorView& tensor) const { file_of(tensor).expect(tensor.data); }

  // Gives back the memory that a tensor's data takes once it was read (MappedFile::release).
  void release(const TensorView& tensor) const { file_of(tensor).release(tensor.data); }

  // Safetensors' free text pairs, for example format = pt. GGUF's typed values are in
  // GgufFile::metadata.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  const MappedFile& file_of(const TensorView& tensor) const;

  Files files_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace mezo
