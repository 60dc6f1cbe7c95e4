#include <fmt/format.h>

#include "core/error.h"
#include "core/text/json_file.h"
#include "core/text/tokenizer_class.h"
#include "core/text/tokenizer_files.h"

namespace mezo {
namespace {

// Lines end as Python's text files have it: \n, \r\n or \r.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of("\r\n", at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + (text.compare(end, 2, "\r\n") == 0 ? 2 : 1);
  }
  return lines;
}

}  // namespace

TokenizerSpec read_vocab_txt(const std::filesystem::path& folder, const SpecialTokens& special) {
  const std::filesystem::path path = folder / "vocab.txt";
  if (special.kind != TokenizerClass::bert)
    throw ModelError(
        fmt::format("[tokenizer] {}: expected a 'tokenizer_class' of BertTokenizer beside it, or "
                    "another kind of vocabulary",
                    path.string()));
  TokenizerSpec spec = steps_of_class(special);
  spec.source = path.string();
  for (const std::string& token : lines_of(read_text_file(path)))
    spec.vocabulary.emplace_back(token, static_cast<std::int32_t>(spec.vocabulary.size()));
  // Alone it is BertTokenizer's vocabulary too, whose tokens no file needs to name.
  SpecialTokens named = special;
  add_tokens_of_class(named);
  for (const auto& [role, token] : named.named)
    if (token) named.roles[role] = {token->content, -1};
  add_tokens_of(named, spec);
  spec.roles = named.roles;
  spec.unknown = spec.roles["unk"].content;
  spec.start = {spec.roles["cls"]};
  spec.end = {spec.roles["sep"]};
  return spec;
}

}  // namespace mezo
