#include "core/checkpoint/peft_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/checkpoint/rounding_cost.h"
#include "core/config/nearest.h"
#include "core/error.h"
#include "core/io/atomic_file.h"
#include "core/io/dequantize.h"
#include "core/io/read_file.h"
#include "core/io/safetensors.h"

namespace mezo {

namespace {

namespace fs = std::filesystem;

constexpr const char* config_file = "adapter_config.json";
constexpr const char* weights_file = "adapter_model.safetensors";

// What a folder without adapter_config.json may be instead.
std::string instead_of(const fs::path& folder) {
  std::error_code none;
  if (fs::is_regular_file(folder, none)) return "; give the folder that the file lies in";
  std::vector<std::string> inside;
  for (fs::directory_iterator entry(folder, none), end; entry != end; entry.increment(none))
    if (fs::exists(entry->path() / config_file, none)) inside.push_back(entry->path().string());
  std::sort(inside.begin(), inside.end());
  if (inside.size() > 4) inside = {inside.front(), inside.back()};
  if (!inside.empty()) return fmt::format("; did you mean {}?", fmt::join(inside, " or "));
  if (fs::exists(folder / "config.json", none))
    return "; this is a model's folder, which model.path takes";
  return "";
}

std::string read_config(const std::string& folder) {
  const std::string path = (fs::path(folder) / config_file).string();
  return read_file<ConfigError>(path, most_text, "[adapter] ",
                                std::string("; an adapter folder holds ") + config_file + " and " +
                                    weights_file + instead_of(folder));
}

bool same_but_case(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::toupper(x) == std::toupper(y);
  });
}

TensorFile read_weights(const std::string& folder) {
  const fs::path path = fs::path(folder) / weights_file;
  std::error_code none;
  if (!fs::exists(path, none))
    throw ConfigError("[adapter] " + path.string() + " is missing" +
                      (fs::exists(fs::path(folder) / "adapter_model.bin", none)
                           ? "; adapter_model.bin is a pickle, which is not read: load it with the "
                             "peft package and save it again (save_pretrained)"
                           : ""));
  return load_safetensors(path);
}

}  // namespace

const char* const merge_it =
    "merge the adapter into its base with the peft package (merge_and_unload, save_pretrained) and "
    "use that model";

PeftFolder::PeftFolder(const std::string& folder, const std::vector<std::string>& types)
    : PeftFolder(folder, types, read_config(folder)) {}

PeftFolder::PeftFolder(const std::string& folder, const std::vector<std::string>& types,
                       const std::string& config)
    : path_(folder),
      config_(ModelConfig::from_json(config, (fs::path(folder) / config_file).string())),
      tensors_(read_weights(folder)) {
  const auto values = nlohmann::ordered_json::parse(config);
  for (const auto& [key, value] : values.items()) values_.emplace_back(key, value.dump());
  type_ = config_.text("peft_type", "nothing");
  if (std::ranges::find(types, type_) == types.end())
    throw ConfigError("[adapter] " + folder + " holds an adapter of peft_type " + type_ +
                      ", expected " + types.front() +
                      (same_but_case(type_, types.front()) ? " in capitals" : "") +
                      "; set peft.type to a mode that reads it, or " + merge_it);
}

std::string PeftFolder::json(const std::string& key) const {
  for (const auto& [name, value] : values_)
    if (name == key) return value;
  return "null";
}

const TensorView& PeftFolder::require(const std::string& name,
                                      const std::vector<std::int64_t>& shape) const {
  const TensorView& view = tensors_.at(name);
  if (view.count() == 0)  // a known mistake of training in shards
    throw ModelError(
        fmt::format("[{}] tensor {} is empty; gather the adapter's weights from all "
                    "processes before it is saved",
                    path_, name));
  if (view.shape != shape)
    throw ModelError(fmt::format("[{}] tensor {}: expected shape [{}], got [{}]", path_, name,
                                 fmt::join(shape, ", "), fmt::join(view.shape, ", ")));
  if (view.dtype != DType::F32 && view.dtype != DType::F16 && view.dtype != DType::BF16)
    throw ModelError(fmt::format(
        "[{}] tensor {}: expected F32, F16 or BF16, got {}; save the adapter again in float32",
        path_, name, name_of(view.dtype)));
  return view;
}

std::vector<float> PeftFolder::read(const std::string& name,
                                    const std::vector<std::int64_t>& shape) const {
  const TensorView& view = require(name, shape);
  std::vector<float> values(static_cast<std::size_t>(view.count()));
  dequantize(view, values.data());
  return values;
}

void PeftFolder::check_keys(const std::vector<PeftKey>& own) const {
  // Those of every peft configuration; a mode may say more of one.
  static const std::vector<PeftKey> of_all = {
      {"peft_type"},    {"task_type"}, {"inference_mode"}, {"base_model_name_or_path"},
      {"peft_version"}, {"revision"},  {"auto_mapping"},   {"runtime_config"}};
  static const std::vector<std::string> nothing = {"null", "false", "\"\"", "[]", "{}"};
  const auto contains = [](const std::vector<std::string>& list, const std::string& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  };
  std::vector<std::string> names, lines;
  for (const PeftKey& key : own) {
    names.push_back(key.name);
    if (key.neutral.empty() || contains(key.neutral, json(key.name))) continue;
    lines.push_back(fmt::format("{}: adapters that use it cannot be read; {}, got {}", key.name,
                                key.instead.empty() ? merge_it : key.instead, json(key.name)));
  }
  for (const PeftKey& key : of_all) names.push_back(key.name);
  for (const auto& [name, value] : values_)
    if (!contains(names, name) && !contains(nothing, value))
      lines.push_back(
          fmt::format("{}: this key is not known{}; remove it if it changes nothing of "
                      "what is computed, got {}",
                      name, did_you_mean(name, names), value));
  if (!lines.empty())
    throw ModelError(fmt::format("[{}] {}", config_.origin(), fmt::join(lines, "\n")));
}

void PeftFolder::refuse_unused(const std::vector<std::string>& used,
                               const std::function<std::string(const std::string&)>& advice) const {
  const std::set<std::string> known(used.begin(), used.end());
  std::map<std::string, std::vector<std::string>> unused;  // by advice
  for (const TensorView& tensor : tensors_.tensors())
    if (!known.contains(tensor.name)) unused[advice(tensor.name)].push_back(tensor.name);
  if (unused.empty()) return;
  std::vector<std::string> lines;
  for (const auto& [what, names] : unused)
    lines.push_back(fmt::format(
        "tensor {}{} cannot be read: {}", names.front(),
        names.size() > 1 ? fmt::format(" (and {} like it)", names.size() - 1) : "", what));
  throw ModelError(fmt::format("[{}] {}", path_, fmt::join(lines, "\n")));
}

std::vector<std::string> write_peft_folder(const fs::path& folder, const PeftFiles& files,
                                           const PeftBase& base, DType dtype) {
  auto config = nlohmann::ordered_json::parse(files.config);
  config["base_model_name_or_path"] = base.path;
  // peft has no name for filling masks. Under this one it asks a model for nothing but its forward.
  config["task_type"] = base.causal ? "CAUSAL_LM" : "FEATURE_EXTRACTION";
  std::vector<std::vector<std::byte>> bytes;
  std::vector<TensorView> views;
  RoundingCost cost;
  for (const PeftFiles::Tensor& t : files.tensors) {
    const auto count = static_cast<std::int64_t>(t.values.size());
    bytes.emplace_back(static_cast<std::size_t>(bytes_of(dtype, count)));
    write_rounded(t.values, t.values, dtype, bytes.back(), cost, t.name);
    views.push_back({t.name, dtype, t.shape, bytes.back()});
  }
  // The configuration last: a folder with it is whole.
  // Free text pairs, of which no reader minds one more.
  write_safetensors(folder / weights_file, std::move(views),
                    {{"format", "pt"}, {"written_by", "mezo"}});
  write_file_atomically(folder / config_file, config.dump(2) + "\n");
  return {config_file, weights_file};
}

}  // namespace mezo
