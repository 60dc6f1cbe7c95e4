// The kernels on everything that can be stored, read and drawn, against plain scalar code: the same
// bits at every size, alignment and cut.
#include <ATen/ops/from_blob.h>
#include <doctest/doctest.h>
#include <sys/mman.h>

#include <string>

#include "core/zo/exact_weights.h"
#include "spsa_step.h"
#include "stored_weights.h"
#include "toy_store.h"

using namespace mezo;

namespace {

const PhiloxKey key = philox_key(9, "storages");

template <class Each>
void for_each_kind(Each&& each) {
  for (const Storage storage : all_storages)
    for (const at::ScalarType type : all_types)
      for (const Distribution distribution : all_distributions)
        for (const bool dithered : {false, true}) {
          const std::string kept = name_of(storage), read = c10::toString(type);
          CAPTURE(kept);
          CAPTURE(read);
          CAPTURE(static_cast<int>(distribution));
          CAPTURE(dithered);
          WeightPass pass;
          pass.key = key;
          pass.distribution = distribution;
          pass.weights.storage = storage;
          pass.step = 1000;
          pass.type = type;
          pass.dithered = dithered;
          each(pass);
        }
}

// Runs a range by the kernel and by scalar code, from the same weights; `lead` shifts both in
// memory.
void compare(WeightPass pass, std::int64_t n, std::uint64_t first,
             const std::vector<OwnedUpdate>& owned, const std::vector<Stream>& streams,
             std::size_t lead) {
  CAPTURE(n);
  CAPTURE(first);
  const Storage storage = pass.weights.storage;
  StoredWeights got(storage, weights_for(storage, n, static_cast<std::uint64_t>(n) + first), lead);
  StoredWeights expected = got;
  ReadBuffer read(streams.size(), static_cast<std::size_t>(n), pass.type, lead),
      wanted(streams.size(), static_cast<std::size_t>(n), pass.type, lead);
  const std::vector<Update> missed = views(owned);
  pass.streams = streams;
  pass.weights = got.view();
  run_range(pass, got.view(), first, n, missed, read.outs);
  scalar_range(pass, expected.view(), first, n, missed, wanted.outs);
  REQUIRE(got == expected);
  REQUIRE(read.bytes == wanted.bytes);
}

std::vector<Stream> pair_of(std::int32_t probe, float epsilon) {
  return {{probe, epsilon}, {probe, -epsilon}};
}

}  // namespace

TEST_CASE("every storage, type and distribution gives scalar code's bits at odd sizes") {
  const auto updates = kernel_updates(3, 2, 1e-4f, 1e-3f);
  for_each_kind([&](const WeightPass& pass) {
    std::size_t lead = 0;
    for (const std::int64_t n : {1, 7, 8, 9, 31, 127, 128, 129, 300, 1023, 1024, 1025, 1500}) {
      compare(pass, n, 0, updates, pair_of(2, 1e-3f), lead % 5);
      compare(pass, n, static_cast<std::uint64_t>(n) * 37 % 131, updates, pair_of(0, 1e-3f),
              ++lead % 5);
    }
    for (const std::uint64_t first :
         {(std::uint64_t{1} << 35) - 203, (std::uint64_t{1} << 39) - 77})
      compare(pass, 500, first, updates, pair_of(1, 1e-3f), 3);
  });
}

TEST_CASE("so it does for any number of missed updates and streams, theta itself among them") {
  std::vector<Stream> many{{-1, 0.0f}};
  for (std::int32_t p = 0; p < 21; ++p) many.push_back({p, 1e-3f});
  for (std::int32_t p = 30; p > 25; --p) many.insert(many.end(), {{p, 2e-3f}, {-1, 0}, {p, -1.0f}});
  for_each_kind([&](const WeightPass& pass) {
    compare(pass, 150, 5, {}, {}, 1);
    compare(pass, 150, 5, {}, {{-1, 0.0f}}, 1);
    compare(pass, 150, 5, kernel_updates(33, 1, 1e-5f, 0), many, 1);
    compare(pass, 150, 5, kernel_updates(2, 40, 1e-5f, 1e-2f), {}, 2);
    compare(pass, 150, 5, kernel_updates(3, 2, 3e-39f, 0), pair_of(4, 3e-39f), 2);
    compare(pass, 150, 5, kernel_updates(2, 2, 1e4f, 0), pair_of(4, 1e5f), 2);
  });
}

TEST_CASE("a range in any storage may be cut anywhere") {
  const auto updates = kernel_updates(3, 1, 1e-3f, 1e-2f);
  const std::vector<Update> missed = views(updates);
  for_each_kind([&](WeightPass pass) {
    const std::vector<float> start = weights_for(pass.weights.storage, 2500, 1);
    StoredWeights whole(pass.weights.storage, start), parts = whole;
    pass.weights = whole.view();
    run_range(pass, whole.view(), 40, 2500, missed, {});
    for (std::int64_t begin = 0, n = 1; begin < 2500;
         begin += n, n = std::min<std::int64_t>(2500 - begin, n * 2 + 1))
      run_range(pass, advanced(parts.view(), begin), 40 + static_cast<std::uint64_t>(begin), n,
                missed, {});
    REQUIRE(whole == parts);
  });
}

TEST_CASE("rows that lag, repeat and come in any order are scalar code's, whatever is stored") {
  constexpr std::int64_t units = 23, width = 37;
  const auto owned = kernel_updates(7, 2, 1e-4f, 1e-3f);
  const std::vector<Update> updates = views(owned);
  for_each_kind([&](WeightPass pass) {
    const Storage storage = pass.weights.storage;
    StoredWeights got(storage, weights_for(storage, units * width, 4)), expected = got;
    std::vector<std::int32_t> seen(units), seen_expected(units);
    const std::vector<Stream> streams = pair_of(1, 1e-3f);
    const auto step = [&](std::vector<std::int64_t> rows, std::size_t pushed) {
      const std::int64_t count = rows.empty() ? units : static_cast<std::int64_t>(rows.size());
      const auto elements = static_cast<std::size_t>(count * width);
      ReadBuffer read(2, elements, pass.type), wanted(2, elements, pass.type);
      const auto run = [&](const WeightKernels& kernels, StoredWeights& w, ReadBuffer& into,
                           std::vector<std::int32_t>& of) {
        pass.weights = w.view();
        pass.width = width;
        pass.units = units;
        pass.rows = rows.empty() ? nullptr : rows.data();
        pass.count = count;
        pass.updates = std::span(updates).first(pushed);
        pass.unit_seen = of.data();
        pass.streams = streams;
        pass.out = into.bytes.data();
        kernels.run(pass);
      };
      run(cpu_weight_kernels(), got, read, seen);
      run(ScalarKernels(), expected, wanted, seen_expected);
      REQUIRE(got == expected);
      REQUIRE(read.bytes == wanted.bytes);
      REQUIRE(seen == seen_expected);
    };
    step({3, 3, 0, 22, 3}, 1);
    step({5, 0, 1}, 3);
    step({22, 7, 22}, 4);
    step({}, 6);
    step({9}, 6);
    step({}, 7);
  });
}

TEST_CASE("lagging embeddings and matrices of a store end where step after step would") {
  for (const Storage storage : all_storages) {
    const std::string kept = name_of(storage);
    CAPTURE(kept);
    ToyStore lazy(storage), stepwise(storage);
    ExactWeights weights(lazy.store, lazy.all(), {3, Distribution::rademacher, at::kBFloat16});
    for (std::uint32_t step = 0; step < 75; ++step) {
      weights.perturb(step, pair_of(0, 1e-3f));
      const std::vector<std::int64_t> rows{step % 41, 7, step * 5 % 41};
      if (step % 3 == 1)
        weights.rows(lazy.embedding.weight, at::from_blob(const_cast<std::int64_t*>(rows.data()),
                                                          {3}, at::TensorOptions(at::kLong)));
      if (step % 5 == 2) weights.whole(lazy.map.weight);
      const OwnedUpdate update{step, 1e-3f, terms_of(step, {2e-4f, -1e-4f})};
      weights.push(step, update.terms, update.decay);
      for (int i = 0; i < stepwise.count(); ++i) {
        OwnedUpdate own = update;
        if (stepwise.store.spec({i}).role == Role::vector) own.decay = 0;
        const Update view = own.view();
        WeightPass pass = pass_over(stepwise.store, {i});
        pass.key = philox_key(3, stepwise.store.spec({i}).name);
        pass.distribution = Distribution::rademacher;
        pass.updates = {&view, 1};
        ScalarKernels().run(pass);
      }
    }
    weights.apply_pending();
    for (int i = 0; i < lazy.count(); ++i)
      CHECK(same_bytes(lazy.kept(Parameter{i}), stepwise.kept(Parameter{i})));
  }
}

TEST_CASE("vectors are kept and read in fp32 whatever the matrices are") {
  ToyStore toy(Storage::bfloat16);
  ExactWeights weights(toy.store, toy.all(), {3, Distribution::gaussian, at::kBFloat16});
  weights.perturb(0, pair_of(0, 1e-3f));
  CHECK((toy.store.stored(toy.norm.gain).storage == Storage::float32));
  CHECK((weights.whole(toy.norm.gain).scalar_type() == at::kFloat));
  CHECK((weights.whole(toy.map.weight).scalar_type() == at::kBFloat16));
  CHECK((weights.addend(toy.map.bias).scalar_type() == at::kBFloat16));
}

TEST_CASE("coefficients of zero write nothing in any storage: the memory may be read-only") {
  constexpr std::int64_t n = 3000;
  const OwnedUpdate nothing{4, 0.0f, terms_of(4, {0.0f, -0.0f})};
  const Update missed = nothing.view();
  for_each_kind([&](WeightPass pass) {
    StoredWeights start(pass.weights.storage, weights_for(pass.weights.storage, n, 2));
    const std::size_t bytes = 4 * n + n;  // words, then the residual
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    const StoredView from = start.view();
    const std::size_t word = from.storage == Storage::float32 ? 4 : 2;
    std::memcpy(memory, from.words, word * n);
    auto* residual = static_cast<std::uint8_t*>(memory) + 4 * n;
    if (from.residual) std::memcpy(residual, from.residual, n);
    REQUIRE(mprotect(memory, bytes, PROT_READ) == 0);

    const std::vector<Stream> streams = pair_of(0, 1e-3f);
    ReadBuffer read(2, n, pass.type);
    pass.weights = {from.storage, memory, from.residual ? residual : nullptr};
    pass.width = n;
    pass.units = pass.count = 1;
    pass.updates = {&missed, 1};
    pass.streams = streams;
    pass.out = read.bytes.data();
    cpu_weight_kernels().run(pass);
    CHECK(std::memcmp(memory, from.words, word * n) == 0);
    munmap(memory, bytes);
  });
}

TEST_CASE("updates past the end of fp16 stop at its largest weight") {
  StoredWeights w(Storage::float16, std::vector<float>(1000, 65504.0f));
  const auto owned = kernel_updates(20, 1, 100.0f, 0);
  WeightPass pass;
  pass.key = key;
  pass.weights = w.view();
  run_range(pass, w.view(), 0, 1000, views(owned), {});
  int at_the_end = 0;
  for (std::int64_t i = 0; i < 1000; ++i) {
    REQUIRE(std::abs(stored_value(w.view(), i)) <= 65504.0f);
    at_the_end += stored_value(w.view(), i) == 65504.0f;
  }
  CHECK(at_the_end > 10);
}
