#include "core/config/emit.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/config/display.h"
#include "core/config/spelling.h"
#include "core/error.h"

namespace mezo {
namespace {

// Few characters on purpose: what is left out is quoted, which is never wrong.
bool plain_characters(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '/' || c == '+' || c == '-';
  });
}

// Characters that some readers take for line ends or drop.
constexpr std::string_view escapes[][2] = {{"\xC2\x85", "\\x85"},
                                           {"\xE2\x80\xA8", "\\L"},
                                           {"\xE2\x80\xA9", "\\P"},
                                           {"\xEF\xBB\xBF", "\\uFEFF"}};

void escape(std::string& text) {
  for (const auto& [from, to] : escapes)
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
}

std::string double_quoted(std::string_view text) {
  if (find_invalid_utf8(text) != std::string_view::npos)
    throw ConfigError("[to_yaml] text that is not UTF-8 cannot be written to YAML, got " +
                      shown(text));
  std::string result = "\"";
  for (const char c : text) {
    const unsigned char byte = c;
    if (c == '"' || c == '\\')
      result += fmt::format("\\{}", c);
    else if (c == '\n')
      result += "\\n";
    else if (c == '\t')
      result += "\\t";
    else if (byte < 0x20 || byte == 0x7F)
      result += fmt::format("\\x{:02x}", byte);
    else
      result += c;
  }
  escape(result);
  return result + "\"";
}

std::string scalar_text(const Value& value) {
  const bool number = std::holds_alternative<double>(read_number(value.text)) ||
                      std::holds_alternative<std::int64_t>(read_integer(value.text)) ||
                      std::holds_alternative<bool>(read_boolean(value.text));
  const bool typed = looks_typed(value.text) && (value.quoted || !number);
  return plain_characters(value.text) && !typed ? value.text : double_quoted(value.text);
}

std::string key_text(const std::string& key) { return scalar_text(Value::scalar(key, true)); }

std::string flow(const Value& value) {
  std::string text;
  switch (value.kind) {
    case Value::Kind::null:
      return "null";
    case Value::Kind::scalar:
      return scalar_text(value);
    case Value::Kind::sequence:
      for (const Value& item : value.items) text += (text.empty() ? "" : ", ") + flow(item);
      return "[" + text + "]";
    case Value::Kind::map:
      for (const Entry& entry : value.entries)
        text += (text.empty() ? "" : ", ") + key_text(entry.key) + ": " + flow(entry.value);
      return "{" + text + "}";
  }
  return text;
}

void write_block(std::string& text, const Value& map, int indent) {
  for (const Entry& entry : map.entries) {
    text += std::string(indent, ' ') + key_text(entry.key) + ":";
    if (entry.value.is_map() && !entry.value.entries.empty()) {
      text += "\n";
      write_block(text, entry.value, indent + 2);
    } else {
      text += " " + flow(entry.value) + "\n";
    }
  }
}

}  // namespace

std::string to_yaml(const Value& value) {
  if (!value.is_map() || value.entries.empty()) return flow(value) + "\n";
  std::string text;
  write_block(text, value, 0);
  return text;
}

Value to_tree(const Parameters& parameters, std::span<const mezo_parameter> table) {
  using Kind = Parameters::Value::Kind;
  Value map = Value::map();
  for (const mezo_parameter& row : table) {
    const auto found = parameters.values().find(row.name);
    if (found == parameters.values().end()) continue;
    const Parameters::Value& p = found->second;
    Value value = Value::scalar(p.text, p.kind == Kind::text);
    if (p.kind == Kind::list) {
      value = Value::sequence();
      for (const std::string& item : p.list) value.items.push_back(Value::scalar(item, true));
    }
    map.set(row.name, std::move(value));
  }
  return map;
}

}  // namespace mezo
