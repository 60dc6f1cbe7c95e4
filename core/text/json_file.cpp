#include "core/text/json_file.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "core/error.h"

namespace mezo {

std::string read_text_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  // A folder opens but does not read; an empty file reads nothing without being at fault.
  if (!file || std::filesystem::is_directory(path) || (text << file.rdbuf(), file.bad())) {
    throw ModelError(fmt::format("[tokenizer] {}: cannot be read", path.string()));
  }
  return std::move(text).str();
}

JsonFile::JsonFile(const std::filesystem::path& path) : path_(path) {
  const std::string text = read_text_file(path);
  try {
    root_ = Json::parse(text);
  } catch (const Json::exception& error) {
    throw ModelError(
        fmt::format("[tokenizer] {}: expected JSON, got {}", this->path(), error.what()));
  }
  if (!root_.is_object()) fail("an object", root_);
}

const Json& JsonFile::member(const Json& object, const char* key) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

bool JsonFile::flag(const Json& object, const char* key, bool otherwise) const {
  const Json& value = member(object, key);
  if (value.is_null()) return otherwise;
  if (!value.is_boolean()) fail(fmt::format("'{}' to be true or false", key), value);
  return value.get<bool>();
}

std::string JsonFile::text(const Json& object, const char* key) const {
  const Json& value = member(object, key);
  if (value.is_null()) return "";
  if (!value.is_string()) fail(fmt::format("'{}' to be a string", key), value);
  return value.get<std::string>();
}

AddedToken JsonFile::added_token(const Json& object) const {
  AddedToken token;
  token.content = text(object, "content");
  if (token.content.empty()) fail("a token with a 'content'", object);
  if (flag(object, "single_word", false)) fail("an added token without single_word", object);
  token.special = flag(object, "special", false);
  token.lstrip = flag(object, "lstrip", false);
  token.rstrip = flag(object, "rstrip", false);
  token.normalized = flag(object, "normalized", !token.special);
  return token;
}

void JsonFile::fail(const std::string& expected, const Json& got) const {
  std::string shown = got.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (shown.size() > 200) shown = shown.substr(0, 200) + " …";
  throw ModelError(fmt::format("[tokenizer] {}: expected {}, got {}", path(), expected, shown));
}

}  // namespace mezo
