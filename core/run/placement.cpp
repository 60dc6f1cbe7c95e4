#include "core/run/placement.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/machine/device.h"
#include "core/run/trainer.h"

namespace mezo {

namespace {

at::ScalarType dtype_named(const std::string& name) {
  return name == "float16" ? at::kHalf : name == "bfloat16" ? at::kBFloat16 : at::kFloat;
}

}  // namespace

const char* name_of_dtype(at::ScalarType dtype) {
  return dtype == at::kHalf ? "float16" : dtype == at::kBFloat16 ? "bfloat16" : "float32";
}

ModelPlacement placement_of(const RunConfig& config) {
  ModelPlacement placement;
  placement.device = open_device(config.model.text("device"));
  if (const std::string& dtype = config.model.text("dtype"); dtype != "auto")
    placement.dtype = dtype_named(dtype);
  const std::string& storage = config.optimizer.text("storage");
  placement.storage = storage_named(storage);  // nothing for auto and file
  placement.frozen = storage == "file";
  return placement;
}

bool streams_together(const RunConfig& config, const LoadedModel& model) {
  const std::string& streams = config.optimizer.text("streams");
  if (streams != "auto") return streams == "together";
  if (!model.frozen()) return false;
  SpsaOptions spsa = trainer_options(config).spsa;
  spsa.together = true;
  for (const auto& forward : forwards_of(spsa))
    if (forward.size() > most_streams) return false;
  return true;
}

void require_trainable(const RunConfig& config, const PreparedModel& model) {
  if (config.optimizer.text("storage") != "file") return;
  for (std::size_t i = 0; i < model.types.size(); ++i)
    if (model.trained[i] && is_matrix(model.specs[i].role) &&
        storage_of(model.types[i]).storage == Storage::quantised)
      throw ConfigError(fmt::format(
          "[optimizer] storage: quantised weights cannot be trained; the file has {} in {}, and "
          "peft {} trains it: give float32, or auto",
          model.specs[i].name, name_of(model.types[i]), config.peft_mode.component.id()));
}

std::string widening_note(const RunConfig& config, const LoadedModel& model, bool training) {
  if (!model.widened) return {};
  const char* reason = config.optimizer.text("storage") != "auto" ? "as optimizer.storage asks"
                       : training                                 ? "since they train"
                                  : "as training needs them; optimizer.storage=file leaves them";
  return fmt::format("the file's {} weights ({:.2f} GB) are kept as {} ({:.2f} GB), {}",
                     model.widened->from, static_cast<double>(model.widened->file_bytes) / 1e9,
                     name_of(model.store.storage()),
                     static_cast<double>(model.widened->kept_bytes) / 1e9, reason);
}

ExactOptions exact_options(const RunConfig& config, const LoadedModel& model) {
  return {static_cast<std::uint64_t>(config.trainer.integer("seed")),
          config.optimizer.text("distribution") == "rademacher" ? Distribution::rademacher
                                                                : Distribution::gaussian,
          model.dtype};
}

}  // namespace mezo
