#include "core/run/placement.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/machine/device.h"

namespace mezo {

ModelPlacement placement_of(const ModelSettings& model, const StorageSettings& storage) {
  return {open_device(model.device), storage.type, model.dtype, storage.as_filed};
}

void require_trainable(const RunConfig& config, const PreparedModel& model) {
  if (!config.settings.optimizer.storage.as_filed) return;
  for (std::size_t i = 0; i < model.types.size(); ++i)
    if (model.trained[i] && is_matrix(model.specs[i].role) &&
        storage_of(model.types[i]).storage == Storage::quantised)
      throw ConfigError(fmt::format(
          "[optimizer] storage: quantised weights cannot be trained; the file has {} in {}, and "
          "peft {} trains it: give float32, or auto",
          model.specs[i].name, name_of(model.types[i]), config.peft.component.id()));
}

std::string widening_note(const RunConfig& config, const LoadedModel& model, bool training) {
  if (!model.widened) return {};
  const StorageSettings& storage = config.settings.optimizer.storage;
  const char* reason = storage.type || storage.as_filed ? "as optimizer.storage asks"
                       : training                       ? "since they train"
                                  : "as training needs them; optimizer.storage=file leaves them";
  return fmt::format("the file's {} weights ({:.2f} GB) are kept as {} ({:.2f} GB), {}",
                     model.widened->from, static_cast<double>(model.widened->file_bytes) / 1e9,
                     name_of(model.store.storage()),
                     static_cast<double>(model.widened->kept_bytes) / 1e9, reason);
}

ExactOptions exact_options(const OptimizerSettings& optimizer, const TrainerSettings& trainer,
                           at::ScalarType dtype) {
  return {trainer.seed, optimizer.distribution, dtype};
}

}  // namespace mezo
