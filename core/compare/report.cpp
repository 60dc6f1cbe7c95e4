#include "core/compare/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/compare/groups.h"
#include "core/compare/text_table.h"
#include "core/task/metrics.h"

namespace mezo {

namespace {

constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

// The axis whose choices stand beside each other: that of tasks, or else the second of those that
// are not of seeds.
std::size_t column_axis(const std::vector<Axis>& axes) {
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (!axes[i].only_seeds()) shown.push_back(i);
  if (shown.size() < 2) return nowhere;
  for (const std::size_t i : shown)
    if (axes[i].name == "task" || axes[i].sets("task.file")) return i;
  return shown[1];
}

std::string label_of_row(const std::vector<Axis>& axes, const std::vector<std::size_t>& at,
                         std::size_t columns) {
  std::string label;
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (i != columns && !axes[i].only_seeds())
      label += (label.empty() ? "" : ", ") + axes[i].choices[at[i]].label;
  return label;
}

// A share of 100 is shown without its sign, which the column's head has.
std::string number_text(const std::string& metric, double value) {
  const bool percent = metric_named(metric).percent;
  return percent ? fmt::format("{:.1f}", 100 * value) : fmt::format("{:.4f}", value);
}

std::string metric_head(const std::string& metric) {
  return metric_named(metric).percent ? metric + ", %" : metric;
}

// "91.4 ± 0.3 (3)": the mean, its standard error, of how many; "(2 of 3)" where not all are done.
std::string score_text(const Group& group) {
  if (group.after.count == 0)
    return group.failed == group.runs.size() ? "failed" : group.done > 0 ? "none" : "-";
  std::string text = number_text(group.metric, group.after.mean);
  if (group.after.standard_error)
    text += " ± " + number_text(group.metric, *group.after.standard_error);
  if (group.after.count < group.runs.size())
    text += fmt::format(" ({} of {})", group.after.count, group.runs.size());
  else if (group.after.count > 1)
    text += fmt::format(" ({})", group.after.count);
  return text;
}

// The places of the table: [row][column], nullptr where the axes have none.
struct Grid {
  std::vector<std::string> rows;
  std::vector<std::vector<const Group*>> places;
};

Grid grid_of(const Comparison& comparison, const std::vector<Group>& groups, std::size_t columns) {
  Grid grid;
  const std::size_t width = columns == nowhere ? 1 : comparison.axes[columns].choices.size();
  std::map<std::string, std::size_t> rows;
  for (const Group& group : groups) {
    const std::string label = label_of_row(comparison.axes, group.at, columns);
    const auto [row, added] = rows.emplace(label, grid.rows.size());
    if (added) {
      grid.rows.push_back(label);
      grid.places.emplace_back(width, nullptr);
    }
    grid.places[row->second][columns == nowhere ? 0 : group.at[columns]] = &group;
  }
  return grid;
}

// The metric stands in the head, or, where rows have different ones, before each number.
Column score_column(const Grid& grid, std::size_t column, const std::string& head) {
  std::set<std::string> metrics;
  for (const auto& row : grid.places)
    if (row[column]) metrics.insert(row[column]->metric);
  const bool one = metrics.size() == 1;
  Column shown{{head, one ? metric_head(*metrics.begin()) : ""}};
  for (const auto& row : grid.places)
    shown.cells.push_back(!row[column] ? ""
                                       : (one ? "" : metric_head(row[column]->metric) + " ") +
                                             score_text(*row[column]));
  return shown;
}

// What the runs of a row took, all tasks together.
std::vector<Column> cost_columns(const Grid& grid) {
  std::vector<Column> columns = {{{"runs", "done"}, true},
                                 {{"training", "mean s"}, true},
                                 {{"memory", "most GB"}, true},
                                 {{"forward", "passes"}, true}};
  for (const auto& row : grid.places) {
    std::vector<const Cell*> runs;
    std::size_t done = 0;
    for (const Group* group : row)
      if (group) {
        runs.insert(runs.end(), group->runs.begin(), group->runs.end());
        done += group->done;
      }
    const Costs costs = costs_of(runs);
    columns[0].cells.push_back(fmt::format("{}/{}", done, runs.size()));
    columns[1].cells.push_back(done ? fmt::format("{:.1f}", costs.seconds) : "-");
    columns[2].cells.push_back(
        done ? fmt::format("{:.2f}", static_cast<double>(costs.peak_memory_bytes) / 1e9) : "-");
    columns[3].cells.push_back(costs.forward_passes ? std::to_string(*costs.forward_passes) : "-");
  }
  return columns;
}

}  // namespace

std::string table_of(const Comparison& comparison, const std::string& metric, std::size_t width) {
  const std::vector<Group> groups = groups_of(comparison, metric);
  const std::size_t axis = column_axis(comparison.axes);
  const Grid grid = grid_of(comparison, groups, axis);
  std::vector<Column> columns{{{"", ""}}};
  columns[0].cells.insert(columns[0].cells.end(), grid.rows.begin(), grid.rows.end());
  for (std::size_t i = 0; i < grid.places[0].size(); ++i)
    columns.push_back(
        score_column(grid, i, axis == nowhere ? "" : comparison.axes[axis].choices[i].label));
  for (Column& column : cost_columns(grid)) columns.push_back(std::move(column));
  return text_table(columns, width);
}

}  // namespace mezo
