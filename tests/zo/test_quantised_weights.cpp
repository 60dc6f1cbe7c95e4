// Weights that stay quantised, as forwards read them.
#include <ATen/ops/equal.h>
#include <doctest/doctest.h>

#include <cstring>
#include <stdexcept>

#include "core/forward/index_tensor.h"
#include "core/zo/exact_weights.h"
#include "quantised_store.h"
#include "spsa_step.h"

using namespace mezo;

namespace {

constexpr std::pair<at::ScalarType, DType> read_types[] = {
    {at::kFloat, DType::F32}, {at::kHalf, DType::F16}, {at::kBFloat16, DType::BF16}};

// Whether `got` [1, rows, width] is these rows of the parameter.
bool is_rows(const QuantisedStore& q, Parameter p, const at::Tensor& got, DType to,
             const std::vector<std::int64_t>& rows) {
  if (got.sizes() !=
      at::IntArrayRef{1, static_cast<std::int64_t>(rows.size()), q.store.spec(p).shape[1]})
    return false;
  const auto* at = static_cast<const std::byte*>(got.const_data_ptr());
  for (const std::int64_t row : rows) {
    const auto wanted = q.row(p, row, to);
    if (std::memcmp(at, wanted.data(), wanted.size()) != 0) return false;
    at += wanted.size();
  }
  return true;
}

std::vector<std::int64_t> all_rows(const QuantisedStore& q, Parameter p) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(q.store.spec(p).shape[0]));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  return rows;
}

}  // namespace

TEST_CASE("quantised weights are read as dequantize() has them, whole and by rows") {
  for (const DType type : quantised_types)
    for (const auto& [dtype, to] : read_types) {
      const std::string kept = name_of(type), read = name_of(to);
      CAPTURE(kept);
      CAPTURE(read);
      const QuantisedStore q(type);
      StoredSource source(q.store, dtype);
      for (const Parameter p : {q.embedding.weight, q.map.weight, q.embedding.weight}) {
        const at::Tensor whole = source.whole(p);
        CHECK((whole.scalar_type() == dtype));
        CHECK(is_rows(q, p, whole, to, all_rows(q, p)));
      }
      for (const std::vector<std::int64_t>& rows :
           {std::vector<std::int64_t>{}, {40}, {3, 3, 0, 40, 3}, {7, 6, 5, 4, 3, 2, 1}})
        CHECK(is_rows(q, q.embedding.weight, source.rows(q.embedding.weight, index_tensor(rows)),
                      to, rows));
      CHECK((source.whole(q.map.bias).scalar_type() == at::kFloat));
    }
}

TEST_CASE("a row that a quantised matrix does not have is refused") {
  const QuantisedStore q(DType::Q4_1);
  StoredSource source(q.store);
  for (const std::int64_t row : {-1, 41})
    CHECK_THROWS_AS(source.rows(q.embedding.weight, index_tensor(std::vector{row})),
                    std::out_of_range);
}

TEST_CASE("a store of quantised weights reads as fp32, counts its bytes and is not written") {
  for (const DType type : quantised_types) {
    QuantisedStore q(type);
    CHECK(std::string(name_of(q.store.storage())) == name_of(type));
    CHECK(q.store.bytes() == bytes_of(type, (41 + 129) * q.width) + 4 * 129);
    std::vector<float> values(static_cast<std::size_t>(129 * q.width)), wanted(values.size());
    q.store.read(q.map.weight, values.data());
    dequantize(type, reinterpret_cast<const std::byte*>(q.bytes[1].data()), 129 * q.width,
               wanted.data());
    CHECK(std::memcmp(values.data(), wanted.data(), values.size() * sizeof(float)) == 0);
    CHECK_THROWS_AS(q.store.write(q.map.weight, values.data()), std::logic_error);
  }
}

TEST_CASE("quantised weights cannot be trained, but can lie beside vectors that are") {
  QuantisedStore q(DType::Q8_0);
  CHECK_THROWS_WITH_AS(ExactWeights(q.store, {false, true, true}, {}),
                       "[ExactWeights] quantised weights cannot be trained: map.weight",
                       std::logic_error);
  ExactWeights weights(q.store, {false, false, true}, {});
  weights.perturb(0, {{0, 1e-3f}, {0, -1e-3f}});
  CHECK((weights.whole(q.map.bias).size(0) == 2));
  CHECK(
      is_rows(q, q.map.weight, weights.whole(q.map.weight), DType::F32, all_rows(q, q.map.weight)));
  weights.push(0, terms_of(0, {1.0f}), 0.5f);
  weights.apply_pending();
  CHECK(std::memcmp(q.store.stored(q.map.weight).words.const_data_ptr(), q.bytes[1].data(),
                    q.bytes[1].size()) == 0);
}
