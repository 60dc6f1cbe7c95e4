#include "core/text/normalizer.h"

#include <memory>

#include "core/text/pattern.h"
#include "core/text/precompiled_map.h"
#include "core/text/unicode.h"
#include "core/text/unicode_forms.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

// Makes a new text of what `put` makes of each code point.
template <class Put>
std::string each(std::string_view text, Put put) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    put(out, c.value);
    at += c.length;
  }
  return out;
}

template <class Is>
std::string without(std::string_view text, Is is) {
  return each(text, [&](std::string& out, char32_t c) {
    if (!is(c)) append_utf8(out, c);
  });
}

std::string in_lower_case(std::string_view text) {
  return each(text, [](std::string& out, char32_t c) {
    if (c == 0x130) return void(out += "i\u0307");
    append_utf8(out, normalizer_to_lower(c));
  });
}

// The blocks of CJK ideographs as BERT's authors list them: not those of kana, nor Hangul.
bool is_ideograph(char32_t c) {
  constexpr CodePointRange blocks[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},
                                       {0x20000, 0x2A6DF}, {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF},
                                       {0x2F800, 0x2FA1F}};
  for (const CodePointRange& block : blocks)
    if (c >= block.first && c <= block.last) return true;
  return false;
}

std::string run(NormalForm form, std::string_view text) { return to_normal_form(text, form); }

std::string run(normalizer::Lowercase, std::string_view text) { return in_lower_case(text); }

std::string run(normalizer::StripAccents, std::string_view text) {
  return without(text, is_accent);
}

std::string run(const normalizer::Prepend& step, std::string_view text) {
  return text.empty() ? "" : step.content + std::string(text);
}

std::string run(const normalizer::Strip& step, std::string_view text) {
  while (step.left && !text.empty()) {
    const CodePoint c = code_point_at(text, 0);
    if (!is_space(c.value)) break;
    text.remove_prefix(c.length);
  }
  while (step.right && !text.empty()) {
    std::size_t at = text.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    if (!is_space(code_point_at(text, at).value)) break;
    text = text.substr(0, at);
  }
  return std::string(text);
}

std::string run(const normalizer::Bert& step, std::string_view text) {
  std::string out(text);
  if (step.clean_text)
    out = each(out, [](std::string& to, char32_t c) {
      if (!bert_removes(c)) append_utf8(to, is_space(c) ? U' ' : c);
    });
  if (step.handle_chinese_chars)
    out = each(out, [](std::string& to, char32_t c) {
      const bool apart = is_ideograph(c);
      if (apart) to += ' ';
      append_utf8(to, c);
      if (apart) to += ' ';
    });
  if (step.strip_accents) out = without(to_normal_form(out, NormalForm::nfd), is_bert_accent);
  return step.lowercase ? in_lower_case(out) : out;
}

template <class Step>
std::function<std::string(std::string_view)> compiled(const Step& step, const std::string&) {
  return [step](std::string_view text) { return run(step, text); };
}

std::function<std::string(std::string_view)> compiled(const ReplaceStep& step,
                                                      const std::string& source) {
  return [pattern = Pattern(step.pattern, source), content = step.content](std::string_view text) {
    return replace_all(pattern, content, text);
  };
}

std::function<std::string(std::string_view)> compiled(const normalizer::Precompiled& step,
                                                      const std::string& source) {
  const auto map = std::make_shared<const PrecompiledMap>(step.map, source);
  return [map](std::string_view text) { return map->normalized(text); };
}

}  // namespace

Normalizer::Normalizer(const std::vector<normalizer::Step>& steps, const std::string& source) {
  for (const normalizer::Step& step : steps)
    steps_.push_back(std::visit([&](const auto& one) { return compiled(one, source); }, step));
}

std::string Normalizer::normalized(std::string_view text) const {
  std::string out(text);
  for (const auto& step : steps_) out = step(out);
  return out;
}

}  // namespace mezo
