#pragma once
// The steps that a tokenizer is made of, as plain data: text -> normalizer -> pre-tokenizer ->
// model -> ids, and ids -> tokens -> decoder -> text. Names and meanings are those of the
// `tokenizers` package, whose tokenizer.json lists them. Each is run by one file: normalizer.cpp,
// pretokenizer.cpp, decoder.cpp.

#include <string>
#include <variant>
#include <vector>

namespace mezo {

// What to look for in a text: itself, or what an expression matches (core/text/expression.h).
struct PatternSpec {
  std::string text;
  bool is_expression = false;
};

enum class NormalForm { nfc, nfd, nfkc, nfkd };

// A replacement of every match. Also a step of decoders, on each token.
struct ReplaceStep {
  PatternSpec pattern;
  std::string content;
};

namespace normalizer {
struct Lowercase {};
struct StripAccents {};
struct Prepend {
  std::string content;
};
struct Strip {
  bool left = true, right = true;
};
struct Bert {
  bool clean_text = true, handle_chinese_chars = true, strip_accents = true, lowercase = true;
};
struct Precompiled {
  std::string map;  // core/text/precompiled_map.h
};
using Step = std::variant<NormalForm, ReplaceStep, Lowercase, StripAccents, Prepend, Strip, Bert,
                          Precompiled>;
}  // namespace normalizer

// What becomes of the matches that cut a text.
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

enum class PrependScheme { always, first, never };

// "▁" for every space, and one before a text. Also a step of decoders.
struct MetaspaceStep {
  std::string replacement = "\u2581";
  PrependScheme scheme = PrependScheme::always;
  bool split = true;
};

namespace pretokenizer {
struct Split {
  PatternSpec pattern;
  SplitBehavior behavior = SplitBehavior::isolated;
  bool invert = false;
};
struct Digits {
  bool individual = false;
};
struct Punctuation {
  SplitBehavior behavior = SplitBehavior::isolated;
};
struct WhitespaceSplit {};
struct Bert {};
// Last of all: pieces become bytes, in GPT-2's alphabet; with GPT-2's expression before.
struct ByteLevel {
  bool add_prefix_space = false, use_regex = true;
};
using Step =
    std::variant<Split, Digits, Punctuation, WhitespaceSplit, Bert, MetaspaceStep, ByteLevel>;
}  // namespace pretokenizer

namespace decoder {
struct ByteLevel {};
struct ByteFallback {};  // "<0x41>" is the byte
struct Fuse {};          // all tokens become one
struct Strip {
  std::string content;
  std::size_t start = 0, stop = 0;  // at most so many of `content` at the ends of each token
};
struct WordPiece {
  std::string prefix = "##";
  bool cleanup = true;  // no space before punctuation and contractions
};
using Step =
    std::variant<ByteLevel, ByteFallback, Fuse, Strip, ReplaceStep, MetaspaceStep, WordPiece>;
}  // namespace decoder

}  // namespace mezo
