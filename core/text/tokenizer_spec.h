#pragma once
// What a byte-level BPE tokenizer is made of, as plain data. Each reader (tokenizer.json,
// vocab.json + merges.txt, a GGUF's arrays) fills one of these and Tokenizer compiles it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mezo {

// A token that is found in the text before anything else is done to it.
struct AddedToken {
  std::string content;
  bool special = false;
  bool lstrip = false;      // takes the white space before it along
  bool rstrip = false;      // takes the white space after it along
  bool normalized = false;  // looked for only in what the others have left
};

// The token of a role (bos, eos, pad, mask, sep, unk), by content or, where that is empty, by id.
struct SpecialToken {
  std::string content;
  std::int32_t id = -1;
};

struct TokenizerSpec {
  std::string source;  // the file or folder that errors name
  std::vector<std::pair<std::string, std::int32_t>> vocabulary;  // byte-level spelling, id
  std::vector<std::pair<std::string, std::string>> merges;       // best first
  std::vector<AddedToken> added;
  bool split_digits = false;      // cut numeric characters out one by one before GPT-2's expression
  bool add_prefix_space = false;  // put a space before each stretch of text that has none
  bool ignore_merges = false;     // a piece that is a token is that token, whatever the merges say
  std::optional<std::string> unknown;  // for a byte that the vocabulary lacks; without it, dropped
  bool fuse_unknown = false;           // one unknown token for a run of such bytes
  std::map<std::string, SpecialToken> roles;
  std::vector<SpecialToken> start, end;  // what a model expects around a whole sequence
  std::vector<std::string> notes;        // for people: where others read the files otherwise
};

}  // namespace mezo
