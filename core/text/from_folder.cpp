#include <fmt/format.h>

#include "core/error.h"
#include "core/io/read_file.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_files.h"

namespace mezo {

Tokenizer Tokenizer::from_folder(const std::filesystem::path& folder) {
  const auto has = [&](const char* name) { return is_there(folder / name); };
  if (has("tokenizer.json")) {
    return Tokenizer(read_tokenizer_json(folder / "tokenizer.json", read_special_tokens(folder)));
  }
  if (has("vocab.json") && has("merges.txt")) {
    return Tokenizer(read_vocab_and_merges(folder, read_special_tokens(folder)));
  }
  if (has("vocab.txt")) return Tokenizer(read_vocab_txt(folder, read_special_tokens(folder)));
  throw ModelError(
      fmt::format("[tokenizer] {}: expected tokenizer.json, or vocab.json and merges.txt, or "
                  "vocab.txt; got {}",
                  folder.string(), has("") ? "none" : "no such folder"));
}

}  // namespace mezo
