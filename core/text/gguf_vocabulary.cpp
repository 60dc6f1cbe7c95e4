#include "core/text/gguf_vocabulary.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text/known_expressions.h"
#include "core/text/merges_of_scores.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_files.h"

namespace mezo {
namespace {

enum Type : std::int32_t { normal = 1, unknown, control, user_defined, unused, byte };

// How the names of llama.cpp cut a text: as the models' own tokenizer.json files do.
void read_pre_tokenizer(const GgufVocabulary& vocabulary, TokenizerSpec& spec) {
  const std::string& name = vocabulary.pre_tokenizer;
  const auto split_first = [&](const char* expression) {
    spec.pre_tokenizer = {pretokenizer::Split{{expression, true}},
                          pretokenizer::ByteLevel{.use_regex = false}};
  };
  if (name.empty() || name == "gpt-2" || name == "gpt2" || name == "default") return;
  if (name == "smollm") {
    spec.pre_tokenizer = {pretokenizer::Digits{true}, pretokenizer::ByteLevel{}};
  } else if (name == "llama-bpe" || name == "llama3" || name == "llama-v3") {
    split_first(kLlama3Expression);
    spec.ignore_merges = true;
  } else if (name == "qwen2") {
    split_first(kQwen2Expression);
    spec.normalizer = {NormalForm::nfc};
  } else {
    throw ModelError(fmt::format(
        "[tokenizer] {}: expected the pre-tokenizer gpt-2, smollm, llama-bpe or qwen2, got '{}'",
        vocabulary.source, name));
  }
}

std::int32_t type_of(const GgufVocabulary& vocabulary, std::size_t i) {
  return vocabulary.types.empty() ? Type::normal : vocabulary.types[i];
}

void check_count(const GgufVocabulary& vocabulary, const char* what, std::size_t count) {
  if (count != vocabulary.tokens.size())
    throw ModelError(fmt::format("[tokenizer] {}: expected {} token {}, one a token, got {}",
                                 vocabulary.source, vocabulary.tokens.size(), what, count));
}

void read_tokens(const GgufVocabulary& vocabulary, TokenizerSpec& spec) {
  const auto& tokens = vocabulary.tokens;
  const bool llama = vocabulary.model == "llama";
  if (!vocabulary.types.empty() || llama) check_count(vocabulary, "types", vocabulary.types.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    spec.vocabulary.emplace_back(tokens[i], static_cast<std::int32_t>(i));
    const std::int32_t type = type_of(vocabulary, i);
    if (type == Type::control || (llama && type == Type::unknown))
      spec.added.push_back({.content = tokens[i], .special = true});
    // SentencePiece cuts its own out before spaces are marked, and so before anything is
    // normalized.
    if (type == Type::user_defined)
      spec.added.push_back({.content = tokens[i], .normalized = !llama});
  }
}

void read_gpt2(const GgufVocabulary& vocabulary, TokenizerSpec& spec) {
  read_pre_tokenizer(vocabulary, spec);
  for (const std::string& merge : vocabulary.merges) {
    const std::string place =
        fmt::format("{}: merge {}", vocabulary.source, spec.merges.size() + 1);
    spec.merges.push_back(merge_of_line(merge, place));
  }
}

// Only text is joined: neither control tokens nor bytes, whatever their score.
void read_llama(const GgufVocabulary& vocabulary, TokenizerSpec& spec) {
  check_count(vocabulary, "scores", vocabulary.scores.size());
  const PatternSpec space{" "}, mark{"\u2581"};
  spec.pre_tokenizer.clear();
  spec.normalizer = {ReplaceStep{space, mark.text}};
  spec.decoder = {ReplaceStep{mark, space.text}, decoder::ByteFallback{}, decoder::Fuse{}};
  if (vocabulary.add_space_prefix) {
    spec.normalizer.insert(spec.normalizer.begin(), normalizer::Prepend{mark.text});
    spec.decoder.push_back(decoder::Strip{space.text, 1, 0});
  }
  spec.byte_fallback = true;
  spec.fuse_unknown = true;
  std::vector<ScoredToken> joined;
  for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    if (type_of(vocabulary, i) == Type::normal)
      joined.push_back({vocabulary.tokens[i], vocabulary.scores[i]});
    if (type_of(vocabulary, i) == Type::unknown) spec.unknown = vocabulary.tokens[i];
  }
  spec.merges = merges_of_scores(joined);
}

}  // namespace

TokenizerSpec spec_of(const GgufVocabulary& vocabulary) {
  TokenizerSpec spec;
  spec.source = vocabulary.source;
  read_tokens(vocabulary, spec);
  if (vocabulary.model == "gpt2") {
    read_gpt2(vocabulary, spec);
  } else if (vocabulary.model == "llama") {
    read_llama(vocabulary, spec);
  } else {
    throw ModelError(
        fmt::format("[tokenizer] {}: expected the tokenizer of a GGUF file to be gpt2 or llama, "
                    "got '{}'",
                    vocabulary.source, vocabulary.model));
  }
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
  if (vocabulary.add_eos && vocabulary.eos) spec.end.push_back({"", *vocabulary.eos});
  return spec;
}

Tokenizer Tokenizer::from_vocabulary(const GgufVocabulary& vocabulary) {
  return Tokenizer(spec_of(vocabulary));
}

}  // namespace mezo
