#include "core/model/load_model.h"

#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

#include "core/error.h"
#include "core/io/safetensors.h"
#include "core/model/attach.h"
#include "core/model/gguf_model.h"
#include "core/model/weight_files.h"
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

// The bytes of a file's tensor as they are, where the store keeps that very type.
bool copy_as_it_lies(ParameterStore& store, int index, const TensorView& view) {
  const StoredTensor& t = store.stored({index});
  const bool same = (t.storage == Storage::float32 && view.dtype == DType::F32) ||
                    (t.storage == Storage::float16 && view.dtype == DType::F16) ||
                    (t.storage == Storage::bfloat16 && view.dtype == DType::BF16);
  if (!same) return false;
  at::Tensor words = t.words;
  // from_blob would let a GPU copy read the mapping directly, but files need not align tensors.
  at::Tensor host = store.device().is_cpu() ? words : at::empty_like(words, at::kCPU);
  std::memcpy(host.mutable_data_ptr(), view.data.data(), view.data.size());
  if (!store.device().is_cpu()) words.copy_(host);
  return true;
}

void read_parameter(ParameterStore& store, const WeightFiles& files, Parameter p) {
  if (!files.reordered(p) && copy_as_it_lies(store, p.index, files.view(p))) return;
  std::vector<float> values(static_cast<std::size_t>(store.spec(p).elements()));
  files.read(p, values.data());
  store.write(p, values.data());
}

// A model that is ready to be read: everything about it is known and checked but the numbers.
struct Prepared {
  Opened opened;
  Component component;
  std::shared_ptr<ModelFamily> family;
  Declaration declaration = {};
  std::unique_ptr<Model> model = {};
  WeightFiles files = {};
  Attached attached = {};
};

Prepared prepare(const std::string& path, const std::string& type, const Registry& registry,
                 const ChosenPeft& mode) {
  Opened opened = open_model(path);
  const Component& component = family_for(opened.config, type, registry);
  Prepared p{std::move(opened), component, create<ModelFamily>(component, Parameters())};
  const ModelConfig& config = p.opened.config;
  std::vector<GgufName> names;
  if (p.opened.gguf) {
    guard(
        component, [&] { names = p.family->gguf_names(config); }, "naming the tensors");
    if (names.empty())
      throw ModelError("[" + path + "] the " + std::string(component.id()) +
                       " family cannot be read from GGUF files");
  }
  guard(
      component, [&] { p.model = p.family->build(config, p.declaration); }, "building the model");
  p.files = p.opened.gguf
                ? WeightFiles(p.opened.gguf->tensors, &names, p.declaration.parameters())
                : WeightFiles(load_safetensors_folder(path), nullptr, p.declaration.parameters());
  p.attached = attach(mode, *p.model, component, p.declaration);
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

std::span<const ParameterSpec> LoadedModel::base_specs() const {
  const auto all = store.specs();
  const auto end = std::find_if(all.begin(), all.end(),
                                [](const ParameterSpec& s) { return s.role == Role::adapter; });
  return {all.begin(), end};
}

std::int64_t LoadedModel::parameters() const {
  std::int64_t n = 0;
  for (const ParameterSpec& spec : base_specs()) n += spec.elements();
  return n;
}

CheckedModel check_model(const std::string& path, const std::string& type, const Registry& registry,
                         const ChosenPeft& mode) {
  const Prepared p = prepare(path, type, registry, mode);
  const auto parameters = p.declaration.parameters();
  auto positions = guard(p.component, [&] { return p.family->max_positions(p.opened.config); });
  if (positions && p.attached.adapter)
    *positions -=
        guard(mode.component, [&] { return p.attached.adapter.adapter->position_shift(); });
  return {std::string(p.component.id()),
          load_tokenizer(path, p.opened),
          p.files.unused(),
          {parameters.begin(), parameters.end()},
          positions};
}

namespace {

// The type of most of a model's weights, not counting vectors.
DType main_type(const Prepared& p) {
  std::map<DType, std::int64_t> elements;
  const auto specs = p.declaration.parameters();
  for (std::size_t i = 0; i < specs.size(); ++i)
    if (specs[i].role == Role::matrix || specs[i].role == Role::embedding)
      elements[p.files.view({static_cast<int>(i)}).dtype] += specs[i].elements();
  const auto most =
      std::max_element(elements.begin(), elements.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == elements.end() ? DType::F32 : most->first;
}

Storage storage_for(const ModelPlacement& placement, DType type) {
  if (placement.storage) return *placement.storage;
  if (placement.device.is_cpu()) return Storage::float32;
  return type == DType::F16    ? Storage::float16
         : type == DType::BF16 ? Storage::bfloat16_8
                               : Storage::float32;
}

at::ScalarType dtype_for(const ModelPlacement& placement, DType type) {
  if (placement.dtype) return *placement.dtype;
  if (placement.device.is_cpu()) return at::kFloat;
  return type == DType::F16 ? at::kHalf : type == DType::BF16 ? at::kBFloat16 : at::kFloat;
}

}  // namespace

LoadedModel load_model(const std::string& path, const std::string& type, const Registry& registry,
                       const ModelPlacement& placement, const ChosenPeft& mode) {
  Prepared p = prepare(path, type, registry, mode);
  const DType file_type = main_type(p);
  ParameterStore store(p.declaration.parameters(), storage_for(placement, file_type),
                       placement.device);
  for (std::size_t i = 0; i < store.specs().size(); ++i)
    if (store.specs()[i].role != Role::adapter)
      read_parameter(store, p.files, {static_cast<int>(i)});
  Tokenizer tokenizer = load_tokenizer(path, p.opened);
  return {path,
          std::string(p.component.id()),
          p.component,
          p.family,
          p.opened.config,
          std::move(p.model),
          std::move(store),
          std::move(p.attached.trained),
          std::move(p.attached.adapter),
          dtype_for(placement, file_type),
          std::move(tokenizer),
          p.files.paths(),
          p.files.unused()};
}

}  // namespace mezo
