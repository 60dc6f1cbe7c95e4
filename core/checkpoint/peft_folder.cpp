#include "core/checkpoint/peft_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/checkpoint/rounding_cost.h"
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
// In the weights' free text pairs, where no reader minds it.
constexpr const char *writer_key = "written_by", *writer = "mezo";

ModelConfig read_config(const std::string& folder) {
  const std::string path = (fs::path(folder) / config_file).string();
  return ModelConfig::from_json(read_file<ConfigError>(path, most_text, "[adapter] ",
                                                       std::string("; an adapter folder holds ") +
                                                           config_file + " and " + weights_file),
                                path);
}

TensorFile read_weights(const std::string& folder) {
  const fs::path path = fs::path(folder) / weights_file;
  std::error_code none;
  if (!fs::exists(path, none))
    throw ConfigError("[adapter] " + path.string() + " is missing" +
                      (fs::exists(fs::path(folder) / "adapter_model.bin", none)
                           ? "; adapter_model.bin is a pickle, which is not read: save the adapter "
                             "again as safetensors"
                           : ""));
  return load_safetensors(path);
}

}  // namespace

PeftFolder::PeftFolder(const std::string& folder, const std::string& peft_type)
    : path_(folder), config_(read_config(folder)), tensors_(read_weights(folder)) {
  const std::string type = config_.text("peft_type", "nothing");
  if (type != peft_type)
    throw ConfigError("[adapter] " + folder + " holds an adapter of peft_type " + type +
                      ", expected " + peft_type);
}

bool PeftFolder::ours() const {
  const auto found = tensors_.metadata().find(writer_key);
  return found != tensors_.metadata().end() && found->second == writer;
}

bool PeftFolder::says(const std::string& key) const {
  static const std::vector<std::string> nothing = {"null", "false", "0",  "0.0",
                                                   "\"\"", "[]",    "{}", "\"none\""};
  return std::find(nothing.begin(), nothing.end(), config_.json(key)) == nothing.end();
}

const TensorView& PeftFolder::require(const std::string& name,
                                      const std::vector<std::int64_t>& shape) const {
  const TensorView& view = tensors_.at(name);
  if (view.shape != shape)
    throw ModelError(fmt::format("[{}] tensor {}: expected shape [{}], got [{}]", path_, name,
                                 fmt::join(shape, ", "), fmt::join(view.shape, ", ")));
  return view;
}

std::vector<float> PeftFolder::read(const std::string& name,
                                    const std::vector<std::int64_t>& shape) const {
  const TensorView& view = require(name, shape);
  std::vector<float> values(static_cast<std::size_t>(view.count()));
  dequantize(view, values.data());
  return values;
}

std::vector<std::string> PeftFolder::strangers(const std::vector<std::string>& keys,
                                               const std::vector<std::string>& tensors) const {
  const auto unknown = [](const std::vector<std::string>& known, const std::string& name) {
    return std::find(known.begin(), known.end(), name) == known.end();
  };
  std::vector<std::string> lines;
  for (const std::string& key : config_.keys())
    if (unknown(keys, key) && says(key)) lines.push_back("key '" + key + "' of " + config_file);
  for (const TensorView& tensor : tensors_.tensors())
    if (unknown(tensors, tensor.name)) lines.push_back("tensor " + tensor.name);
  if (!lines.empty() && ours())
    throw ModelError(
        fmt::format("[{}] mezo wrote this adapter, but not: {}", path_, fmt::join(lines, ", ")));
  for (std::string& line : lines) line = "warning: adapter " + path_ + ": " + line + " is not used";
  return lines;
}

void PeftFolder::refuse_if_said(const std::vector<std::string>& keys) const {
  for (const std::string& key : keys)
    if (says(key)) config_.refuse(key, "adapters that use it cannot be read");
}

std::vector<std::string> write_peft_folder(const fs::path& folder, const PeftFiles& files,
                                           const std::string& base, DType dtype) {
  auto config = nlohmann::ordered_json::parse(files.config);
  config["base_model_name_or_path"] = base;
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
  write_safetensors(folder / weights_file, std::move(views),
                    {{"format", "pt"}, {writer_key, writer}});
  write_file_atomically(folder / config_file, config.dump(2) + "\n");
  return {config_file, weights_file};
}

}  // namespace mezo
