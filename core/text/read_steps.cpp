// The normalizer, pre_tokenizer and decoder of a tokenizer.json.

#include <fmt/format.h>

#include <utility>

#include "core/text/base64.h"
#include "core/text/known_expressions.h"
#include "core/text/tokenizer_steps_json.h"

namespace mezo {
namespace {

// A setting that must be there: what it is without one differs between versions of the package.
template <class Value>
Value required(const JsonFile& file, const Json& step, const char* key) {
  const Json& value = JsonFile::member(step, key);
  if constexpr (std::is_same_v<Value, bool>) {
    if (value.is_boolean()) return value.get<bool>();
  } else if constexpr (std::is_same_v<Value, std::string>) {
    if (value.is_string()) return value.get<std::string>();
  } else {
    if (value.is_number_unsigned()) return value.get<Value>();
  }
  file.fail(fmt::format("a {} that says '{}'", file.text(step, "type"), key), step);
}

template <class Value, std::size_t N>
Value one_of(const JsonFile& file, const Json& step, const char* key,
             const std::pair<const char*, Value> (&values)[N]) {
  const std::string name = required<std::string>(file, step, key);
  for (const auto& [known, value] : values)
    if (name == known) return value;
  file.fail(fmt::format("a known '{}'", key), step);
}

PatternSpec read_pattern(const JsonFile& file, const Json& step) {
  const Json& pattern = JsonFile::member(step, "pattern");
  for (const bool is_expression : {false, true}) {
    const Json& text = JsonFile::member(pattern, is_expression ? "Regex" : "String");
    if (text.is_string() && pattern.size() == 1) return {text.get<std::string>(), is_expression};
  }
  file.fail("a pattern that is a String or a Regex", step);
}

ReplaceStep read_replace(const JsonFile& file, const Json& step) {
  return {read_pattern(file, step), required<std::string>(file, step, "content")};
}

SplitBehavior read_behavior(const JsonFile& file, const Json& step) {
  return one_of<SplitBehavior>(file, step, "behavior",
                               {{"Removed", SplitBehavior::removed},
                                {"Isolated", SplitBehavior::isolated},
                                {"MergedWithPrevious", SplitBehavior::merged_with_previous},
                                {"MergedWithNext", SplitBehavior::merged_with_next},
                                {"Contiguous", SplitBehavior::contiguous}});
}

// Files of before the scheme say add_prefix_space.
MetaspaceStep read_metaspace(const JsonFile& file, const Json& step) {
  MetaspaceStep metaspace{.replacement = required<std::string>(file, step, "replacement")};
  metaspace.split = file.flag(step, "split", true);
  if (!JsonFile::member(step, "prepend_scheme").is_null()) {
    metaspace.scheme = one_of<PrependScheme>(file, step, "prepend_scheme",
                                             {{"always", PrependScheme::always},
                                              {"first", PrependScheme::first},
                                              {"never", PrependScheme::never}});
  } else if (!file.flag(step, "add_prefix_space", true)) {
    metaspace.scheme = PrependScheme::never;
  }
  return metaspace;
}

normalizer::Step read_bert(const JsonFile& file, const Json& step) {
  normalizer::Bert bert;
  bert.clean_text = required<bool>(file, step, "clean_text");
  bert.handle_chinese_chars = required<bool>(file, step, "handle_chinese_chars");
  bert.lowercase = required<bool>(file, step, "lowercase");
  bert.strip_accents = file.flag(step, "strip_accents", bert.lowercase);
  return bert;
}

normalizer::Step read_precompiled(const JsonFile& file, const Json& step) {
  const auto map = from_base64(required<std::string>(file, step, "precompiled_charsmap"));
  if (!map) file.fail("'precompiled_charsmap' to be base64", step);
  return normalizer::Precompiled{*map};
}

normalizer::Step read_normalizer_step(const JsonFile& file, const Json& step) {
  const std::string type = file.text(step, "type");
  if (type == "NFC") return NormalForm::nfc;
  if (type == "NFD") return NormalForm::nfd;
  if (type == "NFKC") return NormalForm::nfkc;
  if (type == "NFKD") return NormalForm::nfkd;
  if (type == "Lowercase") return normalizer::Lowercase{};
  if (type == "StripAccents") return normalizer::StripAccents{};
  if (type == "Replace") return read_replace(file, step);
  if (type == "Prepend") return normalizer::Prepend{required<std::string>(file, step, "prepend")};
  if (type == "Strip")
    return normalizer::Strip{required<bool>(file, step, "strip_left"),
                             required<bool>(file, step, "strip_right")};
  if (type == "BertNormalizer") return read_bert(file, step);
  if (type == "Precompiled") return read_precompiled(file, step);
  file.fail(
      "a normalizer of NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Replace, Prepend, Strip, "
      "BertNormalizer or Precompiled",
      step);
}

pretokenizer::Step read_pre_tokenizer_step(const JsonFile& file, const Json& step) {
  const std::string type = file.text(step, "type");
  if (type == "ByteLevel")
    return pretokenizer::ByteLevel{required<bool>(file, step, "add_prefix_space"),
                                   file.flag(step, "use_regex", true)};
  if (type == "Split")
    return pretokenizer::Split{read_pattern(file, step), read_behavior(file, step),
                               required<bool>(file, step, "invert")};
  if (type == "Digits")
    return pretokenizer::Digits{required<bool>(file, step, "individual_digits")};
  if (type == "Punctuation") return pretokenizer::Punctuation{read_behavior(file, step)};
  if (type == "WhitespaceSplit") return pretokenizer::WhitespaceSplit{};
  if (type == "BertPreTokenizer") return pretokenizer::Bert{};
  if (type == "Metaspace") return read_metaspace(file, step);
  file.fail(
      "a pre_tokenizer of ByteLevel, Split, Digits, Punctuation, WhitespaceSplit, BertPreTokenizer "
      "or Metaspace",
      step);
}

decoder::Step read_decoder_step(const JsonFile& file, const Json& step) {
  const std::string type = file.text(step, "type");
  if (type == "ByteLevel") return decoder::ByteLevel{};
  if (type == "ByteFallback") return decoder::ByteFallback{};
  if (type == "Fuse") return decoder::Fuse{};
  if (type == "Replace") return read_replace(file, step);
  if (type == "Metaspace") return read_metaspace(file, step);
  if (type == "Strip")
    return decoder::Strip{required<std::string>(file, step, "content"),
                          required<std::size_t>(file, step, "start"),
                          required<std::size_t>(file, step, "stop")};
  if (type == "WordPiece")
    return decoder::WordPiece{required<std::string>(file, step, "prefix"),
                              required<bool>(file, step, "cleanup")};
  file.fail("a decoder of ByteLevel, ByteFallback, Fuse, Replace, Metaspace, Strip or WordPiece",
            step);
}

template <class Step>
std::vector<Step> read_steps(const JsonFile& file, const char* name, const char* list,
                             Step (*read)(const JsonFile&, const Json&)) {
  std::vector<Step> steps;
  for (const Json& step : file.steps(JsonFile::member(file.root(), name), list))
    steps.push_back(read(file, step));
  return steps;
}

// GPT-2's expression in a Split before a ByteLevel without it: the same as that ByteLevel with it.
void join_gpt2_split(std::vector<pretokenizer::Step>& steps) {
  if (steps.size() < 2) return;
  auto* level = std::get_if<pretokenizer::ByteLevel>(&steps.back());
  const auto* split = std::get_if<pretokenizer::Split>(&steps[steps.size() - 2]);
  if (!level || level->use_regex || level->add_prefix_space || !split) return;
  if (!split->pattern.is_expression || split->pattern.text != kGpt2Expression || split->invert ||
      split->behavior != SplitBehavior::isolated)
    return;
  level->use_regex = true;
  steps.erase(steps.end() - 2);
}

}  // namespace

std::vector<normalizer::Step> read_normalizer(const JsonFile& file) {
  return read_steps(file, "normalizer", "normalizers", read_normalizer_step);
}

std::vector<pretokenizer::Step> read_pre_tokenizer(const JsonFile& file) {
  auto steps = read_steps(file, "pre_tokenizer", "pretokenizers", read_pre_tokenizer_step);
  join_gpt2_split(steps);
  return steps;
}

std::vector<decoder::Step> read_decoder(const JsonFile& file) {
  return read_steps(file, "decoder", "decoders", read_decoder_step);
}

}  // namespace mezo
