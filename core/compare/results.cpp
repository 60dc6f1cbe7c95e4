#include "core/compare/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>

#include "core/compare/outcome.h"
#include "core/compare/records.h"
#include "core/compare/text_table.h"
#include "core/config/display.h"
#include "core/config/reader.h"
#include "core/error.h"
#include "core/settings/recorded.h"
#include "core/task/metrics.h"

namespace mezo {

namespace {

using Json = nlohmann::ordered_json;

struct DoneRun {
  std::string folder;
  Outcome outcome;
  Value config;  // as it was resolved
};

DoneRun read_run(const std::string& folder) {
  std::optional<Outcome> outcome = read_outcome(folder);
  if (!outcome)
    throw RunError("[results] " + folder +
                   " has no result.json: it is no run folder, or its run did not end");
  Diagnostics diagnostics;
  auto tree = read_yaml((std::filesystem::path(folder) / "config.yaml").string(), diagnostics);
  diagnostics.throw_if_any();
  return {folder, std::move(*outcome), std::move(*tree)};
}

// A setting as a cell of the table; nothing where the run has none of the name.
std::optional<std::string> text_of(const Value& tree, const std::string& key) {
  const std::size_t dot = key.find('.');
  const Value* value = tree.find(key.substr(0, dot));
  if (value && dot != key.npos) value = value->find(key.substr(dot + 1));
  if (!value) return {};
  if (!value->is_sequence()) return setting_text(tree, key);
  std::string list;
  for (const Value& item : value->items) list += (list.empty() ? "" : ",") + item.text;
  return "[" + list + "]";
}

bool varies(const std::vector<DoneRun>& runs, const std::string& key) {
  std::set<std::string> texts;
  for (const DoneRun& run : runs)
    if (auto text = text_of(run.config, key)) texts.insert(std::move(*text));
  return texts.size() > 1;
}

// Those in which two runs differ that both have them (what only one method has comes with it), but
// for where runs lie and what other columns say.
std::vector<std::string> differing(const std::vector<DoneRun>& runs) {
  std::vector<std::string> keys;
  for (const DoneRun& run : runs)
    for (const std::string& key : changed_settings(runs[0].config, run.config))
      if (key != "output" && key != "task.file" && key != "peft.type" && varies(runs, key) &&
          std::ranges::find(keys, key) == keys.end())
        keys.push_back(key);
  return keys;
}

std::string score_text(const std::map<std::string, double>& scores, const std::string& metric) {
  const auto score = estimate_in(scores, metric);
  return score ? shown(metric_named(metric), *score) : "-";
}

std::vector<Column> columns_of(const std::vector<DoneRun>& runs) {
  std::vector<Column> columns = {{{"run"}}, {{"method"}}, {{"task"}}};
  const std::vector<std::string> keys = differing(runs);
  for (const std::string& key : keys) columns.push_back({{key}});
  for (const char* head : {"metric", "before", "after", "steps", "seconds", "GB", "forward passes"})
    columns.push_back({{head}, head != std::string("metric")});
  for (const DoneRun& run : runs) {
    const Outcome& o = run.outcome;
    std::vector<std::string> cells = {run.folder, o.method, o.task};
    for (const std::string& key : keys) cells.push_back(text_of(run.config, key).value_or("-"));
    const std::vector<std::string> numbers = {
        o.metric,
        score_text(o.before, o.metric),
        score_text(o.after, o.metric),
        fmt::format("{}{}", o.steps, o.interrupted ? " (interrupted)" : ""),
        fmt::format("{:.1f}", o.seconds),
        fmt::format("{:.2f}", static_cast<double>(o.peak_memory_bytes) / 1e9),
        o.forward_passes ? std::to_string(*o.forward_passes) : "-"};
    cells.insert(cells.end(), numbers.begin(), numbers.end());
    for (std::size_t i = 0; i < cells.size(); ++i) columns[i].cells.push_back(cells[i]);
  }
  return columns;
}

// Numbers as they are, for other programs.
Json records_of(const std::vector<DoneRun>& runs) {
  const std::vector<std::string> keys = differing(runs);
  Json records = Json::array();
  for (const DoneRun& run : runs) {
    const Outcome& o = run.outcome;
    Json record = {{"run", run.folder}, {"method", o.method}, {"task", o.task}};
    for (const std::string& key : keys) record[key] = text_of(run.config, key).value_or("");
    const auto score = [&](const std::map<std::string, double>& scores) {
      const auto found = scores.find(o.metric);
      return found == scores.end() ? Json() : Json(found->second);
    };
    record["metric"] = o.metric;
    record["before"] = score(o.before);
    record["after"] = score(o.after);
    record["steps"] = o.steps;
    record["interrupted"] = o.interrupted;
    record["seconds"] = o.seconds;
    record["peak_memory_bytes"] = o.peak_memory_bytes;
    record["forward_passes"] = o.forward_passes ? Json(*o.forward_passes) : Json();
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace

void report_results(const std::vector<std::string>& folders, ResultsForm form, Console& console) {
  std::vector<DoneRun> runs;
  for (const std::string& folder : folders) runs.push_back(read_run(folder));
  if (form == ResultsForm::csv) return console.out(csv_of(records_of(runs)));
  if (form == ResultsForm::json)
    return console.out(records_of(runs).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  const std::size_t width =
      console.terminal() ? console.width() : std::numeric_limits<std::size_t>::max();
  console.out(printable(text_table(columns_of(runs), width)));
}

}  // namespace mezo
