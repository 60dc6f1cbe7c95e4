#include "core/model/load_model.h"

#include <ATen/Parallel.h>

#include <filesystem>
#include <map>

#include "core/error.h"
#include "core/io/dequantize.h"
#include "core/io/safetensors.h"
#include "core/model/gguf_model.h"
#include "core/plugin/create.h"

namespace mezo {

namespace {

namespace fs = std::filesystem;

// Both forms of a model on disk, opened but not read.
struct Opened {
  ModelConfig config;
  std::optional<GgufFile> gguf;
};

Opened open_model(const std::string& path) {
  std::error_code none;
  if (fs::is_directory(path, none)) return {ModelConfig::from_folder(path), {}};
  if (!fs::exists(path, none)) throw ModelError("[load_model] no such file or folder: " + path);
  if (fs::path(path).extension() != ".gguf")
    throw ModelError("[load_model] expected a Hugging Face folder or a .gguf file, got " + path);
  GgufFile file = load_gguf(path);
  ModelConfig config = ModelConfig::from_gguf(file);
  return {std::move(config), std::move(file)};
}

const Component& family_for(const ModelConfig& config, const std::string& type,
                            const Registry& registry) {
  return type == "auto" ? registry.match_model(config.architectures())
                        : registry.find(MEZO_MODEL, type);
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

struct Found {
  const TensorView* view = nullptr;
  std::int64_t rotary_heads = 0;
};

// The file's tensors by canonical name.
std::map<std::string, Found> by_canonical_name(const TensorFile& file,
                                               const std::vector<GgufName>* names) {
  std::map<std::string, Found> found;
  for (const TensorView& view : file.tensors()) {
    if (!names) {
      found[view.name] = {&view, 0};
    } else if (const auto name = canonical(view.name, *names)) {
      found[name->name] = {&view, name->rotary_heads};
    } else {
      found[view.name] = {&view, 0};
    }
  }
  return found;
}

void read_parameter(ParameterStore& store, int index, const Found& found) {
  const ParameterSpec& spec = store.spec({index});
  const TensorView& view = *found.view;
  float* out = store.data({index});
  if (block_size(view.dtype) == 1) {
    dequantize(view, out);
  } else {  // whole blocks a row, so rows can be shared out
    const std::int64_t width = spec.shape.back(), rows = spec.elements() / width,
                       bytes = bytes_of(view.dtype, width);
    at::parallel_for(0, rows, 64, [&](std::int64_t b, std::int64_t e) {
      dequantize(view.dtype, view.data.data() + b * bytes, (e - b) * width, out + b * width);
    });
  }
  if (found.rotary_heads > 0) {
    if (spec.shape[0] % (2 * found.rotary_heads) != 0)
      throw ModelError("tensor " + view.name + ": expected rows for " +
                       std::to_string(found.rotary_heads) + " heads of an even width, got " +
                       std::to_string(spec.shape[0]));
    const std::int64_t width = spec.shape.size() > 1 ? spec.shape[1] : 1;
    undo_rotary_order(out, spec.shape[0], width, found.rotary_heads);
  }
}

// A model that is ready to be read: everything about it is known and checked but the numbers.
struct Prepared {
  Opened opened;
  Component component;
  std::shared_ptr<ModelFamily> family;
  Declaration declaration;
  std::unique_ptr<Model> model;
  TensorFile file;
  std::vector<Found> found;  // of each declared parameter
  std::vector<std::string> unused;
};

void find_parameters(Prepared& p, const std::vector<GgufName>* names) {
  std::map<std::string, Found> found = by_canonical_name(p.file, names);
  std::string missing;
  for (const ParameterSpec& spec : p.declaration.parameters()) {
    const auto it = found.find(spec.name);
    if (it == found.end()) {
      missing += "\n  " + spec.name;
      continue;
    }
    const TensorView& view = *it->second.view;
    const std::string where = "[" + p.file.path_of(view) + "] tensor " + view.name;
    if (view.shape != spec.shape)
      throw ModelError(where + ": the configuration asks for shape " + shape_text(spec.shape) +
                       ", got " + shape_text(view.shape));
    if (!is_weight(view.dtype))
      throw ModelError(where + ": weights of type " + name_of(view.dtype) + " cannot be read");
    p.found.push_back(it->second);
    found.erase(it);
  }
  if (!missing.empty())
    throw ModelError("[" + p.file.paths().front() +
                     "] tensors that the model needs are not there:" + missing);
  for (const auto& [name, view] : found) p.unused.push_back(name);
}

Prepared prepare(const std::string& path, const std::string& type, const Registry& registry) {
  Opened opened = open_model(path);
  const Component& component = family_for(opened.config, type, registry);
  Prepared p{std::move(opened),
             component,
             create<ModelFamily>(component, Parameters()),
             {},
             {},
             {},
             {},
             {}};
  const ModelConfig& config = p.opened.config;
  std::vector<GgufName> names;
  guard(
      component,
      [&] {
        p.model = p.family->build(config, p.declaration);
        if (p.opened.gguf) names = p.family->gguf_names(config);
      },
      "building the model");
  if (p.opened.gguf && names.empty())
    throw ModelError("[" + path + "] the " + std::string(component.id()) +
                     " family cannot be read from GGUF files");
  p.file = p.opened.gguf ? p.opened.gguf->tensors : load_safetensors_folder(path);
  find_parameters(p, p.opened.gguf ? &names : nullptr);
  return p;
}

Tokenizer load_tokenizer(const std::string& path, const Opened& opened) {
  Tokenizer tokenizer = opened.gguf ? tokenizer_of(*opened.gguf) : Tokenizer::from_folder(path);
  const std::int64_t entries = opened.config.integer("vocab_size");
  if (tokenizer.vocabulary_size() > entries)
    throw ModelError("[" + path + "] the tokenizer has ids up to " +
                     std::to_string(tokenizer.vocabulary_size() - 1) +
                     ", but the model's vocab_size is " + std::to_string(entries));
  return tokenizer;
}

}  // namespace

std::int64_t LoadedModel::parameters() const {
  std::int64_t n = 0;
  for (const ParameterSpec& spec : store.specs()) n += spec.elements();
  return n;
}

CheckedModel check_model(const std::string& path, const std::string& type,
                         const Registry& registry) {
  const Prepared p = prepare(path, type, registry);
  const auto parameters = p.declaration.parameters();
  return {std::string(p.component.id()),
          load_tokenizer(path, p.opened),
          p.unused,
          {parameters.begin(), parameters.end()}};
}

LoadedModel load_model(const std::string& path, const std::string& type, const Registry& registry) {
  Prepared p = prepare(path, type, registry);
  ParameterStore store(p.declaration.parameters());
  for (std::size_t i = 0; i < p.found.size(); ++i)
    read_parameter(store, static_cast<int>(i), p.found[i]);
  Tokenizer tokenizer = load_tokenizer(path, p.opened);
  return {path,
          std::string(p.component.id()),
          p.component,
          p.family,
          p.opened.config,
          std::move(p.model),
          std::move(store),
          std::move(tokenizer),
          p.file.paths(),
          std::move(p.unused)};
}

}  // namespace mezo
