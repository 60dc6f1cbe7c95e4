#include "core/model/gguf_rotary.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/io/dequantize.h"
#include "core/model/rotary_scaling.h"

namespace mezo {

namespace {

constexpr const char* scaling_keys[] = {"rope.scaling.type", "rope.scaling.factor",
                                        "rope.scale_linear",
                                        "rope.scaling.original_context_length"};

// Width of the rotated heads; 0 where the file does not say it.
std::int64_t width_of(const nlohmann::json& config) {
  for (const char* key : {"rotary_dim", "head_dim"})
    if (config.contains(key) && config[key].is_number_integer()) return config[key];
  const auto size = [&](const char* key) {
    const auto at = config.find(key);
    return at != config.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
  };
  return size("num_attention_heads") > 0 ? size("hidden_size") / size("num_attention_heads") : 0;
}

bool makes(const std::vector<float>& table, const Llama3Scaling& scaling, std::int64_t width,
           double base) {
  const std::vector<float> before = rotary_frequencies(width, base),
                           after = llama3_frequencies(width, base, scaling);
  for (std::size_t i = 0; i < table.size(); ++i)
    if (!(std::abs(before[i] / after[i] - table[i]) <= 1e-4f * table[i])) return false;
  return true;
}

// The scaling that a table of divisors comes from, or a name for what it is.
nlohmann::json table_scaling(const TensorView& view, const nlohmann::json& config) {
  const std::int64_t width = width_of(config);
  const double base = config.value("rope_theta", 10000.0);
  const nlohmann::json unknown = {{"rope_type", "the tensor " + view.name}};
  if (!is_weight(view.dtype) || width < 2 || width % 2 != 0 || view.count() != width / 2 ||
      !(base > 0))
    return unknown;
  std::vector<float> table(static_cast<std::size_t>(view.count()));
  dequantize(view, table.data());
  const float most = *std::ranges::max_element(table);
  // A factor is an integer but for what fp32 rounds of a table without a slowest pair.
  for (const double factor : std::vector<double>{most, std::round(most)}) {
    const Llama3Scaling scaling{factor};
    if (!(factor >= 1) || !makes(table, scaling, width, base)) continue;
    return {{"rope_type", "llama3"},
            {"factor", scaling.factor},
            {"low_freq_factor", scaling.low_frequency},
            {"high_freq_factor", scaling.high_frequency},
            {"original_max_position_embeddings", static_cast<std::int64_t>(scaling.original)}};
  }
  return unknown;
}

}  // namespace

bool is_rotary_scaling(const std::string& key) {
  return std::ranges::find(scaling_keys, key) != std::end(scaling_keys);
}

// As llama.cpp reads it: linear where no type is given, and unscaled by a factor of 0 or 1.
void translate_rotary_scaling(const GgufFile& file, const std::string& prefix, GgufConfig& config) {
  const GgufMetadata& meta = file.metadata;
  std::string factor_key = prefix + "rope.scaling.factor";
  if (!meta.find(factor_key) && meta.find(prefix + "rope.scale_linear"))
    factor_key = prefix + "rope.scale_linear";
  const std::string keys[][2] = {
      {"rope_type", prefix + "rope.scaling.type"},
      {"factor", factor_key},
      {"original_max_position_embeddings", prefix + "rope.scaling.original_context_length"}};
  nlohmann::json scaling = {{"rope_type", "linear"}};
  for (const auto& [key, theirs] : keys) {
    if (const GgufValue* v = meta.find(theirs)) scaling[key] = json_of(*v);
    config.spelling["rope_scaling." + key] = theirs;
  }
  const nlohmann::json factor = scaling.value("factor", nlohmann::json(1.0));
  const bool scaled = scaling["rope_type"] != "none" &&
                      !(scaling["rope_type"] == "linear" && (factor == 0.0 || factor == 1.0));
  if (factor == 0.0 || !scaling.contains("factor")) scaling["factor"] = 1.0;
  if (scaled) config.value["rope_scaling"] = scaling;
  for (const char* name : {"rope_freqs.weight", "rope_factors_long.weight"})
    if (const TensorView* view = file.tensors.find(name)) {
      const std::string table = std::string("the tensor ") + name;
      nlohmann::json of_table = table_scaling(*view, config.value);
      if (view->name != "rope_freqs.weight") of_table = {{"rope_type", table}};
      if (scaled) of_table["rope_type"] = scaling["rope_type"].dump() + " and " + table;
      config.value["rope_scaling"] = of_table;
    }
}

}  // namespace mezo
