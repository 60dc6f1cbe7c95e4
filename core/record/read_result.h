#pragma once
// The result.json that a run's folder holds.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

namespace mezo {

// Nothing where there is none: the run did not come to an end. Throws RunError where the file
// cannot be read, or is no JSON object.
std::optional<nlohmann::ordered_json> read_result(const std::filesystem::path& folder);

}  // namespace mezo
