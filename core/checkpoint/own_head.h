#pragma once
// What the weight files of a model say about a head that its configuration ties to the embedding.
// transformers 5 ties two tensors only where both have the same values, and where the embedding's
// is missing it takes the head's for both. Used by prepare_model().

#include <functional>

#include "core/checkpoint/build_model.h"
#include "core/io/tensor_file.h"

namespace mezo {

// `built`, or what has to stand in its place: a model whose head is its own, by `build` of a
// configuration without the tie, or one that reads the embedding from the head's tensor. The model
// says so in its notes. Reads both tensors where both are there.
BuiltModel with_head_of_files(BuiltModel built, const TensorFile& tensors, const TensorNames& names,
                              const std::function<BuiltModel(const ModelConfig&)>& build);

}  // namespace mezo
