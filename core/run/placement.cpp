#include "core/run/placement.h"

#include "core/run/device.h"

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

ExactOptions exact_options(const RunConfig& config, const LoadedModel& model) {
  return {static_cast<std::uint64_t>(config.trainer.integer("seed")),
          config.optimizer.text("distribution") == "rademacher" ? Distribution::rademacher
                                                                : Distribution::gaussian,
          model.dtype};
}

}  // namespace mezo
