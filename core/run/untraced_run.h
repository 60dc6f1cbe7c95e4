#pragma once
// A run of a baseline has no trajectory: its weights of a step cannot be had again. What of it
// there is instead.

#include <filesystem>
#include <string>

#include "core/api.h"

namespace mezo {

// A sentence for an error where `path` is the folder of a baseline's run: what was kept and how it
// is used. "" for anything else.
MEZO_API std::string kept_without_trajectory(const std::filesystem::path& path);

}  // namespace mezo
