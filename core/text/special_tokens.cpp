#include "core/text/special_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "core/io/read_file.h"
#include "core/text/json_file.h"
#include "core/text/tokenizer_class.h"

namespace mezo {
namespace {

// In the order in which transformers numbers those that are new.
constexpr const char* kRoles[] = {"bos", "eos", "unk", "sep", "pad", "cls", "mask"};

std::string key_of(const char* role) { return std::string(role) + "_token"; }

// A special token is written as its content alone or as an object.
AddedToken special_token(const JsonFile& file, const Json& value) {
  if (!value.is_string() && !value.is_object()) file.fail("a special token", value);
  AddedToken token;
  if (value.is_string()) {
    token.content = value.get<std::string>();
  } else {
    token = file.added_token(value);
    token.normalized = file.flag(value, "normalized", false);
  }
  token.special = true;
  return token;
}

std::int64_t id_in_key(const JsonFile& file, const std::string& text) {
  std::int64_t id = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, id);
  if (error != std::errc() || rest != end) file.fail("the id of a token as a key", text);
  return id;
}

// {"id": token, …}. The keys are ids as strings, which a JSON object sorts as text.
std::vector<AddedToken> tokens_by_id(const JsonFile& file, const Json& decoder) {
  if (!decoder.is_object()) file.fail("'added_tokens_decoder' to be an object", decoder);
  std::map<std::int64_t, AddedToken> by_id;
  for (const auto& [id, value] : decoder.items())
    by_id.emplace(id_in_key(file, id), file.added_token(value));
  std::vector<AddedToken> tokens;
  for (const auto& [id, token] : by_id) tokens.push_back(token);
  return tokens;
}

void set_other(const std::string& key, const AddedToken& token, SpecialTokens& tokens) {
  for (auto& [known, value] : tokens.others)
    if (known == key) return void(value = token);
  tokens.others.emplace_back(key, token);
}

// Keys that end in _token and are no role's. New ids go by the order of the file, which the parsed
// object has lost; where there is nothing to order, the file is not parsed again.
void read_other_tokens(const JsonFile& file, SpecialTokens& tokens) {
  std::vector<std::string> keys;
  const auto is_other = [&](const std::string& key, const Json& value) {
    const auto is_role = [&](const char* role) { return key == key_of(role); };
    return key.ends_with("_token") && (value.is_string() || value.is_object()) &&
           std::none_of(std::begin(kRoles), std::end(kRoles), is_role);
  };
  for (const auto& [key, value] : file.root().items())
    if (is_other(key, value)) keys.push_back(key);
  if (keys.size() > 1) keys = file.keys_in_order();
  for (const std::string& key : keys) {
    const Json& value = JsonFile::member(file.root(), key.c_str());
    if (is_other(key, value)) set_other(key, special_token(file, value), tokens);
  }
}

// A list of tokens, or tokens by name.
void read_extra_tokens(const JsonFile& file, const char* name, SpecialTokens& tokens) {
  const Json& extra = JsonFile::member(file.root(), name);
  if (extra.is_object()) {
    for (const std::string& key : file.keys_in_order(name))
      set_other(key, special_token(file, JsonFile::member(extra, key.c_str())), tokens);
    return;
  }
  if (!extra.is_null() && !extra.is_array()) file.fail("a list of special tokens", extra);
  for (const Json& value : extra) {
    const AddedToken token = special_token(file, value);
    const auto same = [&](const AddedToken& known) { return known.content == token.content; };
    if (std::none_of(tokens.extra.begin(), tokens.extra.end(), same)) tokens.extra.push_back(token);
  }
}

// What both tokenizer_config.json and special_tokens_map.json may have; the later one counts.
void read_named_tokens(const JsonFile& file, SpecialTokens& tokens) {
  for (const char* role : kRoles) {
    const auto found = file.root().find(key_of(role));
    if (found == file.root().end()) continue;
    tokens.named[role] =
        found->is_null() ? std::nullopt : std::optional(special_token(file, *found));
  }
  read_other_tokens(file, tokens);
}

void read_tokenizer_config(const JsonFile& file, SpecialTokens& tokens) {
  const Json& root = file.root();
  if (file.flag(root, "split_special_tokens", false)) file.fail("no 'split_special_tokens'", true);
  const Json& decoder = JsonFile::member(root, "added_tokens_decoder");
  if (!decoder.is_null()) tokens.listed = tokens_by_id(file, decoder);
  read_named_tokens(file, tokens);
  const bool has_extra = root.contains("extra_special_tokens");
  read_extra_tokens(file, has_extra ? "extra_special_tokens" : "additional_special_tokens", tokens);
  if (!JsonFile::member(root, "add_prefix_space").is_null())
    tokens.add_prefix_space = file.flag(root, "add_prefix_space", false);
  tokens.legacy = file.flag(root, "legacy", false);
  tokens.bert.lowercase = file.flag(root, "do_lower_case", true);
  tokens.bert.strip_accents = file.flag(root, "strip_accents", tokens.bert.lowercase);
  tokens.bert.handle_chinese_chars = file.flag(root, "tokenize_chinese_chars", true);
  if (!JsonFile::member(root, "add_bos_token").is_null())
    tokens.add_bos_token = file.flag(root, "add_bos_token", false);
  tokens.add_eos_token = file.flag(root, "add_eos_token", false);
}

void read_special_tokens_map(const JsonFile& file, bool extra_known, SpecialTokens& tokens) {
  read_named_tokens(file, tokens);
  read_extra_tokens(file, "extra_special_tokens", tokens);
  const bool known = extra_known || file.root().contains("extra_special_tokens");
  if (!known) read_extra_tokens(file, "additional_special_tokens", tokens);
}

// {"content": id, …}; which of them are special follows from the other files.
void read_added_tokens(const JsonFile& file, SpecialTokens& tokens) {
  std::map<std::int64_t, AddedToken> by_id;
  for (const auto& [content, id] : file.root().items()) {
    if (!id.is_number_integer()) file.fail(fmt::format("an id for the token '{}'", content), id);
    by_id[id.get<std::int64_t>()] = {.content = content, .normalized = true};
  }
  for (const auto& [id, token] : by_id) tokens.saved.push_back(token);
}

// config.json gives ids. Of several (eos may be a list) the first is the role's.
void read_config(const JsonFile& file, SpecialTokens& tokens) {
  for (const char* role : kRoles) {
    const Json& value = JsonFile::member(file.root(), (key_of(role) + "_id").c_str());
    const Json& id = value.is_array() && !value.empty() ? value[0] : value;
    if (!id.is_number_integer()) continue;
    const auto number = id.get<std::int64_t>();
    if (number < 0 || number > INT32_MAX) continue;  // -1 is written for "none"
    tokens.roles.try_emplace(role, SpecialToken{"", static_cast<std::int32_t>(number)});
  }
}

// transformers makes the special ones of these of whatever a role or a list names.
void mark_special(SpecialTokens& tokens) {
  std::unordered_set<std::string> special;
  for (const auto& [role, token] : tokens.named)
    if (token) special.insert(token->content);
  for (const auto& [key, token] : tokens.others) special.insert(token.content);
  for (AddedToken& token : tokens.listed) token.special |= special.contains(token.content);
  for (const AddedToken& token : tokens.extra) special.insert(token.content);
  for (AddedToken& token : tokens.saved) {
    token.special = special.contains(token.content);
    token.normalized = !token.special;
  }
}

}  // namespace

SpecialTokens read_special_tokens(const std::filesystem::path& folder) {
  SpecialTokens tokens;
  const auto open = [&](const char* name) {
    return is_there(folder / name) ? std::optional<JsonFile>(folder / name) : std::nullopt;
  };
  const auto settings = open("tokenizer_config.json");
  const auto model = open("config.json");
  const auto in_settings = [&](const char* key) {
    return settings && settings->root().contains(key);
  };
  if (settings) read_tokenizer_config(*settings, tokens);
  bool has_more = false;
  tokens.has_decoder = in_settings("added_tokens_decoder");
  if (!tokens.has_decoder) {
    const bool extra_known =
        in_settings("extra_special_tokens") || in_settings("additional_special_tokens");
    const auto map = open("special_tokens_map.json");
    if (map) read_special_tokens_map(*map, extra_known, tokens);
    const auto added = open("added_tokens.json");
    if (added) read_added_tokens(*added, tokens);
    has_more = map || added;
  }
  const bool has_whole = is_there(folder / "tokenizer.json");
  tokens.told = settings || has_more || has_whole;
  tokens.model_type = model ? model->text(model->root(), "model_type") : "";
  tokens.kind = class_of(settings ? &*settings : nullptr, model ? &*model : nullptr);
  if (tokens.told) add_tokens_of_class(tokens);
  mark_special(tokens);
  for (const auto& [role, token] : tokens.named)
    if (token && !token->content.empty()) tokens.roles[role] = {token->content, -1};
  if (model) read_config(*model, tokens);
  return tokens;
}

void take_padding_token(const std::string& content, SpecialTokens& special) {
  if (special.kind != TokenizerClass::backend || special.named.contains("pad")) return;
  special.named["pad"] = AddedToken{.content = content, .special = true};
  special.roles["pad"] = {content, -1};
}

void add_tokens_of(const SpecialTokens& special, TokenizerSpec& spec) {
  spec.added.insert(spec.added.end(), special.listed.begin(), special.listed.end());
  std::unordered_set<std::string> known;
  for (const AddedToken& token : spec.added) known.insert(token.content);
  const auto add = [&](const AddedToken& token) {
    if (!token.content.empty() && known.insert(token.content).second) spec.added.push_back(token);
  };
  for (const AddedToken& token : special.saved) add(token);
  for (const char* role : kRoles) {
    const auto found = special.named.find(role);
    if (found != special.named.end() && found->second) add(*found->second);
  }
  for (const auto& [key, token] : special.others) add(token);
  for (const AddedToken& token : special.extra) add(token);
}

}  // namespace mezo
