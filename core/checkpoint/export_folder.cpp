#include "core/checkpoint/export_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>
#include <utility>

#include "core/checkpoint/base_file.h"
#include "core/checkpoint/folder_config.h"
#include "core/checkpoint/folder_tokenizer.h"
#include "core/checkpoint/shards.h"
#include "core/error.h"
#include "core/io/atomic_file.h"
#include "core/io/new_folder.h"
#include "core/io/safetensors.h"

namespace mezo {
namespace {

namespace fs = std::filesystem;

bool is_export_type(DType dtype) {
  return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
}

// Every declared parameter once (a tied head is its embedding), without data.
std::vector<TensorView> tensors_to_write(const LoadedModel& model, const BaseFile& base,
                                         const ExportOptions& options, ExportReport& report) {
  std::vector<TensorView> tensors;
  for (std::size_t i = 0; i < model.base_specs().size(); ++i) {
    const ParameterSpec& spec = model.base_specs()[i];
    const DType of_base = base.weights.view({static_cast<int>(i)}).dtype;
    const DType dtype = options.dtype.value_or(is_export_type(of_base) ? of_base : DType::F32);
    const auto add = [&](const std::string& name) {
      tensors.push_back({name, dtype, spec.shape, {}});
      ++report.types[name_of(dtype)];
      if (!is_export_type(of_base)) ++report.dequantised[name_of(of_base)];
      report.bytes += bytes_of(dtype, spec.elements());
    };
    add(spec.name);
    if (const auto twice = base.weights.twice().find(spec.name);
        twice != base.weights.twice().end())
      add(twice->second);
  }
  report.tensors = static_cast<std::int64_t>(tensors.size());
  return tensors;
}

// The type of most weights: what transformers computes in when it is not told otherwise.
DType prevailing_type(const std::vector<TensorView>& tensors) {
  std::map<DType, std::int64_t> weights;
  for (const TensorView& tensor : tensors) weights[tensor.dtype] += tensor.count();
  DType most = DType::F32;
  for (const auto& [dtype, count] : weights)
    if (count > weights[most]) most = dtype;
  return most;
}

// Turns one parameter after the other into the bytes of a file, in buffers that are used again.
class Converter {
 public:
  Converter(const LoadedModel& model, const WeightReader& read, const BaseFile& base,
            RoundingCost& cost)
      : read_(read), base_(base), cost_(cost) {
    for (std::size_t i = 0; i < model.base_specs().size(); ++i)
      places_[model.base_specs()[i].name] = {static_cast<int>(i)};
    for (const auto& [name, other] : base.weights.twice()) places_[other] = places_.at(name);
  }

  // Valid until the next call.
  std::span<const std::byte> operator()(const TensorView& tensor) {
    const Parameter p = places_.at(tensor.name);
    const auto count = static_cast<std::size_t>(tensor.count());
    weights_.resize(count);
    before_.resize(count);
    bytes_.resize(static_cast<std::size_t>(bytes_of(tensor.dtype, tensor.count())));
    read_(p, weights_);
    base_.weights.read(p, before_.data());
    write_rounded(weights_, before_, tensor.dtype, bytes_, cost_, tensor.name);
    return bytes_;
  }

 private:
  const WeightReader& read_;
  const BaseFile& base_;
  RoundingCost& cost_;
  std::map<std::string, Parameter> places_;
  std::vector<float> weights_, before_;
  std::vector<std::byte> bytes_;
};

void write_weights(const std::vector<TensorView>& tensors, std::int64_t limit, Converter& convert,
                   const fs::path& folder, ExportReport& report) {
  const std::vector<Shard> shards = plan_shards(tensors, limit);
  for (const Shard& shard : shards) {
    write_safetensors(folder / shard.file, shard.tensors, {{"format", "pt"}}, std::ref(convert));
    report.files.push_back(shard.file);
  }
  if (shards.size() == 1) return;
  report.files.push_back("model.safetensors.index.json");
  write_file_atomically(folder / report.files.back(), shard_index(shards));
}

// All but the weights.
void write_companions(const LoadedModel& model, const BaseFile& base, const fs::path& folder,
                      const ExportOptions& options, DType prevailing, ExportReport& report) {
  const auto& gguf = base.gguf;
  write_file_atomically(folder / "config.json",
                        gguf ? made_config(model, prevailing)
                             : copied_config((fs::path(model.path) / "config.json").string(),
                                             options.dtype, prevailing, model.untied));
  report.files.push_back("config.json");
  for (std::string& name :
       gguf ? write_tokenizer(*gguf, folder) : copy_tokenizer(model.path, folder))
    report.files.push_back(std::move(name));
}

std::string counted(const std::map<std::string, int>& types) {
  std::vector<std::string> parts;
  for (const auto& [name, count] : types) parts.push_back(fmt::format("{} in {}", count, name));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

std::optional<DType> export_dtype(const std::string& name) {
  if (name == "auto") return std::nullopt;
  if (name == "float32") return DType::F32;
  if (name == "float16") return DType::F16;
  if (name == "bfloat16") return DType::BF16;
  throw ConfigError("[export] expected a type of auto, float32, float16 or bfloat16, got '" + name +
                    "'");
}

std::vector<std::string> ExportReport::lines() const {
  std::vector<std::string> lines = {
      fmt::format("{}: {} tensors ({}), {:.1f} MB", path, tensors, counted(types), bytes / 1e6),
      rounding.text()};
  if (!dequantised.empty())
    lines.push_back(
        fmt::format("the base file has {}, which no export keeps", counted(dequantised)));
  if (!left_out.empty())
    lines.push_back(
        fmt::format("not written, as the model does not use it: {}", fmt::join(left_out, ", ")));
  return lines;
}

ExportReport export_folder(const LoadedModel& model, const WeightReader& read, const fs::path& path,
                           const ExportOptions& options) {
  if (options.dtype && !is_export_type(*options.dtype))
    throw std::invalid_argument("[export_folder] expected F32, F16 or BF16");
  const BaseFile base(model);
  ExportReport report;
  report.path = path.string();
  report.left_out = model.unused;
  const auto tensors = tensors_to_write(model, base, options, report);
  NewFolder folder(path);
  try {
    // The small files first: what they lack is known before gigabytes are written.
    write_companions(model, base, folder.path(), options, prevailing_type(tensors), report);
    Converter convert(model, read, base, report.rounding);
    write_weights(tensors, options.shard_bytes, convert, folder.path(), report);
  } catch (const RunError& error) {  // it names a file that is gone by now
    throw RunError(
        fmt::format("[export_folder] {}: nothing was written: {}", path.string(), error.what()));
  }
  folder.commit();
  return report;
}

}  // namespace mezo
