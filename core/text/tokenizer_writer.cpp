#include "core/text/tokenizer_writer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_steps_json.h"

namespace mezo {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string text_of(const OrderedJson& json, const TokenizerSpec& spec) {
  try {
    return json.dump(2) + "\n";
  } catch (const nlohmann::json::exception& error) {
    throw ModelError(
        fmt::format("[tokenizer] {}: expected tokens in UTF-8, got one that is not: {}",
                    spec.source, error.what()));
  }
}

// The token of a role or of a template: what it is called, whichever way it was given.
std::optional<std::string> content_of(const SpecialToken& token, const TokenizerSpec& spec) {
  if (!token.content.empty()) return token.content;
  for (const auto& [content, id] : spec.vocabulary)
    if (id == token.id) return content;
  return std::nullopt;
}

OrderedJson added_tokens(const TokenizerSpec& spec, const Tokenizer& tokenizer) {
  OrderedJson list = OrderedJson::array();
  for (const AddedToken& token : spec.added) {
    const auto id = tokenizer.token_id(token.content);
    if (!id) continue;  // without content: no token at all
    list.push_back({{"id", *id},
                    {"content", token.content},
                    {"single_word", false},
                    {"lstrip", token.lstrip},
                    {"rstrip", token.rstrip},
                    {"normalized", token.normalized},
                    {"special", token.special}});
  }
  return list;
}

// What stands around a sequence (A), and around each of two (A, B); nothing where nothing does.
OrderedJson post_processor(const TokenizerSpec& spec, const Tokenizer& tokenizer) {
  OrderedJson special = OrderedJson::object();
  const auto tokens = [&](const std::vector<SpecialToken>& from, int type, OrderedJson& to) {
    for (const SpecialToken& token : from) {
      const auto content = content_of(token, spec);
      const auto id = content ? tokenizer.token_id(*content) : std::nullopt;
      if (!id) continue;  // a token that the tokenizer does not have, as Tokenizer takes it
      to.push_back({{"SpecialToken", {{"id", *content}, {"type_id", type}}}});
      special[*content] = {{"id", *content},
                           {"ids", OrderedJson::array({*id})},
                           {"tokens", OrderedJson::array({*content})}};
    }
  };
  const auto add = [&](const char* sequence, int type, OrderedJson& to) {
    tokens(spec.start, type, to);
    to.push_back({{"Sequence", {{"id", sequence}, {"type_id", type}}}});
    tokens(spec.end, type, to);
  };
  OrderedJson single = OrderedJson::array(), pair = OrderedJson::array();
  add("A", 0, single);
  add("A", 0, pair);
  add("B", 1, pair);
  if (special.empty()) return nullptr;
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"pair", std::move(pair)},
          {"special_tokens", std::move(special)}};
}

// Tokens in the order they were given. Appended to the object's own list of members: assigning by
// key would search all of them for each.
OrderedJson vocabulary(const TokenizerSpec& spec) {
  OrderedJson::object_t members;
  members.reserve(spec.vocabulary.size());
  for (const auto& [token, id] : spec.vocabulary) members.push_back({token, id});
  return OrderedJson(std::move(members));
}

OrderedJson byte_pairs(const TokenizerSpec& spec) {
  OrderedJson merges = OrderedJson::array();
  for (const auto& [left, right] : spec.merges) merges.push_back(OrderedJson::array({left, right}));
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", spec.unknown ? OrderedJson(*spec.unknown) : OrderedJson(nullptr)},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", spec.fuse_unknown},
          {"byte_fallback", spec.byte_fallback},
          {"ignore_merges", spec.ignore_merges},
          {"vocab", vocabulary(spec)},
          {"merges", std::move(merges)}};
}

OrderedJson word_piece(const TokenizerSpec& spec) {
  return {{"type", "WordPiece"},
          {"unk_token", spec.unknown.value_or("")},
          {"continuing_subword_prefix", spec.continuing_prefix},
          {"max_input_chars_per_word", spec.longest_word},
          {"vocab", vocabulary(spec)}};
}

OrderedJson unigram(const TokenizerSpec& spec) {
  OrderedJson tokens = OrderedJson::array(), unknown = nullptr;
  for (std::size_t i = 0; i < spec.vocabulary.size(); ++i) {
    const std::string& token = spec.vocabulary[i].first;
    tokens.push_back(OrderedJson::array({token, spec.scores[i]}));
    if (token == spec.unknown) unknown = i;
  }
  return {{"type", "Unigram"},
          {"unk_id", std::move(unknown)},
          {"vocab", std::move(tokens)},
          {"byte_fallback", spec.byte_fallback}};
}

OrderedJson model(const TokenizerSpec& spec) {
  if (spec.model == TokenizerModel::word_piece) return word_piece(spec);
  return spec.model == TokenizerModel::unigram ? unigram(spec) : byte_pairs(spec);
}

bool has_prefix_space(const TokenizerSpec& spec) {
  if (spec.pre_tokenizer.empty()) return false;
  const auto* level = std::get_if<pretokenizer::ByteLevel>(&spec.pre_tokenizer.back());
  return level && level->add_prefix_space;
}

}  // namespace

std::string tokenizer_json(const TokenizerSpec& spec) {
  const Tokenizer tokenizer(spec);  // numbers the added tokens, and checks the rest
  const OrderedJson whole = {{"version", "1.0"},
                             {"truncation", nullptr},
                             {"padding", nullptr},
                             {"added_tokens", added_tokens(spec, tokenizer)},
                             {"normalizer", written(spec.normalizer)},
                             {"pre_tokenizer", written(spec.pre_tokenizer)},
                             {"post_processor", post_processor(spec, tokenizer)},
                             {"decoder", written(spec.decoder)},
                             {"model", model(spec)}};
  return text_of(whole, spec);
}

std::string tokenizer_config_json(const TokenizerSpec& spec) {
  OrderedJson whole = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                       {"add_prefix_space", has_prefix_space(spec)},
                       {"clean_up_tokenization_spaces", false}};
  for (const auto& [role, token] : spec.roles)
    if (const auto content = content_of(token, spec)) whole[role + "_token"] = *content;
  return text_of(whole, spec);
}

}  // namespace mezo
