#pragma once
// Reads GGUF, llama.cpp's file of weights and metadata
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions 2 and 3, little-endian.
// Used by the model loader and the tokenizer. Maps the file and walks its header: nothing is
// copied, and no size that a file claims is believed before it is compared with the file's.

#include <filesystem>
#include <memory>

#include "core/api.h"
#include "core/io/gguf_metadata.h"
#include "core/io/tensor_file.h"

namespace mezo {

struct GgufFile {
  TensorFile tensors;  // names as in the file (blk.0.attn_q.weight), shapes in Hugging Face order
  GgufMetadata metadata;
};

// The model of which the file at `path` is the whole or, of one split into several
// (NAME-00001-of-00003.gguf …), any: its tensors of the types of ggml_types(). Another type, and
// every violation of the format (offsets outside of the file, misaligned or overlapping, duplicate
// names or keys, rows that are no whole number of blocks), is a ModelError that names the file and,
// where there is one, the tensor; so is a part that is missing or does not fit the others. Data
// that belongs to no tensor is tolerated: alignment leaves such gaps.
MEZO_API GgufFile load_gguf(const std::filesystem::path& path);

// One file that is already mapped, as it is.
MEZO_API GgufFile load_gguf(std::shared_ptr<const MappedFile> file);

}  // namespace mezo
