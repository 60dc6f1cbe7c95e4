#include "core/model/declaration.h"

#include <stdexcept>
#include <utility>

namespace mezo {

std::int64_t ParameterSpec::elements() const {
  std::int64_t n = 1;
  for (const std::int64_t d : shape) n *= d;
  return n;
}

Parameter Declaration::add(std::string name, std::vector<std::int64_t> shape, Role role,
                           Layout layout) {
  for (const ParameterSpec& p : parameters_)
    if (p.name == name) throw std::logic_error("[Declaration] parameter declared twice: " + name);
  parameters_.push_back({std::move(name), std::move(shape), role, layout});
  return {static_cast<int>(parameters_.size()) - 1};
}

Embedding Declaration::embedding(const std::string& module, std::int64_t entries,
                                 std::int64_t width) {
  return {add(module + ".weight", {entries, width}, Role::embedding)};
}

Linear Declaration::linear(const std::string& module, std::int64_t in, std::int64_t out, bool bias,
                           Layout layout) {
  Linear map;
  map.layout = layout;
  map.weight = add(module + ".weight",
                   layout == Layout::out_in ? std::vector{out, in} : std::vector{in, out},
                   Role::matrix, layout);
  if (bias) map.bias = add(module + ".bias", {out}, Role::vector);
  return map;
}

Norm Declaration::rms_norm(const std::string& module, std::int64_t width, double offset) {
  return {add(module + ".weight", {width}, Role::vector), {}, offset};
}

Norm Declaration::layer_norm(const std::string& module, std::int64_t width) {
  const Parameter gain = add(module + ".weight", {width}, Role::vector);
  return {gain, add(module + ".bias", {width}, Role::vector)};
}

Linear Declaration::vocabulary_head(const std::string& module, std::int64_t in,
                                    std::int64_t entries, bool bias) {
  Linear head{add(module + ".weight", {entries, in}, Role::embedding), {}, Layout::out_in, true};
  if (bias) head.bias = add(module + ".bias", {entries}, Role::vector);
  return head;
}

Parameter Declaration::adapter(std::string name, std::vector<std::int64_t> shape) {
  return add(std::move(name), std::move(shape), Role::adapter);
}

Linear Declaration::tied_head(Embedding embedding, const std::string& bias) {
  Linear head{embedding.weight, {}, Layout::out_in, true};
  tied_ = embedding.weight;
  if (!bias.empty()) {
    const auto weight = static_cast<std::size_t>(embedding.weight.index);
    head.bias = vector(bias, parameters_.at(weight).shape[0]);
  }
  return head;
}

Parameter Declaration::vector(std::string name, std::int64_t size) {
  return add(std::move(name), {size}, Role::vector);
}

}  // namespace mezo
