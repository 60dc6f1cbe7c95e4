#pragma once
// Which tokens end a text that a model generates. Used where a model is loaded.

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/model_config.h"
#include "core/text/tokenizer.h"

namespace mezo {

// As transformers' generate() takes them of a folder: eos_token_id, one id or a list, of
// generation_config.json, else of config.json; where neither has one, the tokenizer's. Throws
// ModelError for a file that cannot be read and an id that is none.
std::vector<std::int32_t> end_tokens_of_folder(const std::string& folder, const ModelConfig& config,
                                               const Tokenizer& tokenizer);

// The tokenizer's end of a text, if it has one: all that a GGUF file says.
std::vector<std::int32_t> end_tokens_of(const Tokenizer& tokenizer);

}  // namespace mezo
