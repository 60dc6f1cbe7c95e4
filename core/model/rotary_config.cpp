#include "core/model/rotary_config.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/model/rotary_scaling.h"

namespace mezo {

namespace {

constexpr const char* share_entry = "partial_rotary_factor";

// transformers 5 takes the older name first, unless it is null or an empty object.
std::string object_of(const ModelConfig& config) {
  for (const char* name : {"rope_scaling", "rope_parameters"})
    if (!config.keys(name).empty()) return name;
  for (const char* name : {"rope_scaling", "rope_parameters"})
    if (config.has(name) && config.json(name) != "{}") config.refuse(name, "expected an object");
  return "";
}

double positive(const ModelConfig& config, const std::string& key) {
  const double number = config.number(key);
  if (!(number > 0) || !std::isfinite(number)) config.refuse(key, "expected a number above 0");
  return number;
}

// The entries of an object, or the lack of one, and what a kind needs to know beside them.
struct Entries {
  const ModelConfig& config;
  std::string object;  // with its dot
  std::int64_t width;
  double base;

  std::string key(const char* entry) const { return object + entry; }
  double positive(const char* entry) const { return mezo::positive(config, key(entry)); }
  double positive(const char* entry, double otherwise) const {
    return config.has(key(entry)) ? positive(entry) : otherwise;
  }

  // Positions of the first training. A key at the top wins, as Phi-3's files have it, but where
  // there is an object for each kind of layer.
  double original_length() const {
    constexpr const char* name = "original_max_position_embeddings";
    const bool nested = object.find('.') + 1 < object.size();
    if (!nested && config.has(name)) return mezo::positive(config, name);
    return config.has(key(name)) ? positive(name) : max_length();
  }
  double max_length() const { return mezo::positive(config, "max_position_embeddings"); }
};

Rotary unscaled(const Entries& e) { return {rotary_frequencies(e.width, e.base)}; }

Rotary linear(const Entries& e) {
  Rotary rotary = unscaled(e);
  const auto factor = static_cast<float>(e.positive("factor"));
  for (float& f : rotary.frequencies) f /= factor;
  return rotary;
}

Rotary dynamic(const Entries& e) {
  if (e.width < 4) e.config.refuse(e.key("rope_type"), "expected heads wider than 2 for it");
  const double factor = e.positive("factor");
  return {rotary_frequencies(e.width, dynamic_base(e.width, e.base, factor, e.max_length()))};
}

Rotary llama3(const Entries& e) {
  const Llama3Scaling scaling{e.positive("factor"), e.positive("low_freq_factor"),
                              e.positive("high_freq_factor"), e.original_length()};
  if (scaling.high_frequency <= scaling.low_frequency)
    e.config.refuse(e.key("high_freq_factor"), "expected more than low_freq_factor");
  return {llama3_frequencies(e.width, e.base, scaling)};
}

// 0 stands for the default, as in transformers.
double beta(const Entries& e, const char* entry, double otherwise) {
  return e.config.number(e.key(entry), 0) == 0 ? otherwise : e.positive(entry);
}

Rotary yarn(const Entries& e) {
  YarnScaling scaling;
  scaling.original = e.original_length();
  scaling.factor =
      e.config.has(e.key("factor")) ? e.positive("factor") : e.max_length() / scaling.original;
  scaling.beta_fast = beta(e, "beta_fast", 32);
  scaling.beta_slow = beta(e, "beta_slow", 1);
  scaling.truncate = e.config.boolean(e.key("truncate"), true);
  const double scale = e.config.number(e.key("mscale"), 0),
               all = e.config.number(e.key("mscale_all_dim"), 0);
  const double amplitude = scale != 0 && all != 0 ? yarn_amplitude(scaling.factor, scale) /
                                                        yarn_amplitude(scaling.factor, all)
                                                  : yarn_amplitude(scaling.factor);
  return {yarn_frequencies(e.width, e.base, scaling), Rotary::Pairs::halves,
          static_cast<float>(e.positive("attention_factor", amplitude))};
}

struct Kind {
  const char* name;
  Rotary (*rotary)(const Entries&);
  std::vector<std::string> entries;  // that it reads, beside the kind and the base
};

const Kind* kind_of(const std::string& name) {
  static const std::vector<Kind> kinds = {
      {"default", unscaled, {}},
      {"linear", linear, {"factor"}},
      {"dynamic", dynamic, {"factor"}},
      {"llama3", llama3, {"factor", "low_freq_factor", "high_freq_factor"}},
      {"yarn",
       yarn,
       {"factor", "attention_factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim",
        "truncate"}}};
  const auto at = std::ranges::find_if(kinds, [&](const Kind& kind) { return kind.name == name; });
  return at == kinds.end() ? nullptr : &*at;
}

// Of a head that is rotated in part.
std::int64_t rotated_width(const Entries& e, const RotaryKeys& keys) {
  double share = e.config.number(keys.share_key, keys.share);
  if (!e.object.empty()) share = e.config.number(e.key(share_entry), share);
  const auto width = static_cast<std::int64_t>(share * static_cast<double>(e.width));
  if (!(share > 0 && share <= 1) || width < 2 || width % 2 != 0)
    e.config.refuse(e.config.has(keys.share_key) ? keys.share_key : e.key(share_entry),
                    "expected a share of each head's " + std::to_string(e.width) +
                        " elements that is an even number of them");
  return width;
}

// Entries that change nothing: of a kind without scaling, a factor of 1; the length before scaling,
// which other kinds compute with; a share of 1.
bool neutral(const ModelConfig& config, const std::string& object, const std::string& entry) {
  const std::string key = object + entry;
  if (!config.has(key) || entry == "original_max_position_embeddings") return true;
  for (const char* factor : {"factor", share_entry, "attention_factor"})
    if (entry == factor) return config.number(key) == 1;
  return false;
}

void refuse_others(const Entries& e, const Kind& kind, bool partial) {
  for (const std::string& entry : e.config.keys(e.object.substr(0, e.object.size() - 1))) {
    const bool read = entry == "rope_type" || entry == "type" || entry == "rope_theta" ||
                      (partial && entry == share_entry) ||
                      std::ranges::find(kind.entries, entry) != kind.entries.end();
    if (!read && !neutral(e.config, e.object, entry))
      e.config.refuse(e.object + entry, "scaled positions without a rope_type that has it");
  }
}

}  // namespace

Rotary rotary_of(const ModelConfig& config, std::int64_t width, const RotaryKeys& keys) {
  const std::string object = keys.object ? *keys.object : object_of(config);
  Entries entries{config, object.empty() ? "" : object + ".", width, keys.base};
  if (config.has(keys.base_key)) entries.base = positive(config, keys.base_key);
  if (!keys.share_key.empty()) entries.width = rotated_width(entries, keys);
  if (object.empty()) return unscaled(entries);
  const std::string type = entries.key(config.has(entries.key("rope_type")) ? "rope_type" : "type");
  const Kind* kind = kind_of(config.text(type, "default"));
  if (!kind)
    config.refuse(type,
                  "of scaled positions only linear, dynamic, llama3 and yarn can be computed");
  refuse_others(entries, *kind, !keys.share_key.empty());
  entries.base = entries.positive("rope_theta", entries.base);
  return kind->rotary(entries);
}

}  // namespace mezo
