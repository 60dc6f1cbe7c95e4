#pragma once
// Tokens by their spelling. Shared by the models of a tokenizer, which find ids in it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/text/tokenizer_spec.h"

namespace mezo {

class Vocabulary {
 public:
  explicit Vocabulary(const TokenizerSpec& spec);

  std::optional<std::int32_t> id(std::string_view token) const;
  std::size_t size() const { return ids_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view token) const {
      return std::hash<std::string_view>()(token);
    }
  };
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> ids_;
};

}  // namespace mezo
