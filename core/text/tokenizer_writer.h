#pragma once
// Writes a tokenizer as the two files that a Hugging Face folder has for it. Used when a model that
// came from a GGUF file is exported: `transformers` and `tokenizers` then give the ids that
// Tokenizer gives, and so does Tokenizer::from_folder on what is written.

#include <string>

#include "core/api.h"
#include "core/text/tokenizer_spec.h"

namespace mezo {

// tokenizer.json, as read_tokenizer_json() and the package read it. Throws ModelError for a token
// that is not UTF-8, which JSON cannot hold, and where Tokenizer(spec) does.
MEZO_API std::string tokenizer_json(const TokenizerSpec& spec);

// tokenizer_config.json: the roles (bos, eos, …), and the class that takes tokenizer.json as it is.
MEZO_API std::string tokenizer_config_json(const TokenizerSpec& spec);

}  // namespace mezo
