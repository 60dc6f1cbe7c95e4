// tokenizer.json, the `tokenizers` package's own format (read as 0.23 reads it): one object with
// normalizer, pre_tokenizer, post_processor, added_tokens and model.

#include <fmt/format.h>

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

// A Sequence as the list of its steps; anything else as a list of one.
std::vector<Json> steps_of(const JsonFile& file, const Json& whole, const char* key) {
  if (whole.is_null()) return {};
  if (file.text(whole, "type") != "Sequence") return {whole};
  const Json& list = JsonFile::member(whole, key);
  if (!list.is_array()) file.fail(fmt::format("'{}' to be a list", key), list);
  return list.get<std::vector<Json>>();
}

// Digits first if at all, then GPT-2's expression, in ByteLevel or as a Split before it.
void read_pre_tokenizer(const JsonFile& file, TokenizerSpec& spec) {
  const Json& whole = JsonFile::member(file.root(), "pre_tokenizer");
  const std::vector<Json> steps = steps_of(file, whole, "pretokenizers");
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

// TemplateProcessing: {"single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": …}, …]}.
void read_template(const JsonFile& file, const Json& step, TokenizerSpec& spec) {
  bool before = true;
  for (const Json& piece : JsonFile::member(step, "single")) {
    if (!JsonFile::member(piece, "Sequence").is_null()) before = false;
    const Json& token = JsonFile::member(piece, "SpecialToken");
    if (token.is_null()) continue;
    (before ? spec.start : spec.end).push_back({file.text(token, "id"), -1});
  }
}

void read_post_processor(const JsonFile& file, TokenizerSpec& spec) {
  const Json& whole = JsonFile::member(file.root(), "post_processor");
  for (const Json& step : steps_of(file, whole, "processors")) {
    const std::string type = file.text(step, "type");
    if (type == "TemplateProcessing") read_template(file, step, spec);
    if (type != "RobertaProcessing" && type != "BertProcessing") continue;
    // "cls": ["<s>", 0]
    for (const auto& [key, to] : {std::pair("cls", &spec.start), std::pair("sep", &spec.end)}) {
      const Json& token = JsonFile::member(step, key);
      if (!token.is_array() || token.empty() || !token[0].is_string()) {
        file.fail(fmt::format("'{}' to be [token, id]", key), token);
      }
      to->push_back({token[0].get<std::string>(), -1});
    }
  }
}

}  // namespace

TokenizerSpec read_tokenizer_json(const std::filesystem::path& path, const SpecialTokens& special) {
  const JsonFile file(path);
  TokenizerSpec spec;
  spec.source = file.path();
  const Json& normalizer = JsonFile::member(file.root(), "normalizer");
  if (!steps_of(file, normalizer, "normalizers").empty()) file.fail("no normalizer", normalizer);
  read_pre_tokenizer(file, spec);
  read_model(file, spec);
  for (const Json& token : JsonFile::member(file.root(), "added_tokens")) {
    spec.added.push_back(file.added_token(token));
  }
  read_post_processor(file, spec);
  spec.roles = special.roles;
  return spec;
}

}  // namespace mezo
