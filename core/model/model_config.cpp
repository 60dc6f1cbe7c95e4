#include "core/model/model_config.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "core/config/display.h"
#include "core/error.h"
#include "core/io/gguf.h"
#include "core/io/json_text.h"
#include "core/io/read_file.h"

namespace mezo {

struct ModelConfig::Json {
  nlohmann::json value;
  std::map<std::string, std::string> spelling;  // of keys that the file calls otherwise
  const nlohmann::json* find(const std::string& key) const;
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

namespace {

// GGUF's names are the same for all architectures but for the prefix; each is one key of a
// config.json.
struct Translation {
  const char* gguf;
  const char* key;
};
constexpr Translation translations[] = {{"block_count", "num_hidden_layers"},
                                        {"context_length", "max_position_embeddings"},
                                        {"embedding_length", "hidden_size"},
                                        {"feed_forward_length", "intermediate_size"},
                                        {"attention.head_count", "num_attention_heads"},
                                        {"attention.head_count_kv", "num_key_value_heads"},
                                        {"attention.key_length", "head_dim"},
                                        {"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
                                        {"attention.layer_norm_epsilon", "layer_norm_eps"},
                                        {"attention.sliding_window", "sliding_window"},
                                        {"rope.freq_base", "rope_theta"},
                                        {"rope.dimension_count", "rotary_dim"},
                                        {"rope.scaling.type", "rope_scaling_type"},
                                        {"rope.scaling.factor", "rope_scaling_factor"},
                                        {"rope.scale_linear", "rope_scaling_factor"},
                                        {"vocab_size", "vocab_size"}};

nlohmann::json json_of(const GgufValue& v) {
  if (const auto x = v.as_integer()) return *x;
  if (const auto x = v.as_number()) return *x;
  if (const auto x = v.as_boolean()) return *x;
  if (const auto x = v.as_text()) return std::string(*x);
  return nlohmann::json::array({v.type_name()});  // a list, one entry a layer: no accessor takes it
                                                  // for a value or for nothing
}

bool has_bias(const TensorFile& tensors, const char* module) {
  return tensors.find("blk.0." + std::string(module) + ".bias") != nullptr;
}

}  // namespace

ModelConfig ModelConfig::from_gguf(const GgufFile& file) {
  const GgufMetadata& meta = file.metadata;
  const std::string architecture = meta.text("general.architecture");
  auto json = std::make_shared<Json>();
  json->value = nlohmann::json::object();
  json->value["architectures"] = {"gguf:" + architecture};
  for (const Translation& t : translations) {
    const std::string theirs = architecture + "." + t.gguf;
    const GgufValue* v = meta.find(theirs);
    if (v) json->value[t.key] = json_of(*v);
    if (v || !json->spelling.contains(t.key)) json->spelling[t.key] = theirs;
  }
  // llama.cpp scales positions where a factor is given and no type.
  if (json->value.contains("rope_scaling_factor") && !json->value.contains("rope_scaling_type")) {
    const nlohmann::json& factor = json->value["rope_scaling_factor"];
    if (factor != 0.0 && factor != 1.0) json->value["rope_scaling_type"] = "linear";
  }
  // Which linear layers have biases is said by their presence alone.
  json->value["attention_bias"] = has_bias(file.tensors, "attn_q");
  json->value["mlp_bias"] = has_bias(file.tensors, "ffn_gate");
  // A file without an output matrix uses the embedding's; one with a table of rope factors scales
  // its positions.
  json->value["tie_word_embeddings"] = file.tensors.find("output.weight") == nullptr;
  if (file.tensors.find("rope_freqs.weight"))
    json->value["rope_scaling_type"] = "the tensor rope_freqs.weight";
  if (!json->value.contains("vocab_size"))
    json->value["vocab_size"] =
        static_cast<std::int64_t>(meta.list("tokenizer.ggml.tokens").size());
  return {std::move(json), meta.path()};
}

// The value of a key, or nullptr where it is absent or null. A dot steps into an object.
const nlohmann::json* ModelConfig::Json::find(const std::string& key) const {
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

void ModelConfig::refuse(const std::string& key, const std::string& why) const {
  const nlohmann::json* value = json_->find(key);
  const auto spelt = json_->spelling.find(key);
  throw ModelError("[" + origin_ + "] " + (spelt == json_->spelling.end() ? key : spelt->second) +
                   ": " + why + ", got " +
                   (value ? printable(value->dump(-1, ' ', false, replaced), 200) : "nothing"));
}

bool ModelConfig::has(const std::string& key) const { return json_->find(key) != nullptr; }

std::string ModelConfig::json(const std::string& key) const {
  const nlohmann::json* value = json_->find(key);
  return value ? value->dump(-1, ' ', false, replaced) : "null";
}

std::int64_t ModelConfig::integer(const std::string& key) const {
  const nlohmann::json* value = json_->find(key);
  if (!value || !value->is_number_integer()) refuse(key, "expected an integer");
  const auto integer = value->get<std::int64_t>();
  if (integer < 0 || integer > (std::int64_t{1} << 40))
    refuse(key, "expected a size from 0 to 2^40");
  return integer;
}

std::int64_t ModelConfig::integer(const std::string& key, std::int64_t otherwise) const {
  return has(key) ? integer(key) : otherwise;
}

double ModelConfig::number(const std::string& key) const {
  const nlohmann::json* value = json_->find(key);
  if (!value || !value->is_number()) refuse(key, "expected a number");
  return value->get<double>();
}

double ModelConfig::number(const std::string& key, double otherwise) const {
  return has(key) ? number(key) : otherwise;
}

bool ModelConfig::boolean(const std::string& key, bool otherwise) const {
  const nlohmann::json* value = json_->find(key);
  if (!value) return otherwise;
  if (!value->is_boolean()) refuse(key, "expected true or false");
  return value->get<bool>();
}

std::string ModelConfig::text(const std::string& key, const std::string& otherwise) const {
  const nlohmann::json* value = json_->find(key);
  if (!value) return otherwise;
  if (!value->is_string()) refuse(key, "expected text");
  return value->get<std::string>();
}

std::vector<std::string> ModelConfig::keys() const {
  std::vector<std::string> names;
  for (const auto& [key, value] : json_->value.items()) names.push_back(key);
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
