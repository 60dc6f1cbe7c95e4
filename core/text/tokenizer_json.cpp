// tokenizer.json, the `tokenizers` package's own format (read as 0.23 reads it): one object with
// normalizer, pre_tokenizer, post_processor, added_tokens and model.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "core/text/json_file.h"
#include "core/text/tokenizer_files.h"

namespace mezo {
namespace {

// GPT-2's expression as configurations write it for a Split; it means what ByteLevel has built in.
constexpr const char* kGpt2Expression =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

constexpr const char* kKnownForms =
    "a pre_tokenizer of the form ByteLevel (GPT-2) or Sequence[Digits(individual_digits), "
    "ByteLevel]";

bool is_gpt2_split(const JsonFile& file, const Json& step) {
  return file.text(step, "type") == "Split" && file.text(step, "behavior") == "Isolated" &&
         !file.flag(step, "invert", false) &&
         JsonFile::member(step, "pattern") == Json{{"Regex", kGpt2Expression}};
}

// Digits first if at all, then GPT-2's expression, in ByteLevel or as a Split before it.
void read_pre_tokenizer(const JsonFile& file, TokenizerSpec& spec) {
  const Json& whole = JsonFile::member(file.root(), "pre_tokenizer");
  const std::vector<Json> steps = file.steps(whole, "pretokenizers");
  std::size_t at = 0;
  const auto next_is = [&](const char* type) {
    return at < steps.size() && file.text(steps[at], "type") == type;
  };
  if (next_is("Digits") && file.flag(steps[at], "individual_digits", false)) {
    spec.split_digits = true;
    ++at;
  }
  const bool split_before = at < steps.size() && is_gpt2_split(file, steps[at]);
  if (split_before) ++at;
  if (!next_is("ByteLevel") || at + 1 != steps.size()) file.fail(kKnownForms, whole);
  if (!steps[at].contains("add_prefix_space"))
    file.fail("a ByteLevel that says 'add_prefix_space'", steps[at]);
  spec.add_prefix_space = file.flag(steps[at], "add_prefix_space", true);
  const bool split_inside = file.flag(steps[at], "use_regex", true);
  if (split_before ? split_inside || spec.add_prefix_space : !split_inside) {
    file.fail(kKnownForms, whole);
  }
}

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

// Older files leave the type out; vocabulary and merges then tell.
void read_model(const JsonFile& file, TokenizerSpec& spec) {
  const Json& model = JsonFile::member(file.root(), "model");
  const Json& type = JsonFile::member(model, "type");
  if (!type.is_null() && type != "BPE") file.fail("'model.type' to be BPE", type);
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const Json& affix = JsonFile::member(model, key);
    if (!affix.is_null() && affix != "") file.fail(fmt::format("no 'model.{}'", key), affix);
  }
  const Json& dropout = JsonFile::member(model, "dropout");
  if (!dropout.is_null() && dropout != 0) file.fail("no 'model.dropout'", dropout);
  if (file.flag(model, "byte_fallback", false)) file.fail("no 'model.byte_fallback'", true);
  spec.ignore_merges = file.flag(model, "ignore_merges", false);
  spec.fuse_unknown = file.flag(model, "fuse_unk", false);
  if (!JsonFile::member(model, "unk_token").is_null()) spec.unknown = file.text(model, "unk_token");
  read_vocabulary(file, JsonFile::member(model, "vocab"), spec);
  read_merges(file, model, spec);
}

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

// These classes have a tokenizer of their own with this file's vocabulary and merges. Their prefix
// space has always counted before the file's. That the rest of the file is left out is new in
// transformers 5, and not what a model was trained with: it counts here, with a note.
void apply_class(const JsonFile& file, const SpecialTokens& special, TokenizerSpec& spec) {
  if (special.kind == TokenizerClass::backend) return;
  std::vector<std::string> left_out;
  if (spec.split_digits) left_out.push_back("the pre_tokenizer Digits");
  if (spec.ignore_merges) left_out.push_back("ignore_merges");
  if (special.has_decoder && !all_listed(file, special))
    left_out.push_back("added_tokens that added_tokens_decoder lacks");
  if (!left_out.empty())
    spec.notes.push_back(fmt::format(
        "the tokenizer follows tokenizer.json; with this tokenizer_class transformers 5 "
        "leaves out {}, so that some ids may differ",
        fmt::join(left_out, " and ")));
  spec.add_prefix_space = special.add_prefix_space;
  if (special.kind != TokenizerClass::roberta) return;
  spec.start = {spec.roles["cls"]};
  spec.end = {spec.roles["sep"]};
}

}  // namespace

TokenizerSpec read_tokenizer_json(const std::filesystem::path& path, const SpecialTokens& special) {
  const JsonFile file(path);
  TokenizerSpec spec;
  spec.source = file.path();
  check_keys(file);
  const Json& normalizer = JsonFile::member(file.root(), "normalizer");
  if (!file.steps(normalizer, "normalizers").empty()) file.fail("no normalizer", normalizer);
  read_pre_tokenizer(file, spec);
  read_model(file, spec);
  read_added_tokens(file, special, spec);
  read_post_processor(file, spec);
  apply_class(file, special, spec);
  return spec;
}

}  // namespace mezo
