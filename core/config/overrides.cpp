#include "core/config/overrides.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "core/config/display.h"
#include "core/config/reader.h"

namespace mezo {
namespace {

// The parts of `a.b.c`; nothing where one is empty or has a character that no key has.
std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts(1);
  for (const char c : path) {
    const bool name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c == '.')
      parts.emplace_back();
    else if (name || c == '_' || c == '-')
      parts.back() += c;
    else
      return {};
  }
  const bool whole = std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    return !part.empty() && part.size() <= max_key_bytes;
  });
  return whole && static_cast<int>(parts.size()) < max_depth ? parts : std::vector<std::string>{};
}

// The first value on the way to the last part that is neither a map nor empty; nullptr where the
// way is free.
const Value* obstacle(const Value& tree, const std::vector<std::string>& parts, std::string& name) {
  const Value* value = &tree;
  name.clear();
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    value = value->find(parts[i]);
    if (!value || value->is_null()) return nullptr;
    name += (i ? "." : "") + parts[i];
    if (!value->is_map()) return value;
  }
  return nullptr;
}

bool check_way(const Value& tree, const std::vector<std::string>& parts, const Mark& mark,
               Diagnostics& d) {
  std::string name;
  const Value* value = obstacle(tree, parts, name);
  if (!value) return true;
  Diagnostic diagnostic{Code::override_through_value,
                        mark,
                        fmt::format("{} is {}, so it has no settings to override", name,
                                    value->is_sequence() ? "a list" : shown(value->text)),
                        "",
                        value->mark,
                        "set here"};
  if (value->is_sequence()) diagnostic.hint = fmt::format("replace the whole list: {}=[...]", name);
  d.error(std::move(diagnostic));
  return false;
}

void refuse_key(std::string_view path, const Mark& mark, Diagnostics& d) {
  d.error(Code::bad_override, mark, fmt::format("{} is not a setting's name", shown(path)),
          "names are separated by single dots, as in optimizer.epsilon=1e-3");
}

std::shared_ptr<const Source> source_of(const Argument& argument) {
  auto source = std::make_shared<Source>();
  source->name = fmt::format("argument {}", argument.number);
  std::error_code error;
  source->folder = std::filesystem::current_path(error);
  source->argument = argument.number;
  source->lines.emplace_back();
  for (const char c : argument.text) {
    if (c == '\n')
      source->lines.emplace_back();
    else
      source->lines.back() += c;
  }
  return source;
}

// Lays one argument over `overlay`, the tree of all arguments before it.
void add(const Argument& argument, const Value& tree, const HostSettings& host, Value& overlay,
         Diagnostics& d) {
  const auto source = source_of(argument);
  const Mark start{source, 1, 1};
  const std::size_t equals = argument.text.find('=');
  const std::string_view key = std::string_view(argument.text).substr(0, equals);
  if (equals == std::string::npos) {
    d.error(Code::bad_override, start,
            fmt::format("expected key=value, got {}", shown(argument.text)),
            "for example optimizer.epsilon=1e-3");
    return;
  }
  const std::vector<std::string> parts = split_path(key);
  if (parts.empty()) return refuse_key(key, start, d);
  if (parts[0] == "extends") {
    d.error(Code::bad_override, start, "extends can only be written in a file",
            "name the file that extends the other as CONFIG");
    return;
  }
  std::optional<Value> value = parse_value(source, equals + 1, d);
  if (!value || !check_way(tree, parts, start, d) || !check_way(overlay, parts, start, d)) return;
  for (std::size_t i = parts.size(); i-- > 0;) {
    Value map = Value::map(start);
    map.set(parts[i], std::move(*value), start);
    value = std::move(map);
  }
  // Between arguments a later type just replaces an earlier one: all of them stay.
  std::vector<std::string> ignored;
  HostSettings everything = host;
  for (const Entry& block : overlay.entries)
    for (const Entry& entry : block.value.entries) everything[block.key].push_back(entry.key);
  merge(overlay, std::move(*value), everything, ignored);
}

}  // namespace

bool assign(Value& tree, std::string_view path, Value value, const Mark& mark, Diagnostics& d) {
  const std::vector<std::string> parts = split_path(path);
  if (parts.empty()) {
    refuse_key(path, mark, d);
    return false;
  }
  if (!check_way(tree, parts, mark, d)) return false;
  Value* map = &tree;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    Entry* entry = map->entry(parts[i]);
    if (!entry || entry->value.is_null()) map->set(parts[i], Value::map(mark), mark);
    map = &map->entry(parts[i])->value;
  }
  map->set(parts.back(), std::move(value), mark);
  return true;
}

void apply_overrides(Value& tree, std::span<const Argument> arguments, const HostSettings& host,
                     std::vector<std::string>& notes, Diagnostics& diagnostics) {
  Value overlay = Value::map();
  for (const Argument& argument : arguments) add(argument, tree, host, overlay, diagnostics);
  merge(tree, std::move(overlay), host, notes);
}

}  // namespace mezo
