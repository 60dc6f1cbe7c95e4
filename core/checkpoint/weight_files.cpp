#include "core/checkpoint/weight_files.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "core/checkpoint/gguf_model.h"
#include "core/checkpoint/matrix_parts.h"
#include "core/error.h"
#include "core/io/dequantize.h"

namespace mezo {

namespace {

// What is wrong with a tensor, or nothing.
std::string fault_of(const NamedTensor& tensor, const ParameterSpec& spec,
                     const std::string& path) {
  const TensorView& view = *tensor.view;
  const std::string where = "[" + path + "] tensor " + view.name;
  if (tensor.transposed && tensor.rotary_heads > 0)
    throw std::logic_error("[TensorNames] " + view.name + ": transposed and of rotary heads");
  if (tensor.added != 0 && spec.shape.size() != 1)
    throw std::logic_error("[TensorNames] " + view.name + ": added to, but no vector");
  std::vector<std::int64_t> shape = spec.shape;
  if (tensor.transposed) std::swap(shape.front(), shape.back());
  if (view.shape != shape)
    return where + ": the configuration asks for shape " + shape_text(shape) + ", got " +
           shape_text(view.shape);
  if (!is_weight(view.dtype))
    return where + ": weights of type " + name_of(view.dtype) + " cannot be read";
  if (tensor.rotary_heads > 0 && view.shape[0] % (2 * tensor.rotary_heads) != 0)
    return where + ": expected rows for " + std::to_string(tensor.rotary_heads) +
           " heads of an even width, got " + std::to_string(view.shape[0]);
  return "";
}

// Each on a line of its own, the first of many.
std::string listed(const std::vector<std::string>& lines) {
  constexpr std::size_t most = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), most); ++i) text += "\n  " + lines[i];
  if (lines.size() > most)
    text += "\n  and " + std::to_string(lines.size() - most) + " more tensors";
  return text;
}

// Tensors that a model lacks are often there under names of another family.
std::string missing_text(const std::vector<std::string>& missing,
                         const std::vector<std::string>& unused) {
  if (missing.empty()) return "";
  std::string text = "tensors that the model needs are not there:" + listed(missing);
  if (!unused.empty())
    text += "\nThe files have " + std::to_string(unused.size()) +
            " that it does not use, such as " + unused.front() +
            ": the configuration (or model.type) may be another model's";
  return text;
}

// The bytes of `count` elements from `first` on, in the file or put together in `room`.
const std::byte* bytes_at(const TensorView& view, std::int64_t first, std::int64_t count,
                          std::vector<std::byte>& room) {
  if (!view.assemble) return view.data.data() + bytes_of(view.dtype, first);
  room.resize(static_cast<std::size_t>(bytes_of(view.dtype, count)));
  view.assemble(first, count, room.data());
  return room.data();
}

// to [columns, rows] = from [rows, columns], elements of so many bytes.
void transpose(const std::byte* from, std::byte* to, std::int64_t rows, std::int64_t columns,
               std::int64_t bytes) {
  at::parallel_for(0, columns, 16, [&](std::int64_t b, std::int64_t e) {
    for (std::int64_t c = b; c < e; ++c)
      for (std::int64_t r = 0; r < rows; ++r)
        std::memcpy(to + (c * rows + r) * bytes, from + (r * columns + c) * bytes,
                    static_cast<std::size_t>(bytes));
  });
}

}  // namespace

WeightFiles::WeightFiles(TensorFile tensors, const TensorNames& names,
                         std::span<const ParameterSpec> parameters)
    : tensors_(std::move(tensors)) {
  NamedTensors named = name_tensors(tensors_, names, parameters);
  std::vector<std::string> missing, faults;
  for (const ParameterSpec& spec : parameters) {
    const auto at = named.found.find(spec.name);
    if (at == named.found.end()) {
      missing.push_back(spec.name);
      continue;
    }
    std::string fault = fault_of(at->second, spec, tensors_.path_of(*at->second.view));
    if (!fault.empty()) faults.push_back(std::move(fault));
    found_.push_back(at->second);
  }
  const std::string lack = missing_text(missing, named.unused);
  if (faults.size() == 1 && lack.empty()) throw ModelError(faults.front());
  if (!faults.empty() || !lack.empty())
    throw ModelError("[" + tensors_.paths().front() + "] " + lack +
                     (faults.empty() ? ""
                                     : (lack.empty() ? "" : "\n") +
                                           std::string("tensors are not as they should be:") +
                                           listed(faults)));
  unused_ = std::move(named.unused);
  twice_ = std::move(named.twice);
}

// Calls each(first, rows, to, width) for stretches of rows that lie together in the file, from
// `first` on, and in transformers' order, from `to` on. A vector is one row, or as many as it has
// elements where they are reordered.
template <class Each>
void WeightFiles::each_stretch(const NamedTensor& tensor, const Each& each) const {
  const TensorView* view = tensor.view;
  const std::int64_t heads = tensor.rotary_heads;
  const bool elements = heads > 0 && view->shape.size() == 1;
  const std::int64_t width = elements || view->shape.empty() ? 1 : view->shape.back();
  const std::int64_t rows = width > 0 ? view->count() / width : 0;
  at::parallel_for(0, rows, 64, [&](std::int64_t b, std::int64_t e) {
    if (heads == 0) return each(b, e - b, b, width);
    for (std::int64_t row = b; row < e; ++row) each(row, 1, rotary_row(row, rows, heads), width);
  });
  tensors_.release(*view);
}

void WeightFiles::read(Parameter p, float* out) const {
  const TensorView& view = this->view(p);
  if (found(p).transposed) {
    std::vector<float> values(static_cast<std::size_t>(view.count()));
    std::vector<std::byte> room;
    dequantize(view.dtype, bytes_at(view, 0, view.count(), room), view.count(), values.data());
    transpose(reinterpret_cast<const std::byte*>(values.data()), reinterpret_cast<std::byte*>(out),
              view.shape[0], view.shape[1], sizeof(float));
    return tensors_.release(view);
  }
  each_stretch(found(p),
               [&](std::int64_t first, std::int64_t rows, std::int64_t to, std::int64_t width) {
                 std::vector<std::byte> room;
                 dequantize(view.dtype, bytes_at(view, first * width, rows * width, room),
                            rows * width, out + to * width);
               });
  if (found(p).added != 0)
    for (std::int64_t i = 0; i < view.count(); ++i) out[i] -= found(p).added;
}

void WeightFiles::copy(Parameter p, std::byte* out) const {
  const TensorView& view = this->view(p);
  if (found(p).added != 0) {  // vectors are kept in fp32 whatever the file has
    if (view.dtype != DType::F32) throw std::logic_error("[WeightFiles] a vector not in fp32");
    return read(p, reinterpret_cast<float*>(out));
  }
  if (found(p).transposed) {
    if (block_size(view.dtype) > 1)
      throw ModelError("[" + tensors_.path_of(view) + "] tensor " + view.name +
                       ": its quantised blocks lie across the model's rows, so it cannot be kept "
                       "as it is; name a type to keep weights in (optimizer.storage)");
    std::vector<std::byte> room;
    transpose(bytes_at(view, 0, view.count(), room), out, view.shape[0], view.shape[1],
              bytes_of(view.dtype, 1));
    return tensors_.release(view);
  }
  each_stretch(found(p),
               [&](std::int64_t first, std::int64_t rows, std::int64_t to, std::int64_t width) {
                 const std::int64_t bytes = bytes_of(view.dtype, width);  // a row is whole blocks
                 if (view.assemble)
                   return view.assemble(first * width, rows * width, out + to * bytes);
                 std::memcpy(out + to * bytes, view.data.data() + first * bytes,
                             static_cast<std::size_t>(rows * bytes));
               });
}

}  // namespace mezo
