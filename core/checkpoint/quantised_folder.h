#pragma once
// The weights of a Hugging Face folder whose config.json has a quantization_config: a matrix lies
// in several tensors there, which are put together here to blocks that the host dequantises
// (core/io/blocks.h), row by row and only when asked for. What is read is what other libraries
// write (quantised_forms.h): bitsandbytes (Dettmers et al. 2023, arXiv 2305.14314), 8-bit floats
// with scales of blocks, compressed-tensors, GPTQ (Frantar et al. 2022, arXiv 2210.17323), AWQ (Lin
// et al. 2023, arXiv 2306.00978). Used by who opens a folder's weights.

#include <string>
#include <vector>

#include "core/io/tensor_file.h"
#include "core/model/model_config.h"

namespace mezo {

// Throws ModelError for weights that are quantised in a way that is not read, naming it.
void refuse_quantisation(const ModelConfig& config);

// The tensors of a folder, where its configuration says so with quantised ones put together.
// ModelError where what belongs to one is missing or is not what it should be.
TensorFile folder_weights(const std::string& folder, const ModelConfig& config);

// What a user should know of how these tensors are quantised and kept.
std::vector<std::string> quantisation_notes(const TensorFile& tensors, const ModelConfig& config);

}  // namespace mezo
