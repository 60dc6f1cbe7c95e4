#include "core/model/model.h"

#include "core/model/peft.h"

namespace mezo {

Model::~Model() = default;
Peft::~Peft() = default;

std::vector<bool> Peft::trained(std::span<const ParameterSpec> parameters) const {
  return std::vector<bool>(parameters.size(), false);
}

std::shared_ptr<Adapter> Peft::adapt(const ModelOutline&, Declaration&) const { return nullptr; }

ModelFamily::~ModelFamily() = default;

std::optional<std::int64_t> ModelFamily::max_positions(const ModelConfig& config) const {
  constexpr const char* key = "max_position_embeddings";
  return config.has(key) ? std::optional(config.integer(key)) : std::nullopt;
}

std::optional<TensorNames> ModelFamily::file_names(const ModelConfig&, FileKind kind) const {
  return kind == FileKind::safetensors ? std::optional(TensorNames{}) : std::nullopt;
}

std::optional<FolderConfig> ModelFamily::folder_config(const ModelConfig&) const { return {}; }

}  // namespace mezo
