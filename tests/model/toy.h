#pragma once
// What the tests of this folder share: tensors with known numbers, and a ParameterSource that gives
// each stream a copy of its own.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "core/model/declaration.h"
#include "core/model/parameter_source.h"

// c10's logging takes the name for itself; include this header last.
#undef CHECK
#define CHECK DOCTEST_CHECK

namespace mezo {

// Numbers in [-1, 1) that depend on `seed` alone.
inline at::Tensor numbers(std::vector<std::int64_t> shape, std::uint64_t seed) {
  at::Tensor t = at::empty(shape, at::kFloat);
  std::uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (float& x : std::span(t.mutable_data_ptr<float>(), static_cast<std::size_t>(t.numel()))) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x = static_cast<float>(state >> 40) / 8388608.0f - 1.0f;
  }
  return t;
}

// One parameter vector of a model; `copy` tells several apart.
inline std::vector<at::Tensor> parameters_of(const Declaration& declaration, std::uint64_t copy) {
  std::vector<at::Tensor> tensors;
  for (const ParameterSpec& spec : declaration.parameters())
    tensors.push_back(numbers(spec.shape, 100 * copy + tensors.size() + 1));
  return tensors;
}

inline double difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  return a.numel() ? (a - b).abs().max().item<double>() : 0.0;
}

inline std::vector<std::int32_t> tokens(std::int32_t first, std::int32_t count) {
  std::vector<std::int32_t> list(static_cast<std::size_t>(count));
  std::iota(list.begin(), list.end(), first);
  return list;
}

// A source of several copies that holds its caller to the contract: what it gave of a whole matrix
// is overwritten by the next call.
class CopiesSource : public ParameterSource {
 public:
  explicit CopiesSource(std::vector<std::vector<at::Tensor>> copies) : copies_(std::move(copies)) {}

  int streams() const override { return static_cast<int>(copies_.size()); }
  at::Tensor whole(Parameter p) override {
    const at::Tensor all = give(p, [](const at::Tensor& t) { return t.clone(); });
    if (all.dim() == 3) scratch_ = all;
    return all;
  }
  at::Tensor rows(Parameter p, const at::Tensor& entries) override {
    asked_rows += entries.numel();
    return give(p, [&](const at::Tensor& t) { return t.index_select(0, entries); });
  }

  std::int64_t asked_rows = 0;   // by rows()
  std::vector<Parameter> asked;  // in order

 private:
  template <class Part>
  at::Tensor give(Parameter p, Part&& part) {
    asked.push_back(p);
    if (scratch_.defined()) scratch_.fill_(std::numeric_limits<float>::quiet_NaN());
    std::vector<at::Tensor> parts;
    for (const auto& copy : copies_) parts.push_back(part(copy[static_cast<std::size_t>(p.index)]));
    return at::stack(parts);
  }
  std::vector<std::vector<at::Tensor>> copies_;
  at::Tensor scratch_;
};

}  // namespace mezo
