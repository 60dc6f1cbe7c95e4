// Reading: what the small files say about special tokens, and what each broken file is told.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/text/tokenizer.h"

namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int32_t>;

// A folder of its own for the running process (CTest runs cases side by side), removed at the end.
class Folder {
 public:
  Folder() : path_(fs::path(MEZO_BINARY_DIR) / ("test_text_files_" + std::to_string(getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  Folder(Folder&& other) : path_(std::move(other.path_)) { other.path_.clear(); }
  ~Folder() {
    if (!path_.empty()) fs::remove_all(path_);
  }
  Folder& with(const char* name, const std::string& text) {
    std::ofstream(path_ / name) << text;
    return *this;
  }
  mezo::Tokenizer read() const { return mezo::Tokenizer::from_folder(path_); }
  std::string error() const {
    try {
      read();
    } catch (const mezo::ModelError& error) {
      return error.what();
    }
    return "no error";
  }

 private:
  fs::path path_;
};

const char* const vocabulary =
    R"({"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"<mask>":4,"a":5,"b":6,"Ġ":7,"ab":8,"Ġab":9})";
const char* const merges = "#version: 0.2\na b\nĠ ab\n";

Folder vocab_and_merges() {
  Folder folder;
  folder.with("vocab.json", vocabulary).with("merges.txt", merges);
  return folder;
}

// A tokenizer.json of the same vocabulary with one member replaced.
std::string tokenizer_json(const std::string& pre_tokenizer, const std::string& more = "") {
  return R"({"added_tokens": [{"id": 4, "content": "<mask>", "special": true, "lstrip": true}], )" +
         more + R"("pre_tokenizer": )" + pre_tokenizer + R"(, "model": {"vocab": )" + vocabulary +
         R"(, "merges": ["a b", "Ġ ab"]}})";
}

const char* const byte_level = R"({"type": "ByteLevel", "add_prefix_space": false})";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Ids list(std::span<const std::int32_t> ids) { return {ids.begin(), ids.end()}; }

}  // namespace

TEST_CASE("an OPT folder starts sequences with the bos_token_id of config.json") {
  auto folder = vocab_and_merges();
  folder.with("config.json",
              R"({"model_type": "opt", "bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 1})");
  const auto tokenizer = folder.read();
  CHECK(list(tokenizer.sequence_start()) == Ids{2});
  CHECK(list(tokenizer.sequence_end()).empty());
  CHECK(tokenizer.special().bos == 2);
  CHECK(tokenizer.special().pad == 1);
  CHECK_FALSE(tokenizer.special().mask);
  CHECK(tokenizer.encode("ab</s> ab") == Ids{8, 2, 9});
  CHECK(tokenizer.vocabulary_size() == 10);
}

TEST_CASE("a RoBERTa folder has its mask, and sequences between <s> and </s>") {
  auto folder = vocab_and_merges();
  folder.with("config.json", R"({"model_type": "roberta", "bos_token_id": 0, "eos_token_id": 2})");
  const auto tokenizer = folder.read();
  CHECK(list(tokenizer.sequence_start()) == Ids{0});
  CHECK(list(tokenizer.sequence_end()) == Ids{2});
  CHECK(tokenizer.special().mask == 4);
  CHECK(tokenizer.special().sep == 2);
  CHECK(tokenizer.encode("ab<mask>a") == Ids{8, 4, 5});
}

TEST_CASE("a folder without config.json starts sequences with nothing") {
  const auto tokenizer = vocab_and_merges().read();
  CHECK(list(tokenizer.sequence_start()).empty());
  CHECK_FALSE(tokenizer.special().bos);
}

TEST_CASE("tokenizer_config.json and special_tokens_map.json name roles and added tokens") {
  auto folder = vocab_and_merges();
  folder.with("tokenizer_config.json",
              R"({"bos_token": "<s>", "add_bos_token": true, "add_prefix_space": true})");
  folder.with("special_tokens_map.json",
              R"({"bos_token": "</s>", "mask_token": {"content": "<mask>", "lstrip": true}})");
  folder.with("config.json",
              R"({"model_type": "gpt2", "bos_token_id": 2, "eos_token_id": [2, 0]})");
  const auto tokenizer = folder.read();
  CHECK(tokenizer.special().bos == 2);
  CHECK(tokenizer.special().mask == 4);
  CHECK(tokenizer.special().eos == 10);  // of the class: <|endoftext|>, which is new
  CHECK(list(tokenizer.sequence_start()) == Ids{2});
  CHECK(tokenizer.encode("ab  <mask>") == Ids{9, 4});
  CHECK(tokenizer.encode("<|endoftext|>") == Ids{10});
}

TEST_CASE("tokenizer.json comes first, with merges as strings and the post-processor's tokens") {
  auto folder = vocab_and_merges();
  folder.with("merges.txt", "damaged");
  folder.with("tokenizer.json",
              tokenizer_json(byte_level, R"("post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                 {"SpecialToken": {"id": "</s>", "type_id": 0}}],
      "special_tokens": {"<s>": {"ids": [0]}, "</s>": {"ids": [2]}}}, )"));
  const auto tokenizer = folder.read();
  CHECK(tokenizer.encode("ab  <mask> ab") == Ids{8, 4, 9});
  CHECK(list(tokenizer.sequence_start()) == Ids{0});
  CHECK(list(tokenizer.sequence_end()) == Ids{2});
}

TEST_CASE("the two pre-tokenizers are known in both of their spellings") {
  const std::string split =
      R"({"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex":
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"}})";
  const std::string plain =
      R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false})";
  const std::string digits = R"({"type": "Digits", "individual_digits": true})";
  for (const std::string& steps : {digits + "," + byte_level, split + "," + plain,
                                   std::string(byte_level), digits + "," + split + "," + plain}) {
    CAPTURE(steps);
    Folder folder;
    folder.with("tokenizer.json",
                tokenizer_json(R"({"type": "Sequence", "pretokenizers": [)" + steps + "]}"));
    CHECK(folder.read().encode("ab ab") == Ids{8, 9});
  }
}

TEST_CASE("steps that are not known are named in the error") {
  const auto error_of = [](const std::string& json) {
    return Folder().with("tokenizer.json", json).error();
  };
  const auto with = [](const std::string& member) { return tokenizer_json(byte_level, member); };
  CHECK(has(error_of(tokenizer_json(R"({"type": "Whitespace"})")),
            "tokenizer.json: expected a pre_tokenizer of ByteLevel, Split, Digits, Punctuation, "
            R"(WhitespaceSplit, BertPreTokenizer or Metaspace, got {"type":"Whitespace"})"));
  CHECK(has(error_of(tokenizer_json(R"({"type": "ByteLevel"})")),
            "expected a ByteLevel that says 'add_prefix_space'"));
  const std::string behind = R"({"type": "Sequence", "pretokenizers": [)" +
                             std::string(byte_level) + R"(, {"type": "WhitespaceSplit"}]})";
  CHECK(has(error_of(tokenizer_json(behind)), "expected ByteLevel as the last pre_tokenizer"));
  CHECK(has(error_of(with(R"("normalizer": {"type": "Nmt"}, )")),
            R"(BertNormalizer or Precompiled, got {"type":"Nmt"})"));
  CHECK(has(error_of(with(R"("decoder": {"type": "CTC"}, )")), "expected a decoder of ByteLevel"));
}

TEST_CASE("an expression that is not known is named, with what it has") {
  const auto error_of = [](const std::string& expression) {
    const std::string split = R"({"type": "Split", "behavior": "Isolated", "invert": false,)"
                              R"( "pattern": {"Regex": ")" +
                              expression + "\"}}";
    return Folder()
        .with("tokenizer.json", tokenizer_json(R"({"type": "Sequence", "pretokenizers": [)" +
                                               split + ", " + byte_level + "]}"))
        .error();
  };
  CHECK(has(
      error_of(R"(\\w+)"),
      R"(expected an expression that is known here, got one with this escape, before byte 2 of '\w+')"));
  for (const auto& [expression, what] :
       {std::pair(R"((?<!a)b)", "a group of this kind"),
        std::pair("a++b)", "ends without a beginning"), std::pair("^a", "an anchor"),
        std::pair("(a", "a group without an end"), std::pair("[a", "a class without an end"),
        std::pair("[a-z&&b]", "an intersection"), std::pair("[[:alpha:]]", "a POSIX name"),
        std::pair(R"(\\p{Han})", "no general category"), std::pair("(?i:\u00e9)", "beyond ASCII"),
        std::pair("(?i:ss)", "a ligature"), std::pair("(a|)+", "behind what may match nothing"),
        std::pair("a{2000}", "such numbers"), std::pair("a{,b", "a brace"),
        std::pair("a**", "a quantifier behind another"), std::pair("a*", "which may match nothing"),
        std::pair(R"((a)\\1)", "this escape"),
        std::pair("((((a{999}){999}){999}){999})", "at most 10000 steps")})
    CHECK_MESSAGE(has(error_of(expression), what), expression << ": " << error_of(expression));
}

TEST_CASE("broken files say which file, what was expected and what was got") {
  CHECK(has(Folder().error(),
            "expected tokenizer.json, or vocab.json and merges.txt, or vocab.txt; got none"));
  CHECK(has(Folder().with("tokenizer.json", "{").error(), "tokenizer.json: expected JSON"));
  CHECK(has(Folder().with("tokenizer.json", "[]").error(),
            "tokenizer.json: expected an object, got []"));
  CHECK(has(Folder()
                .with("tokenizer.json",
                      R"({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true},
      "model": {"type": "WordLevel"}})")
                .error(),
            R"(expected 'model.type' to be BPE, WordPiece or Unigram, got "WordLevel")"));
  CHECK(has(vocab_and_merges().with("merges.txt", "a b\na\n").error(),
            "merges.txt:2: expected two tokens with one space between, got 'a'"));
  CHECK(has(vocab_and_merges().with("merges.txt", "a c\n").error(), "needs the token 'c'"));
  CHECK(has(vocab_and_merges().with("merges.txt", "b a\n").error(), "needs the token 'ba'"));
  CHECK(has(vocab_and_merges().with("vocab.json", R"({"a": -1})").error(),
            "expected an id for the token 'a', got -1"));
  CHECK(has(
      vocab_and_merges().with("vocab.json", R"({"a": 99999999})").with("merges.txt", "").error(),
      "got 99999999 for 'a'"));
  CHECK(has(vocab_and_merges().with("tokenizer_config.json", R"({"bos_token": 7})").error(),
            "tokenizer_config.json: expected a special token, got 7"));
}

TEST_CASE("two tokens with one id are refused") {
  CHECK(has(
      vocab_and_merges().with("merges.txt", "").with("vocab.json", R"({"a": 0, "b": 0})").error(),
      "expected an id of its own for 'b', got 0"));
}

TEST_CASE("a token beyond the embedding is an error only where a text has it") {
  auto folder = vocab_and_merges();
  folder.with("tokenizer.json", tokenizer_json(byte_level));
  folder.with("tokenizer_config.json", R"({"pad_token": "[PAD]"})");
  const auto tokenizer = folder.read().for_rows(10, "model");
  CHECK(tokenizer.special().pad == 10);
  CHECK(tokenizer.vocabulary_size() == 10);
  CHECK(tokenizer.encode("ab ab") == Ids{8, 9});
  CHECK_THROWS_WITH_AS(tokenizer.encode("ab [PAD]"),
                       "the text has the token '[PAD]' with the id 10, but the model's embedding "
                       "has 10 rows: take it out of the text, or use a model that knows it",
                       mezo::DataError);
  CHECK_THROWS_WITH_AS(folder.read().for_rows(9, "model"),
                       "[model] the tokenizer has ids up to 10, but the model's vocab_size is 9",
                       mezo::ModelError);
}

TEST_CASE("an id around every sequence must be in the embedding") {
  auto folder = vocab_and_merges();
  folder.with("tokenizer.json",
              tokenizer_json(byte_level, R"("post_processor": {"type": "BertProcessing",
      "cls": ["[CLS]", 12], "sep": ["</s>", 2]}, )"));
  CHECK(list(folder.read().sequence_start()) == Ids{12});
  CHECK_THROWS_WITH_AS(folder.read().for_rows(10, "model"),
                       "[model] the tokenizer puts the id 12 around every sequence, but the "
                       "model's vocab_size is 10",
                       mezo::ModelError);
}

TEST_CASE("where a class of transformers leaves parts of tokenizer.json out, a note says so") {
  const std::string digits = R"({"type": "Sequence", "pretokenizers": [
      {"type": "Digits", "individual_digits": true}, )" +
                             std::string(byte_level) + "]}";
  Folder folder;
  folder.with("tokenizer.json", tokenizer_json(digits));
  CHECK(folder.read().notes().empty());
  folder.with("tokenizer_config.json",
              R"({"tokenizer_class": "GPT2Tokenizer", "added_tokens_decoder": {}})");
  const auto tokenizer = folder.read();
  REQUIRE(tokenizer.notes().size() == 1);
  CHECK(has(tokenizer.notes()[0], "the pre_tokenizer Digits and added_tokens that"));
}

TEST_CASE("a GGUF with another pre-tokenizer is refused by its name") {
  mezo::GgufVocabulary gguf;
  gguf.source = "m.gguf";
  gguf.pre_tokenizer = "falcon";
  CHECK_THROWS_WITH_AS(
      mezo::Tokenizer::from_vocabulary(gguf),
      "[tokenizer] m.gguf: expected the pre-tokenizer gpt-2, smollm, llama-bpe or qwen2, got "
      "'falcon'",
      mezo::ModelError);
}

TEST_CASE("a GGUF's bos starts sequences where add_bos_token says so") {
  mezo::GgufVocabulary gguf;
  gguf.tokens = {"<s>", "a"};
  gguf.types = {3, 1};
  gguf.bos = 0;
  CHECK(list(mezo::Tokenizer::from_vocabulary(gguf).sequence_start()).empty());
  gguf.add_bos = true;
  const auto tokenizer = mezo::Tokenizer::from_vocabulary(gguf);
  CHECK(list(tokenizer.sequence_start()) == Ids{0});
  CHECK(tokenizer.encode("a<s>") == Ids{1, 0});
}
