#include "core/config/reader.h"

#include <fmt/format.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/config/display.h"
#include "core/config/events.h"
#include "core/config/nearest.h"
#include "core/config/syntax.h"

namespace mezo {
namespace fs = std::filesystem;
namespace {

std::string joined(const Source& source) {
  std::string text;
  for (std::size_t i = 0; i < source.lines.size(); ++i) {
    if (i > 0) text += '\n';
    text += source.lines[i];
  }
  return text;
}

// The entry of the same folder that a missing file's name most resembles.
std::string near_file(const fs::path& path) {
  std::error_code error;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::vector<std::string> names;
  for (fs::directory_iterator i(folder, error), end; !error && i != end && names.size() < 1000;
       i.increment(error))
    if (!i->is_directory(error)) names.push_back(i->path().filename().string());
  std::sort(names.begin(), names.end());
  return did_you_mean(path.filename().string(), names);
}

// True where `path` is a regular file of acceptable size.
bool check_file(const fs::path& path, const std::string& name, const Mark& at, Diagnostics& d) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (path.empty() || status.type() == fs::file_type::not_found) {
    d.error(Code::file_not_found, at,
            fmt::format("file {} does not exist{}", shown(name, 200), near_file(path)));
  } else if (status.type() == fs::file_type::directory) {
    d.error(Code::not_a_file, at, fmt::format("{} is a folder, not a file", shown(name, 200)),
            "name the YAML file in it");
  } else if (error) {
    d.error(Code::unreadable_file, at,
            fmt::format("file {} cannot be read: {}", shown(name, 200), error.message()));
  } else if (status.type() != fs::file_type::regular) {
    // A pipe or a device could deliver without end.
    d.error(Code::not_a_file, at, fmt::format("{} is not a regular file", shown(name, 200)));
  } else if (const auto bytes = fs::file_size(path, error); !error && bytes > max_file_bytes) {
    d.error(Code::file_too_large, at,
            fmt::format("file {} has {} bytes; a configuration may have {}", shown(name, 200),
                        bytes, max_file_bytes),
            "is this a data file or a checkpoint instead of a configuration?");
  } else {
    return true;
  }
  return false;
}

std::vector<std::string> split_lines(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (pair) continue;
    if (text[i] == '\n' || text[i] == '\r')
      lines.emplace_back();
    else
      lines.back() += text[i];
  }
  return lines;
}

// yaml-cpp takes byte 4 for the end of the file, replaces broken UTF-8 and guesses UTF-16 where it
// sees NULs, all in silence.
bool check_characters(const std::shared_ptr<const Source>& source, Diagnostics& d) {
  for (std::size_t i = 0; i < source->lines.size(); ++i) {
    const std::string& line = source->lines[i];
    std::size_t bad = find_invalid_utf8(line);
    const char* what = "a byte that is not UTF-8 text";
    for (std::size_t j = 0; j < std::min(bad, line.size()); ++j) {
      const unsigned char c = line[j];
      if ((c >= 0x20 && c != 0x7F) || c == '\t') continue;
      bad = j;
      what = c == 0 ? "a NUL byte" : "a control character";
      break;
    }
    if (bad == std::string::npos) continue;
    const unsigned char byte = line[bad];
    d.error(Code::bad_encoding, {source, static_cast<int>(i) + 1, column_at(line, bad)},
            fmt::format("{}, got 0x{:02x}", what, byte),
            byte >= 0x80 || byte == 0
                ? "save the file as UTF-8"
                : fmt::format("in double quotes it can be written as \"\\x{:02x}\"", byte));
    return false;
  }
  return true;
}

std::optional<Value> parse(const std::shared_ptr<const Source>& source, std::size_t skip,
                           Diagnostics& diagnostics) {
  TreeBuilder builder(source, skip, diagnostics);
  try {
    std::istringstream stream(joined(*source).substr(skip));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const TreeBuilder::Stop& stop) {
    diagnostics.error(stop.diagnostic);
  } catch (const YAML::Exception& error) {
    Mark at = builder.place(error.mark);
    const bool alias = std::string_view(error.msg).starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR);
    const SyntaxMessage text = alias ? SyntaxMessage{"this alias has no anchor before it",
                                                     "quote text that begins with '*'"}
                                     : explain_syntax(error.msg, at);
    Diagnostic diagnostic{
        alias ? Code::bad_alias : Code::syntax, at, text.message, text.hint, {}, {}};
    if (error.msg == YAML::ErrorMsg::END_OF_MAP_FLOW ||
        error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW) {
      diagnostic.related = builder.open_place();
      diagnostic.relation = "opened here";
    }
    diagnostics.error(std::move(diagnostic));
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

Value::Kind flow_kind(char first) {
  return first == '['   ? Value::Kind::sequence
         : first == '{' ? Value::Kind::map
                        : Value::Kind::scalar;
}

}  // namespace

std::shared_ptr<const Source> read_source(const fs::path& path, const std::string& name,
                                          const Mark& from, Diagnostics& diagnostics) {
  auto source = std::make_shared<Source>();
  source->name = name;
  const Mark at = from.source ? from : Mark{};
  if (!check_file(path, name, at, diagnostics)) return nullptr;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  char part[1 << 16];
  // The size was checked, but a file may grow.
  while (text.size() <= max_file_bytes && (file.read(part, sizeof part), file.gcount() > 0))
    text.append(part, static_cast<std::size_t>(file.gcount()));
  if (!file.is_open() || file.bad() || text.size() > max_file_bytes) {
    diagnostics.error(Code::unreadable_file, at,
                      fmt::format("file {} cannot be read", shown(name, 200)),
                      "check its permissions");
    return nullptr;
  }
  std::error_code error;
  source->folder = fs::absolute(path, error).parent_path().lexically_normal();
  source->lines = split_lines(text);
  if (!check_characters(source, diagnostics)) return nullptr;
  return source;
}

std::optional<Value> parse_file(std::shared_ptr<const Source> source, Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.errors().size();
  std::optional<Value> value = parse(source, 0, diagnostics);
  if (value && value->is_map()) return value;
  if (!value || value->is_null()) {
    if (diagnostics.errors().size() == before)
      diagnostics.error(Code::empty_file, {source, 0, 0}, "the file holds no settings",
                        "a configuration is a map, such as 'model: {path: models/opt-125m}'");
    return std::nullopt;
  }
  diagnostics.error(Code::not_a_map, value->mark,
                    fmt::format("a configuration is a map of settings, got {}",
                                value->is_sequence() ? "a list" : shown(value->text)),
                    "write each setting as 'key: value'");
  return std::nullopt;
}

std::optional<Value> read_yaml(const std::string& path, Diagnostics& diagnostics) {
  const auto source = read_source(path, path, {}, diagnostics);
  return source ? parse_file(source, diagnostics) : std::nullopt;
}

std::optional<Value> parse_value(std::shared_ptr<const Source> source, std::size_t skip,
                                 Diagnostics& diagnostics) {
  if (!check_characters(source, diagnostics)) return std::nullopt;
  const std::string whole = joined(*source);
  const std::string_view text = trimmed(std::string_view(whole).substr(skip));
  // A value on a later line than the '=' is marked at the '='; arguments rarely have lines.
  Mark at{source, 1, column_at(source->lines[0], skip)};
  if (text.empty()) return Value::scalar("", true, at);
  at.column = column_at(source->lines[0], text.data() - whole.data());
  if (text == "~" || text == "null" || text == "Null" || text == "NULL") {
    Value null;
    null.mark = at;
    return null;
  }
  if (std::string_view("[{\"'").find(text[0]) == std::string_view::npos)
    return Value::scalar(std::string(text), false, at);
  Diagnostics found;
  std::optional<Value> value = parse(source, skip, found);
  for (const Diagnostic& d : found.errors()) {
    Diagnostic hinted = d;
    if (d.code == Code::syntax)
      hinted.hint = fmt::format(
          "a value that starts with {} is read as YAML; to mean the text itself, quote it: "
          "'\"...\"'",
          text[0]);
    diagnostics.error(std::move(hinted));
  }
  if (found.has_errors() || (value && value->kind == flow_kind(text[0]))) return value;
  diagnostics.error(Code::syntax, at, "this is not one value",
                    "put quotes around the whole text: '\"...\"'");
  return std::nullopt;
}

}  // namespace mezo
