#pragma once
// Reads the JSON files of a tokenizer with errors that name the file and the key. For the .cpp
// files of core/text only: nlohmann-json stays out of the public headers.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/text/tokenizer_spec.h"

namespace mezo {

using Json = nlohmann::json;

// One JSON file and what is wrong with it: every throw of a reader goes through fail().
class JsonFile {
 public:
  explicit JsonFile(const std::filesystem::path& path);  // reads and parses; throws ModelError

  const Json& root() const { return root_; }
  std::string path() const { return path_.string(); }

  // A member of an object, or null where it is absent.
  static const Json& member(const Json& object, const char* key);

  // Members with a default; a value of another type is an error.
  bool flag(const Json& object, const char* key, bool otherwise) const;
  std::string text(const Json& object, const char* key) const;  // "" where absent or null

  // A Sequence, with those inside it, as the list of its steps; anything else as a list of one.
  std::vector<Json> steps(const Json& whole, const char* key) const;

  // An object with "content", "lstrip", …: how added tokens are written everywhere.
  AddedToken added_token(const Json& object) const;

  // The keys of the file's object, or of one of its members, as they follow each other in the file:
  // what is parsed has them sorted. Parses again, so not for a vocabulary.
  std::vector<std::string> keys_in_order(const char* member_key = nullptr) const;

  [[noreturn]] void fail(const std::string& expected, const Json& got) const;

 private:
  std::filesystem::path path_;
  Json root_;
};

std::string read_text_file(const std::filesystem::path& path);  // throws ModelError

}  // namespace mezo
