#include "core/task/encode_masked.h"

#include <algorithm>
#include <numeric>

#include "core/config/display.h"
#include "core/error.h"
#include "core/task/read_example.h"

namespace mezo {

namespace {

using Kind = PromptTemplate::Kind;

std::int32_t only_token(const Option& option, const Tokenizer& tokenizer, const Task& task) {
  if (!option.text.fields().empty())
    throw ConfigError("[" + task.path + "] the option " + shown(option.source) +
                      " has fields, and a mask is filled by words that are the same for every "
                      "example");
  const auto ids = tokenizer.encode(option.text.render({}));
  if (ids.size() != 1)
    throw DataError("[" + task.path + "] the option " + shown(option.source) + " is " +
                    std::to_string(ids.size()) +
                    " tokens of this model, and a mask is filled by one; take another word (most "
                    "tokenizers want the space before it)");
  return ids[0];
}

std::int32_t mask_of(const Tokenizer& tokenizer) {
  if (const auto mask = tokenizer.special().mask) return *mask;
  throw ModelError(
      "[tokenizer] no mask token is named by the model's files (mask_token in "
      "tokenizer_config.json or special_tokens_map.json), and this model fills one");
}

}  // namespace

MaskedEncoder::MaskedEncoder(const Task& task, const Tokenizer& tokenizer, std::int64_t max_length,
                             const std::optional<Tokens>& start)
    : task_(task), tokenizer_(tokenizer), max_length_(max_length), mask_(mask_of(tokenizer)) {
  if (task.prompt.masks() != 1)
    throw ConfigError("[" + task.path +
                      "] prompt: expected one <mask>, which this model fills, got " +
                      std::to_string(task.prompt.masks()) +
                      "; for example  prompt: \"{sentence} It was<mask>.\"");
  const auto begin = tokenizer.sequence_start(), end = tokenizer.sequence_end();
  start_ = start ? *start : Tokens(begin.begin(), begin.end());
  end_ = Tokens(end.begin(), end.end());
  for (const Option& option : task.options) words_.push_back(only_token(option, tokenizer, task));
}

std::vector<MaskedEncoder::Part> MaskedEncoder::parts_of(const Example& example,
                                                         const std::string& where) const {
  std::vector<PromptTemplate::Rendered> pieces;
  try {
    pieces = task_.prompt.render_pieces(example.fields);
  } catch (const DataError& e) {
    throw DataError(where + e.what() + " (" + task_.path + ")");
  }
  std::vector<Part> parts;
  for (const auto& piece : pieces) {
    if (piece.kind == Kind::mask) {
      parts.push_back({piece.kind, {mask_}, 0});
      continue;
    }
    parts.push_back({piece.kind, ids_of(piece.text, tokenizer_, where), 0});
    Tokens& ids = parts.back().tokens;
    if (piece.most_tokens > 0 && ids.size() > piece.most_tokens) {
      parts.back().lost = static_cast<std::int64_t>(ids.size() - piece.most_tokens);
      ids.resize(piece.most_tokens);
    }
    // A second mask would be another place to fill, and padding has no position.
    for (const auto& [id, name] : {std::pair(tokenizer_.special().mask, "mask"),
                                   std::pair(tokenizer_.special().pad, "padding")})
      if (id && std::ranges::find(ids, *id) != ids.end())
        throw DataError(where + "the " + name + " token stands in the text " + shown(piece.text));
  }
  return parts;
}

std::int64_t MaskedEncoder::cut(std::vector<Part>& parts, const std::string& where) const {
  std::size_t length = start_.size() + end_.size();
  for (const Part& part : parts) length += part.tokens.size();
  std::int64_t lost = 0;
  for (const auto room = static_cast<std::size_t>(max_length_); length > room; --length, ++lost) {
    const auto longest = std::ranges::max_element(parts, {}, [](const Part& part) {
      return part.kind == Kind::field ? part.tokens.size() : 0;
    });
    if (longest->kind != Kind::field || longest->tokens.empty())
      throw DataError(where + "the prompt is longer than max_length " +
                      std::to_string(max_length_) + " without its fields");
    longest->tokens.pop_back();
  }
  return lost;
}

Question MaskedEncoder::operator()(const Example& example, const std::string& path) const {
  const std::string where = place_of(example, path);
  Question question;
  question.right = right_of(example, task_, options_of(example, task_, where), where);
  question.row = example.row;
  std::vector<Part> parts = parts_of(example, where);
  for (const Part& part : parts) question.cut += part.lost;
  question.cut += cut(parts, where);
  Tokens ids = start_;
  std::int64_t place = 0;
  for (const Part& part : parts) {
    if (part.kind == Kind::mask) place = static_cast<std::int64_t>(ids.size());
    ids.insert(ids.end(), part.tokens.begin(), part.tokens.end());
  }
  ids.insert(ids.end(), end_.begin(), end_.end());
  question.pieces.push_back({std::move(ids), -1});
  for (std::size_t i = 0; i < words_.size(); ++i)
    question.scored.push_back({0, place, words_[i], static_cast<std::int64_t>(i)});
  return question;
}

}  // namespace mezo
