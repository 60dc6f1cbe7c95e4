#include "core/config/syntax.h"

#include <yaml-cpp/exceptions.h>

#include <algorithm>

namespace mezo {
namespace {

struct Row {
  const char* begins;  // yaml-cpp's text, or its beginning
  const char* message;
  const char* hint;
};

constexpr const char* check_indentation =
    "check the indentation, and that each key is followed by ': '";
constexpr const char* quote_it = "quote the text";

const Row rows[] = {
    {YAML::ErrorMsg::END_OF_MAP_FLOW, "a ',' or the closing '}' is missing before this", ""},
    {YAML::ErrorMsg::END_OF_SEQ_FLOW, "a ',' or the closing ']' is missing before this", ""},
    {YAML::ErrorMsg::END_OF_MAP, "this does not continue the map above it", check_indentation},
    {YAML::ErrorMsg::END_OF_SEQ, "this does not continue the list above it", check_indentation},
    {YAML::ErrorMsg::MAP_VALUE, "a ':' cannot stand here",
     "quote text that contains ': '; otherwise check the indentation"},
    {YAML::ErrorMsg::MAP_KEY, "a key cannot stand here", check_indentation},
    {YAML::ErrorMsg::BLOCK_ENTRY, "a list item ('- ') cannot stand here",
     "start the list on the line after its key, or write it as [a, b]"},
    {YAML::ErrorMsg::FLOW_END, "this closing bracket does not match an opening one", ""},
    {YAML::ErrorMsg::EOF_IN_SCALAR, "a quote is opened but never closed", ""},
    {YAML::ErrorMsg::DOC_IN_SCALAR, "a quote is opened but never closed before '---' or '...'", ""},
    {YAML::ErrorMsg::CHAR_IN_SCALAR, "this character cannot stand in unquoted text", quote_it},
    {YAML::ErrorMsg::CHAR_IN_BLOCK, "only a comment may follow '|' or '>'",
     "start the text on the next line"},
    {YAML::ErrorMsg::ZERO_INDENT_IN_BLOCK, "the indentation after '|' or '>' must be 1 to 9", ""},
    {YAML::ErrorMsg::UNKNOWN_TOKEN, "no value can start with this character", quote_it},
    {YAML::ErrorMsg::INVALID_ESCAPE, "an unknown escape after '\\'",
     "in double quotes write '\\\\' for a backslash, or use single quotes"},
    {YAML::ErrorMsg::INVALID_HEX, "an escape with a character that is not a hexadecimal digit", ""},
    {YAML::ErrorMsg::INVALID_UNICODE, "an escape that is not a Unicode character", ""},
    {YAML::ErrorMsg::ALIAS_NOT_FOUND, "a name must follow '*'", "quote text that begins with '*'"},
    {YAML::ErrorMsg::ANCHOR_NOT_FOUND, "a name must follow '&'", "quote text that begins with '&'"},
    {YAML::ErrorMsg::CHAR_IN_ALIAS, "this character cannot stand in an alias's name",
     "quote text that begins with '*'"},
    {YAML::ErrorMsg::CHAR_IN_ANCHOR, "this character cannot stand in an anchor's name",
     "quote text that begins with '&'"},
    {YAML::ErrorMsg::ALIAS_CONTENT, "an alias cannot have a tag, an anchor or a value of its own",
     ""},
};

bool indented_by_tab(const std::string& line) {
  return line.substr(0, line.find_first_not_of(" \t")).find('\t') != std::string::npos;
}

// The line at or just before `at` that a tab indents, or 0.
int tab_near(const Mark& at) {
  if (!at.source || at.line < 1) return 0;
  const auto& lines = at.source->lines;
  // The parser may only notice on the line after.
  for (int line = std::max(at.line - 1, 1); line <= std::min<int>(at.line, lines.size()); ++line)
    if (indented_by_tab(lines[line - 1])) return line;
  return 0;
}

}  // namespace

SyntaxMessage explain_syntax(std::string_view yaml_message, Mark& at) {
  const int tab = tab_near(at);
  if (tab > 0) {
    at.line = tab;
    at.column = static_cast<int>(at.source->lines[tab - 1].find('\t')) + 1;
  }
  if (tab > 0 || yaml_message == YAML::ErrorMsg::TAB_IN_INDENTATION)
    return {"a tab in the indentation", "YAML indents with spaces only"};
  for (const Row& row : rows)
    if (yaml_message.starts_with(row.begins)) return {row.message, row.hint};
  return {"this is not YAML: " + std::string(yaml_message), ""};
}

}  // namespace mezo
