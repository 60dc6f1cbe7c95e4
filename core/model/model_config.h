#pragma once
// The shape of a model: the keys of a Hugging Face config.json, whatever file they came from. A
// GGUF's metadata is translated to the same keys (llama.block_count -> num_hidden_layers), so a
// family reads one vocabulary of names. Accessors throw ModelError naming the file, the key and
// what was found. A dot in a key steps into an object: "rope_parameters.rope_theta".

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/api.h"

namespace mezo {

struct GgufFile;

class MEZO_API ModelConfig {
 public:
  // config.json of a Hugging Face folder.
  static ModelConfig from_folder(const std::string& folder);
  static ModelConfig from_gguf(const GgufFile& file);
  static ModelConfig from_json(const std::string& text, const std::string& origin);

  std::int64_t integer(const std::string& key) const;
  std::int64_t integer(const std::string& key, std::int64_t otherwise) const;  // absent or null
  // From 1 to `most`.
  std::int64_t size(const std::string& key, std::int64_t most) const;
  double number(const std::string& key) const;
  double number(const std::string& key, double otherwise) const;
  bool boolean(const std::string& key, bool otherwise) const;
  std::string text(const std::string& key, const std::string& otherwise) const;
  // A list of texts, or of integers from 0 on, one of each layer for example.
  std::vector<std::string> texts(const std::string& key) const;
  std::vector<std::int64_t> integers(const std::string& key) const;
  bool has(const std::string& key) const;  // present and not null
  // Of the outermost object, or of the one that a key holds (none where it holds another value),
  // sorted.
  std::vector<std::string> keys(const std::string& object = "") const;
  // Outermost keys, with a value, that no accessor of this object or of a copy was asked for.
  std::vector<std::string> unread() const;
  // The value as JSON, "null" where it is absent: for who writes it into another config.json.
  std::string json(const std::string& key) const;

  // Names that a family's `serves` is matched with: the list `architectures`, or "gguf:" +
  // general.architecture; without a list, "model_type:" + model_type.
  std::vector<std::string> architectures() const;
  const std::string& origin() const { return origin_; }
  // The same but for one key.
  ModelConfig with(const std::string& key, bool value) const;

  // "[path] what: key": for messages about a key whose value a family cannot serve.
  [[noreturn]] void refuse(const std::string& key, const std::string& why) const;

  ~ModelConfig();
  ModelConfig(const ModelConfig&);
  ModelConfig& operator=(const ModelConfig&);

 private:
  struct Json;
  ModelConfig(std::shared_ptr<const Json> json, std::string origin);
  std::shared_ptr<const Json> json_;
  std::string origin_;
};

}  // namespace mezo
