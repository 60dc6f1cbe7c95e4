#include "core/checkpoint/base_file.h"

#include <filesystem>

#include "core/io/safetensors.h"
#include "core/plugin/create.h"

namespace mezo {

BaseFile::BaseFile(const LoadedModel& model) {
  if (std::filesystem::is_directory(model.path)) {
    weights = {load_safetensors_folder(model.path), nullptr, model.base_specs()};
    return;
  }
  gguf = load_gguf(model.path);
  const std::vector<GgufName> names = guard(
      model.network.family, [&] { return model.family->gguf_names(model.config); },
      "naming the tensors");
  weights = {gguf->tensors, &names, model.base_specs()};
}

}  // namespace mezo
