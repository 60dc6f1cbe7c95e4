#include "core/checkpoint/adapter_folder.h"

#include "core/checkpoint/peft_folder.h"
#include "core/checkpoint/start_adapter.h"
#include "core/error.h"
#include "core/plugin/create.h"

namespace mezo {

void write_adapter(const LoadedModel& model, const std::filesystem::path& folder, DType dtype) {
  const PeftFiles files = guard(
      model.network.adapter.component,
      [&] { return model.network.adapter.adapter->peft_files(reader_of(model.store)); },
      "describing the adapter");
  write_peft_folder(folder, files, {model.path, model.network.causal}, dtype);
}

std::string keep_adapter(const LoadedModel& model, const std::filesystem::path& folder) {
  if (!model.network.adapter) return "";
  const auto reason = guard(model.network.adapter.component,
                            [&] { return model.network.adapter.adapter->refuses_files(); });
  if (reason) return *reason;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw RunError("[output] cannot make " + folder.string() + ": " + error.message());
  write_adapter(model, folder);
  return "";
}

}  // namespace mezo
