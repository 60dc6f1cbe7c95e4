#include "core/text/special_tokens.h"

#include <algorithm>

#include "core/io/read_file.h"
#include "core/text/json_file.h"

namespace mezo {
namespace {

constexpr const char* kRoles[] = {"bos", "eos", "pad", "mask", "sep", "unk", "cls"};

void add_once(SpecialTokens& tokens, const AddedToken& token) {
  const auto same = [&](const AddedToken& other) { return other.content == token.content; };
  if (std::none_of(tokens.added.begin(), tokens.added.end(), same)) tokens.added.push_back(token);
}

// A special token is written as its content alone or as an object.
AddedToken special_token(const JsonFile& file, const Json& value) {
  if (!value.is_string() && !value.is_object()) file.fail("a special token", value);
  AddedToken token;
  if (value.is_string()) {
    token.content = value.get<std::string>();
  } else {
    token = file.added_token(value);
  }
  token.special = true;
  token.normalized = false;
  return token;
}

void read_named_tokens(const JsonFile& file, SpecialTokens& tokens) {
  for (const char* role : kRoles) {
    const Json& value = JsonFile::member(file.root(), (std::string(role) + "_token").c_str());
    if (value.is_null()) continue;
    const AddedToken token = special_token(file, value);
    if (token.content.empty()) continue;
    tokens.roles.try_emplace(role, SpecialToken{token.content, -1});
    add_once(tokens, token);
  }
  const Json& more = JsonFile::member(file.root(), "additional_special_tokens");
  for (const Json& value : more) add_once(tokens, special_token(file, value));
}

void read_tokenizer_config(const JsonFile& file, SpecialTokens& tokens) {
  // The keys are ids as strings, which a JSON object sorts as text: order them as numbers.
  std::map<long, AddedToken> by_id;
  for (const auto& [id, value] : JsonFile::member(file.root(), "added_tokens_decoder").items()) {
    by_id.emplace(std::strtol(id.c_str(), nullptr, 10), file.added_token(value));
  }
  for (const auto& [id, token] : by_id) add_once(tokens, token);
  read_named_tokens(file, tokens);
  tokens.add_prefix_space = file.flag(file.root(), "add_prefix_space", false);
  if (!JsonFile::member(file.root(), "add_bos_token").is_null()) {
    tokens.add_bos_token = file.flag(file.root(), "add_bos_token", false);
  }
}

// config.json gives ids. Of several (eos may be a list) the first is the role's.
void read_config(const JsonFile& file, SpecialTokens& tokens) {
  tokens.model_type = file.text(file.root(), "model_type");
  for (const char* role : kRoles) {
    const Json& value = JsonFile::member(file.root(), (std::string(role) + "_token_id").c_str());
    const Json& id = value.is_array() && !value.empty() ? value[0] : value;
    if (!id.is_number_integer()) continue;
    const auto number = id.get<std::int64_t>();
    if (number < 0 || number > INT32_MAX) continue;  // -1 is written for "none"
    tokens.roles.try_emplace(role, SpecialToken{"", static_cast<std::int32_t>(number)});
  }
}

}  // namespace

SpecialTokens read_special_tokens(const std::filesystem::path& folder) {
  SpecialTokens tokens;
  const auto read = [&](const char* name, auto reader) {
    if (is_there(folder / name)) reader(JsonFile(folder / name), tokens);
  };
  read("tokenizer_config.json", read_tokenizer_config);
  read("special_tokens_map.json", read_named_tokens);
  read("config.json", read_config);
  return tokens;
}

}  // namespace mezo
