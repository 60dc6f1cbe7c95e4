#include "core/checkpoint/load_model.h"

#include <ATen/ops/empty_like.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <span>

#include "core/checkpoint/attach.h"
#include "core/checkpoint/gguf_model.h"
#include "core/checkpoint/weight_files.h"
#include "core/error.h"
#include "core/io/safetensors.h"
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

// A tensor that the store keeps in its file's type is copied as it lies, whatever the type.
void read_parameter(ParameterStore& store, const WeightFiles& files, Parameter p) {
  const StoredTensor& t = store.stored(p);
  const bool as_it_lies = storage_of(files.view(p).dtype) == t;
  if (!as_it_lies && t.storage != Storage::float32) {
    std::vector<float> values(static_cast<std::size_t>(store.spec(p).elements()));
    files.read(p, values.data());
    store.write(p, values.data());
    return;
  }
  // from_blob would let a GPU copy read the mapping directly, but files need not align tensors.
  const bool direct = store.device().is_cpu();
  const at::Tensor host = direct ? t.words : at::empty_like(t.words, at::kCPU);
  if (as_it_lies)
    files.copy(p, static_cast<std::byte*>(host.mutable_data_ptr()));
  else
    files.read(p, host.mutable_data_ptr<float>());
  if (!direct) t.words.copy_(host);
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

// Of each of the model's own parameters, in its file.
std::vector<DType> types_of(const Prepared& p) {
  std::vector<DType> types;
  for (const ParameterSpec& spec : p.declaration.parameters())
    if (spec.role != Role::adapter)
      types.push_back(p.files.view({static_cast<int>(types.size())}).dtype);
  return types;
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
          types_of(p),
          p.attached.trained,
          positions};
}

namespace {

// The type of most of a model's weights, not counting vectors.
DType main_type(std::span<const ParameterSpec> specs, const std::vector<DType>& types) {
  std::map<DType, std::int64_t> elements;
  for (std::size_t i = 0; i < specs.size(); ++i)
    if (is_matrix(specs[i].role)) elements[types[i]] += specs[i].elements();
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

std::optional<Widened> widened_by(const ParameterStore& store, const std::vector<DType>& types) {
  Widened widened;
  std::set<std::string> names;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const ParameterSpec& spec = store.specs()[i];
    const StoredTensor& kept = store.stored({static_cast<int>(i)});
    if (!is_matrix(spec.role) || kept.storage == Storage::quantised ||
        storage_of(types[i]).storage != Storage::quantised)
      continue;
    names.insert(name_of(types[i]));
    widened.file_bytes += bytes_of(types[i], spec.elements());
    widened.kept_bytes += spec.elements() * bytes_of(kept.storage);
  }
  if (names.empty()) return std::nullopt;
  widened.from = fmt::format("{}", fmt::join(names, " and "));
  return widened;
}

}  // namespace

LoadedModel load_model(const std::string& path, const std::string& type, const Registry& registry,
                       const ModelPlacement& placement, const ChosenPeft& mode) {
  Prepared p = prepare(path, type, registry, mode);
  const std::vector<DType> types = types_of(p);
  const auto specs = p.declaration.parameters();
  const DType file_type = main_type(specs.first(types.size()), types);
  const bool frozen = placement.frozen || (mode.peft && is_frozen(specs, p.attached.trained));
  const bool as_filed = frozen && !placement.storage;
  std::vector<StorageType> kept(specs.size(), {storage_for(placement, file_type)});
  if (as_filed) std::transform(types.begin(), types.end(), kept.begin(), storage_of);
  ParameterStore store(specs, kept, placement.device);
  for (std::size_t i = 0; i < store.specs().size(); ++i)
    if (store.specs()[i].role != Role::adapter)
      read_parameter(store, p.files, {static_cast<int>(i)});
  Tokenizer tokenizer = load_tokenizer(path, p.opened);
  std::optional<Widened> widened = widened_by(store, types);
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
          p.files.unused(),
          as_filed,
          std::move(widened)};
}

}  // namespace mezo
