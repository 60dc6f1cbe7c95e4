// The post_processor of a tokenizer.json: which ids stand before and after a sequence. They are the
// ids that it gives itself; the vocabulary may call them otherwise, or not have them.

#include <fmt/format.h>

#include "core/text/tokenizer_files.h"

namespace mezo {
namespace {

std::int32_t id_around(const JsonFile& file, const Json& id) {
  const bool fits =
      id.is_number_integer() && id.get<std::int64_t>() >= 0 && id.get<std::int64_t>() <= INT32_MAX;
  if (!fits) file.fail("the id of a token around a sequence", id);
  return id.get<std::int32_t>();
}

struct Around {
  std::vector<SpecialToken> before, after;
};

// "special_tokens": {"<s>": {"ids": [0], …}, …}; a name may stand for several ids.
std::vector<SpecialToken> tokens_named(const JsonFile& file, const Json& step,
                                       const std::string& name) {
  const Json& entry = JsonFile::member(JsonFile::member(step, "special_tokens"), name.c_str());
  const Json& ids = JsonFile::member(entry, "ids");
  if (!ids.is_array())
    file.fail(fmt::format("'special_tokens' of the post_processor with the ids of '{}'", name),
              JsonFile::member(step, "special_tokens"));
  std::vector<SpecialToken> tokens;
  for (const Json& id : ids) tokens.push_back({"", id_around(file, id)});
  return tokens;
}

// TemplateProcessing: {"single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": …}, …]}.
Around read_template(const JsonFile& file, const Json& step) {
  constexpr const char* form = "a template of SpecialTokens around one Sequence A";
  const Json& single = JsonFile::member(step, "single");
  if (!single.is_array()) file.fail(form, single);
  Around around;
  bool behind = false;
  for (const Json& piece : single) {
    const Json& token = JsonFile::member(piece, "SpecialToken");
    if (!token.is_null()) {
      auto& to = behind ? around.after : around.before;
      for (const SpecialToken& one : tokens_named(file, step, file.text(token, "id")))
        to.push_back(one);
      continue;
    }
    const Json& sequence = JsonFile::member(piece, "Sequence");
    if (behind || file.text(sequence, "id") != "A") file.fail(form, single);
    behind = true;
  }
  if (!behind) file.fail(form, single);
  return around;
}

// RobertaProcessing and BertProcessing: "cls": ["<s>", 0], "sep": ["</s>", 2].
Around read_pair(const JsonFile& file, const Json& step) {
  Around around;
  for (const auto& [key, to] :
       {std::pair("cls", &around.before), std::pair("sep", &around.after)}) {
    const Json& token = JsonFile::member(step, key);
    if (!token.is_array() || token.size() != 2 || !token[0].is_string())
      file.fail(fmt::format("'{}' to be [token, id]", key), token);
    to->push_back({"", id_around(file, token[1])});
  }
  return around;
}

}  // namespace

void read_post_processor(const JsonFile& file, TokenizerSpec& spec) {
  const Json& whole = JsonFile::member(file.root(), "post_processor");
  for (const Json& step : file.steps(whole, "processors")) {
    const std::string type = file.text(step, "type");
    if (type == "ByteLevel") continue;  // it moves offsets only
    Around around;
    if (type == "TemplateProcessing") {
      around = read_template(file, step);
    } else if (type == "RobertaProcessing" || type == "BertProcessing") {
      around = read_pair(file, step);
    } else {
      file.fail(
          "a post_processor of ByteLevel, TemplateProcessing, RobertaProcessing or BertProcessing",
          step);
    }
    // Behind a first one the package's second puts its tokens around nothing: the text is lost.
    if (!spec.start.empty() || !spec.end.empty())
      file.fail("one post_processor that adds tokens", whole);
    spec.start = std::move(around.before);
    spec.end = std::move(around.after);
  }
}

}  // namespace mezo
