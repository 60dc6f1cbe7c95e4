#include "core/checkpoint/load_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <span>

#include "core/checkpoint/end_tokens.h"
#include "core/checkpoint/gguf_model.h"
#include "core/checkpoint/own_head.h"
#include "core/checkpoint/quantised_folder.h"
#include "core/error.h"
#include "core/machine/pinned.h"
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
  if (fs::is_directory(path, none)) {
    Opened folder{ModelConfig::from_folder(path), {}};
    refuse_quantisation(folder.config);
    return folder;
  }
  if (!fs::exists(path, none)) throw ModelError("[load_model] no such file or folder: " + path);
  if (fs::path(path).extension() != ".gguf")
    throw ModelError("[load_model] expected a Hugging Face folder or a .gguf file, got " + path);
  GgufFile file = load_gguf(path);
  ModelConfig config = ModelConfig::from_gguf(file);
  return {std::move(config), std::move(file)};
}

// transformers picks the class by model_type; architectures alone may be what a file was made from.
void check_model_type(const ModelConfig& config, const Component& family) {
  const std::string type = config.text("model_type", "");
  std::string known;
  for (const char* const* name = family.descriptor->serves; name && *name; ++name) {
    const std::string served = *name, key = "model_type:";
    if (!served.starts_with(key)) continue;
    if (type.empty() || served.substr(key.size()) == type) return;
    known = served.substr(key.size());
  }
  if (!known.empty())
    config.refuse("model_type", "architectures is of the " + std::string(family.id()) +
                                    " family, expected " + known + " (model.type=" +
                                    std::string(family.id()) + " reads it as one all the same)");
}

const Component& family_for(const ModelConfig& config, const std::string& type,
                            const Registry& registry) {
  if (type != "auto") return registry.find(MEZO_MODEL, type);
  try {
    const Component& family = registry.match_model(config.architectures());
    check_model_type(config, family);
    return family;
  } catch (const PluginError& e) {
    throw PluginError("[" + config.origin() + "] " + e.what());
  }
}

// A tensor that the store keeps in its file's type is copied as it lies, whatever the type.
void read_parameter(ParameterStore& store, const WeightFiles& files, Parameter p) {
  const StoredTensor& t = store.stored(p);
  const DType dtype = files.view(p).dtype;
  const bool as_it_lies = dtype != DType::F64 && storage_of(dtype) == t;
  if (!as_it_lies && t.storage != Storage::float32) {
    std::vector<float> values(static_cast<std::size_t>(store.spec(p).elements()));
    files.read(p, values.data());
    store.write(p, values.data());
    return;
  }
  // from_blob would let a GPU copy read the mapping directly, but files need not align tensors.
  const bool direct = store.device().is_cpu();
  const at::Tensor host = direct ? t.words : pinned_like(t.words);
  if (as_it_lies)
    files.copy(p, static_cast<std::byte*>(host.mutable_data_ptr()));
  else
    files.read(p, host.mutable_data_ptr<float>());
  if (!direct) t.words.copy_(host, /*non_blocking=*/true);
}

Tokenizer load_tokenizer(const std::string& path, const Opened& opened) {
  const Tokenizer tokenizer =
      opened.gguf ? tokenizer_of(*opened.gguf) : Tokenizer::from_folder(path);
  return tokenizer.for_rows(opened.config.integer("vocab_size"), path);
}

FileKind kind_of(const Opened& opened) {
  return opened.gguf ? FileKind::gguf : FileKind::safetensors;
}

std::optional<std::int64_t> positions_of(const BuiltModel& built) {
  const AttachedAdapter& attached = built.network.adapter;
  auto positions =
      guard(built.network.family, [&] { return built.family->max_positions(built.config); });
  if (positions && attached)
    *positions -= guard(attached.component, [&] { return attached.adapter->position_shift(); });
  return positions;
}

}  // namespace

namespace {

PreparedModel prepared(const std::string& path, const Opened& opened, const Component& family,
                       const ModelChoice& choice) {
  const Parameters settings =
      choice.settings ? *choice.settings : default_settings(family, "model");
  const auto build = [&](const ModelConfig& config) {
    return build_model(config, family, settings, choice.mode);
  };
  BuiltModel built = build(opened.config);
  TensorFile tensors = opened.gguf ? opened.gguf->tensors : folder_weights(path, built.config);
  std::vector<std::string> notes;
  if (!opened.gguf) notes = quantisation_notes(tensors, built.config);
  built = with_head_of_files(std::move(built), tensors, built.file_names(kind_of(opened)), build);
  WeightFiles files(std::move(tensors), built.file_names(kind_of(opened)), built.base_specs());
  std::vector<DType> types;
  for (std::size_t i = 0; i < built.base_specs().size(); ++i)
    types.push_back(files.view({static_cast<int>(i)}).dtype);
  built.notes.insert(built.notes.end(), notes.begin(), notes.end());
  const auto positions = positions_of(built);
  Tokenizer tokenizer = load_tokenizer(path, opened);
  std::vector<std::int32_t> ends =
      opened.gguf ? end_tokens_of(tokenizer) : end_tokens_of_folder(path, opened.config, tokenizer);
  return {{std::move(built), path, std::move(tokenizer), positions, std::move(ends)},
          std::move(files),
          std::move(types)};
}

// What to say of a model that does not fit the type that a user gave it.
std::string other_type(const ModelConfig& config, const Component& family,
                       const Registry& registry) {
  try {
    const std::string_view other = registry.match_model(config.architectures()).id();
    if (other == family.id()) return "";
    return fmt::format("\nmodel.type is {}, but the model is of the {} family: leave it auto",
                       family.id(), other);
  } catch (const Error&) {  // no plugin serves what it says of itself, or it says nothing
    return "";
  }
}

}  // namespace

PreparedModel prepare_model(const std::string& path, const Registry& registry,
                            const ModelChoice& choice) {
  const Opened opened = open_model(path);
  const Component& family = family_for(opened.config, choice.type, registry);
  try {
    return prepared(path, opened, family, choice);
  } catch (const ModelError& e) {
    throw ModelError(e.what() + other_type(opened.config, family, registry));
  }
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

constexpr std::int64_t ahead = std::int64_t{1} << 29;  // bytes that the system may fetch before use

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

LoadedModel load_weights(PreparedModel p, const ModelPlacement& placement,
                         const ReadProgress& progress) {
  const DType file_type = main_type(p.base_specs(), p.types);
  const bool as_filed = placement.frozen && !placement.storage;
  std::vector<StorageType> kept(p.specs.size(), {storage_for(placement, file_type)});
  if (as_filed) std::transform(p.types.begin(), p.types.end(), kept.begin(), storage_of);
  ParameterStore store(p.specs, kept, placement.device);
  std::vector<std::int64_t> bytes;
  for (std::size_t i = 0; i < p.types.size(); ++i)
    bytes.push_back(bytes_of(p.types[i], p.specs[i].elements()));
  const std::int64_t all = std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0});
  std::int64_t expected = 0, done = 0;
  for (std::size_t i = 0, next = 0; i < p.types.size(); ++i) {
    for (; next < bytes.size() && expected < done + bytes[i] + ahead; ++next) {
      p.files.expect({static_cast<int>(next)});
      expected += bytes[next];
    }
    read_parameter(store, p.files, {static_cast<int>(i)});
    done += bytes[i];
    if (progress) progress(done, all);
  }
  LoadedModel model{std::move(static_cast<TextModel&>(p)), std::move(store)};
  model.dtype = dtype_for(placement, file_type);
  model.files = p.files.paths();
  model.unused = p.files.unused();
  model.kept_as_filed = as_filed;
  model.widened = widened_by(model.store, p.types);
  return model;
}

LoadedModel load_model(const std::string& path, const Registry& registry,
                       const ModelPlacement& placement, const ModelChoice& choice) {
  return load_weights(prepare_model(path, registry, choice), placement);
}

}  // namespace mezo
