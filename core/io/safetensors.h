#pragma once
// Reads and writes safetensors, the format of Hugging Face weights
// (https://github.com/huggingface/safetensors, "Format"). Used by the model loader, adapters and
// export. Reading maps the file and parses its JSON header, so it costs the same for 1 MB and 26
// GB.
//
// Held to the format: a header of at most 100,000,000 bytes of UTF-8 JSON, no duplicate keys, known
// dtypes, and tensors that cover the data exactly, without holes or overlap. Every violation is a
// ModelError that names the file and, where there is one, the tensor.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/io/tensor_file.h"

namespace mezo {

// One file, for example model.safetensors or adapter_model.safetensors.
MEZO_API TensorFile load_safetensors(const std::filesystem::path& path);

// One file that is already mapped.
MEZO_API TensorFile load_safetensors(std::shared_ptr<const MappedFile> file);

// A model's folder: its model.safetensors or, without one, every shard that its
// model.safetensors.index.json names. Throws ModelError when neither is there, a shard is missing
// or a tensor is not in the shard that the index says.
MEZO_API TensorFile load_safetensors_folder(const std::filesystem::path& folder);

// Writes `tensors` (plain types only, in any order) to `path`, crash-safe as in atomic_file.h: the
// old file stays until the new one is whole. Equal tensors and metadata give equal bytes, those of
// the safetensors package: by falling alignment, then by name, the data starting at a multiple
// of 8. Throws RunError, leaving the old file, when a tensor is not what it says or writing fails.
MEZO_API void write_safetensors(const std::filesystem::path& path, std::vector<TensorView> tensors,
                                const std::map<std::string, std::string>& metadata = {});

// The same, to the byte, of tensors whose `data` is empty and made when it is to be written: one
// tensor's bytes are needed at a time, however large the file. `data_of` is called once a tensor,
// in the file's order; what it returns must stay until the next call, and what it throws passes
// through, leaving the old file.
using TensorData = std::function<std::span<const std::byte>(const TensorView&)>;
MEZO_API void write_safetensors(const std::filesystem::path& path, std::vector<TensorView> tensors,
                                const std::map<std::string, std::string>& metadata,
                                const TensorData& data_of);

}  // namespace mezo
