#include "core/text/tokenizer_class.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "core/text/known_expressions.h"

namespace mezo {
namespace {

// They cut a text in a way of their own, whatever tokenizer.json says (transformers 5.17).
constexpr const char* kWithOwnRules[] = {
    "AlbertTokenizer",   "BarthezTokenizer",    "BigBirdTokenizer",   "BlenderbotTokenizer",
    "CLIPTokenizer",     "CamembertTokenizer",  "CodeLlamaTokenizer", "CohereTokenizer",
    "ConvBertTokenizer", "DebertaTokenizer",    "DebertaV2Tokenizer", "EsmcTokenizer",
    "FunnelTokenizer",   "GPTNeoXTokenizer",    "HerbertTokenizer",   "LukeTokenizer",
    "MBart50Tokenizer",  "MBartTokenizer",      "MPNetTokenizer",     "NllbTokenizer",
    "NougatTokenizer",   "OpenAIGPTTokenizer",  "PegasusTokenizer",   "Qwen3_5Tokenizer",
    "ReformerTokenizer", "RemBertTokenizer",    "T5Tokenizer",        "WhisperTokenizer",
    "XGLMTokenizer",     "XLMRobertaTokenizer", "XLNetTokenizer"};

struct ClassName {
  const char* name;
  TokenizerClass kind;
};

constexpr ClassName kNames[] = {
    {"GPT2Tokenizer", TokenizerClass::gpt2},     {"RobertaTokenizer", TokenizerClass::roberta},
    {"BartTokenizer", TokenizerClass::roberta},  {"LEDTokenizer", TokenizerClass::roberta},
    {"MvpTokenizer", TokenizerClass::roberta},   {"Qwen2Tokenizer", TokenizerClass::qwen2},
    {"LlamaTokenizer", TokenizerClass::llama},   {"GemmaTokenizer", TokenizerClass::gemma},
    {"BertTokenizer", TokenizerClass::bert},     {"DistilBertTokenizer", TokenizerClass::bert},
    {"ElectraTokenizer", TokenizerClass::bert},  {"MobileBertTokenizer", TokenizerClass::bert},
    {"LayoutLMTokenizer", TokenizerClass::bert}, {"SqueezeBertTokenizer", TokenizerClass::bert}};

// What transformers takes for a type of model where no file names a class.
constexpr ClassName kTypes[] = {
    {"opt", TokenizerClass::gpt2},         {"gpt2", TokenizerClass::gpt2},
    {"roberta", TokenizerClass::roberta},  {"qwen2", TokenizerClass::qwen2},
    {"qwen3", TokenizerClass::qwen2},      {"bert", TokenizerClass::bert},
    {"distilbert", TokenizerClass::bert},  {"electra", TokenizerClass::bert},
    {"gemma", TokenizerClass::gemma},      {"gemma2", TokenizerClass::gemma},
    {"gemma3_text", TokenizerClass::gemma}};

// Types of models for which transformers does not believe a file that names a class.
constexpr const char* kWithoutClass[] = {"mistral", "phi3"};

bool is_one_of(const std::string& name, std::span<const char* const> names) {
  return std::ranges::find(names, name) != names.end();
}

TokenizerClass kind_of(const std::string& name, std::span<const ClassName> names) {
  const auto found = std::ranges::find(names, name, &ClassName::name);
  return found == names.end() ? TokenizerClass::backend : found->kind;
}

struct RoleToken {
  TokenizerClass kind;
  const char *role, *content;
};

constexpr RoleToken kTokens[] = {{TokenizerClass::gpt2, "bos", "<|endoftext|>"},
                                 {TokenizerClass::gpt2, "eos", "<|endoftext|>"},
                                 {TokenizerClass::gpt2, "unk", "<|endoftext|>"},
                                 {TokenizerClass::qwen2, "unk", "<|endoftext|>"},
                                 {TokenizerClass::qwen2, "eos", "<|endoftext|>"},
                                 {TokenizerClass::qwen2, "pad", "<|endoftext|>"},
                                 {TokenizerClass::roberta, "bos", "<s>"},
                                 {TokenizerClass::roberta, "eos", "</s>"},
                                 {TokenizerClass::roberta, "cls", "<s>"},
                                 {TokenizerClass::roberta, "sep", "</s>"},
                                 {TokenizerClass::roberta, "pad", "<pad>"},
                                 {TokenizerClass::roberta, "unk", "<unk>"},
                                 {TokenizerClass::roberta, "mask", "<mask>"},
                                 {TokenizerClass::llama, "unk", "<unk>"},
                                 {TokenizerClass::llama, "bos", "<s>"},
                                 {TokenizerClass::llama, "eos", "</s>"},
                                 {TokenizerClass::gemma, "unk", "<unk>"},
                                 {TokenizerClass::gemma, "bos", "<bos>"},
                                 {TokenizerClass::gemma, "eos", "<eos>"},
                                 {TokenizerClass::gemma, "pad", "<pad>"},
                                 {TokenizerClass::gemma, "mask", "<mask>"},
                                 {TokenizerClass::bert, "unk", "[UNK]"},
                                 {TokenizerClass::bert, "sep", "[SEP]"},
                                 {TokenizerClass::bert, "pad", "[PAD]"},
                                 {TokenizerClass::bert, "cls", "[CLS]"},
                                 {TokenizerClass::bert, "mask", "[MASK]"}};

}  // namespace

TokenizerClass class_of(const JsonFile* tokenizer_config, const JsonFile* config) {
  std::string name;
  const JsonFile* file = nullptr;
  for (const JsonFile* one : {tokenizer_config, config}) {
    if (!one || !name.empty()) continue;
    name = one->text(one->root(), "tokenizer_class");
    file = one;
  }
  const std::string type = config ? config->text(config->root(), "model_type") : "";
  if (name.empty()) return kind_of(type, kTypes);
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  if (is_one_of(type, kWithoutClass)) return TokenizerClass::backend;
  if (is_one_of(name, kWithOwnRules))
    file->fail(
        "a 'tokenizer_class' that reads tokenizer.json as it is (PreTrainedTokenizerFast), or "
        "GPT2Tokenizer, RobertaTokenizer, Qwen2Tokenizer, LlamaTokenizer, GemmaTokenizer or "
        "BertTokenizer",
        name);
  return kind_of(name, kNames);
}

void add_tokens_of_class(SpecialTokens& tokens) {
  for (const RoleToken& token : kTokens)
    if (token.kind == tokens.kind)
      tokens.named.try_emplace(token.role, AddedToken{.content = token.content, .special = true});
}

TokenizerSpec steps_of_class(const SpecialTokens& tokens) {
  const PatternSpec space{" "}, mark{"\u2581"};
  TokenizerSpec spec;
  switch (tokens.kind) {
    case TokenizerClass::backend:
    case TokenizerClass::gpt2:
    case TokenizerClass::roberta:
      break;
    case TokenizerClass::qwen2:
      spec.normalizer = {NormalForm::nfc};
      spec.pre_tokenizer = {pretokenizer::Split{{kQwen2Expression, true}},
                            pretokenizer::ByteLevel{.use_regex = false}};
      break;
    case TokenizerClass::llama:
      spec.pre_tokenizer = {MetaspaceStep{
          .scheme = tokens.legacy ? PrependScheme::always : PrependScheme::first, .split = false}};
      if (!tokens.add_prefix_space.value_or(true))
        std::get<MetaspaceStep>(spec.pre_tokenizer[0]).scheme = PrependScheme::never;
      break;
    case TokenizerClass::gemma:
      spec.normalizer = {ReplaceStep{space, mark.text}};
      spec.pre_tokenizer = {pretokenizer::Split{space, SplitBehavior::merged_with_previous}};
      break;
    case TokenizerClass::bert:
      spec.model = TokenizerModel::word_piece;
      spec.normalizer = {tokens.bert};
      spec.pre_tokenizer = {pretokenizer::Bert{}};
      spec.decoder = {decoder::WordPiece{}};
      break;
  }
  set_prefix_space(tokens, spec);
  return spec;
}

void set_prefix_space(const SpecialTokens& tokens, TokenizerSpec& spec) {
  if (spec.pre_tokenizer.empty()) return;
  auto* level = std::get_if<pretokenizer::ByteLevel>(&spec.pre_tokenizer.back());
  if (level) level->add_prefix_space = tokens.add_prefix_space.value_or(false);
}

}  // namespace mezo
