#include "core/model/model.h"

#include "core/model/peft.h"

namespace mezo {

Model::~Model() = default;
Peft::~Peft() = default;
ModelFamily::~ModelFamily() = default;
std::vector<GgufName> ModelFamily::gguf_names(const ModelConfig&) const { return {}; }
std::optional<FolderConfig> ModelFamily::folder_config(const ModelConfig&) const { return {}; }

}  // namespace mezo
