#pragma once
// What a tokenizer is made of, as plain data. Each reader (tokenizer.json, vocab.json + merges.txt,
// vocab.txt, a GGUF's arrays) fills one of these, Tokenizer compiles it, and tokenizer_writer
// writes it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/text/tokenizer_steps.h"

namespace mezo {

// A token that is found in the text before anything else is done to it.
struct AddedToken {
  std::string content;
  bool special = false;
  bool lstrip = false;      // takes the white space before it along
  bool rstrip = false;      // takes the white space after it along
  bool normalized = false;  // looked for only in what the others have left, after the normalizer
};

// The token of a role (bos, eos, pad, mask, sep, unk), by content or, where that is empty, by id.
struct SpecialToken {
  std::string content;
  std::int32_t id = -1;
};

enum class TokenizerModel { bpe, word_piece, unigram };

struct TokenizerSpec {
  std::string source;  // the file or folder that errors name

  std::vector<normalizer::Step> normalizer;
  std::vector<pretokenizer::Step> pre_tokenizer = {pretokenizer::ByteLevel{}};
  std::vector<decoder::Step> decoder = {decoder::ByteLevel{}};  // none: tokens, with spaces between

  TokenizerModel model = TokenizerModel::bpe;
  std::vector<std::pair<std::string, std::int32_t>> vocabulary;  // as the model spells tokens; id
  std::optional<std::string> unknown;  // for what the vocabulary lacks; without it, dropped
  bool byte_fallback = false;          // bpe, unigram: what it lacks as bytes, <0x00> … <0xFF>
  // bpe
  std::vector<std::pair<std::string, std::string>> merges;  // best first
  bool ignore_merges = false;  // a piece that is a token is that token, whatever the merges say
  bool fuse_unknown = false;   // one unknown token for a run of what is lacking
  // word_piece
  std::string continuing_prefix = "##";
  std::size_t longest_word = 100;  // in characters; longer ones are unknown
  // unigram
  std::vector<double> scores;  // one a token of the vocabulary, whose ids are 0, 1, …

  std::vector<AddedToken> added;
  std::map<std::string, SpecialToken> roles;
  std::vector<SpecialToken> start, end;  // what a model expects around a whole sequence
  std::vector<std::string> notes;        // for people: where others read the files otherwise
};

}  // namespace mezo
