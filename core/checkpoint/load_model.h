#pragma once
// From a path to a model that can run: finds out what the path is (a Hugging Face folder or a .gguf
// file), asks the registry for the family that serves it, lets it declare its parameters, and reads
// every one of them into the storage and onto the device that were asked for.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/forward/parameter_store.h"
#include "core/model/adapter.h"
#include "core/model/model.h"
#include "core/model/peft.h"
#include "core/plugin/registry.h"
#include "core/text/tokenizer.h"

namespace mezo {

// Where a model lies, what it is kept in and what its forwards compute in. What is not given
// depends on the device and on the type that most weights of the files have. On the CPU both are
// float32. On a GPU fp16 files stay float16 and bf16 files become bfloat16+8 (a bf16 weight alone
// cannot hold the steps of training), both computed in the file's type; other files are float32.
//
// `frozen`: as if the model were loaded for a PEFT mode that trains no matrix. Unless a storage is
// given, each then stays as its file has it, Q4_0, Q4_1 and Q8_0 among them: memory is the file's
// size and, while a forward asks for a quantised matrix, scratch of the largest in the type that it
// computes in.
struct ModelPlacement {
  at::Device device = at::kCPU;
  std::optional<Storage> storage;
  std::optional<at::ScalarType> dtype;
  bool frozen = false;
};

// Quantised weights of a file that are kept in a wider type.
struct Widened {
  std::string from;  // "Q4_1", or several names
  std::int64_t file_bytes = 0, kept_bytes = 0;
};

struct LoadedModel {
  std::string path;
  std::string type;  // the family's component id
  Component component;
  std::shared_ptr<ModelFamily> family;
  ModelConfig config;
  std::unique_ptr<Model> model;
  ParameterStore store;       // the model's own parameters, then the adapter's
  std::vector<bool> trained;  // whether each of them takes part in training
  AttachedAdapter adapter;    // of the mode, if it adds one
  at::ScalarType dtype;       // that forwards compute in
  Tokenizer tokenizer;
  std::vector<std::string> files;   // the weights were read from
  std::vector<std::string> unused;  // tensors of the files that the model does not declare
  bool kept_as_filed = false;       // every matrix has the type that its file has it in
  std::optional<Widened> widened = {};

  // The model's own; its adapter's tensors, which are not in its files, come behind them.
  MEZO_API std::span<const ParameterSpec> base_specs() const;
  MEZO_API std::int64_t parameters() const;  // of the model's own
};

// `type` is a component id, or "auto"; `mode`: what will train. An adapter's tensors are there but
// have no values yet (core/run/start_adapter.h gives them theirs). Throws ModelError for what is
// missing, misshapen or of a type that cannot be read, naming file and tensor; PluginError where no
// plugin serves the model; ConfigError where the mode does not fit it.
MEZO_API LoadedModel load_model(const std::string& path, const std::string& type,
                                const Registry& registry, const ModelPlacement& placement = {},
                                const ChosenPeft& mode = {});

struct CheckedModel {
  std::string type;
  Tokenizer tokenizer;
  std::vector<std::string> unused;
  std::vector<ParameterSpec> parameters;      // with the adapter's behind the model's own
  std::vector<DType> types;                   // in its file, of each of the model's own
  std::vector<bool> trained;                  // of each parameter
  std::optional<std::int64_t> max_positions;  // of a sequence; nothing: no limit
};

// All of load_model's checks but reading the weights: the path, its configuration, a family that
// serves it, every tensor's name, shape and type, the tokenizer.
MEZO_API CheckedModel check_model(const std::string& path, const std::string& type,
                                  const Registry& registry, const ChosenPeft& mode = {});

}  // namespace mezo
