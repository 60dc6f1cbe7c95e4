// tokenizer.json, the `tokenizers` package's own format (read as 0.23 reads it): one object with
// normalizer, pre_tokenizer, post_processor, added_tokens and model.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "core/text/json_file.h"
#include "core/text/tokenizer_class.h"
#include "core/text/tokenizer_files.h"
#include "core/text/tokenizer_steps_json.h"

namespace mezo {
namespace {

// Keys of another version may mean anything.
void check_keys(const JsonFile& file) {
  constexpr std::string_view known[] = {"version",        "truncation", "padding",
                                        "added_tokens",   "normalizer", "pre_tokenizer",
                                        "post_processor", "decoder",    "model"};
  for (const auto& [key, value] : file.root().items())
    if (std::find(std::begin(known), std::end(known), key) == std::end(known))
      file.fail(fmt::format("no key '{}'", key), value);
  const Json& version = JsonFile::member(file.root(), "version");
  if (!version.is_null() && version != "1.0") file.fail("version 1.0", version);
}

void read_added_tokens(const JsonFile& file, SpecialTokens special, TokenizerSpec& spec) {
  const Json& tokens = JsonFile::member(file.root(), "added_tokens");
  if (!tokens.is_null() && !tokens.is_array()) file.fail("'added_tokens' to be a list", tokens);
  for (const Json& token : tokens) spec.added.push_back(file.added_token(token));
  const Json& padding = JsonFile::member(file.root(), "padding");
  if (!padding.is_null()) take_padding_token(file.text(padding, "pad_token"), special);
  add_tokens_of(special, spec);
  spec.roles = special.roles;
}

bool all_listed(const JsonFile& file, const SpecialTokens& special) {
  const Json& tokens = JsonFile::member(file.root(), "added_tokens");
  return std::all_of(tokens.begin(), tokens.end(), [&](const Json& token) {
    const std::string content = file.text(token, "content");
    return std::any_of(special.listed.begin(), special.listed.end(),
                       [&](const AddedToken& listed) { return listed.content == content; });
  });
}

// What of the file's steps a class of transformers does not take, and what it takes instead.
template <class Step>
void compare_steps(const char* kind, const std::vector<Step>& file, const std::vector<Step>& own,
                   std::vector<std::string>& left_out, std::vector<std::string>& put_in) {
  const auto difference = [&](const auto& from, const auto& other, auto& names) {
    for (const Step& step : from) {
      const auto json = written(std::vector<Step>{step});
      const auto same = [&](const Step& one) { return written(std::vector<Step>{one}) == json; };
      if (std::none_of(other.begin(), other.end(), same))
        names.push_back(fmt::format("the {} {}", kind, json["type"].template get<std::string>()));
    }
  };
  difference(file, own, left_out);
  difference(own, file, put_in);
}

const char* name_of(TokenizerModel model) {
  return model == TokenizerModel::bpe          ? "BPE"
         : model == TokenizerModel::word_piece ? "WordPiece"
                                               : "Unigram";
}

// A setting that LlamaTokenizer takes, and a file that was written with another.
void check_prefix(const JsonFile& file, const SpecialTokens& special, const TokenizerSpec& spec) {
  if (special.kind != TokenizerClass::llama || !special.add_prefix_space) return;
  bool has = std::ranges::any_of(spec.normalizer, [](const auto& step) {
    return std::holds_alternative<normalizer::Prepend>(step);
  });
  for (const auto& step : spec.pre_tokenizer) {
    const auto* metaspace = std::get_if<MetaspaceStep>(&step);
    has |= metaspace && metaspace->scheme != PrependScheme::never;
  }
  if (has != *special.add_prefix_space)
    file.fail(fmt::format("a prefix space as 'add_prefix_space' of tokenizer_config.json says ({})",
                          *special.add_prefix_space),
              has);
}

// These classes have a tokenizer of their own with this file's vocabulary and merges. Their prefix
// space, and the normalizer of BertTokenizer, have always counted before the file's. That the rest
// of the file is left out is new in transformers 5, and not what a model was trained with: it
// counts here, with a note.
void apply_class(const JsonFile& file, const SpecialTokens& special, TokenizerSpec& spec) {
  if (special.kind == TokenizerClass::backend) return;
  const TokenizerSpec own = steps_of_class(special);
  if (spec.model != own.model)
    file.fail(fmt::format("a model of {} with this tokenizer_class", name_of(own.model)),
              name_of(spec.model));
  if (special.kind == TokenizerClass::bert) spec.normalizer = own.normalizer;
  check_prefix(file, special, spec);
  set_prefix_space(special, spec);
  std::vector<std::string> left_out, put_in;
  compare_steps("normalizer", spec.normalizer, own.normalizer, left_out, put_in);
  compare_steps("pre_tokenizer", spec.pre_tokenizer, own.pre_tokenizer, left_out, put_in);
  if (spec.ignore_merges) left_out.push_back("ignore_merges");
  if (special.has_decoder && !all_listed(file, special))
    left_out.push_back("added_tokens that added_tokens_decoder lacks");
  if (!left_out.empty() || !put_in.empty())
    spec.notes.push_back(fmt::format(
        "the tokenizer follows tokenizer.json; with this tokenizer_class transformers 5 "
        "leaves out {}{}{}, so that some ids may differ",
        left_out.empty() ? "nothing" : fmt::format("{}", fmt::join(left_out, " and ")),
        put_in.empty() ? "" : " and puts in ", fmt::join(put_in, " and ")));
  if (special.kind != TokenizerClass::roberta && special.kind != TokenizerClass::bert) return;
  spec.start = {spec.roles["cls"]};
  spec.end = {spec.roles["sep"]};
}

// A file may leave the decoder of a byte-level tokenizer out.
void read_steps(const JsonFile& file, TokenizerSpec& spec) {
  spec.normalizer = read_normalizer(file);
  spec.pre_tokenizer = read_pre_tokenizer(file);
  spec.decoder = read_decoder(file);
  const bool byte_level =
      !spec.pre_tokenizer.empty() &&
      std::holds_alternative<pretokenizer::ByteLevel>(spec.pre_tokenizer.back());
  if (byte_level && spec.decoder.empty()) spec.decoder.push_back(decoder::ByteLevel{});
}

}  // namespace

TokenizerSpec read_tokenizer_json(const std::filesystem::path& path, const SpecialTokens& special) {
  const JsonFile file(path);
  TokenizerSpec spec;
  spec.source = file.path();
  check_keys(file);
  read_steps(file, spec);
  read_model(file, spec);
  read_added_tokens(file, special, spec);
  read_post_processor(file, spec);
  apply_class(file, special, spec);
  return spec;
}

}  // namespace mezo
