#include "core/text/pretokenizer.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text/known_expressions.h"
#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

// Puts stretches together as a behaviour says and tells the pieces.
class Joiner {
 public:
  Joiner(SplitBehavior behavior, const PreTokenizer::Piece& tell)
      : behavior_(behavior), tell_(tell) {}

  void add(std::string_view stretch, bool matches) {
    if (behavior_ == SplitBehavior::isolated || (behavior_ == SplitBehavior::removed && !matches))
      tell_(stretch);
    if (behavior_ == SplitBehavior::isolated || behavior_ == SplitBehavior::removed) return;
    if (joins(matches)) {
      held_ = {held_.data(), held_.size() + stretch.size()};
    } else {
      finish();
      held_ = stretch;
    }
    matched_ = matches;
  }

  void finish() {
    if (!held_.empty()) tell_(held_);
    held_ = {};
  }

 private:
  // Whether a stretch belongs to the one that is held. Nothing held counts as no match before.
  bool joins(bool matches) const {
    if (held_.empty()) return false;
    if (behavior_ == SplitBehavior::contiguous) return matches == matched_;
    if (behavior_ == SplitBehavior::merged_with_previous) return matches && !matched_;
    return matched_ && !matches;
  }

  SplitBehavior behavior_;
  const PreTokenizer::Piece& tell_;
  std::string_view held_;
  bool matched_ = false;
};

// Cuts at each character of a class.
template <class Is>
void cut_at(std::string_view text, SplitBehavior behavior, const PreTokenizer::Piece& tell, Is is) {
  Joiner joiner(behavior, tell);
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    if (is(c.value)) {
      if (begin < at) joiner.add(text.substr(begin, at - begin), false);
      joiner.add(text.substr(at, c.length), true);
      begin = at + c.length;
    }
    at += c.length;
  }
  if (begin < text.size()) joiner.add(text.substr(begin), false);
  joiner.finish();
}

void cut_by(const Pattern& pattern, std::string_view text, SplitBehavior behavior, bool invert,
            const PreTokenizer::Piece& tell) {
  Joiner joiner(behavior, tell);
  pattern.cut(text, [&](std::string_view stretch, bool matches) {
    joiner.add(stretch, matches != invert);
  });
  joiner.finish();
}

std::string with_metaspaces(const MetaspaceStep& step, std::string_view text, bool first) {
  std::string out;
  for (const char byte : text) byte == ' ' ? out += step.replacement : out += byte;
  const bool prepends =
      step.scheme == PrependScheme::always || (step.scheme == PrependScheme::first && first);
  if (prepends && !out.starts_with(step.replacement)) out.insert(0, step.replacement);
  return out;
}

}  // namespace

// One step with what it needs compiled.
class PreTokenizer::Cutter {
 public:
  Cutter(const pretokenizer::Step& step, const std::string& source) : step_(step) {
    if (const auto* split = std::get_if<pretokenizer::Split>(&step))
      pattern_.emplace_back(split->pattern, source);
    if (const auto* level = std::get_if<pretokenizer::ByteLevel>(&step); level && level->use_regex)
      pattern_.emplace_back(PatternSpec{kGpt2Expression, true}, source);
    if (const auto* meta = std::get_if<MetaspaceStep>(&step))
      pattern_.emplace_back(PatternSpec{meta->replacement, false}, source);
  }

  void cut(std::string_view text, bool first, const Piece& tell) const {
    std::visit([&](const auto& step) { run(step, text, first, tell); }, step_);
  }

 private:
  void run(const pretokenizer::Split& step, std::string_view text, bool, const Piece& tell) const {
    cut_by(pattern_[0], text, step.behavior, step.invert, tell);
  }

  void run(const pretokenizer::Digits& step, std::string_view text, bool, const Piece& tell) const {
    cut_at(text, step.individual ? SplitBehavior::isolated : SplitBehavior::contiguous, tell,
           is_digit_piece);
  }

  void run(const pretokenizer::Punctuation& step, std::string_view text, bool,
           const Piece& tell) const {
    cut_at(text, step.behavior, tell, is_punctuation);
  }

  void run(pretokenizer::WhitespaceSplit, std::string_view text, bool, const Piece& tell) const {
    cut_at(text, SplitBehavior::removed, tell, is_space);
  }

  void run(pretokenizer::Bert, std::string_view text, bool, const Piece& tell) const {
    cut_at(
        text, SplitBehavior::removed,
        [&](std::string_view word) { cut_at(word, SplitBehavior::isolated, tell, is_punctuation); },
        is_space);
  }

  void run(const MetaspaceStep& step, std::string_view text, bool first, const Piece& tell) const {
    const std::string marked = with_metaspaces(step, text, first);
    if (!step.split) return tell(marked);
    cut_by(pattern_[0], marked, SplitBehavior::merged_with_next, false, tell);
  }

  void run(const pretokenizer::ByteLevel& step, std::string_view text, bool,
           const Piece& tell) const {
    std::string prefixed;
    if (step.add_prefix_space && text[0] != ' ') text = prefixed = std::string(" ").append(text);
    if (!step.use_regex) return tell(text);
    cut_by(pattern_[0], text, SplitBehavior::isolated, false, tell);
  }

  pretokenizer::Step step_;
  std::vector<Pattern> pattern_;  // none or one
};

PreTokenizer::PreTokenizer(const std::vector<pretokenizer::Step>& steps,
                           const std::string& source) {
  for (const pretokenizer::Step& step : steps) {
    if (byte_level_)
      throw ModelError(fmt::format(
          "[tokenizer] {}: expected ByteLevel as the last pre_tokenizer, got one behind it",
          source));
    byte_level_ = std::holds_alternative<pretokenizer::ByteLevel>(step);
    cutters_.push_back(std::make_unique<const Cutter>(step, source));
  }
}

PreTokenizer::~PreTokenizer() = default;

void PreTokenizer::cut(std::string_view text, bool first, const Piece& tell) const {
  if (!text.empty()) cut_from(0, text, first, tell);
}

void PreTokenizer::cut_from(std::size_t step, std::string_view text, bool first,
                            const Piece& tell) const {
  if (step == cutters_.size()) return tell(text);
  const bool last = step + 1 == cutters_.size();
  if (last) return cutters_[step]->cut(text, first, tell);
  bool begins = first;  // only a piece at the very beginning does
  cutters_[step]->cut(text, first, [&](std::string_view piece) {
    cut_from(step + 1, piece, begins && piece.data() == text.data(), tell);
    begins = false;
  });
}

}  // namespace mezo
