#pragma once
// One of LLaMA's kin: how its configuration becomes a Description, and what transformers and
// llama.cpp call it. A variant is a constant in a file of its name; plugin.cpp lists them.

#include <span>

#include "core/config/parameters.h"
#include "decoder.h"

namespace decoder {

struct Variant {
  Description (*describe)(const mezo::ModelConfig& config);
  const char* architecture;  // in a config.json that is made for it
  const char* model_type;
  // llama.cpp's converter reorders the rows of its query and key projections.
  bool reordered;
  std::span<const char* const> keys = {};  // of a config.json, beside those of all variants
};

std::optional<mezo::TensorNames> file_names(const Variant& variant, const mezo::ModelConfig& config,
                                            mezo::FileKind kind);
mezo::FolderConfig folder_config(const Variant& variant);

template <const Variant& variant>
class Family : public mezo::ModelFamily {
 public:
  explicit Family(const mezo::Parameters&) {}

  std::unique_ptr<mezo::Model> build(const mezo::ModelConfig& config,
                                     mezo::Declaration& declare) const override {
    return std::make_unique<Decoder>(variant.describe(config), declare);
  }
  std::optional<mezo::TensorNames> file_names(const mezo::ModelConfig& config,
                                              mezo::FileKind kind) const override {
    return decoder::file_names(variant, config, kind);
  }
  std::optional<mezo::FolderConfig> folder_config(const mezo::ModelConfig&) const override {
    return decoder::folder_config(variant);
  }
};

extern const Variant llama, mistral, qwen2, qwen3, smollm3, gemma2, gemma3;

}  // namespace decoder
