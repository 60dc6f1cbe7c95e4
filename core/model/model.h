#pragma once
// What a model plugin implements: a family (the component that `type: llama` names) that builds
// models from a configuration, and the model, two pure functions of a batch. plugins/models/llama
// is a complete example.
//
// A family states in its descriptor which architectures it serves (mezo_component.serves), so that
// `type: auto` can choose without running any of its code.
//
// Which threads call: one at a time, and any: hidden() and head() of one object may serve forwards
// that follow each other on different threads, so a model keeps nothing between calls.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/model/declaration.h"
#include "core/model/model_config.h"
#include "core/model/ops.h"
#include "core/model/tensor_names.h"

namespace mezo {

class MEZO_API Model {
 public:
  virtual ~Model();

  // The activations after the last layer and its final norm, one row a token: [R, hidden]. Source:
  // the family's paper or its transformers implementation; scores must agree with transformers' to
  // 1e-3.
  virtual at::Tensor hidden(Ops&, const Batch&) const = 0;

  // Logits of some of those rows, [P, hidden] -> [P, entries]. The host chooses rows and vocabulary
  // entries in between, so no [rows, length, vocabulary] tensor ever exists.
  virtual at::Tensor head(Ops&, const at::Tensor& rows) const = 0;
};

// The config.json that transformers needs for a model of the family, where the model's file came
// without one (GGUF). Each key is written with the value that ModelConfig has under the second
// name, and left to transformers' default where it has none. The host adds what is the same for all
// families: the special tokens' ids and the type of the weights.
struct FolderConfig {
  struct Key {
    std::string name;    // "n_embd"
    std::string source;  // "hidden_size"
  };
  std::string architecture;  // "LlamaForCausalLM"
  std::string model_type;    // "llama"
  std::vector<Key> keys;
};

class MEZO_API ModelFamily {
 public:
  virtual ~ModelFamily();

  // Declares every parameter and returns the model that uses them. Throws ModelError for a
  // configuration that it cannot serve, naming the key (unknown activation, rope scaling that it
  // does not have). What follows from the configuration alone (rotary frequencies) is computed
  // here.
  virtual std::unique_ptr<Model> build(const ModelConfig&, Declaration&) const = 0;

  // The longest sequence that a model of this configuration has positions for; nothing: no limit.
  // The host cuts longer ones before they reach the model. Unless a family says otherwise, it is
  // the key max_position_embeddings.
  virtual std::optional<std::int64_t> max_positions(const ModelConfig&) const;

  // Whether a token sees earlier ones alone. Of a model that is not causal the host never computes
  // a context once for several options, and generates nothing.
  virtual bool causal(const ModelConfig&) const { return true; }

  // How files of a kind call the tensors; nothing: the family cannot be read from such files.
  // Unless it says otherwise, that is GGUF, and safetensors have the declared names.
  virtual std::optional<TensorNames> file_names(const ModelConfig&, FileKind) const;

  // Nothing: a model read from a GGUF file cannot be written as a Hugging Face folder.
  virtual std::optional<FolderConfig> folder_config(const ModelConfig&) const;
};

}  // namespace mezo
