// The model of a tokenizer.json: BPE, WordPiece or Unigram.

#include <fmt/format.h>

#include "core/text/json_file.h"
#include "core/text/tokenizer_files.h"

namespace mezo {
namespace {

void read_merges(const JsonFile& file, const Json& model, TokenizerSpec& spec) {
  const Json& merges = JsonFile::member(model, "merges");
  if (!merges.is_array()) file.fail("'model.merges' to be a list", merges);
  for (const Json& merge : merges) {
    if (merge.is_string()) {
      const std::string line = merge.get<std::string>();
      if (line.starts_with("#version")) continue;
      const std::string place = fmt::format("{}: merge {}", file.path(), spec.merges.size() + 1);
      spec.merges.push_back(merge_of_line(line, place));
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      spec.merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
    } else {
      file.fail("a merge to be \"left right\" or [left, right]", merge);
    }
  }
}

void read_bpe(const JsonFile& file, const Json& model, TokenizerSpec& spec) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const Json& affix = JsonFile::member(model, key);
    if (!affix.is_null() && affix != "") file.fail(fmt::format("no 'model.{}'", key), affix);
  }
  const Json& dropout = JsonFile::member(model, "dropout");
  if (!dropout.is_null() && dropout != 0) file.fail("no 'model.dropout'", dropout);
  spec.byte_fallback = file.flag(model, "byte_fallback", false);
  spec.ignore_merges = file.flag(model, "ignore_merges", false);
  spec.fuse_unknown = file.flag(model, "fuse_unk", false);
  if (!JsonFile::member(model, "unk_token").is_null()) spec.unknown = file.text(model, "unk_token");
  read_vocabulary(file, JsonFile::member(model, "vocab"), spec);
  read_merges(file, model, spec);
}

void read_word_piece(const JsonFile& file, const Json& model, TokenizerSpec& spec) {
  spec.model = TokenizerModel::word_piece;
  spec.unknown = file.text(model, "unk_token");
  const Json& prefix = JsonFile::member(model, "continuing_subword_prefix");
  if (!prefix.is_string()) file.fail("'model.continuing_subword_prefix' to be a string", prefix);
  spec.continuing_prefix = prefix.get<std::string>();
  const Json& longest = JsonFile::member(model, "max_input_chars_per_word");
  if (!longest.is_number_unsigned()) file.fail("'model.max_input_chars_per_word'", longest);
  spec.longest_word = longest.get<std::size_t>();
  read_vocabulary(file, JsonFile::member(model, "vocab"), spec);
}

// "vocab": [["<unk>", 0.0], ["the", -3.4], …]: the place is the id.
void read_unigram(const JsonFile& file, const Json& model, TokenizerSpec& spec) {
  spec.model = TokenizerModel::unigram;
  spec.byte_fallback = file.flag(model, "byte_fallback", false);
  const Json& tokens = JsonFile::member(model, "vocab");
  if (!tokens.is_array()) file.fail("a vocabulary [[token, score], …]", tokens);
  for (const Json& token : tokens) {
    const bool fits =
        token.is_array() && token.size() == 2 && token[0].is_string() && token[1].is_number();
    if (!fits) file.fail("a token to be [token, score]", token);
    spec.vocabulary.emplace_back(token[0].get<std::string>(),
                                 static_cast<std::int32_t>(spec.vocabulary.size()));
    spec.scores.push_back(token[1].get<double>());
  }
  const Json& unknown = JsonFile::member(model, "unk_id");
  if (!unknown.is_number_unsigned() || unknown.get<std::size_t>() >= spec.vocabulary.size())
    file.fail("'model.unk_id' to be the id of a token", unknown);
  spec.unknown = spec.vocabulary[unknown.get<std::size_t>()].first;
}

// Older files leave the type out; the keys then tell.
std::string type_of(const JsonFile& file, const Json& model) {
  if (!JsonFile::member(model, "type").is_null()) return file.text(model, "type");
  if (JsonFile::member(model, "vocab").is_array()) return "Unigram";
  return JsonFile::member(model, "max_input_chars_per_word").is_null() ? "BPE" : "WordPiece";
}

}  // namespace

void read_model(const JsonFile& file, TokenizerSpec& spec) {
  const Json& model = JsonFile::member(file.root(), "model");
  const std::string type = type_of(file, model);
  if (type == "BPE") return read_bpe(file, model, spec);
  if (type == "WordPiece") return read_word_piece(file, model, spec);
  if (type == "Unigram") return read_unigram(file, model, spec);
  file.fail("'model.type' to be BPE, WordPiece or Unigram", type);
}

}  // namespace mezo
