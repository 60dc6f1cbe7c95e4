#pragma once
// An adapter folder as the peft package writes and reads it: adapter_config.json and
// adapter_model.safetensors. Used by PEFT plugins, which know what the tensors mean, to start from
// one, and by the export to write one.

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/api.h"
#include "core/io/dtype.h"
#include "core/io/tensor_file.h"
#include "core/model/adapter.h"
#include "core/model/model_config.h"

namespace mezo {

// A key of adapter_config.json that a mode knows.
struct PeftKey {
  std::string name;
  // The values, as JSON, by which it changes nothing ("null" is also a key that is absent); any
  // other is refused. Empty: the mode reads it, or it has no effect on what is computed.
  std::vector<std::string> neutral = {};
  std::string instead = {};  // what to do where it is refused; empty: merge the adapter
};

// What to do about an adapter that a mode cannot read, for messages.
MEZO_API extern const char* const merge_it;

class MEZO_API PeftFolder {
 public:
  // Opens both files; reads no tensor. Throws ConfigError where the folder or a file is missing or
  // its peft_type is none of `types` ({"LORA"}), ModelError where a file is damaged.
  PeftFolder(const std::string& folder, const std::vector<std::string>& types);

  const ModelConfig& config() const { return config_; }
  const TensorFile& tensors() const { return tensors_; }
  const std::string& path() const { return path_; }
  const std::string& type() const { return type_; }

  // The value of a key as JSON, "null" where it is absent; unlike config().json(), the keys of an
  // object come in the file's order, which decides between two patterns that fit.
  std::string json(const std::string& key) const;

  // Throws ModelError where a key says what is not read: one of `keys` (or of those of every peft
  // configuration) that is not neutral, or one that is not known and says something.
  void check_keys(const std::vector<PeftKey>& keys) const;

  // Throws ModelError where there are tensors beside `used`: whatever they are for would be
  // missing. `advice` says of one what it is and what to do.
  void refuse_unused(const std::vector<std::string>& used,
                     const std::function<std::string(const std::string& tensor)>& advice) const;

  // That a tensor is there, F32, F16 or BF16, and has this shape; reads nothing of it. Throws
  // ModelError.
  const TensorView& require(const std::string& name, const std::vector<std::int64_t>& shape) const;
  // Such a tensor in fp32. Throws ModelError.
  std::vector<float> read(const std::string& name, const std::vector<std::int64_t>& shape) const;

 private:
  PeftFolder(const std::string& folder, const std::vector<std::string>& types,
             const std::string& config);

  std::string path_, type_;
  ModelConfig config_;
  std::vector<std::pair<std::string, std::string>> values_;  // of the configuration, as JSON
  TensorFile tensors_;
};

// What an adapter stands on: base_model_name_or_path, and the task_type that follows from the
// model.
struct PeftBase {
  std::string path;
  bool causal = true;
};

// Writes both files into `folder`, which exists, each of them crash-safe. Tensors are F32, F16 or
// BF16, rounded to nearest. Returns the files' names. Throws RunError.
MEZO_API std::vector<std::string> write_peft_folder(const std::filesystem::path& folder,
                                                    const PeftFiles& files, const PeftBase& base,
                                                    DType dtype = DType::F32);

}  // namespace mezo
