#include "core/checkpoint/folder_tokenizer.h"

#include <algorithm>

#include "core/checkpoint/gguf_model.h"
#include "core/error.h"
#include "core/io/atomic_file.h"
#include "core/io/mapped_file.h"
#include "core/text/tokenizer_writer.h"

namespace mezo {
namespace {

namespace fs = std::filesystem;

constexpr const char* companions[] = {"tokenizer.json",
                                      "tokenizer_config.json",
                                      "special_tokens_map.json",
                                      "added_tokens.json",
                                      "vocab.json",
                                      "merges.txt",
                                      "tokenizer.model",
                                      "chat_template.json",
                                      "generation_config.json"};

bool is_companion(const fs::path& file) {
  return file.extension() == ".jinja" ||
         std::ranges::find(companions, file.filename().string()) != std::end(companions);
}

std::vector<std::string> companions_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (is_companion(entry->path()) && entry->is_regular_file(error))
      names.push_back(entry->path().filename().string());
  if (error) throw ModelError(folder.string() + ": cannot list its files: " + error.message());
  std::ranges::sort(names);  // a folder has them in any order
  return names;
}

void copy_durably(const fs::path& from, const fs::path& to) {
  AtomicFile copy(to);
  if (fs::file_size(from) > 0) copy.write(MappedFile(from).bytes());  // nothing cannot be mapped
  copy.commit();
}

}  // namespace

std::vector<std::string> copy_tokenizer(const fs::path& from, const fs::path& to) {
  std::vector<std::string> names = companions_in(from);
  for (const std::string& name : names) copy_durably(from / name, to / name);
  return names;
}

std::vector<std::string> write_tokenizer(const GgufFile& from, const fs::path& to) {
  const TokenizerSpec spec = spec_of(vocabulary_of(from));
  std::vector<std::string> names = {"tokenizer.json", "tokenizer_config.json"};
  write_file_atomically(to / names[0], tokenizer_json(spec));
  write_file_atomically(to / names[1], tokenizer_config_json(spec));
  if (from.metadata.find("tokenizer.chat_template")) {
    names.push_back("chat_template.jinja");
    write_file_atomically(to / names[2], from.metadata.text("tokenizer.chat_template"));
  }
  return names;
}

}  // namespace mezo
