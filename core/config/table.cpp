#include "core/config/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <vector>

#include "core/config/interval.h"
#include "core/config/setting.h"

namespace mezo {
namespace {

const char* type_name(mezo_type type) {
  switch (type) {
    case MEZO_BOOLEAN:
      return "boolean";
    case MEZO_INTEGER:
      return "integer";
    case MEZO_NUMBER:
      return "number";
    case MEZO_TEXT:
      return "text";
    case MEZO_PATH:
      return "path";
    case MEZO_TEXT_LIST:
      return "list";
  }
  return nullptr;
}

bool numeric(mezo_type type) { return type == MEZO_INTEGER || type == MEZO_NUMBER; }

bool snake_case(std::string_view name) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && lower(name[0]) && name.back() != '_' &&
         name.find("__") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return lower(c) || c == '_' || (c >= '0' && c <= '9'); });
}

std::string problem_of(const mezo_parameter& row) {
  // A plugin may hold any number there, and reading such a value as an enumeration is undefined.
  unsigned type = 0;
  std::memcpy(&type, &row.type, sizeof type);
  if (type > MEZO_TEXT_LIST) return fmt::format("unknown type {}", type);
  if (!row.doc || !*row.doc) return "has no doc";
  if (std::string_view(row.doc).find('\n') != std::string_view::npos)
    return "doc has more than one line";
  if (row.range && !numeric(row.type)) return "a range needs a numeric type";
  if (row.range && !parse_interval(row.range))
    return fmt::format("range '{}' is not an interval such as (0, inf)", row.range);
  if (row.choices && (row.type == MEZO_BOOLEAN || row.type == MEZO_PATH))
    return fmt::format("choices mean nothing for type {}", type_name(row.type));
  if (row.choices && !row.choices[0]) return "has an empty list of choices";
  if (!row.default_value) return "";
  // A path's default may be empty: "none".
  if (row.type == MEZO_PATH && !*row.default_value) return "";
  Diagnostics found;
  read_default(row, found);
  if (!found.has_errors()) return "";
  return fmt::format("the default '{}' does not pass: {}", row.default_value,
                     found.errors()[0].message);
}

std::string limits(const mezo_parameter& row) {
  const std::vector<std::string> choices = choices_of(row);
  std::string text = row.range ? row.range : "";
  if (!choices.empty() && numeric(row.type)) text += text.empty() ? "or " : " or ";
  return text + fmt::format("{}", fmt::join(choices, " | "));
}

}  // namespace

std::string check_table(std::span<const mezo_parameter> table) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const mezo_parameter& row = table[i];
    if (!row.name) return fmt::format("row {} has no name", i + 1);
    if (!snake_case(row.name)) return fmt::format("'{}' is not a name in snake_case", row.name);
    if (!seen.insert(row.name).second) return fmt::format("{} stands in the table twice", row.name);
    if (const std::string problem = problem_of(row); !problem.empty())
      return fmt::format("{}: {}", row.name, problem);
  }
  return "";
}

std::string describe(std::span<const mezo_parameter> table) {
  using Line = std::array<std::string, 6>;
  std::vector<Line> lines = {
      {"name", "type", "default", "range or choices", "unit", "what it does"}};
  for (const mezo_parameter& row : table) {
    const std::string standard = !row.default_value   ? "required"
                                 : *row.default_value ? row.default_value
                                                      : "(empty)";
    lines.push_back(
        {row.name, type_name(row.type), standard, limits(row), row.unit ? row.unit : "", row.doc});
  }
  std::array<std::size_t, 5> widths{};
  for (const Line& line : lines)
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (const Line& line : lines) {
    for (std::size_t i = 0; i < widths.size(); ++i)
      text += fmt::format("{:<{}}  ", line[i], widths[i]);
    text += line.back() + "\n";
  }
  return text;
}

}  // namespace mezo
