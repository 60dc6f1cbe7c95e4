#include "core/config/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

#include "core/config/display.h"
#include "core/config/nearest.h"
#include "core/config/setting.h"

namespace mezo {
namespace fs = std::filesystem;
namespace {

std::string full_name(std::string_view block, std::string_view key) {
  return block.empty() ? std::string(key) : fmt::format("{}.{}", block, key);
}

std::vector<std::string> names_of(std::span<const mezo_parameter> table) {
  std::vector<std::string> names;
  for (const mezo_parameter& row : table) names.emplace_back(row.name);
  return names;
}

// "peft of type 'lora'": which table a block was checked against.
std::string described(const Value& block, std::string_view name) {
  const Value* type = block.find("type");
  return type && type->is_scalar() ? fmt::format("{} of type {}", name, shown(type->text))
                                   : std::string(name);
}

void check_keys(const Value& block, std::string_view name, const std::vector<std::string>& known,
                Diagnostics& d) {
  for (const Entry& entry : block.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    const std::string near = did_you_mean(entry.key, known);
    const std::string hint = !near.empty() ? ""
                             : known.empty()
                                 ? fmt::format("{} has no settings", name)
                                 : fmt::format("known keys: {}", fmt::join(known, ", "));
    if (entry.value.is_null() && entry.key.find(':') != std::string::npos) {
      d.error(Code::unknown_key, entry.mark, fmt::format("unknown key {}", shown(entry.key)),
              "put a space after the ':' of each key");
      continue;
    }
    d.error(Code::unknown_key, entry.mark,
            fmt::format("unknown key {}{}{}{}", shown(entry.key), name.empty() ? "" : " in ",
                        described(block, name), near),
            hint);
  }
}

// False where the block is there but is not a map.
bool check_is_map(const Value* block, std::string_view name, Diagnostics& d) {
  if (!block || block->is_map()) return true;
  if (block->is_null())
    d.error(Code::empty_value, block->mark, fmt::format("{} is given without settings", name),
            "remove the key to use its defaults");
  else
    d.error(
        Code::not_a_map, block->mark,
        fmt::format("{} must be a map of settings, got {}", name,
                    block->is_sequence() ? "a list" : shown(block->text)),
        block->text.find(':') != std::string::npos && !block->quoted
            ? "put a space after the ':' of each key"
            : fmt::format("write '{}: {{key: value}}', or one 'key: value' a line below it", name));
  return false;
}

Parameters read_all(const Value* block, std::string_view name,
                    std::span<const mezo_parameter> table, Diagnostics& d, const Mark& place) {
  Parameters result;
  for (const mezo_parameter& row : table) {
    const Value* value = block ? block->find(row.name) : nullptr;
    std::optional<Parameters::Value> read;
    if (value) read = read_setting(row, full_name(name, row.name), *value, d);
    if (!value && !row.default_value)
      d.error(Code::missing_setting, place,
              fmt::format("required setting {} is missing", full_name(name, row.name)),
              row.doc && *row.doc ? fmt::format("{}: {}", row.name, row.doc) : "");
    Diagnostics ignored;  // a table with a bad default is refused when its plugin is loaded
    if (!read) read = read_default(row, ignored);
    if (read) result.set(row.name, std::move(*read));
  }
  return result;
}

}  // namespace

Parameters check(const Value* block, std::string_view name, std::span<const mezo_parameter> table,
                 Diagnostics& diagnostics, const Mark& parent) {
  if (!check_is_map(block, name, diagnostics)) {
    Diagnostics ignored;  // what is missing from something that is not a map is no news
    return read_all(nullptr, name, table, ignored, parent);
  }
  if (block) check_keys(*block, name, names_of(table), diagnostics);
  return read_all(block, name, table, diagnostics, block ? block->mark : parent);
}

Parameters check_top_level(const Value& tree, std::span<const std::string> blocks,
                           std::span<const mezo_parameter> settings, Diagnostics& diagnostics) {
  std::vector<std::string> known(blocks.begin(), blocks.end());
  for (const std::string& name : names_of(settings)) known.push_back(name);
  check_keys(tree, "", known, diagnostics);
  return read_all(&tree, "", settings, diagnostics, tree.mark);
}

std::string component_of(const Value* block, std::string_view name, std::string_view kind,
                         std::span<const std::string> ids, const std::string& fallback,
                         Diagnostics& diagnostics, const Mark& parent, const std::string& beside) {
  if (!check_is_map(block, name, diagnostics)) return "";
  const Value* type = block ? block->find("type") : nullptr;
  if (!type) {
    if (fallback.empty())
      diagnostics.error(Code::missing_setting, block ? block->mark : parent,
                        fmt::format("required setting {}.type is missing", name),
                        fmt::format("available: {}", fmt::join(ids, ", ")));
    return fallback;
  }
  if (!type->is_scalar()) {
    diagnostics.error(type->is_null() ? Code::empty_value : Code::wrong_type, type->mark,
                      fmt::format("{}.type must be the name of a component", name),
                      fmt::format("available: {}", fmt::join(ids, ", ")));
    return "";
  }
  if (std::find(ids.begin(), ids.end(), type->text) != ids.end()) return type->text;
  diagnostics.error(
      Code::unknown_component, type->mark,
      fmt::format("no {} is called {}{}", kind, shown(type->text), did_you_mean(type->text, ids)),
      fmt::format("available: {}{}", fmt::join(ids, ", "), beside));
  return "";
}

std::vector<mezo_parameter> join(std::span<const mezo_parameter> host,
                                 std::span<const mezo_parameter> component) {
  std::vector<mezo_parameter> table(host.begin(), host.end());
  table.insert(table.end(), component.begin(), component.end());
  return table;
}

fs::path resolve_path(std::string_view text, const Mark& mark) {
  fs::path path(text);
  const char* home = std::getenv("HOME");
  // A shell expands this, a YAML reader does not; nobody means a folder called "~".
  if (text.starts_with("~/") && home) path = fs::path(home) / text.substr(2);
  if (mark.source && !mark.source->folder.empty()) path = mark.source->folder / path;
  return fs::absolute(path).lexically_normal();
}

}  // namespace mezo
