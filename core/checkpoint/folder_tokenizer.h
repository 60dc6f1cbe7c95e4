#pragma once
// The tokenizer of an exported model, and what else of a base folder belongs to the model and not
// to its weights.

#include <filesystem>
#include <string>
#include <vector>

#include "core/io/gguf.h"

namespace mezo {

// Copies, byte for byte, those of the tokenizer's files, the generation settings and the chat
// templates (*.jinja) that `from` has. Returns their names. Throws ModelError for one that cannot
// be read, RunError for one that cannot be written.
std::vector<std::string> copy_tokenizer(const std::filesystem::path& from,
                                        const std::filesystem::path& to);

// Writes tokenizer.json, tokenizer_config.json and, where the file has one, chat_template.jinja.
std::vector<std::string> write_tokenizer(const GgufFile& from, const std::filesystem::path& to);

}  // namespace mezo
