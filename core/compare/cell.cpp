#include "core/compare/cell.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/config/emit.h"
#include "core/config/merge.h"
#include "core/error.h"
#include "core/io/read_file.h"
#include "core/settings/host_rows.h"
#include "core/zo/estimators.h"

namespace mezo {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view head = "# a cell of a comparison; requested ";

std::string name_of(const std::vector<Axis>& axes, const std::vector<std::size_t>& at) {
  std::string name;
  for (std::size_t i = 0; i < axes.size(); ++i)
    name += (name.empty() ? "" : ", ") + axes[i].choices[at[i]].label;
  return name;
}

// What every file system and shell takes as it is.
std::string folder_name(const std::vector<Axis>& axes, const std::vector<std::size_t>& at) {
  std::string name;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (i > 0) name += "_";
    for (const char c : axes[i].choices[at[i]].label) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '=' || c == '+';
      name += plain || ((c == '.' || c == '-') && !name.empty() && name.back() != '_') ? c : '-';
    }
  }
  return name;
}

// Words of what decides a run's scores. Without a step no batch is drawn, no loss asked for and
// nothing trained, so neither optimizer nor seed nor objective do; a mode that adds tensors may
// start with a part in the scores.
std::string identity_of(const RunConfig& config) {
  Value tree = config.settings.tree;
  tree.erase("output");
  const bool none_trains = config.settings.trainer.steps == 0 &&
                           config.settings.optimizer.type == estimator_kinds()[0].id &&
                           !config.settings.peft.own.has("adapter") &&
                           config.settings.peft.component.id() == "full";
  if (!none_trains) return to_yaml(tree);
  tree.erase("trainer");
  tree.erase("objective");
  tree.erase("peft");
  Value optimizer = Value::map();
  optimizer.set("storage", *tree.find("optimizer")->find("storage"));
  tree.set("optimizer", std::move(optimizer));
  return to_yaml(tree) + "no steps\n";
}

// As another process will read it: what names and relative paths stood for is written out.
void write_out(RunConfig& config, const std::string& folder) {
  Value& tree = config.settings.tree;
  tree.set("output", Value::scalar(folder));
  tree.entry("task")->value.set("file", Value::scalar(config.task.path));
  Value plugins = Value::sequence();
  for (const std::string& file : config.plugin_files) plugins.items.push_back(Value::scalar(file));
  tree.set("plugins", std::move(plugins));
}

// Of all settings those that were given: a component may tell a default from the same value given.
Value only_given(const Value& settings, const Value& given) {
  Value kept = Value::map();
  for (const Entry& entry : settings.entries) {
    if (!entry.value.is_map()) {
      kept.set(entry.key, entry.value);
      continue;
    }
    const Value* block = given.find(entry.key);
    Value own = Value::map();
    for (const Entry& setting : entry.value.entries)
      if (block && block->find(setting.key)) own.set(setting.key, setting.value);
    if (!own.entries.empty()) kept.set(entry.key, std::move(own));
  }
  return kept;
}

class Loader {
 public:
  explicit Loader(const ConfigRequest& request) : request_(request) {}

  Comparison load() {
    Diagnostics diagnostics;
    tree_ = read_run_tree(request_, loaded_.notes, diagnostics);
    loaded_.path = request_.path;
    loaded_.axes = take_sweep(tree_, diagnostics);
    loaded_.output = read_top(tree_, diagnostics).output;
    diagnostics.throw_if_any();
    for (auto& at : combinations(loaded_.axes)) add(std::move(at));
    throw_if_any();
    return std::move(loaded_);
  }

 private:
  void add(std::vector<std::size_t> at) {
    Cell cell;
    cell.name = name_of(loaded_.axes, at);
    cell.folder = (fs::path(loaded_.output) / folder_name(loaded_.axes, at)).string();
    if (const auto [other, added] = folders_.emplace(cell.folder, cell.name); !added)
      errors_[fmt::format("[compare] its folder {} is that of cell '{}' too: rename a choice",
                          cell.folder, other->second)]
          .push_back(cell.name);
    try {
      fill(cell, at);
    } catch (const ConfigError& error) {
      errors_[error.what()].push_back(cell.name);
    }
    cell.at = std::move(at);
    loaded_.cells.push_back(std::move(cell));
  }

  void fill(Cell& cell, const std::vector<std::size_t>& at) {
    Diagnostics diagnostics;
    std::vector<std::string> notes;
    Value tree = tree_;
    merge(tree, overlay_of(loaded_.axes, at, diagnostics), host_settings(), notes);
    RunConfig config = check_run_config(tree, request_, std::move(notes), diagnostics);
    write_out(config, cell.folder);
    const auto [same, added] = identities_.emplace(identity_of(config), loaded_.cells.size());
    cell.run = same->second;
    cell.metric = config.task.metric;
    cell.requested = config.requested_hash();
    cell.yaml = fmt::format("{}{}\n{}", head, cell.requested,
                            to_yaml(only_given(config.settings.tree, tree)));
    for (std::string& note : config.notes)
      if (std::ranges::find(loaded_.notes, note) == loaded_.notes.end())
        loaded_.notes.push_back(std::move(note));
  }

  void throw_if_any() const {
    std::string text;
    for (const auto& [error, names] : errors_) {
      const std::size_t others = names.size() - 1;
      text += fmt::format("{}in cell '{}'{}:\n{}", text.empty() ? "" : "\n", names[0],
                          others ? fmt::format(" and {} more", others) : "", error);
    }
    if (!text.empty()) throw ConfigError(text);
  }

  const ConfigRequest& request_;
  Value tree_;
  Comparison loaded_;
  std::map<std::string, std::string> folders_;              // the cell that has it
  std::map<std::string, std::size_t> identities_;           // the first cell of it
  std::map<std::string, std::vector<std::string>> errors_;  // the cells that have it
};

// Whose run an unfinished one in the folder is; "" where nobody wrote that down.
std::string requested_by(const std::string& file) {
  std::string text, problem;
  if (!read_file(file, most_text, text, problem) || !text.starts_with(head)) return "";
  return text.substr(head.size(), text.find('\n') - head.size());
}

}  // namespace

const char* name_of(Cell::State state) {
  switch (state) {
    case Cell::State::done:
      return "done";
    case Cell::State::failed:
      return "failed";
    case Cell::State::interrupted:
      return "interrupted";
    case Cell::State::waiting:
      break;
  }
  return "waiting";
}

std::string Comparison::file(const Cell& cell, const char* name) const {
  return (fs::path(run_of(cell).folder) / name).string();
}

Comparison load_comparison(const ConfigRequest& request) { return Loader(request).load(); }

void look_at(const Comparison& comparison, Cell& cell) {
  cell.outcome = read_outcome(cell.folder);
  if (cell.outcome) {
    cell.foreign = cell.outcome->requested != cell.requested;
    cell.state = cell.foreign                ? Cell::State::waiting
                 : cell.outcome->interrupted ? Cell::State::interrupted
                                             : Cell::State::done;
    if (cell.foreign) cell.outcome.reset();
    return;
  }
  if (!is_there(comparison.file(cell, "trajectory.mezo"))) return;
  cell.foreign = requested_by(comparison.file(cell, cell_config)) != cell.requested;
  if (!cell.foreign) cell.state = Cell::State::interrupted;
}

}  // namespace mezo
