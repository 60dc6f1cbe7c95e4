#include "core/run/placement.h"

#include "core/run/device.h"
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
  placement.storage = storage_named(config.optimizer.text("storage"));  // nothing for auto
  return placement;
}

bool streams_together(const RunConfig& config, const LoadedModel& model) {
  const std::string& streams = config.optimizer.text("streams");
  if (streams != "auto") return streams == "together";
  for (std::size_t i = 0; i < model.trained.size(); ++i)
    if (const Role role = model.store.specs()[i].role;
        model.trained[i] && (role == Role::matrix || role == Role::embedding))
      return false;
  SpsaOptions spsa = trainer_options(config).spsa;
  spsa.together = true;
  for (const auto& forward : forwards_of(spsa))
    if (forward.size() > most_streams) return false;
  return true;
}

ExactOptions exact_options(const RunConfig& config, const LoadedModel& model) {
  return {static_cast<std::uint64_t>(config.trainer.integer("seed")),
          config.optimizer.text("distribution") == "rademacher" ? Distribution::rademacher
                                                                : Distribution::gaussian,
          model.dtype};
}

}  // namespace mezo
