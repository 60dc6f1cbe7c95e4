// Compiled with -ffp-contract=off: scales are products and sums that bitsandbytes rounds one by
// one.
#include "core/checkpoint/normal_float.h"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/io/blocks.h"
#include "core/io/json_text.h"
#include "core/io/quote.h"

namespace mezo {

namespace {

constexpr const char* kState = ".quant_state.bitsandbytes__nf4";
constexpr std::int64_t kBlock = Block<DType::NF4_F32>::weights;

// The tensors that belong to one matrix.
class Parts {
 public:
  Parts(const TensorFile& tensors, std::string name) : tensors_(tensors), name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  [[noreturn]] void refuse(const std::string& why) const {
    const TensorView& state = tensors_.at(name_ + kState);
    throw ModelError(fmt::format("[{}] tensor {}: {}", tensors_.path_of(state), quote(name_), why));
  }
  // A part by its suffix, of so many elements.
  const TensorView& part(const char* suffix, DType dtype, std::int64_t count) {
    const TensorView* view = tensors_.find(name_ + suffix);
    if (!view) refuse(fmt::format("quantised by bitsandbytes, but {}{} is missing", name_, suffix));
    if (view->dtype != dtype || view->count() != count)
      refuse(fmt::format("expected {} elements of {} in {}, got {} of {}", count, name_of(dtype),
                         view->name, view->count(), name_of(view->dtype)));
    used_.push_back(view->name);
    return *view;
  }
  // Its bytes, whatever type they are called.
  const TensorView& packed(std::int64_t bytes) const {
    const TensorView* view = tensors_.find(name_);
    if (!view || static_cast<std::int64_t>(view->data.size()) != bytes)
      refuse(fmt::format("expected {} bytes of 4-bit weights, got {}", bytes,
                         view ? view->data.size() : 0));
    return *view;
  }
  nlohmann::json state() {
    const TensorView& view = tensors_.at(name_ + kState);
    used_.push_back(view.name);
    const auto* text = reinterpret_cast<const char*>(view.data.data());
    const auto json = json_of<ModelError>(
        {text, view.data.size()}, fmt::format("[{}] tensor {}", tensors_.path_of(view), view.name));
    if (!json.is_object()) refuse("expected a JSON object in " + view.name);
    return json;
  }
  const std::vector<std::string>& used() const { return used_; }

 private:
  const TensorFile& tensors_;
  std::string name_;
  std::vector<std::string> used_;
};

std::int64_t integer_of(const Parts& parts, const nlohmann::json& state, const char* key) {
  const auto value = state.find(key);
  if (value == state.end() || !value->is_number_integer() || *value <= 0 ||
      *value > (std::int64_t{1} << 40))
    parts.refuse(fmt::format("expected a size as {} in its {}", key, kState + 1));
  return value->get<std::int64_t>();
}

DType dtype_of(const Parts& parts, const nlohmann::json& state) {
  const std::string name = state.value("dtype", nlohmann::json()).dump();
  if (name == "\"float32\"") return DType::NF4_F32;
  if (name == "\"float16\"") return DType::NF4_F16;
  if (name == "\"bfloat16\"") return DType::NF4_BF16;
  parts.refuse("expected weights that were float32, float16 or bfloat16, got " + name);
}

std::vector<std::int64_t> shape_of(const Parts& parts, const nlohmann::json& state) {
  std::vector<std::int64_t> shape;
  const auto list = state.value("shape", nlohmann::json::array());
  for (const auto& extent : list)
    if (extent.is_number_integer()) shape.push_back(extent.get<std::int64_t>());
  if (shape.empty() || shape.size() != list.size() || element_count(shape).value_or(0) == 0)
    parts.refuse("expected a shape in its quant_state, got " + list.dump());
  if (shape.back() % kBlock != 0)
    parts.refuse(
        fmt::format("expected rows of a multiple of {} weights, got {}", kBlock, shape.back()));
  return shape;
}

float float_at(std::span<const std::byte> bytes, std::int64_t i) {
  float value;
  std::memcpy(&value, bytes.data() + i * static_cast<std::int64_t>(sizeof value), sizeof value);
  return value;
}

// Of each block, read when it is asked for: fp32, or a byte that names one of 256 levels of an
// outer block's scale, around an offset.
struct Scales {
  std::span<const std::byte> stored, levels, outer;
  std::int64_t outer_block = 0;  // 0: not nested
  float offset = 0;

  float operator()(std::int64_t i) const {
    if (outer_block == 0) return float_at(stored, i);
    const auto code = std::to_integer<std::int64_t>(stored[static_cast<std::size_t>(i)]);
    return float_at(levels, code) * float_at(outer, i / outer_block) + offset;
  }
};

Scales scales_of(Parts& parts, const nlohmann::json& state, std::int64_t count) {
  if (!state.contains("nested_blocksize"))
    return {parts.part(".absmax", DType::F32, count).data, {}, {}};
  const std::int64_t block = integer_of(parts, state, "nested_blocksize");
  const auto offset = state.find("nested_offset");
  if (offset == state.end() || !offset->is_number())
    parts.refuse("expected a number as nested_offset in its quant_state");
  return {parts.part(".absmax", DType::U8, count).data,
          parts.part(".nested_quant_map", DType::F32, 256).data,
          parts.part(".nested_absmax", DType::F32, (count + block - 1) / block).data, block,
          static_cast<float>(offset->get<double>())};
}

void check_levels(Parts& parts) {
  const auto levels = parts.part(".quant_map", DType::F32, 16).data;
  for (int i = 0; i < 16; ++i)
    if (float_at(levels, i) != normal_float_level(i))
      parts.refuse(
          fmt::format("expected bitsandbytes' levels of nf4 in {}.quant_map, got {} as "
                      "level {}",
                      parts.name(), float_at(levels, i), i));
}

// Two weights a byte, the first in the upper half, to nibbles that lie as blocks have them.
void write_block(const std::byte* pairs, float scale, std::byte* out) {
  const auto weight = [pairs](std::int64_t i) {
    return std::to_integer<unsigned>(pairs[i / 2]) >> (i % 2 ? 0 : 4) & 15;
  };
  std::memcpy(out, &scale, sizeof scale);
  out += sizeof scale;
  for (std::int64_t first = 0; first < kBlock; first += 2 * run_length)
    for (std::int64_t i = first; i < first + run_length; ++i)
      *out++ = static_cast<std::byte>(weight(i) | weight(i + run_length) << 4);
}

TensorView assembled(Parts& parts) {
  const nlohmann::json state = parts.state();
  TensorView view{parts.name(), dtype_of(parts, state), shape_of(parts, state), {}};
  const std::int64_t block = integer_of(parts, state, "blocksize"), count = view.count();
  if (block % kBlock != 0)
    parts.refuse(fmt::format("expected a blocksize of a multiple of {}, got {}", kBlock, block));
  check_levels(parts);
  view.data = parts.packed(count / 2).data;
  view.assemble = [pairs = view.data, scales = scales_of(parts, state, (count + block - 1) / block),
                   block](std::int64_t first, std::int64_t n, std::byte* out) {
    for (std::int64_t i = first; i < first + n; i += kBlock, out += Block<DType::NF4_F32>::bytes)
      write_block(pairs.data() + i / 2, scales(i / block), out);
  };
  return view;
}

}  // namespace

TensorFile with_normal_floats(const TensorFile& tensors, const std::string& folder) {
  std::vector<TensorView> views;
  std::set<std::string> used;
  for (const TensorView& tensor : tensors.tensors()) {
    if (!tensor.name.ends_with(kState)) continue;
    Parts parts(tensors, tensor.name.substr(0, tensor.name.size() - std::strlen(kState)));
    views.push_back(assembled(parts));
    used.insert(parts.used().begin(), parts.used().end());
    used.insert(parts.name());
  }
  if (views.empty())
    throw ModelError(
        fmt::format("[{}] config.json says that bitsandbytes quantised the weights, but no "
                    "tensor is called …{}: take the quantization_config out to "
                    "read them as they are",
                    folder, kState));
  for (const TensorView& tensor : tensors.tensors())
    if (!used.contains(tensor.name)) views.push_back(tensor);
  return tensors.with(std::move(views));
}

}  // namespace mezo
