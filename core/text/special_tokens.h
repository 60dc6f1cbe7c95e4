#pragma once
// What the small files beside a vocabulary say about tokens: tokenizer_config.json,
// special_tokens_map.json, added_tokens.json and config.json of a Hugging Face folder, each of
// which may be absent. They are read as transformers 5 reads them: where tokenizer_config.json has
// added_tokens_decoder, the two other files of tokens are not looked at; where it has none,
// special_tokens_map.json counts before it.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/text/tokenizer_spec.h"

namespace mezo {

// The classes of transformers whose tokenizer is known here. The first takes tokenizer.json as it
// is; the others bring tokens of their own and take settings from tokenizer_config.json.
enum class TokenizerClass { backend, gpt2, roberta, qwen2, llama, gemma, bert };

struct SpecialTokens {
  std::map<std::string, SpecialToken> roles;  // bos, eos, pad, mask, sep, unk, cls
  std::string model_type;                     // of config.json
  TokenizerClass kind = TokenizerClass::backend;
  bool told = false;  // there is more than config.json: it says which tokens a text may contain
  bool has_decoder = false;  // tokenizer_config.json has added_tokens_decoder
  std::optional<bool> add_prefix_space;
  bool legacy = false;    // LlamaTokenizer's, as tokenizer_config.json has it
  normalizer::Bert bert;  // BertTokenizer's, by do_lower_case and the like
  std::optional<bool> add_bos_token;
  bool add_eos_token = false;

  std::vector<AddedToken> listed;  // added_tokens_decoder by id: its flags count before others
  std::vector<AddedToken> saved;   // added_tokens.json by id
  std::map<std::string, std::optional<AddedToken>> named;  // a role's token; none where null
  std::vector<std::pair<std::string, AddedToken>> others;  // image_token and the like, in order
  std::vector<AddedToken> extra;                           // extra_special_tokens
};

// Throws ModelError for a file that is not what it should be, and for a class of transformers that
// makes a tokenizer unlike tokenizer.json.
SpecialTokens read_special_tokens(const std::filesystem::path& folder);

// The padding of a tokenizer.json names a token that counts where no file names another.
void take_padding_token(const std::string& content, SpecialTokens& special);

// Appends what these files add to the tokens that `spec` has; the order is that of new ids.
void add_tokens_of(const SpecialTokens& special, TokenizerSpec& spec);

}  // namespace mezo
