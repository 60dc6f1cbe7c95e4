#include "core/checkpoint/base_file.h"

#include <filesystem>

#include "core/checkpoint/quantised_folder.h"

namespace mezo {

BaseFile::BaseFile(const LoadedModel& model) {
  if (std::filesystem::is_directory(model.path)) {
    weights = {folder_weights(model.path, model.config), model.file_names(FileKind::safetensors),
               model.base_specs()};
    return;
  }
  gguf = load_gguf(model.path);
  weights = {gguf->tensors, model.file_names(FileKind::gguf), model.base_specs()};
}

}  // namespace mezo
