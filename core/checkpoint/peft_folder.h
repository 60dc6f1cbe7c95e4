#pragma once
// An adapter folder as the peft package writes and reads it: adapter_config.json and
// adapter_model.safetensors. Used by PEFT plugins, which know what the tensors mean, to start from
// one, and by the export to write one.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/io/dtype.h"
#include "core/io/tensor_file.h"
#include "core/model/adapter.h"
#include "core/model/model_config.h"

namespace mezo {

class MEZO_API PeftFolder {
 public:
  // Opens both files; reads no tensor. Throws ConfigError where the folder or a file is missing or
  // its peft_type is not `peft_type` ("LORA"), ModelError where a file is damaged.
  PeftFolder(const std::string& folder, const std::string& peft_type);

  const ModelConfig& config() const { return config_; }
  const TensorFile& tensors() const { return tensors_; }
  const std::string& path() const { return path_; }

  // Whether mezo wrote it: then whatever is not understood in it is an error, else it is a warning.
  bool ours() const;

  // Whether a key has a value that says something: not null, false, 0, empty.
  bool says(const std::string& key) const;

  // That a tensor is there and has this shape; reads nothing of it. Throws ModelError.
  const TensorView& require(const std::string& name, const std::vector<std::int64_t>& shape) const;
  // Such a tensor in fp32. Throws ModelError.
  std::vector<float> read(const std::string& name, const std::vector<std::int64_t>& shape) const;

  // What to tell the user of keys and tensors that are not among these, a line each; throws
  // ModelError with all of them for a folder that mezo wrote.
  std::vector<std::string> strangers(const std::vector<std::string>& keys,
                                     const std::vector<std::string>& tensors) const;

  // Throws ModelError where a key among these says something: the adapter does what mezo does not.
  void refuse_if_said(const std::vector<std::string>& keys) const;

 private:
  std::string path_;
  ModelConfig config_;
  TensorFile tensors_;
};

// Writes both files into `folder`, which exists, each of them crash-safe; `base` is what
// base_model_name_or_path says. Tensors are F32, F16 or BF16, rounded to nearest. Returns the
// files' names. Throws RunError.
MEZO_API std::vector<std::string> write_peft_folder(const std::filesystem::path& folder,
                                                    const PeftFiles& files, const std::string& base,
                                                    DType dtype = DType::F32);

}  // namespace mezo
