#include "core/record/read_result.h"

#include "core/error.h"
#include "core/io/json_text.h"
#include "core/io/read_file.h"

namespace mezo {

std::optional<nlohmann::ordered_json> read_result(const std::filesystem::path& folder) {
  using Json = nlohmann::ordered_json;
  const std::filesystem::path file = folder / "result.json";
  std::error_code none;
  if (!std::filesystem::exists(file, none)) return std::nullopt;
  const std::string place = "[run] " + file.string();
  Json json = json_of<RunError, Json>(read_file<RunError>(file, most_text, "[run] "), place);
  if (!json.is_object()) throw RunError(place + ": expected a JSON object");
  return json;
}

}  // namespace mezo
