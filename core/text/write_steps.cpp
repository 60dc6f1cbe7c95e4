#include "core/text/base64.h"
#include "core/text/tokenizer_steps_json.h"

namespace mezo {
namespace {

using Out = nlohmann::ordered_json;

Out pattern(const PatternSpec& spec) {
  return {{spec.is_expression ? "Regex" : "String", spec.text}};
}

const char* name_of(SplitBehavior behavior) {
  switch (behavior) {
    case SplitBehavior::removed:
      return "Removed";
    case SplitBehavior::isolated:
      return "Isolated";
    case SplitBehavior::merged_with_previous:
      return "MergedWithPrevious";
    case SplitBehavior::merged_with_next:
      return "MergedWithNext";
    case SplitBehavior::contiguous:
      return "Contiguous";
  }
  return "";
}

const char* name_of(PrependScheme scheme) {
  return scheme == PrependScheme::always  ? "always"
         : scheme == PrependScheme::first ? "first"
                                          : "never";
}

Out one(const ReplaceStep& step) {
  return {{"type", "Replace"}, {"pattern", pattern(step.pattern)}, {"content", step.content}};
}

Out one(const MetaspaceStep& step) {
  return {{"type", "Metaspace"},
          {"replacement", step.replacement},
          {"prepend_scheme", name_of(step.scheme)},
          {"split", step.split}};
}

Out one(NormalForm form) {
  constexpr const char* names[] = {"NFC", "NFD", "NFKC", "NFKD"};
  return {{"type", names[static_cast<int>(form)]}};
}

Out one(normalizer::Lowercase) { return {{"type", "Lowercase"}}; }

Out one(normalizer::StripAccents) { return {{"type", "StripAccents"}}; }

Out one(const normalizer::Prepend& step) {
  return {{"type", "Prepend"}, {"prepend", step.content}};
}

Out one(const normalizer::Strip& step) {
  return {{"type", "Strip"}, {"strip_left", step.left}, {"strip_right", step.right}};
}

Out one(const normalizer::Bert& step) {
  return {{"type", "BertNormalizer"},
          {"clean_text", step.clean_text},
          {"handle_chinese_chars", step.handle_chinese_chars},
          {"strip_accents", step.strip_accents},
          {"lowercase", step.lowercase}};
}

Out one(const normalizer::Precompiled& step) {
  return {{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(step.map)}};
}

Out one(const pretokenizer::Split& step) {
  return {{"type", "Split"},
          {"pattern", pattern(step.pattern)},
          {"behavior", name_of(step.behavior)},
          {"invert", step.invert}};
}

Out one(const pretokenizer::Digits& step) {
  return {{"type", "Digits"}, {"individual_digits", step.individual}};
}

Out one(const pretokenizer::Punctuation& step) {
  return {{"type", "Punctuation"}, {"behavior", name_of(step.behavior)}};
}

Out one(pretokenizer::WhitespaceSplit) { return {{"type", "WhitespaceSplit"}}; }

Out one(pretokenizer::Bert) { return {{"type", "BertPreTokenizer"}}; }

Out byte_level(bool add_prefix_space, bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", add_prefix_space},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

Out one(const pretokenizer::ByteLevel& step) {
  return byte_level(step.add_prefix_space, step.use_regex);
}

Out one(decoder::ByteLevel) { return byte_level(false, true); }

Out one(decoder::ByteFallback) { return {{"type", "ByteFallback"}}; }

Out one(decoder::Fuse) { return {{"type", "Fuse"}}; }

Out one(const decoder::Strip& step) {
  return {{"type", "Strip"}, {"content", step.content}, {"start", step.start}, {"stop", step.stop}};
}

Out one(const decoder::WordPiece& step) {
  return {{"type", "WordPiece"}, {"prefix", step.prefix}, {"cleanup", step.cleanup}};
}

template <class Step>
Out all(const std::vector<Step>& steps, const char* list) {
  Out made = Out::array();
  for (const Step& step : steps)
    made.push_back(std::visit([](const auto& what) { return one(what); }, step));
  if (made.empty()) return nullptr;
  if (made.size() == 1) return made[0];
  return {{"type", "Sequence"}, {list, std::move(made)}};
}

}  // namespace

Out written(const std::vector<normalizer::Step>& steps) { return all(steps, "normalizers"); }

Out written(const std::vector<pretokenizer::Step>& steps) { return all(steps, "pretokenizers"); }

Out written(const std::vector<decoder::Step>& steps) { return all(steps, "decoders"); }

}  // namespace mezo
