#include "core/text/vocabulary.h"

namespace mezo {

Vocabulary::Vocabulary(const TokenizerSpec& spec) {
  ids_.reserve(spec.vocabulary.size());
  for (const auto& [token, id] : spec.vocabulary) ids_[token] = id;
}

std::optional<std::int32_t> Vocabulary::id(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

}  // namespace mezo
