#pragma once
// What the small files beside a vocabulary say about special tokens: tokenizer_config.json,
// special_tokens_map.json and config.json of a Hugging Face folder. Each may be absent.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/text/tokenizer_spec.h"

namespace mezo {

struct SpecialTokens {
  std::map<std::string, SpecialToken>
      roles;                      // bos, eos, pad, mask, sep, unk, cls: the first file counts
  std::vector<AddedToken> added;  // from added_tokens_decoder, then the roles' own
  std::string model_type;         // of config.json
  bool add_prefix_space = false;
  std::optional<bool> add_bos_token;
};

SpecialTokens read_special_tokens(const std::filesystem::path& folder);  // throws ModelError

}  // namespace mezo
