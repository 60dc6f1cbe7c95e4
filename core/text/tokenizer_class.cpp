#include "core/text/tokenizer_class.h"

#include <fmt/format.h>

#include <algorithm>

namespace mezo {
namespace {

// They cut a text in a way of their own, whatever tokenizer.json says (transformers 5.17).
constexpr const char* kWithOwnRules[] = {
    "AlbertTokenizer",     "BarthezTokenizer", "BertTokenizer",      "BigBirdTokenizer",
    "BlenderbotTokenizer", "CLIPTokenizer",    "CamembertTokenizer", "CodeLlamaTokenizer",
    "CohereTokenizer",     "DebertaTokenizer", "DebertaV2Tokenizer", "EsmcTokenizer",
    "FunnelTokenizer",     "GPTNeoXTokenizer", "GemmaTokenizer",     "HerbertTokenizer",
    "LlamaTokenizer",      "LukeTokenizer",    "MBart50Tokenizer",   "MBartTokenizer",
    "MPNetTokenizer",      "NllbTokenizer",    "NougatTokenizer",    "OpenAIGPTTokenizer",
    "PegasusTokenizer",    "Qwen2Tokenizer",   "Qwen3_5Tokenizer",   "ReformerTokenizer",
    "RemBertTokenizer",    "T5Tokenizer",      "WhisperTokenizer",   "XGLMTokenizer",
    "XLMRobertaTokenizer", "XLNetTokenizer"};

constexpr const char* kLikeRoberta[] = {"RobertaTokenizer", "BartTokenizer", "LEDTokenizer",
                                        "MvpTokenizer"};

template <std::size_t N>
bool is_one_of(const std::string& name, const char* const (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

std::string class_for(const std::string& model_type) {
  if (model_type == "opt" || model_type == "gpt2") return "GPT2Tokenizer";
  return model_type == "roberta" ? "RobertaTokenizer" : "";
}

}  // namespace

TokenizerClass class_of(const JsonFile* tokenizer_config, const JsonFile* config) {
  std::string name;
  const JsonFile* file = nullptr;
  for (const JsonFile* one : {tokenizer_config, config}) {
    if (!one || !name.empty()) continue;
    name = one->text(one->root(), "tokenizer_class");
    file = one;
  }
  if (name.empty() && config) name = class_for(config->text(config->root(), "model_type"));
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  if (is_one_of(name, kWithOwnRules))
    file->fail(
        "a 'tokenizer_class' that reads tokenizer.json as it is (PreTrainedTokenizerFast), or "
        "GPT2Tokenizer or RobertaTokenizer",
        name);
  if (is_one_of(name, kLikeRoberta)) return TokenizerClass::roberta;
  return name == "GPT2Tokenizer" ? TokenizerClass::gpt2 : TokenizerClass::backend;
}

void add_tokens_of_class(SpecialTokens& tokens) {
  const auto add = [&](const char* role, const char* content) {
    tokens.named.try_emplace(role, AddedToken{.content = content, .special = true});
  };
  if (tokens.kind == TokenizerClass::gpt2)
    for (const char* role : {"bos", "eos", "unk"}) add(role, "<|endoftext|>");
  if (tokens.kind != TokenizerClass::roberta) return;
  for (const auto& [role, content] :
       {std::pair("bos", "<s>"), std::pair("eos", "</s>"), std::pair("cls", "<s>"),
        std::pair("sep", "</s>"), std::pair("pad", "<pad>"), std::pair("unk", "<unk>"),
        std::pair("mask", "<mask>")})
    add(role, content);
}

}  // namespace mezo
