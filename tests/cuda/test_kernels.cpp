// The GPU's kernels against the CPU's, which other tests hold to plain scalar code: the same bits
// for every storage, type, distribution, size and alignment. Without a GPU every case is skipped.
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <optional>
#include <random>

#include "core/forward/index_tensor.h"
#include "core/zo/exact_weights.h"
#include "gpu.h"
#include "tests/zo/quantised_store.h"
#include "tests/zo/spsa_step.h"

using namespace mezo;

namespace {

constexpr Storage storages[] = {Storage::float32, Storage::float16, Storage::bfloat16,
                                Storage::bfloat16_8};
constexpr at::ScalarType types[] = {at::kFloat, at::kHalf, at::kBFloat16};
constexpr Distribution distributions[] = {Distribution::gaussian, Distribution::rademacher};

// Bits of every kind but NaN, whose payload no arithmetic keeps.
void fill(ParameterStore& store, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.02f);
  for (std::size_t i = 0; i < store.specs().size(); ++i) {
    const Parameter p{static_cast<int>(i)};
    std::vector<float> values(static_cast<std::size_t>(store.spec(p).elements()));
    for (float& v : values) {
      v = normal(random);
      const unsigned kind = random() % 64;
      if (kind == 1) v *= 1e-36f;
      if (kind == 2) v *= 1e-5f;                      // subnormal in fp16
      if (kind == 3) v = std::copysign(65000.0f, v);  // near the end of fp16
      if (kind == 4) v = -0.0f;
    }
    store.write(p, values.data());
  }
}

struct Shapes {
  Declaration d;
  Embedding embedding;
  Linear odd, even;
  Norm norm;
  Shapes(std::int64_t entries, std::int64_t width, std::int64_t out)
      : embedding(d.embedding("embed", entries, width)),
        odd(d.linear("odd", 37, 41, true)),
        even(d.linear("even", width, out, true)),
        norm(d.layer_norm("norm", width)) {}
};

bool same(const at::Tensor& a, const at::Tensor& b) {
  const auto bytes = [](const at::Tensor& t) { return t.cpu().contiguous().view(at::kByte); };
  return at::equal(bytes(a), bytes(b));
}

// Two stores with the same numbers, and the same steps made on each.
struct Pair {
  ParameterStore cpu, cuda;
  ExactWeights on_cpu, on_cuda;
  Pair(const Shapes& s, Storage storage, const ExactOptions& options, at::Device device)
      : cpu(s.d.parameters(), storage),
        cuda(s.d.parameters(), storage, device),
        on_cpu(cpu, all(s), options),
        on_cuda(cuda, all(s), options) {
    fill(cpu, 1);
    fill(cuda, 1);
  }
  static std::vector<bool> all(const Shapes& s) {
    return std::vector<bool>(s.d.parameters().size(), true);
  }
  void perturb(std::uint32_t step, const std::vector<Stream>& streams) {
    on_cpu.perturb(step, streams);
    on_cuda.perturb(step, streams);
  }
  void push(std::uint32_t step, std::vector<float> c, float decay) {
    on_cpu.push(step, terms_of(step, c), decay);
    on_cuda.push(step, terms_of(step, c), decay);
  }
  bool reads_the_same(Parameter p) { return same(on_cpu.whole(p), on_cuda.whole(p)); }
  bool rows_are_the_same(Parameter p, const std::vector<std::int64_t>& rows) {
    return same(on_cpu.rows(p, index_tensor(rows)),
                on_cuda.rows(p, index_tensor(rows, cuda.device())));
  }
  bool keeps_the_same() {
    on_cpu.apply_pending();
    on_cuda.apply_pending();
    for (std::size_t i = 0; i < cpu.specs().size(); ++i) {
      const StoredTensor &a = cpu.stored({static_cast<int>(i)}),
                         &b = cuda.stored({static_cast<int>(i)});
      if (!same(a.words, b.words)) return false;
      if (a.residual.defined() && !same(a.residual, b.residual)) return false;
    }
    return true;
  }
};

}  // namespace

TEST_CASE("a GPU's steps give the CPU's bits, whatever is stored, read and drawn") {
  const auto device = gpu();
  if (!device) return;
  for (const auto& [entries, width, out] :
       {std::array<std::int64_t, 3>{53, 16, 24}, {41, 13, 7}, {300, 200, 96}}) {
    const Shapes shapes(entries, width, out);
    for (const Storage storage : storages)
      for (const at::ScalarType type : types)
        for (const Distribution distribution : distributions) {
          CAPTURE(width);
          const std::string kept = name_of(storage);
          CAPTURE(kept);
          CAPTURE(static_cast<int>(type));
          CAPTURE(static_cast<int>(distribution));
          Pair pair(shapes, storage, {7, distribution, type}, *device);
          for (std::uint32_t step = 0; step < 36; ++step) {
            const auto probe = static_cast<std::int32_t>(step % 3);
            pair.perturb(step, {{probe, 1e-3f}, {probe, -1e-3f}});
            const auto row = static_cast<std::int64_t>(step);
            REQUIRE(pair.rows_are_the_same(shapes.embedding.weight, {row, 3, row, 0, 40}));
            if (step % 5 == 0) REQUIRE(pair.reads_the_same(shapes.embedding.weight));
            if (step % 4 == 0)
              for (const Parameter p :
                   {shapes.odd.weight, shapes.odd.bias, shapes.even.weight, shapes.norm.gain})
                REQUIRE(pair.reads_the_same(p));
            for (const Parameter p : {shapes.odd.bias, shapes.even.bias, shapes.norm.bias})
              REQUIRE(same(pair.on_cpu.addend(p), pair.on_cuda.addend(p)));
            pair.push(step, {1e-4f * static_cast<float>(step), -3e-5f},
                      step % 2 ? 1e-3f : 0.0f);
          }
          REQUIRE(pair.keeps_the_same());
        }
  }
}

TEST_CASE("many streams and many probes give the CPU's bits") {
  const auto device = gpu();
  if (!device) return;
  const Shapes shapes(41, 24, 40);
  Pair pair(shapes, Storage::bfloat16_8, {3, Distribution::gaussian, at::kBFloat16}, *device);
  std::vector<Stream> streams{{-1, 0.0f}};
  for (std::int32_t p = 0; p < 60; ++p) streams.push_back({p, 1e-3f});
  std::vector<float> coefficients;
  for (int p = 0; p < 1024; ++p) coefficients.push_back(1e-6f * static_cast<float>(p - 500));
  for (std::uint32_t step = 0; step < 6; ++step) {
    pair.perturb(step, streams);
    REQUIRE(pair.reads_the_same(shapes.even.weight));
    REQUIRE(pair.rows_are_the_same(shapes.embedding.weight, {1, 2, 1}));
    pair.push(step, coefficients, 0.0f);
  }
  CHECK(pair.keeps_the_same());
}

TEST_CASE("a row that is not there reads as NaN and changes nothing") {
  const auto device = gpu();
  if (!device) return;
  const Shapes shapes(41, 24, 40);
  Pair pair(shapes, Storage::float16, {3, Distribution::gaussian, at::kHalf}, *device);
  pair.perturb(0, {{0, 1e-3f}, {0, -1e-3f}});
  const at::Tensor rows = pair.on_cuda
                              .rows(shapes.embedding.weight,
                                    index_tensor(std::vector<std::int64_t>{0, 41, -1}, *device))
                              .cpu();
  CHECK(!rows.select(1, 0).isnan().any().item<bool>());
  CHECK(rows.narrow(1, 1, 2).isnan().all().item<bool>());
  CHECK(pair.keeps_the_same());
}

TEST_CASE("quantised weights are dequantised to the CPU's bits, whole and by rows") {
  const auto device = gpu();
  if (!device) return;
  for (const DType type : quantised_types)
    for (const at::ScalarType dtype : types) {
      const std::string kept = name_of(type);
      CAPTURE(kept);
      CAPTURE(static_cast<int>(dtype));
      const QuantisedStore cpu(type), cuda(type, *device);
      StoredSource on_cpu(cpu.store, dtype), on_cuda(cuda.store, dtype);
      for (const Parameter p : {cpu.embedding.weight, cpu.map.weight})
        CHECK(same(on_cpu.whole(p), on_cuda.whole(p)));
      const Parameter p = cpu.embedding.weight;
      for (const std::vector<std::int64_t>& rows :
           {std::vector<std::int64_t>{}, {40}, {3, 3, 0, 40, 3}, {7, 6, 5, 4, 3, 2, 1}})
        CHECK(
            same(on_cpu.rows(p, index_tensor(rows)), on_cuda.rows(p, index_tensor(rows, *device))));
      const at::Tensor unknown =
          on_cuda.rows(p, index_tensor(std::vector<std::int64_t>{0, 41, -1}, *device)).cpu();
      CHECK(!unknown.select(1, 0).isnan().any().item<bool>());
      CHECK(unknown.narrow(1, 1, 2).isnan().all().item<bool>());
    }
}

// 2^28 by default on request of the GPU machine's test: MEZO_CUDA_ELEMENTS=28.
TEST_CASE("directions, updates and rounding are the CPU's over a large tensor") {
  const auto device = gpu();
  if (!device) return;
  const char* asked = std::getenv("MEZO_CUDA_ELEMENTS");
  const std::int64_t n = std::int64_t{1} << (asked ? std::atoi(asked) : 22);
  for (const Distribution distribution : distributions)
    for (const Storage storage : {Storage::float32, Storage::bfloat16_8}) {
      Declaration d;
      const Linear map = d.linear("large", 4096, n / 4096, false);
      ParameterStore cpu(d.parameters(), storage), cuda(d.parameters(), storage, *device);
      for (ParameterStore* store : {&cpu, &cuda}) {
        at::Tensor words = store->stored(map.weight).words,
                   residual = store->stored(map.weight).residual;
        words.zero_();
        if (residual.defined()) residual.zero_();
      }
      ExactWeights a(cpu, {true}, {11, distribution, at::kFloat}),
          b(cuda, {true}, {11, distribution, at::kFloat});
      for (ExactWeights* w : {&a, &b}) {
        w->push(3, terms_of(3, {1.0f}), 0.0f);
        w->perturb(4, {{0, 1.0f}});
      }
      CHECK(same(a.whole(map.weight), b.whole(map.weight)));
      CHECK(same(cpu.stored(map.weight).words, cuda.stored(map.weight).words));
    }
}
