#include "core/compare/outcome.h"

#include <filesystem>
#include <limits>

#include "core/error.h"
#include "core/io/json_text.h"
#include "core/io/read_file.h"

namespace mezo {

namespace {

using Json = nlohmann::ordered_json;

std::map<std::string, double> scores_in(const Json& json, const char* moment) {
  std::map<std::string, double> scores;
  if (!json.contains(moment)) return scores;  // `mezo eval` has nothing before
  for (const auto& [name, value] : json.at(moment).items())
    scores[name] =
        value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.template get<double>();
  return scores;
}

Outcome outcome_of(Json json) {
  Outcome outcome;
  outcome.requested = json.value("requested", "");
  outcome.method = json.at("method");
  outcome.task = json.at("task");
  outcome.metric = json.at("metric");
  outcome.interrupted = json.at("interrupted");
  outcome.before = scores_in(json, "before");
  outcome.after = scores_in(json, "after");
  outcome.steps = json.value("steps", 0u);
  outcome.seconds = json.value("seconds", 0.0);
  outcome.peak_memory_bytes = json.at("peak_memory_bytes");
  if (const auto passes = json.find("forward_passes"); passes != json.end())
    outcome.forward_passes = passes->template get<std::uint64_t>();
  outcome.json = std::move(json);
  return outcome;
}

}  // namespace

std::optional<double> Outcome::score(const std::string& name) const {
  const auto found = after.find(name);
  return found == after.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Estimate> estimate_in(const std::map<std::string, double>& scores,
                                    const std::string& metric) {
  const auto value = scores.find(metric), error = scores.find(metric + "_stderr");
  if (value == scores.end()) return {};
  return Estimate{value->second,
                  error == scores.end() ? std::numeric_limits<double>::quiet_NaN() : error->second};
}

std::optional<Outcome> read_outcome(const std::string& folder) {
  const std::string file = (std::filesystem::path(folder) / "result.json").string();
  if (!is_there(file)) return {};
  Json json = json_of<RunError, Json>(read_file<RunError>(file, most_text, "[result] "),
                                      "[result] " + file);
  try {
    return outcome_of(std::move(json));
  } catch (const nlohmann::json::exception& error) {
    throw RunError("[result] " + file + ": not what a run writes: " + json_reason(error));
  }
}

}  // namespace mezo
