#include "core/checkpoint/quantisation_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mezo {

std::string quantisation(const std::string& key) {
  return std::string(quantisation_key) + "." + key;
}

void refuse_other_keys(const ModelConfig& config, const std::string& object,
                       std::initializer_list<std::string_view> known) {
  for (const std::string& key : config.keys(object))
    if (config.has(object + "." + key) && std::ranges::find(known, key) == known.end())
      config.refuse(object + "." + key,
                    "not a key that is known to change nothing; where it does not change what the "
                    "weights are, take it out of config.json");
}

std::string either(const ModelConfig& config, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (config.has(quantisation(key))) return quantisation(key);
  return quantisation(*keys.begin());
}

std::optional<std::int64_t> group_size(const ModelConfig& config, const std::string& key,
                                       std::int64_t otherwise) {
  if (config.json(key) == "-1") return std::nullopt;
  if (!config.has(key)) return otherwise;
  return config.size(key, std::int64_t{1} << 30);
}

std::string one_of(const ModelConfig& config, const std::string& key,
                   std::initializer_list<std::string_view> allowed, const std::string& why) {
  std::string text = config.text(key, std::string(*allowed.begin()));
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (std::ranges::find(allowed, text) == allowed.end())
    config.refuse(key, fmt::format("{}; expected {}", why, fmt::join(allowed, " or ")));
  return text;
}

}  // namespace mezo
