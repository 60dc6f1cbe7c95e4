#include "core/text/json_file.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/io/json_text.h"
#include "core/io/read_file.h"

namespace mezo {

std::string read_text_file(const std::filesystem::path& path) {
  return read_file<ModelError>(path, most_json, "[tokenizer] ");
}

JsonFile::JsonFile(const std::filesystem::path& path) : path_(path) {
  root_ = json_of<ModelError>(read_text_file(path), "[tokenizer] " + this->path());
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
