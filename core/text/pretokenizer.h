#pragma once
// Cuts a normalized text into the pieces that the model reads one by one; merging never crosses
// them. Steps follow each other as in the package's Sequence, each cutting what the one before has
// left. Time is linear in the text but for what an expression asks for. Used by Tokenizer.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/pattern.h"
#include "core/text/tokenizer_steps.h"

namespace mezo {

class PreTokenizer {
 public:
  // Throws ModelError for an expression that is not known and for a ByteLevel that is not the last
  // step; `source` is the file.
  PreTokenizer(const std::vector<pretokenizer::Step>& steps, const std::string& source);
  ~PreTokenizer();

  // Tells each piece; valid during the call only. `first`: the text begins the whole input.
  using Piece = std::function<void(std::string_view)>;
  void cut(std::string_view text, bool first, const Piece& tell) const;

  // Whether the model gets bytes and spells them in GPT-2's alphabet, not characters.
  bool is_byte_level() const { return byte_level_; }

 private:
  class Cutter;
  void cut_from(std::size_t step, std::string_view text, bool first, const Piece& tell) const;

  std::vector<std::unique_ptr<const Cutter>> cutters_;
  bool byte_level_ = false;
};

}  // namespace mezo
