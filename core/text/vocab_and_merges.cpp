#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include "core/error.h"
#include "core/text/json_file.h"
#include "core/text/tokenizer_class.h"
#include "core/text/tokenizer_files.h"

namespace mezo {
namespace {

void read_merges(const std::filesystem::path& path, TokenizerSpec& spec) {
  std::istringstream lines(read_text_file(path));
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (line.starts_with("#version")) continue;
    if (line.ends_with('\r')) line.pop_back();
    spec.merges.push_back(merge_of_line(line, fmt::format("{}:{}", path.string(), number)));
  }
}

// Gives each role its content. Those that only config.json names become added tokens where no other
// file says which tokens a text may contain.
void add_special_tokens(const SpecialTokens& special, TokenizerSpec& spec) {
  std::unordered_map<std::int32_t, std::string> contents;
  for (const auto& [token, id] : spec.vocabulary) contents.emplace(id, token);
  add_tokens_of(special, spec);
  for (const auto& [role, token] : special.roles) {
    std::string content = token.content;
    if (content.empty()) {
      const auto found = contents.find(token.id);
      if (found == contents.end()) continue;
      content = found->second;
      if (!special.told) spec.added.push_back({.content = content, .special = true});
    }
    spec.roles[role] = {content, -1};
  }
}

// A RoBERTa folder may say nothing of its unknown, separator and mask tokens: their names are
// fixed. They count where the vocabulary has them.
void add_roberta_defaults(TokenizerSpec& spec) {
  const std::pair<const char*, const char*> fixed[] = {
      {"bos", "<s>"},   {"eos", "</s>"},  {"cls", "<s>"},    {"sep", "</s>"},
      {"pad", "<pad>"}, {"unk", "<unk>"}, {"mask", "<mask>"}};
  for (const auto& [role, content] : fixed) {
    const auto is_content = [&](const auto& entry) { return entry.first == content; };
    if (std::none_of(spec.vocabulary.begin(), spec.vocabulary.end(), is_content)) continue;
    const bool is_new = spec.roles.try_emplace(role, SpecialToken{content, -1}).second;
    if (is_new) spec.added.push_back({.content = content, .special = true});
  }
}

}  // namespace

void read_vocabulary(const JsonFile& file, const Json& tokens, TokenizerSpec& spec) {
  if (!tokens.is_object()) file.fail("a vocabulary {token: id, …}", tokens);
  for (const auto& [token, id] : tokens.items()) {
    const bool fits = id.is_number_integer() && id.get<std::int64_t>() >= 0 &&
                      id.get<std::int64_t>() <= INT32_MAX;
    if (!fits) file.fail(fmt::format("an id for the token '{}'", token), id);
    spec.vocabulary.emplace_back(token, id.get<std::int32_t>());
  }
}

std::pair<std::string, std::string> merge_of_line(const std::string& line,
                                                  const std::string& place) {
  const std::size_t space = line.find(' ');
  if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos) {
    throw ModelError(fmt::format(
        "[tokenizer] {}: expected two tokens with one space between, got '{}'", place, line));
  }
  return {line.substr(0, space), line.substr(space + 1)};
}

TokenizerSpec read_vocab_and_merges(const std::filesystem::path& folder,
                                    const SpecialTokens& special) {
  TokenizerSpec spec = steps_of_class(special);
  spec.source = (folder / "vocab.json").string();
  const JsonFile vocabulary(folder / "vocab.json");
  read_vocabulary(vocabulary, vocabulary.root(), spec);
  read_merges(folder / "merges.txt", spec);
  add_special_tokens(special, spec);
  if (special.kind == TokenizerClass::roberta) {
    if (!special.told) add_roberta_defaults(spec);
    spec.start.push_back(spec.roles["cls"]);
    spec.end.push_back(spec.roles["sep"]);
    return spec;
  }
  const bool opt_alone = !special.told && special.model_type == "opt";
  if (special.add_bos_token.value_or(opt_alone)) spec.start.push_back(spec.roles["bos"]);
  if (special.add_eos_token) spec.end.push_back(spec.roles["eos"]);
  return spec;
}

}  // namespace mezo
