#include "core/compare/records.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "core/compare/groups.h"
#include "core/io/atomic_file.h"

namespace mezo {

namespace {

using Json = nlohmann::ordered_json;

Json number_or_null(const Mean& mean) { return mean.count ? Json(mean.mean) : Json(); }

Json optional_json(const auto& value) { return value ? Json(*value) : Json(); }

Json json_of_group(const Comparison& comparison, const Group& group) {
  Json json = Json::object();
  for (std::size_t i = 0; i < comparison.axes.size(); ++i)
    if (!comparison.axes[i].only_seeds())
      json[comparison.axes[i].name] = comparison.axes[i].choices[group.at[i]].label;
  json["metric"] = group.metric;
  json["mean"] = number_or_null(group.after);
  json["standard_error"] = optional_json(group.after.standard_error);
  json["runs"] = group.runs.size();
  json["done"] = group.done;
  json["failed"] = group.failed;
  json["mean_before"] = number_or_null(group.before);
  json["seconds"] = group.done ? Json(group.seconds) : Json();
  json["peak_memory_bytes"] = group.done ? Json(group.peak_memory_bytes) : Json();
  json["forward_passes"] = optional_json(group.forward_passes);
  return json;
}

Json settings_of(const Comparison& comparison, const Cell& cell) {
  Json settings = Json::object();
  for (std::size_t i = 0; i < comparison.axes.size(); ++i)
    for (const Setting& s : comparison.axes[i].choices[cell.at[i]].settings) {
      Json& value = settings[s.key];
      if (!s.value.is_sequence()) {
        value = s.value.text;
        continue;
      }
      value = Json::array();
      for (const Value& item : s.value.items) value.push_back(item.text);
    }
  return settings;
}

Json json_of_cell(const Comparison& comparison, const Cell& cell) {
  const Cell& run = comparison.run_of(cell);
  Json json = {{"name", cell.name}, {"choices", Json::object()}};
  for (std::size_t i = 0; i < comparison.axes.size(); ++i)
    json["choices"][comparison.axes[i].name] = comparison.axes[i].choices[cell.at[i]].label;
  json["settings"] = settings_of(comparison, cell);
  json["requested"] = run.requested;
  json["state"] = name_of(run.state);
  if (&run != &cell) json["run_of"] = run.name;
  if (run.state == Cell::State::failed) json["failure"] = run.failure;
  json["folder"] = run.folder;
  json["config"] = comparison.file(cell, cell_config);
  json["log"] = comparison.file(cell, cell_log);
  if (run.state == Cell::State::done)
    for (const char* key : {"method", "task", "metric", "before", "after", "steps", "seconds",
                            "peak_memory_bytes", "forward_passes", "device"})
      json[key] = run.outcome->json.value(key, Json());
  return json;
}

// RFC 4180.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string csv_value(const Json& value) {
  return value.is_null() ? "" : value.is_string() ? csv_field(value) : value.dump();
}

}  // namespace

nlohmann::ordered_json json_of_comparison(const Comparison& comparison, const std::string& metric) {
  Json json = {{"config", comparison.path}, {"groups", Json::array()}, {"cells", Json::array()}};
  for (const Group& group : groups_of(comparison, metric))
    json["groups"].push_back(json_of_group(comparison, group));
  for (const Cell& cell : comparison.cells) json["cells"].push_back(json_of_cell(comparison, cell));
  return json;
}

std::string csv_of(const nlohmann::ordered_json& records) {
  std::string text;
  for (const Json& record : records) {
    std::vector<std::string> head, line;
    for (const auto& [key, value] : record.items()) {
      head.push_back(csv_field(key));
      line.push_back(csv_value(value));
    }
    if (text.empty()) text = fmt::format("{}\n", fmt::join(head, ","));
    text += fmt::format("{}\n", fmt::join(line, ","));
  }
  return text;
}

void write_tables(const Comparison& comparison, const std::string& metric) {
  const std::filesystem::path folder(comparison.output);
  const Json records = json_of_comparison(comparison, metric);
  write_file_atomically(folder / "compare.csv", csv_of(records["groups"]));
  write_file_atomically(folder / "compare.json",
                        records.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace mezo
