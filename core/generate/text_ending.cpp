#include "core/generate/text_ending.h"

#include <algorithm>

namespace mezo {

const char* name_of(Finish finish) {
  switch (finish) {
    case Finish::end_token:
      return "eos";
    case Finish::stop_string:
      return "stop";
    case Finish::length:
      return "length";
    case Finish::not_a_number:
      break;
  }
  return "not_a_number";
}

TextEnding::TextEnding(const TextEnds& ends, const Tokenizer& tokenizer, std::int64_t room)
    : ends_(ends), tokenizer_(tokenizer), most_(std::min(ends.max_new_tokens, room)) {
  for (const std::string& stop : ends.stop) longest_stop_ = std::max(longest_stop_, stop.size());
}

std::optional<std::size_t> TextEnding::stop_place(const std::string& text) const {
  std::size_t first = std::string::npos;
  for (const std::string& stop : ends_.stop) first = std::min(first, text.find(stop));
  return first == std::string::npos ? std::nullopt : std::optional(first);
}

// The text of the last tokens, enough of them that a stop string which ends in the newest one is in
// it: tokens may stand for nothing, or for a part of a character.
std::string TextEnding::recent_text() const {
  std::size_t from = tokens_.size(), behind = tokens_.size();
  std::string text;
  do {
    behind = behind == tokens_.size() ? longest_stop_ + 8 : 2 * behind;
    from = tokens_.size() - std::min(behind, tokens_.size());
    text = tokenizer_.readable(std::span(tokens_).subspan(from));
  } while (from > 0 && text.size() < longest_stop_ + 8);
  // Where that begins within a character: some decoders show a run of bytes whole or not at all.
  for (int more = 0; more < 3 && from > 0 && text.starts_with("\uFFFD"); ++more)
    text = tokenizer_.readable(std::span(tokens_).subspan(--from));
  return text;
}

bool TextEnding::add(std::int32_t token) {
  tokens_.push_back(token);
  if (std::ranges::find(ends_.end_tokens, token) != ends_.end_tokens.end())
    finish_ = Finish::end_token;
  else if (!ends_.stop.empty() && stop_place(recent_text()))
    finish_ = Finish::stop_string;
  else if (static_cast<std::int64_t>(tokens_.size()) >= most_)
    finish_ = Finish::length;
  return finished();
}

bool TextEnding::fail() {
  finish_ = Finish::not_a_number;
  return true;
}

Generated TextEnding::result() const {
  const Finish finish = finish_.value_or(Finish::length);
  const std::size_t ended = finish == Finish::end_token ? 1 : 0;
  Generated made{tokens_, tokenizer_.readable(std::span(tokens_).first(tokens_.size() - ended)),
                 finish};
  if (made.finish == Finish::stop_string)
    if (const auto place = stop_place(made.text)) made.text.resize(*place);
  return made;
}

}  // namespace mezo
