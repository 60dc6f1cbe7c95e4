#pragma once
// Scaled rotary positions of a GGUF file as the `rope_scaling` of a config.json. Used by
// core/model/gguf_config.h.

#include <string>

#include "core/model/gguf_config.h"

namespace mezo {

// Metadata keys, behind the architecture's name, that translate_rotary_scaling() reads.
bool is_rotary_scaling(const std::string& key);

// `config` has the translated sizes already. llama.cpp's converter writes LLaMA 3's scaling as a
// table of divisors, one a pair: a table that is what some factor gives (with the other numbers as
// LLaMA 3 has them, which the converter assumes too) becomes that scaling; another one is left
// under a rope_type that no family has.
void translate_rotary_scaling(const GgufFile& file, const std::string& prefix, GgufConfig& config);

}  // namespace mezo
