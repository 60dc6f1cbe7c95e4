#pragma once
// Changes a text before it is cut: normal forms, case, accents, replacements, as the package's
// normalizers do, one after the other. Used by Tokenizer.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizer_steps.h"

namespace mezo {

class Normalizer {
 public:
  // Throws ModelError for an expression that is not known; `source` is the file.
  Normalizer(const std::vector<normalizer::Step>& steps, const std::string& source);

  bool empty() const { return steps_.empty(); }
  std::string normalized(std::string_view text) const;  // valid UTF-8

 private:
  std::vector<std::function<std::string(std::string_view)>> steps_;
};

}  // namespace mezo
