#pragma once
// A run's adapter as a folder that mezo reads again, and the peft package where it can.

#include <filesystem>
#include <string>

#include "core/checkpoint/load_model.h"
#include "core/io/dtype.h"

namespace mezo {

// The adapter as the peft package's two files, into a folder that exists. The model must have one
// that does not refuse (Adapter::refuses_files). Throws RunError.
MEZO_API void write_adapter(const LoadedModel& model, const std::filesystem::path& folder,
                            DType dtype = DType::F32);

// What a run keeps beside its trajectory when it ends: the same in a folder that is made. Returns
// why nothing was kept, or "" where there is no adapter or all went well.
std::string keep_adapter(const LoadedModel& model, const std::filesystem::path& folder);

}  // namespace mezo
