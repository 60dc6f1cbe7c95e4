#include "core/model/model.h"

#include "core/model/peft.h"

namespace mezo {

Model::~Model() = default;
Peft::~Peft() = default;
ModelFamily::~ModelFamily() = default;

std::optional<std::int64_t> ModelFamily::max_positions(const ModelConfig& config) const {
  constexpr const char* key = "max_position_embeddings";
  return config.has(key) ? std::optional(config.integer(key)) : std::nullopt;
}

std::vector<GgufName> ModelFamily::gguf_names(const ModelConfig&) const { return {}; }
std::optional<FolderConfig> ModelFamily::folder_config(const ModelConfig&) const { return {}; }

}  // namespace mezo
