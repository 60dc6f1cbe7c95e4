#include "core/compare/sweep.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/config/display.h"
#include "core/config/overrides.h"

namespace mezo {

namespace {

constexpr const char* seeds[] = {"trainer.seed", "task.split_seed", "generation.seed"};

std::string text_of(const Value& value) {
  if (value.is_scalar()) return value.text;
  std::string text;
  for (const Value& item : value.items) text += (text.empty() ? "" : ",") + text_of(item);
  return text;
}

// A component or a task says itself what it is; a number needs its setting's name.
std::string label_of(const Setting& setting) {
  const std::string name = setting.key.substr(setting.key.rfind('.') + 1);
  const std::string text = text_of(setting.value);
  return name == "type" || name == "file" ? text : name + "=" + text;
}

void require_setting(const std::string& key, const Mark& mark, Diagnostics& d) {
  if (key == "output" || key == "extends" || key == "sweep")
    d.error(Code::unknown_key, mark, fmt::format("{} cannot be swept", key),
            "each cell has a folder of its own in `output`, named after its choices");
}

// Blocks within a choice become dotted names.
void flatten(const Value& map, const std::string& before, Choice& choice, Diagnostics& d) {
  for (const Entry& entry : map.entries) {
    const std::string key = before + entry.key;
    if (entry.value.is_map()) {
      flatten(entry.value, key + ".", choice, d);
      continue;
    }
    require_setting(key, entry.mark, d);
    choice.settings.push_back({key, entry.value, entry.mark});
  }
}

bool require_list(const Entry& entry, Diagnostics& d) {
  if (entry.value.is_sequence() && !entry.value.items.empty()) return true;
  d.error(Code::wrong_type, entry.value.mark,
          fmt::format("{} must have a list of values here", shown(entry.key)),
          "as in 'trainer.seed: [0, 1, 2]'; choices with names are maps of settings: "
          "'method: {MeZO: {}, LoRA: {peft.type: lora}}'");
  return false;
}

// Several settings that change together; one alone is the axis of a plain list.
void add_columns(const std::vector<const Entry*>& columns, Axis& axis, Diagnostics& d) {
  for (const Entry* column : columns) {
    if (!require_list(*column, d)) return;
    require_setting(column->key, column->mark, d);
    const std::size_t count = column->value.items.size(), first = columns[0]->value.items.size();
    if (count != first) {
      d.error({Code::out_of_range, column->value.mark,
               fmt::format("{} has {} values, but {} has {}: a zip takes one of each",
                           shown(column->key), count, shown(columns[0]->key), first),
               "", columns[0]->value.mark, "the other list"});
      return;
    }
  }
  for (std::size_t i = 0; i < columns[0]->value.items.size(); ++i) {
    Choice choice;
    for (const Entry* column : columns) {
      choice.settings.push_back({column->key, column->value.items[i], column->mark});
      choice.label += (choice.label.empty() ? "" : " ") + label_of(choice.settings.back());
    }
    axis.choices.push_back(std::move(choice));
  }
}

void add_zip(const Entry& zip, Axis& axis, Diagnostics& d) {
  if (!zip.value.is_map() || zip.value.entries.empty()) {
    d.error(
        Code::wrong_type, zip.value.mark, "zip must be a map of settings and lists",
        "as in 'zip: {optimizer.learning_rate: [1e-6, 1e-7], optimizer.epsilon: [1e-3, 1e-2]}'");
    return;
  }
  std::vector<const Entry*> columns;
  for (const Entry& entry : zip.value.entries) columns.push_back(&entry);
  add_columns(columns, axis, d);
}

void add_named(const Value& map, Axis& axis, Diagnostics& d) {
  axis.named = true;
  for (const Entry& entry : map.entries) {
    if (!entry.value.is_map() && !entry.value.is_null()) {
      d.error(Code::wrong_type, entry.value.mark,
              fmt::format("choice {} of axis {} must be a map of settings", shown(entry.key),
                          shown(axis.name)),
              fmt::format("as in '{}: {{trainer.steps: 0}}'; {{}} for none of its own", entry.key));
      continue;
    }
    axis.choices.push_back({entry.key, {}});
    flatten(entry.value, "", axis.choices.back(), d);
  }
}

Axis read_axis(const Entry& entry, Diagnostics& d) {
  Axis axis;
  axis.name = entry.key;
  axis.mark = entry.mark;
  const Value& value = entry.value;
  if (value.is_map() && value.entries.size() == 1 && value.entries[0].key == "zip")
    add_zip(value.entries[0], axis, d);
  else if (value.is_map() && !value.entries.empty())
    add_named(value, axis, d);
  else
    add_columns({&entry}, axis, d);
  return axis;
}

// A list whose values another axis replaces would make cells that are all the same.
void require_once(const std::vector<Axis>& axes, Diagnostics& d) {
  for (const Axis& list : axes) {
    if (list.named || list.choices.empty()) continue;
    for (const Setting& setting : list.choices[0].settings)
      for (const Axis& other : axes)
        if (&other != &list && other.sets(setting.key))
          d.error({Code::duplicate_key, setting.mark,
                   fmt::format("{} is given by two axes", setting.key),
                   "only choices with names may give a setting that an earlier axis gives too",
                   other.mark, "the other axis"});
  }
}

}  // namespace

bool Axis::sets(const std::string& key) const {
  return std::ranges::any_of(choices, [&](const Choice& choice) {
    return std::ranges::any_of(choice.settings, [&](const Setting& s) { return s.key == key; });
  });
}

bool Axis::only_seeds() const {
  return !named && std::ranges::all_of(choices, [](const Choice& choice) {
    return std::ranges::all_of(choice.settings, [](const Setting& s) {
      return std::ranges::find(seeds, s.key) != std::end(seeds);
    });
  });
}

std::vector<Axis> take_sweep(Value& tree, Diagnostics& d) {
  std::vector<Axis> axes;
  const Value* sweep = tree.find("sweep");
  if (!sweep || !sweep->is_map() || sweep->entries.empty()) {
    d.error(Code::missing_setting, sweep ? sweep->mark : tree.mark,
            "a comparison needs a sweep: a map of axes",
            "as in 'sweep: {trainer.seed: [0, 1, 2]}'; a single run is `mezo run`");
    tree.erase("sweep");
    return axes;
  }
  std::size_t cells = 1;
  for (const Entry& entry : sweep->entries) {
    axes.push_back(read_axis(entry, d));
    if (!axes.back().choices.empty())
      cells = std::min(cells * axes.back().choices.size(), most_cells + 1);
  }
  if (cells > most_cells)
    d.error(Code::too_many_values, sweep->mark,
            fmt::format("the axes make more than {} cells", most_cells));
  require_once(axes, d);
  tree.erase("sweep");
  return axes;
}

std::vector<std::vector<std::size_t>> combinations(const std::vector<Axis>& axes) {
  std::vector<std::vector<std::size_t>> all{{}};
  for (const Axis& axis : axes) {
    std::vector<std::vector<std::size_t>> longer;
    for (const auto& at : all)
      for (std::size_t i = 0; i < axis.choices.size(); ++i) {
        longer.push_back(at);
        longer.back().push_back(i);
      }
    all = std::move(longer);
  }
  return all;
}

Value overlay_of(const std::vector<Axis>& axes, const std::vector<std::size_t>& at,
                 Diagnostics& diagnostics) {
  Value overlay = Value::map(axes.empty() ? Mark{} : axes[0].mark);
  for (std::size_t i = 0; i < axes.size(); ++i)
    for (const Setting& setting : axes[i].choices[at[i]].settings)
      assign(overlay, setting.key, setting.value, setting.mark, diagnostics);
  return overlay;
}

}  // namespace mezo
