#pragma once
// The steps of a tokenizer as the objects that tokenizer.json has for them, both ways. Used by
// tokenizer_json.cpp and tokenizer_writer.cpp.

#include <vector>

#include "core/text/json_file.h"
#include "core/text/tokenizer_steps.h"

namespace mezo {

// A member of tokenizer.json with all its nested Sequences. Throw ModelError that names a step or
// a setting of one that is not known.
std::vector<normalizer::Step> read_normalizer(const JsonFile& file);
std::vector<pretokenizer::Step> read_pre_tokenizer(const JsonFile& file);
std::vector<decoder::Step> read_decoder(const JsonFile& file);

// null for none, a step alone, or a Sequence.
nlohmann::ordered_json written(const std::vector<normalizer::Step>& steps);
nlohmann::ordered_json written(const std::vector<pretokenizer::Step>& steps);
nlohmann::ordered_json written(const std::vector<decoder::Step>& steps);

}  // namespace mezo
