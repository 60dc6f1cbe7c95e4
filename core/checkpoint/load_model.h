#pragma once
// From a path to a model that can run, in two stages. prepare_model() finds out what the path is (a
// Hugging Face folder or a .gguf file), asks the registry for the family that serves it, has the
// model built and checks every tensor's name, shape and type: everything but the numbers, so a
// mistake is known at once however large the model is. load_weights() then reads the numbers into
// the storage and onto the device that are asked for. A command prepares once.

#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/build_model.h"
#include "core/checkpoint/weight_files.h"
#include "core/forward/parameter_store.h"
#include "core/plugin/registry.h"
#include "core/text/tokenizer.h"

namespace mezo {

// A model and what turns text into its tokens.
struct TextModel : BuiltModel {
  std::string path;
  Tokenizer tokenizer;
  std::optional<std::int64_t> max_positions = {};  // of a sequence; nothing: no limit
  std::vector<std::int32_t> end_tokens = {};       // core/checkpoint/end_tokens.h
};

struct PreparedModel : TextModel {
  WeightFiles files;         // opened
  std::vector<DType> types;  // in its file, of each of the model's own parameters
};

// Which plugin serves the model, and what trains of it.
struct ModelChoice {
  std::string type = "auto";                // a component id, or "auto"
  std::optional<Parameters> settings = {};  // the family's own, checked; none: their defaults
  ChosenPeft mode = {};
};

// Throws ModelError for what is missing, misshapen or of a type that cannot be read, naming file
// and tensor; PluginError where no plugin serves the model; ConfigError where the mode does not fit
// it.
MEZO_API PreparedModel prepare_model(const std::string& path, const Registry& registry,
                                     const ModelChoice& choice = {});

// What a model is kept in and what its forwards compute in. What is not given depends on the device
// and on the type that most weights of the files have. On the CPU both are float32. On a GPU fp16
// files stay float16 and bf16 files become bfloat16+8 (a bf16 weight alone cannot hold the steps of
// training), both computed in the file's type; other files are float32.
//
// `frozen`: no matrix trains (BuiltModel::frozen()). Unless a storage is given, each then stays as
// its file has it, quantised ones too: memory is the file's size and, while a forward
// asks for a quantised matrix, scratch of the largest in the type that it computes in.
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

struct LoadedModel : TextModel {
  ParameterStore store;                  // of specs
  at::ScalarType dtype = at::kFloat;     // that forwards compute in
  std::vector<std::string> files = {};   // the weights were read from
  std::vector<std::string> unused = {};  // tensors of the files that the model does not declare
  bool kept_as_filed = false;            // every matrix has the type that its file has it in
  std::optional<Widened> widened = {};
};

// Told after each parameter: bytes of the files that were read, of how many.
using ReadProgress = std::function<void(std::int64_t done, std::int64_t all)>;

// Called once there is room for the numbers on their device, before they are read; what it returns
// is waited for at the end.
using ReadStart =
    std::function<std::future<void>(const BuiltModel&, const ParameterStore&, at::ScalarType)>;

// Reads every parameter, one after the other, to the device that it stays on. An adapter's tensors
// are there but have no values yet (core/checkpoint/start_adapter.h gives them theirs). Throws
// ModelError where a file cannot be read.
MEZO_API LoadedModel load_weights(PreparedModel prepared, const ModelPlacement& placement = {},
                                  const ReadProgress& progress = {}, const ReadStart& start = {});

// Both, for who has nothing to do in between.
MEZO_API LoadedModel load_model(const std::string& path, const Registry& registry,
                                const ModelPlacement& placement = {},
                                const ModelChoice& choice = {});

}  // namespace mezo
