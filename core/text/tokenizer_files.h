#pragma once
// The ways a Hugging Face folder stores a tokenizer. Used by
// Tokenizer::from_folder; all throw ModelError that names the file and what it expected.

#include <filesystem>
#include <string>
#include <utility>

#include "core/text/json_file.h"
#include "core/text/special_tokens.h"
#include "core/text/tokenizer_spec.h"

namespace mezo {

TokenizerSpec read_tokenizer_json(const std::filesystem::path& file, const SpecialTokens& special);

TokenizerSpec read_vocab_and_merges(const std::filesystem::path& folder,
                                    const SpecialTokens& special);

// vocab.txt, a token a line: BERT's, whose other settings are BertTokenizer's.
TokenizerSpec read_vocab_txt(const std::filesystem::path& folder, const SpecialTokens& special);

// The model of a tokenizer.json with its vocabulary.
void read_model(const JsonFile& file, TokenizerSpec& spec);

// What stands around a sequence, from the post_processor of a tokenizer.json.
void read_post_processor(const JsonFile& file, TokenizerSpec& spec);

// {"token": id, …}, the whole of vocab.json and one member of tokenizer.json.
void read_vocabulary(const JsonFile& file, const Json& tokens, TokenizerSpec& spec);

// A line "left right", as merges.txt, older tokenizer.json files and GGUF have it; `place` is
// where.
std::pair<std::string, std::string> merge_of_line(const std::string& line,
                                                  const std::string& place);

}  // namespace mezo
