#include "core/model/rotary_config.h"

#include <cmath>

namespace mezo {

namespace {

// transformers 5 takes the older name first, unless it is null or an empty object.
std::string object_of(const ModelConfig& config) {
  for (const char* name : {"rope_scaling", "rope_parameters"})
    if (!config.keys(name).empty()) return std::string(name) + ".";
  for (const char* name : {"rope_scaling", "rope_parameters"})
    if (config.has(name) && config.json(name) != "{}") config.refuse(name, "expected an object");
  return "";
}

std::string kind_key(const ModelConfig& config, const std::string& object) {
  return object + (config.has(object + "rope_type") ? "rope_type" : "type");
}

double positive(const ModelConfig& config, const std::string& key, double otherwise) {
  const double number = config.number(key, otherwise);
  if (!(number > 0) || !std::isfinite(number)) config.refuse(key, "expected a number above 0");
  return number;
}

// Entries that change nothing: of a kind without scaling, a factor of 1; the length before scaling,
// which only other kinds compute with; a share of 1.
bool neutral(const ModelConfig& config, const std::string& object, const std::string& entry) {
  const std::string key = object + entry;
  if (!config.has(key) || entry == "original_max_position_embeddings") return true;
  for (const char* share : {"factor", "partial_rotary_factor", "attention_factor"})
    if (entry == share) return config.number(key) == 1;
  return false;
}

void refuse_others(const ModelConfig& config, const std::string& object, bool linear) {
  for (const std::string& entry : config.keys(object.substr(0, object.size() - 1))) {
    const bool read = entry == "rope_type" || entry == "type" || entry == "rope_theta" ||
                      (linear && entry == "factor");
    if (!read && !neutral(config, object, entry))
      config.refuse(object + entry,
                    std::string("scaled positions without a rope_type that has it"));
  }
}

}  // namespace

Rotary rotary_of(const ModelConfig& config, std::int64_t width) {
  const std::string object = object_of(config);
  double base = positive(config, "rope_theta", 10000.0), factor = 1;
  if (!object.empty()) {
    const std::string key = kind_key(config, object), kind = config.text(key, "default");
    const bool linear = kind == "linear";
    if (!linear && kind != "default")
      config.refuse(key, "of scaled positions only linear ones are in this family");
    refuse_others(config, object, linear);
    base = positive(config, object + "rope_theta", base);
    if (linear) {
      config.number(object + "factor");  // required
      factor = positive(config, object + "factor", 1);
    }
  }
  Rotary rotary{rotary_frequencies(width, base)};
  for (float& f : rotary.frequencies) f /= static_cast<float>(factor);
  return rotary;
}

}  // namespace mezo
