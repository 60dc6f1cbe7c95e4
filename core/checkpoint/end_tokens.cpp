#include "core/checkpoint/end_tokens.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/io/read_file.h"

namespace mezo {

namespace {

// The key's ids; none where it is absent or null.
std::vector<std::int32_t> ids_of(const ModelConfig& config, std::int32_t entries) {
  static const std::string key = "eos_token_id";
  if (!config.has(key)) return {};
  const auto value = nlohmann::json::parse(config.json(key));
  std::vector<std::int32_t> ids;
  for (const auto& id : value.is_array() ? value : nlohmann::json::array({value})) {
    if (!id.is_number_integer()) config.refuse(key, "expected an id of a token or a list of them");
    const auto number = id.get<std::int64_t>();
    // One that the model cannot give ends nothing.
    if (number >= 0 && number < entries) ids.push_back(static_cast<std::int32_t>(number));
  }
  return ids;
}

}  // namespace

std::vector<std::int32_t> end_tokens_of(const Tokenizer& tokenizer) {
  const auto id = tokenizer.special().eos;
  return id ? std::vector<std::int32_t>{*id} : std::vector<std::int32_t>{};
}

std::vector<std::int32_t> end_tokens_of_folder(const std::string& folder, const ModelConfig& config,
                                               const Tokenizer& tokenizer) {
  const auto entries = static_cast<std::int32_t>(config.integer("vocab_size"));
  const auto path = std::filesystem::path(folder) / "generation_config.json";
  if (is_there(path)) {
    const std::string text = read_file<ModelError>(path, most_text, "[generation_config] ");
    const auto ids = ids_of(ModelConfig::from_json(text, path.string()), entries);
    if (!ids.empty()) return ids;
  }
  const auto ids = ids_of(config, entries);
  return ids.empty() ? end_tokens_of(tokenizer) : ids;
}

}  // namespace mezo
