#pragma once
// A tokenizer and a task that fit on a page: each letter is a token, and " great" and " bad" are
// one token each.

#include <string>

#include "core/task/examples.h"
#include "core/task/task.h"
#include "core/text/tokenizer.h"

namespace mezo::test {

// Ids: a-z are 0 … 25, the space (spelt Ġ) is 26, the start token 27, then what the merges make.
inline Tokenizer toy_tokenizer(bool with_start = false) {
  GgufVocabulary v;
  v.source = "toy";
  for (char c = 'a'; c <= 'z'; ++c) v.tokens.emplace_back(1, c);
  v.tokens.insert(v.tokens.end(),
                  {"Ġ", "<s>", "Ġg", "Ġgr", "Ġgre", "Ġgrea", "Ġgreat", "Ġb", "Ġba", "Ġbad"});
  v.merges = {"Ġ g", "Ġg r", "Ġgr e", "Ġgre a", "Ġgrea t", "Ġ b", "Ġb a", "Ġba d"};
  v.types.assign(v.tokens.size(), 1);
  v.types[27] = 3;
  v.bos = 27;
  v.add_bos = with_start;
  return Tokenizer::from_vocabulary(v);
}
inline constexpr std::int32_t start = 27, great = 32, bad = 35;

inline Task toy_task(const std::string& prompt = "{text}",
                     std::vector<Option> options = {{"0", " bad"}, {"1", " great"}}) {
  return {"toy", "toy.yaml", PromptTemplate(prompt), std::move(options), "label", "accuracy"};
}

inline Example toy_example(const std::string& text, const std::string& label = "0") {
  return {{{"text", text}, {"label", label}}, 4, 7};
}

}  // namespace mezo::test
