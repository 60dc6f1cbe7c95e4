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

std::vector<Json> JsonFile::steps(const Json& whole, const char* key) const {
  if (whole.is_null()) return {};
  if (text(whole, "type") != "Sequence") return {whole};
  const Json& list = member(whole, key);
  if (!list.is_array()) fail(fmt::format("'{}' to be a list", key), list);
  std::vector<Json> all;
  for (const Json& one : list)
    for (Json& step : one.is_null() ? std::vector<Json>{one} : steps(one, key))
      all.push_back(std::move(step));
  return all;
}

AddedToken JsonFile::added_token(const Json& object) const {
  AddedToken token;
  token.content = text(object, "content");
  if (!member(object, "content").is_string()) fail("a token with a 'content'", object);
  if (flag(object, "single_word", false)) fail("an added token without single_word", object);
  token.special = flag(object, "special", false);
  token.lstrip = flag(object, "lstrip", false);
  token.rstrip = flag(object, "rstrip", false);
  token.normalized = flag(object, "normalized", !token.special);
  return token;
}

std::vector<std::string> JsonFile::keys_in_order(const char* member_key) const {
  const auto whole =
      json_of<ModelError, nlohmann::ordered_json>(read_text_file(path_), "[tokenizer] " + path());
  std::vector<std::string> keys;
  for (const auto& [key, value] : (member_key ? whole.at(member_key) : whole).items())
    keys.push_back(key);
  return keys;
}

void JsonFile::fail(const std::string& expected, const Json& got) const {
  std::string shown = got.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (shown.size() > 200) shown = shown.substr(0, 200) + " …";
  throw ModelError(fmt::format("[tokenizer] {}: expected {}, got {}", path(), expected, shown));
}

}  // namespace mezo
