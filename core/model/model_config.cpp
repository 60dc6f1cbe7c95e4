#include "core/model/model_config.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/config/display.h"
#include "core/error.h"
#include "core/io/gguf.h"
#include "core/io/json_text.h"
#include "core/io/read_file.h"
#include "core/model/gguf_config.h"

namespace mezo {

struct ModelConfig::Json {
  nlohmann::json value;
  std::map<std::string, std::string> spelling;  // of keys that the file calls otherwise
  mutable std::set<std::string> read = {};      // outermost keys that an accessor was asked for
  const nlohmann::json* find(const std::string& key) const;
  const nlohmann::json* ask(const std::string& key) const;
};

ModelConfig::ModelConfig(std::shared_ptr<const Json> json, std::string origin)
    : json_(std::move(json)), origin_(std::move(origin)) {}
ModelConfig::~ModelConfig() = default;
ModelConfig::ModelConfig(const ModelConfig&) = default;
ModelConfig& ModelConfig::operator=(const ModelConfig&) = default;

ModelConfig ModelConfig::from_json(const std::string& text, const std::string& origin) {
  auto json = std::make_shared<Json>();
  json->value = json_of<ModelError>(text, "[" + origin + "]");
  if (!json->value.is_object())
    throw ModelError("[" + origin + "] expected a JSON object, got " + json->value.type_name());
  return {std::move(json), origin};
}

ModelConfig ModelConfig::from_folder(const std::string& folder) {
  const std::string path = (std::filesystem::path(folder) / "config.json").string();
  return from_json(
      read_file<ModelError>(path, most_text, "[model] ",
                            "; a model folder holds config.json, weights and a tokenizer"),
      path);
}

ModelConfig ModelConfig::from_gguf(const GgufFile& file) {
  auto json = std::make_shared<Json>();
  GgufConfig config = gguf_config(file);
  json->value = std::move(config.value);
  json->spelling = std::move(config.spelling);
  return {std::move(json), file.metadata.path()};
}

// The value of a key, or nullptr where it is absent or null. A dot steps into an object, but for a
// key that has one itself.
const nlohmann::json* ModelConfig::Json::find(const std::string& key) const {
  if (const auto whole = value.find(key); whole != value.end())
    return whole->is_null() ? nullptr : &*whole;
  const nlohmann::json* node = &value;
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('.', begin), key.size());
    if (!node->is_object()) return nullptr;
    const auto it = node->find(key.substr(begin, end - begin));
    if (it == node->end()) return nullptr;
    node = &*it;
    begin = end + 1;
  }
  return node->is_null() ? nullptr : node;
}

constexpr auto replaced = nlohmann::json::error_handler_t::replace;  // a GGUF's text is any bytes

const nlohmann::json* ModelConfig::Json::ask(const std::string& key) const {
  read.insert(value.contains(key) ? key : key.substr(0, key.find('.')));
  return find(key);
}

ModelConfig ModelConfig::with(const std::string& key, bool value) const {
  auto json = std::make_shared<Json>(*json_);
  json->value[key] = value;
  return {std::move(json), origin_};
}

void ModelConfig::refuse(const std::string& key, const std::string& why) const {
  const nlohmann::json* value = json_->find(key);
  const auto spelt = json_->spelling.find(key);
  throw ModelError("[" + origin_ + "] " + (spelt == json_->spelling.end() ? key : spelt->second) +
                   ": " + why + ", got " +
                   (value ? printable(value->dump(-1, ' ', false, replaced), 200) : "nothing"));
}

bool ModelConfig::has(const std::string& key) const { return json_->ask(key) != nullptr; }

std::string ModelConfig::json(const std::string& key) const {
  const nlohmann::json* value = json_->ask(key);
  return value ? value->dump(-1, ' ', false, replaced) : "null";
}

std::int64_t ModelConfig::integer(const std::string& key) const {
  const nlohmann::json* value = json_->ask(key);
  if (!value || !value->is_number_integer()) refuse(key, "expected an integer");
  const auto integer = value->get<std::int64_t>();
  if (integer < 0 || integer > (std::int64_t{1} << 40))
    refuse(key, "expected a size from 0 to 2^40");
  return integer;
}

std::int64_t ModelConfig::integer(const std::string& key, std::int64_t otherwise) const {
  return has(key) ? integer(key) : otherwise;
}

std::int64_t ModelConfig::size(const std::string& key, std::int64_t most) const {
  const std::int64_t size = integer(key);
  if (size < 1 || size > most) refuse(key, "expected 1 to " + std::to_string(most));
  return size;
}

double ModelConfig::number(const std::string& key) const {
  const nlohmann::json* value = json_->ask(key);
  if (!value || !value->is_number()) refuse(key, "expected a number");
  return value->get<double>();
}

double ModelConfig::number(const std::string& key, double otherwise) const {
  return has(key) ? number(key) : otherwise;
}

bool ModelConfig::boolean(const std::string& key, bool otherwise) const {
  const nlohmann::json* value = json_->ask(key);
  if (!value) return otherwise;
  if (!value->is_boolean()) refuse(key, "expected true or false");
  return value->get<bool>();
}

std::string ModelConfig::text(const std::string& key, const std::string& otherwise) const {
  const nlohmann::json* value = json_->ask(key);
  if (!value) return otherwise;
  if (!value->is_string()) refuse(key, "expected text");
  return value->get<std::string>();
}

std::vector<std::string> ModelConfig::texts(const std::string& key) const {
  const nlohmann::json* value = json_->ask(key);
  if (!value || !value->is_array() ||
      !std::ranges::all_of(*value, [](const auto& entry) { return entry.is_string(); }))
    refuse(key, "expected a list of texts");
  return value->get<std::vector<std::string>>();
}

std::vector<std::int64_t> ModelConfig::integers(const std::string& key) const {
  const nlohmann::json* value = json_->ask(key);
  if (!value || !value->is_array() ||
      !std::ranges::all_of(*value, [](const auto& entry) { return entry.is_number_unsigned(); }))
    refuse(key, "expected a list of integers from 0 on");
  return value->get<std::vector<std::int64_t>>();
}

std::vector<std::string> ModelConfig::keys(const std::string& object) const {
  const nlohmann::json* of = object.empty() ? &json_->value : json_->ask(object);
  std::vector<std::string> names;
  if (of && of->is_object())
    for (const auto& [key, value] : of->items()) names.push_back(key);
  return names;
}

std::vector<std::string> ModelConfig::unread() const {
  std::vector<std::string> names;
  for (const auto& [key, value] : json_->value.items())
    if (!value.is_null() && !json_->read.contains(key)) names.push_back(key);
  return names;
}

std::vector<std::string> ModelConfig::architectures() const {
  if (!has("architectures") && has("model_type")) return {"model_type:" + text("model_type", "")};
  const auto it = json_->value.find("architectures");
  std::vector<std::string> names;
  if (it != json_->value.end() && it->is_array())
    for (const auto& name : *it)
      if (name.is_string()) names.push_back(name.get<std::string>());
  if (names.empty())
    refuse("architectures", "expected a list of names such as [\"LlamaForCausalLM\"]");
  return names;
}

}  // namespace mezo
