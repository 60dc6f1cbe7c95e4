#include "core/plugin/contents.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

#include "core/config/table.h"

namespace mezo {

namespace {

using Faults = std::vector<std::string>;

bool blank(const char* text) { return !text || !*text; }

// The number behind an enumerator. A plugin may hold any number there, and reading such a value as
// an enumeration is undefined.
template <class Enumeration>
unsigned number_of(const Enumeration& value) {
  unsigned number = 0;
  static_assert(sizeof number == sizeof value);
  std::memcpy(&number, &value, sizeof number);
  return number;
}

bool is_id(std::string_view id) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto allowed = [&](char c) {
    return lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  return !id.empty() && lower(id.front()) && std::all_of(id.begin(), id.end(), allowed);
}

void check_parameters(const mezo_component& component, const std::string& where, Faults& faults) {
  if (!component.parameters) {
    if (component.parameter_count > 0) faults.push_back(where + ": its parameter table is null");
    return;
  }
  const std::string problem = check_table({component.parameters, component.parameter_count});
  if (!problem.empty()) faults.push_back(where + ": its parameter table: " + problem);
}

void check_component(const mezo_component& component, std::size_t index, Faults& faults) {
  if (number_of(component.kind) > MEZO_OBJECTIVE) {
    faults.push_back(
        fmt::format("component {} has the unknown kind {}", index, number_of(component.kind)));
    return;
  }
  if (blank(component.id)) {
    faults.push_back(fmt::format("component {} has no id", index));
    return;
  }
  const std::string where = fmt::format("{} '{}'", kind_name(component.kind), component.id);
  if (!is_id(component.id)) {
    faults.push_back(where + ": an id is lower-case letters, digits and _ - . after a letter");
  }
  if (blank(component.summary)) faults.push_back(where + " has no summary");
  if (!component.create) faults.push_back(where + " has no create function");
  if (!component.destroy) faults.push_back(where + " has no destroy function");
  if (component.serves && component.kind != MEZO_MODEL) {
    faults.push_back(where + " says what it serves, which only a model does");
  }
  check_parameters(component, where, faults);
}

void check_repeated_ids(const mezo_plugin& plugin, Faults& faults) {
  std::set<std::pair<mezo_kind, std::string_view>> seen;
  for (std::size_t i = 0; i < plugin.component_count; ++i) {
    const mezo_component& component = plugin.components[i];
    if (!seen.insert({component.kind, component.id}).second) {
      faults.push_back(
          fmt::format("{} '{}' stands twice", kind_name(component.kind), component.id));
    }
  }
}

Faults faults_of(const mezo_plugin& plugin) {
  Faults faults;
  if (blank(plugin.name)) faults.push_back("it has no name");
  if (blank(plugin.version)) faults.push_back("it has no version");
  if (!plugin.components || plugin.component_count == 0) {
    faults.push_back("it declares no components");
    return faults;
  }
  for (std::size_t i = 0; i < plugin.component_count; ++i) {
    check_component(plugin.components[i], i, faults);
  }
  if (faults.empty()) check_repeated_ids(plugin, faults);
  return faults;
}

}  // namespace

std::string_view kind_name(mezo_kind kind) {
  switch (kind) {
    case MEZO_MODEL:
      return "model";
    case MEZO_PEFT:
      return "peft";
    case MEZO_OBJECTIVE:
      return "objective";
  }
  return "component";
}

std::optional<std::string> contents_problem(const mezo_plugin& plugin) {
  const Faults faults = faults_of(plugin);
  if (faults.empty()) return std::nullopt;
  return fmt::format(
      "its components are malformed: {}; mend the array that it gives to MEZO_PLUGIN",
      fmt::join(faults, "; "));
}

}  // namespace mezo
