#include "core/config/setting.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "core/config/display.h"
#include "core/config/interval.h"
#include "core/config/nearest.h"
#include "core/config/reader.h"
#include "core/config/schema.h"
#include "core/config/spelling.h"

namespace mezo {
namespace {

std::string noun(mezo_type type) {
  switch (type) {
    case MEZO_BOOLEAN:
      return "true or false";
    case MEZO_INTEGER:
      return "an integer";
    case MEZO_NUMBER:
      return "a number";
    case MEZO_TEXT:
      return "text";
    case MEZO_PATH:
      return "a path";
    case MEZO_TEXT_LIST:
      return "a list of texts";
  }
  return "a value";
}

std::string quoted_words(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words) quoted.push_back("'" + word + "'");
  return fmt::format("{}", fmt::join(quoted, ", "));
}

// One setting being read: what the steps below share.
struct Reading {
  const mezo_parameter& row;
  const std::string& name;
  Diagnostics& diagnostics;
  std::vector<std::string> choices;

  std::nullopt_t fail(Code code, const Value& at, std::string message,
                      std::string hint = "") const {
    diagnostics.error(code, at.mark, name + " " + message, std::move(hint));
    return std::nullopt;
  }

  std::optional<Parameters::Value> scalar(const Value& value) const;
  std::optional<Parameters::Value> boolean(const Value& value) const;
  std::optional<Parameters::Value> number(const Value& value) const;
  std::optional<Parameters::Value> text(const Value& value) const;
  std::optional<Parameters::Value> path(const Value& value) const;
  std::optional<Parameters::Value> list(const Value& value) const;

  bool allowed(const Value& value) const;
  bool in_range(const Value& value, double number) const;
  std::nullopt_t refuse(const Value& value, Refusal refusal) const;
};

bool Reading::allowed(const Value& value) const {
  if (choices.empty() || std::find(choices.begin(), choices.end(), value.text) != choices.end())
    return true;
  fail(Code::not_a_choice, value,
       fmt::format("cannot be {}{}", shown(value.text), did_you_mean(value.text, choices)),
       "the choices are " + quoted_words(choices));
  return false;
}

bool Reading::in_range(const Value& value, double number) const {
  const auto interval = row.range ? parse_interval(row.range) : std::nullopt;
  if (!interval || interval->contains(number)) return true;
  diagnostics.error(
      Code::out_of_range, value.mark,
      fmt::format("violated constraint: {}, got {}", interval->constraint(name), value.text),
      fmt::format("the range is {}{}{}", row.range, row.unit ? " " : "", row.unit ? row.unit : ""));
  return false;
}

std::nullopt_t Reading::refuse(const Value& value, Refusal refusal) const {
  if (value.quoted && !value.text.empty() && refusal.hint.empty())
    refusal.hint = "remove the quotes: quoted text is never a number";
  if (!choices.empty() && row.type != MEZO_BOOLEAN && refusal.hint.empty()) {
    refusal.message += did_you_mean(value.text, choices);
    refusal.hint = fmt::format("{} can also stand here", quoted_words(choices));
  }
  return fail(refusal.code, value, refusal.message, refusal.hint);
}

std::optional<Parameters::Value> Reading::boolean(const Value& value) const {
  auto read = read_boolean(value.text);
  if (auto* refusal = std::get_if<Refusal>(&read))
    return fail(refusal->code, value, refusal->message, refusal->hint);
  if (value.quoted)
    return fail(Code::wrong_type, value,
                fmt::format("must be true or false, got the text {}", shown(value.text)),
                "remove the quotes");
  Parameters::Value result;
  result.kind = Parameters::Value::Kind::boolean;
  result.boolean = std::get<bool>(read);
  result.text = result.boolean ? "true" : "false";
  return result;
}

std::optional<Parameters::Value> Reading::number(const Value& value) const {
  Parameters::Value result;
  result.text = value.text;
  result.kind = Parameters::Value::Kind::word;
  if (std::find(choices.begin(), choices.end(), value.text) != choices.end()) return result;
  // Quotes say "text" in YAML, and config.yaml relies on it; a lenient reader here would be the
  // only one.
  if (value.quoted)
    return refuse(value,
                  {Code::wrong_type,
                   fmt::format("must be {}, got {}", noun(row.type),
                               value.text.empty() ? "empty text" : "the text " + shown(value.text)),
                   ""});
  if (row.type == MEZO_INTEGER) {
    const auto read = read_integer(value.text);
    if (auto* refusal = std::get_if<Refusal>(&read)) return refuse(value, *refusal);
    result.kind = Parameters::Value::Kind::integer;
    result.integer = std::get<std::int64_t>(read);
    if (!in_range(value, static_cast<double>(result.integer))) return std::nullopt;
  } else {
    const auto read = read_number(value.text);
    if (auto* refusal = std::get_if<Refusal>(&read)) return refuse(value, *refusal);
    result.kind = Parameters::Value::Kind::number;
    result.number = std::get<double>(read);
    if (!in_range(value, result.number)) return std::nullopt;
  }
  return result;
}

std::optional<Parameters::Value> Reading::text(const Value& value) const {
  if (!allowed(value)) return std::nullopt;
  Parameters::Value result;
  result.text = value.text;
  return result;
}

std::optional<Parameters::Value> Reading::path(const Value& value) const {
  Parameters::Value result;
  // An empty path means "none", and only where the default says so too.
  const bool optional = row.default_value && *row.default_value == '\0';
  if (value.text.empty() && !optional) return fail(Code::bad_path, value, "is an empty path");
  if (value.text.find('\0') != std::string::npos)
    return fail(Code::bad_path, value,
                fmt::format("has a NUL character, got {}", shown(value.text)));
  if (!value.text.empty()) result.text = resolve_path(value.text, value.mark).string();
  return result;
}

std::optional<Parameters::Value> Reading::list(const Value& value) const {
  Parameters::Value result;
  result.kind = Parameters::Value::Kind::list;
  if (value.is_scalar()) {
    if (!allowed(value)) return std::nullopt;
    result.list.push_back(value.text);
    return result;
  }
  bool good = true;
  for (const Value& item : value.items) {
    if (!item.is_scalar()) {
      if (item.is_null())
        fail(Code::empty_value, item, "has an item without a value", "quote the text: 'null', '~'");
      else
        fail(Code::wrong_type, item,
             fmt::format("must be a list of texts, got {} in it",
                         item.is_map() ? "a map" : "a list"));
      good = false;
    } else if (!allowed(item)) {
      good = false;
    }
    result.list.push_back(item.text);
  }
  return good ? std::optional(result) : std::nullopt;
}

std::optional<Parameters::Value> Reading::scalar(const Value& value) const {
  switch (row.type) {
    case MEZO_BOOLEAN:
      return boolean(value);
    case MEZO_INTEGER:
    case MEZO_NUMBER:
      return number(value);
    case MEZO_TEXT:
      return text(value);
    case MEZO_PATH:
      return path(value);
    case MEZO_TEXT_LIST:
      return list(value);
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> choices_of(const mezo_parameter& row) {
  std::vector<std::string> result;
  for (const char* const* choice = row.choices; choice && *choice; ++choice)
    result.push_back(*choice);
  return result;
}

std::optional<Parameters::Value> read_setting(const mezo_parameter& row, const std::string& name,
                                              const Value& value, Diagnostics& diagnostics) {
  const Reading reading{row, name, diagnostics, choices_of(row)};
  if (value.is_null())
    return reading.fail(Code::empty_value, value, "is given without a value",
                        "remove the key to use its default, or quote the text: 'null', '~'");
  if (value.is_scalar()) return reading.scalar(value);
  if (value.is_sequence() && row.type == MEZO_TEXT_LIST) return reading.list(value);
  return reading.fail(
      Code::wrong_type, value,
      fmt::format("must be {}, got {}", noun(row.type), value.is_map() ? "a map" : "a list"));
}

std::optional<Parameters::Value> read_default(const mezo_parameter& row, Diagnostics& diagnostics) {
  if (!row.default_value) return std::nullopt;
  auto source = std::make_shared<Source>();
  source->name = fmt::format("default of {}", row.name);
  source->lines = {row.default_value};
  std::optional<Value> value = parse_value(source, 0, diagnostics);
  if (!value) return std::nullopt;
  if (row.type == MEZO_TEXT_LIST && *row.default_value == '\0') value = Value::sequence();
  auto result = read_setting(row, row.name, *value, diagnostics);
  if (result) result->is_default = true;
  return result;
}

}  // namespace mezo
