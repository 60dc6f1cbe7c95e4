#pragma once
// A GGUF file's metadata in the words of a config.json, so that a family reads one vocabulary.
// Used by ModelConfig::from_gguf.

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/io/gguf.h"

namespace mezo {

struct GgufConfig {
  nlohmann::json value;
  std::map<std::string, std::string> spelling;  // what the file calls a key, for messages
};

// Metadata of the architecture that has no word there keeps its own name ("llama.expert_count"), so
// that it is seen that no one reads it.
GgufConfig gguf_config(const GgufFile& file);

// A value of the metadata. A list becomes what no accessor takes for a value or for nothing: such
// metadata has one entry a layer, and no family has layers that differ so.
nlohmann::json json_of(const GgufValue& value);

}  // namespace mezo
