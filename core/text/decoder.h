#pragma once
// Makes text of tokens, as the package's decoders do: each step makes new tokens of the last one's,
// and what is left is put together. Used by Tokenizer.

#include <functional>
#include <string>
#include <vector>

#include "core/text/tokenizer_steps.h"

namespace mezo {

class Decoder {
 public:
  // Throws ModelError for an expression that is not known; `source` is the file.
  Decoder(const std::vector<decoder::Step>& steps, const std::string& source);

  // Nothing but ByteLevel: each token is its bytes, whatever stands beside it.
  bool is_byte_level() const { return byte_level_; }

  std::string text_of(std::vector<std::string> tokens) const;

 private:
  std::vector<std::function<void(std::vector<std::string>&)>> steps_;
  bool byte_level_;
};

}  // namespace mezo
