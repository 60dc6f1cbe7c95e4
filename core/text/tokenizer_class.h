#pragma once
// The class of transformers that a folder's tokenizer belongs to. Some of them take tokenizer.json
// as it is, others only its vocabulary and merges, and bring the rest themselves.

#include "core/text/json_file.h"
#include "core/text/special_tokens.h"

namespace mezo {

// What tokenizer_config.json, else config.json (null: absent) name, else what transformers takes
// for the model's type. Throws ModelError for a class whose ids are not those of tokenizer.json.
TokenizerClass class_of(const JsonFile* tokenizer_config, const JsonFile* config);

// The tokens that a class has by itself, for the roles that no file mentions.
void add_tokens_of_class(SpecialTokens& tokens);

// The normalizer and the pre-tokenizer that a class has by itself, and the kind of its model.
TokenizerSpec steps_of_class(const SpecialTokens& tokens);

// What tokenizer_config.json says of the prefix space counts before a tokenizer.json.
void set_prefix_space(const SpecialTokens& tokens, TokenizerSpec& spec);

}  // namespace mezo
