#include "core/io/tensor_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "core/error.h"
#include "core/io/quote.h"

namespace mezo {

TensorFile::TensorFile(Files files, std::vector<TensorView> tensors,
                       std::map<std::string, std::string> metadata)
    : files_(std::move(files)), tensors_(std::move(tensors)), metadata_(std::move(metadata)) {
  std::ranges::sort(tensors_, {}, &TensorView::name);
  const auto twin = std::ranges::adjacent_find(tensors_, {}, &TensorView::name);
  if (twin != tensors_.end()) {
    throw ModelError(fmt::format("{}: tensor {}: expected one of this name, got another in {}",
                                 path_of(*twin), quote(twin->name), path_of(*std::next(twin))));
  }
}

const TensorView* TensorFile::find(std::string_view name) const {
  const auto place = std::ranges::lower_bound(tensors_, name, {}, &TensorView::name);
  return place != tensors_.end() && place->name == name ? &*place : nullptr;
}

const TensorView& TensorFile::at(std::string_view name) const {
  const TensorView* tensor = find(name);
  if (tensor == nullptr) {
    throw ModelError(fmt::format("{}: tensor {} is missing; the file has {} others",
                                 fmt::join(paths(), ", "), quote(name), tensors_.size()));
  }
  return *tensor;
}

std::vector<std::string> TensorFile::paths() const {
  std::vector<std::string> paths;
  for (const auto& file : files_) paths.push_back(file->path());
  return paths;
}

const MappedFile& TensorFile::file_of(const TensorView& tensor) const {
  // std::less orders pointers into different mappings, which < does not promise to.
  const std::less<const std::byte*> before;
  for (const auto& file : files_) {
    const std::span<const std::byte> bytes = file->bytes();
    const std::byte* start = tensor.data.data();
    if (!before(start, bytes.data()) && !before(bytes.data() + bytes.size(), start)) {
      return *file;
    }
  }
  throw ModelError(
      fmt::format("[TensorFile] expected a tensor of this object, got {}", quote(tensor.name)));
}

}  // namespace mezo
