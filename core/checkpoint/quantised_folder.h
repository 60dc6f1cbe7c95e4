#pragma once
// The weights of a Hugging Face folder whose config.json has a quantization_config: a matrix lies
// in several tensors there, which are put together here to blocks that the host dequantises
// (core/io/blocks.h), row by row and only when asked for. What is read: 4 bits of bitsandbytes
// (Dettmers et al. 2023, arXiv 2305.14314), of type nf4, with scales that are quantised themselves
// or not. Used by who opens a folder's weights.

#include <string>

#include "core/io/tensor_file.h"
#include "core/model/model_config.h"

namespace mezo {

// Of config.json, an object.
inline constexpr const char* quantisation_key = "quantization_config";

// Throws ModelError for weights that are quantised in a way that is not read, naming it.
void refuse_quantisation(const ModelConfig& config);

// The tensors of a folder, where its configuration says so with quantised ones put together.
// ModelError where what belongs to one is missing or is not what it should be.
TensorFile folder_weights(const std::string& folder, const ModelConfig& config);

}  // namespace mezo
