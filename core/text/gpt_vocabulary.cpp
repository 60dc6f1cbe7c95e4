#include "core/text/gpt_vocabulary.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_files.h"

namespace mezo {
namespace {

constexpr std::int32_t kControl = 3, kUserDefined = 4;

bool splits_digits(const GptVocabulary& vocabulary) {
  const std::string& name = vocabulary.pre_tokenizer;
  if (name == "smollm") return true;
  if (name.empty() || name == "gpt-2" || name == "gpt2" || name == "default") return false;
  throw ModelError(
      fmt::format("[tokenizer] {}: expected the pre-tokenizer gpt-2 or smollm, got '{}'",
                  vocabulary.source, name));
}

void read_tokens(const GptVocabulary& vocabulary, TokenizerSpec& spec) {
  const auto& tokens = vocabulary.tokens;
  const auto& types = vocabulary.types;
  if (!types.empty() && types.size() != tokens.size()) {
    throw ModelError(fmt::format("[tokenizer] {}: expected {} token types, one a token, got {}",
                                 vocabulary.source, tokens.size(), types.size()));
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    spec.vocabulary.emplace_back(tokens[i], static_cast<std::int32_t>(i));
    const std::int32_t type = types.empty() ? 1 : types[i];
    if (type == kControl) spec.added.push_back({.content = tokens[i], .special = true});
    if (type == kUserDefined) spec.added.push_back({.content = tokens[i], .normalized = true});
  }
}

void read_merges(const GptVocabulary& vocabulary, TokenizerSpec& spec) {
  for (const std::string& merge : vocabulary.merges) {
    const std::string place =
        fmt::format("{}: merge {}", vocabulary.source, spec.merges.size() + 1);
    spec.merges.push_back(merge_of_line(merge, place));
  }
}

}  // namespace

TokenizerSpec spec_of(const GptVocabulary& vocabulary) {
  TokenizerSpec spec;
  spec.source = vocabulary.source;
  spec.split_digits = splits_digits(vocabulary);
  read_tokens(vocabulary, spec);
  read_merges(vocabulary, spec);
  const auto role = [&](const char* name, std::optional<std::int32_t> id) {
    if (id) spec.roles[name] = {"", *id};
  };
  role("bos", vocabulary.bos);
  role("eos", vocabulary.eos);
  role("pad", vocabulary.pad);
  role("mask", vocabulary.mask);
  role("sep", vocabulary.sep);
  role("unk", vocabulary.unk);
  if (vocabulary.add_bos && vocabulary.bos) spec.start.push_back({"", *vocabulary.bos});
  return spec;
}

Tokenizer Tokenizer::from_vocabulary(const GptVocabulary& vocabulary) {
  return Tokenizer(spec_of(vocabulary));
}

}  // namespace mezo
