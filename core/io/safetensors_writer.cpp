#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/io/atomic_file.h"
#include "core/io/quote.h"
#include "core/io/safetensors.h"

namespace mezo {
namespace {

std::string place_of(const std::filesystem::path& path, const TensorView& tensor) {
  return fmt::format("[write_safetensors] {}: tensor {}", path.string(), quote(tensor.name));
}

void check_one(const std::filesystem::path& path, const TensorView& tensor) {
  if (tensor.name == "__metadata__")
    throw RunError(place_of(path, tensor) + ": this name is the format's own");
  if (block_size(tensor.dtype) != 1) {
    throw RunError(fmt::format("{}: expected a plain type, got {}", place_of(path, tensor),
                               name_of(tensor.dtype)));
  }
  if (!element_count(tensor.shape)) {
    throw RunError(fmt::format("{}: expected at most 2^59 elements, got shape [{}]",
                               place_of(path, tensor), fmt::join(tensor.shape, ", ")));
  }
}

void check(const std::filesystem::path& path, const std::vector<TensorView>& tensors) {
  std::vector<const TensorView*> by_name;
  for (const TensorView& tensor : tensors) {
    check_one(path, tensor);
    by_name.push_back(&tensor);
  }
  std::ranges::sort(by_name, {}, &TensorView::name);
  const auto twin = std::ranges::adjacent_find(by_name, {}, &TensorView::name);
  if (twin != by_name.end()) {
    throw RunError(place_of(path, **twin) + ": expected one of this name, got two");
  }
}

void check_data(const std::filesystem::path& path, const TensorView& tensor,
                std::span<const std::byte> data) {
  if (static_cast<uint64_t>(bytes_of(tensor.dtype, tensor.count())) != data.size()) {
    throw RunError(fmt::format("{}: expected the bytes of {} [{}], got {}", place_of(path, tensor),
                               name_of(tensor.dtype), fmt::join(tensor.shape, ", "), data.size()));
  }
}

// Compact JSON in the order of the data, padded with spaces so that the data begins at a multiple
// of 8.
std::string header_of(const std::vector<TensorView>& ordered,
                      const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  if (!metadata.empty()) text += "\"__metadata__\":" + nlohmann::json(metadata).dump();
  uint64_t begin = 0;
  for (const TensorView& tensor : ordered) {
    const uint64_t end = begin + static_cast<uint64_t>(bytes_of(tensor.dtype, tensor.count()));
    text += fmt::format(R"({}{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                        text.size() > 1 ? "," : "", nlohmann::json(tensor.name).dump(),
                        name_of(tensor.dtype), fmt::join(tensor.shape, ","), begin, end);
    begin = end;
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::vector<TensorView> tensors,
                       const std::map<std::string, std::string>& metadata,
                       const TensorData& data_of) {
  check(path, tensors);
  std::ranges::sort(tensors, [](const TensorView& a, const TensorView& b) {
    return a.dtype != b.dtype ? a.dtype > b.dtype : a.name < b.name;
  });
  std::string header;
  try {
    header = header_of(tensors, metadata);
  } catch (const nlohmann::json::exception& error) {
    throw RunError(
        fmt::format("[write_safetensors] {}: expected names and metadata in UTF-8, got {}",
                    path.string(), quote(error.what())));
  }
  const uint64_t length = header.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(std::as_bytes(std::span(header)));
  for (const TensorView& tensor : tensors) {
    const std::span<const std::byte> data = data_of(tensor);
    check_data(path, tensor, data);
    file.write(data);
  }
  file.commit();
}

void write_safetensors(const std::filesystem::path& path, std::vector<TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  check(path, tensors);  // all of it before the first byte, with what `data` says
  for (const TensorView& tensor : tensors) check_data(path, tensor, tensor.data);
  write_safetensors(path, std::move(tensors), metadata,
                    [](const TensorView& tensor) { return tensor.data; });
}

}  // namespace mezo
