#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/zo/exact_weights.h"
#include "spsa_step.h"
#include "toy_store.h"

using namespace mezo;

namespace {

constexpr std::uint64_t seed = 21;

at::Tensor entries_of(std::vector<std::int64_t> values) {
  return at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())},
                       at::TensorOptions(at::kLong))
      .clone();
}

std::vector<float> to_vector(const at::Tensor& t) {
  const at::Tensor c = t.contiguous();
  return {c.const_data_ptr<float>(), c.const_data_ptr<float>() + c.numel()};
}

// What a forward reads: some rows, then everything else, then the embedding again as a head.
void read_all(ToyStore& toy, ExactWeights& weights, const at::Tensor& rows) {
  weights.rows(toy.embedding.weight, rows);
  for (int i = 1; i < toy.count(); ++i) weights.whole({i});
}

OwnedUpdate update_of(std::uint32_t step) {
  return {step, 0.01f, terms_of(step, {1e-3f * static_cast<float>(step + 1), -2e-3f})};
}

void push(ExactWeights& weights, const OwnedUpdate& u) { weights.push(u.step, u.terms, u.decay); }

// A store's memory moved to pages of its own, so that they can be made read-only.
class ReadOnly {
 public:
  explicit ReadOnly(ToyStore& toy) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    for (int i = 0; i < toy.count(); ++i) {
      const at::Tensor old = toy.store.tensor({i});
      const std::size_t bytes = (old.nbytes() + page - 1) / page * page;
      void* memory =
          mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      REQUIRE(memory != MAP_FAILED);
      std::memcpy(memory, old.const_data_ptr(), old.nbytes());
      toy.store.tensor({i}) = at::from_blob(memory, old.sizes(), at::TensorOptions(at::kFloat));
      REQUIRE(mprotect(memory, bytes, PROT_READ) == 0);
      pages_.push_back({memory, bytes});
    }
  }
  ~ReadOnly() {
    for (const auto& [memory, bytes] : pages_) munmap(memory, bytes);
  }

 private:
  std::vector<std::pair<void*, std::size_t>> pages_;
};

}  // namespace

TEST_CASE("coefficients of zero write nothing: the memory may be read-only") {
  ToyStore toy;
  const auto before = toy.values();
  const ReadOnly protect(toy);
  ExactWeights weights(toy.store, toy.all(), {seed});
  for (std::uint32_t step = 0; step < 80; ++step) {
    perturb(weights, {step, 0, 1e-3f});
    read_all(toy, weights, entries_of({static_cast<std::int64_t>(step % 41)}));
    weights.push(step, terms_of(step, {0.0f}), 0.0f);
  }
  weights.apply_pending();
  CHECK(same_bytes(toy.values(), before));
}

TEST_CASE("an update is -lr g z, and decays matrices and embeddings but no vector") {
  ToyStore toy;
  auto expected = toy.values();
  ExactWeights weights(toy.store, toy.all(), {seed});
  for (std::uint32_t step = 0; step < 3; ++step) {
    push(weights, update_of(step));
    apply_reference(toy, expected, seed, update_of(step));
  }
  weights.apply_pending();
  CHECK(same_bytes(toy.values(), expected));

  // By hand: one probe, no decay.
  ToyStore plain;
  const auto before = plain.values();
  ExactWeights moved(plain.store, plain.all(), {seed});
  moved.push(5, terms_of(5, {0.25f}), 0.0f);
  moved.apply_pending();
  for (int i = 0; i < plain.count(); ++i) {
    const auto n = static_cast<std::size_t>(plain.store.spec({i}).elements());
    std::vector<float> z(n);
    fill_reference(Distribution::gaussian, {philox_key(seed, plain.store.spec({i}).name), 5, 0}, 0,
                   static_cast<std::int64_t>(n), z.data());
    const auto& old = before[static_cast<std::size_t>(i)];
    for (std::size_t k = 0; k < n; ++k)
      REQUIRE(plain.values(Parameter{i})[k] == old[k] - 0.25f * z[k]);
  }

  // Decay alone.
  ToyStore decayed;
  ExactWeights shrunk(decayed.store, decayed.all(), {seed});
  shrunk.push(0, terms_of(0, {0.0f}), 0.5f);
  shrunk.apply_pending();
  for (int i = 0; i < decayed.count(); ++i) {
    const bool decays = decayed.store.spec({i}).role != Role::vector;
    CHECK(same_bytes(decayed.values(Parameter{i}), before[static_cast<std::size_t>(i)]) == !decays);
  }
}

TEST_CASE("what a forward reads is theta plus and minus eps z") {
  ToyStore toy;
  auto theta = toy.values();
  ExactWeights weights(toy.store, toy.all(), {seed});
  push(weights, update_of(0));
  apply_reference(toy, theta, seed, update_of(0));
  const Probe probe{1, 3, 1e-3f};
  perturb(weights, probe);
  const std::vector<std::int64_t> picked{0, 3, 4, 17, 40};
  const std::vector<float> rows = to_vector(weights.rows(toy.embedding.weight, entries_of(picked)));
  const PhiloxKey key = philox_key(seed, "embed.weight");
  for (std::size_t r = 0; r < picked.size(); ++r) {
    std::vector<float> plus(13), minus(13);
    const std::size_t first = static_cast<std::size_t>(picked[r]) * 13;
    perturb_reference(theta[0].data() + first, 13, first, key, probe, plus.data(), minus.data());
    REQUIRE(std::memcmp(rows.data() + r * 13, plus.data(), 52) == 0);
    REQUIRE(std::memcmp(rows.data() + (picked.size() + r) * 13, minus.data(), 52) == 0);
  }
  for (int i = 0; i < toy.count(); ++i) {
    const ParameterSpec& spec = toy.store.spec({i});
    const auto n = static_cast<std::size_t>(spec.elements());
    std::vector<float> expected(2 * n);
    perturb_reference(theta[static_cast<std::size_t>(i)].data(), spec.elements(), 0,
                      philox_key(seed, spec.name), probe, expected.data(), expected.data() + n);
    CHECK(same_bytes(to_vector(weights.whole({i})), expected));
  }
  CHECK(same_bytes(toy.values(), theta));  // reading left the weights at theta, up to date
}

TEST_CASE("embedding rows that were not touched catch up to the bytes of those that were") {
  for (const std::uint32_t steps : {1u, 5u, 31u, 32u, 33u, 64u, 100u}) {
    CAPTURE(steps);
    ToyStore lazy, eager;
    auto expected = eager.values();
    ExactWeights late(lazy.store, lazy.all(), {seed}), at_once(eager.store, eager.all(), {seed});
    for (std::uint32_t step = 0; step < steps; ++step) {
      perturb(late, {step, 0, 1e-3f});
      if (step % 7 == 3)
        read_all(lazy, late,
                 entries_of({2, static_cast<std::int64_t>(step % 40 + 1) < 3
                                    ? 3
                                    : static_cast<std::int64_t>(step % 40 + 1)}));
      push(late, update_of(step));
      push(at_once, update_of(step));
      at_once.apply_pending();
      apply_reference(eager, expected, seed, update_of(step));
    }
    late.apply_pending();
    CHECK(same_bytes(eager.values(), expected));
    CHECK(same_bytes(lazy.values(), expected));
  }
}

TEST_CASE("nothing a forward does applies an update twice") {
  ToyStore toy;
  auto expected = toy.values();
  ExactWeights weights(toy.store, toy.all(), {seed});
  push(weights, update_of(0));
  apply_reference(toy, expected, seed, update_of(0));
  for (std::uint32_t probe = 0; probe < 3; ++probe) {
    perturb(weights, {1, probe, 1e-3f});
    const at::Tensor rows = entries_of({1, 5});
    weights.rows(toy.embedding.weight, rows);
    weights.rows(toy.embedding.weight, rows);
    try {  // a forward that is given an impossible token after it read some weights
      weights.whole(toy.map.weight);
      weights.rows(toy.embedding.weight, entries_of({6, 41}));
      FAIL("an entry past the end was accepted");
    } catch (const std::out_of_range&) {
    }
    CHECK_THROWS_AS(weights.rows(toy.embedding.weight, entries_of({-1})), std::out_of_range);
    CHECK_THROWS_AS(weights.rows(toy.map.weight, rows), std::logic_error);
    weights.whole(toy.embedding.weight);  // as a tied head, all of it
    weights.rows(toy.embedding.weight, entries_of({5, 6}));
    for (int i = 0; i < toy.count(); ++i) weights.whole({i});
  }
  weights.apply_pending();
  weights.apply_pending();
  CHECK(same_bytes(toy.values(), expected));
}

TEST_CASE("steps must ascend, also after everything was settled") {
  ToyStore toy;
  ExactWeights weights(toy.store, toy.all(), {seed});
  weights.push(3, terms_of(3, {0.1f}), 0);
  CHECK_THROWS_AS(weights.push(3, terms_of(3, {0.1f}), 0), std::logic_error);
  weights.apply_pending();
  CHECK_THROWS_AS(weights.push(3, terms_of(3, {0.1f}), 0), std::logic_error);
  CHECK_THROWS_AS(weights.push(2, terms_of(2, {0.1f}), 0), std::logic_error);
  CHECK_NOTHROW(weights.push(4, terms_of(4, {0.1f}), 0));
}

TEST_CASE("one thread and two give the same bytes") {
  const auto run = [](int threads) {
    at::set_num_threads(threads);
    Declaration d;
    const Embedding embedding = d.embedding("embed", 3000, 33);
    const Linear map = d.linear("map", 333, 777, true);
    ParameterStore store(d.parameters());
    for (int i = 0; i < 3; ++i) {
      const auto start = kernel_weights(store.spec({i}).elements(), 3);
      std::copy(start.begin(), start.end(), store.data({i}));
    }
    ExactWeights weights(store, {true, true, true}, {seed});
    std::vector<float> read;
    for (std::uint32_t step = 0; step < 4; ++step) {
      perturb(weights, {step, 0, 1e-3f});
      for (const at::Tensor& t : {weights.rows(embedding.weight, entries_of({1, 5, 2999})),
                                  weights.whole(map.weight), weights.whole(embedding.weight)}) {
        const std::vector<float> part = to_vector(t);
        read.insert(read.end(), part.begin(), part.end());
      }
      push(weights, update_of(step));
    }
    weights.apply_pending();
    for (int i = 0; i < 3; ++i)
      read.insert(read.end(), store.data({i}), store.data({i}) + store.spec({i}).elements());
    return read;
  };
  const int threads = at::get_num_threads();
  const auto one = run(1), two = run(2), three = run(3);
  at::set_num_threads(threads);
  CHECK(same_bytes(one, two));
  CHECK(same_bytes(one, three));
}

TEST_CASE("parameters that are not trained are shared and never written") {
  ToyStore toy;
  const auto before = toy.values();
  std::vector<bool> trained(static_cast<std::size_t>(toy.count()), false);
  trained[static_cast<std::size_t>(toy.map.weight.index)] = true;
  ExactWeights weights(toy.store, trained, {seed});
  perturb(weights, {0, 0, 1e-3f});
  push(weights, update_of(0));
  for (int i = 0; i < toy.count(); ++i) {
    const at::Tensor t = weights.whole({i});
    if (i == toy.map.weight.index) {
      CHECK(t.size(0) == 2);
    } else {
      CHECK(t.size(0) == 1);
      CHECK(t.const_data_ptr() == toy.store.tensor({i}).const_data_ptr());
    }
  }
  const at::Tensor rows = weights.rows(toy.embedding.weight, entries_of({2, 3}));
  CHECK(rows.size(0) == 1);
  CHECK(std::memcmp(rows.const_data_ptr(), before[0].data() + 26, 104) == 0);
  weights.apply_pending();
  for (int i = 0; i < toy.count(); ++i)
    CHECK(same_bytes(toy.values(Parameter{i}), before[static_cast<std::size_t>(i)]) ==
          (i != toy.map.weight.index));
}

TEST_CASE("matrices share scratch of two of the largest, vectors stay") {
  ToyStore toy;
  ExactWeights weights(toy.store, toy.all(), {seed});
  perturb(weights, {0, 0, 1e-3f});
  const at::Tensor map = weights.whole(toy.map.weight), bias = weights.whole(toy.map.bias),
                   wide = weights.whole(toy.wide.weight);
  CHECK(map.const_data_ptr() == wide.const_data_ptr());
  CHECK(map.storage().nbytes() == 2 * 37 * 300 * sizeof(float));
  CHECK(bias.storage().nbytes() == 2 * 37 * sizeof(float));
  const std::vector<float> kept = to_vector(bias);
  for (int i = 0; i < toy.count(); ++i) weights.whole({i});
  CHECK(same_bytes(kept, to_vector(bias)));
}

TEST_CASE("copies asked for again are the same memory, until a step or other streams come") {
  ToyStore toy, other;
  ExactWeights weights(toy.store, toy.all(), {seed});
  // Asked for once, by weights of its own.
  const auto fresh = [&](std::uint32_t step, float epsilon, Parameter p) {
    ExactWeights once(other.store, other.all(), {seed});
    if (step > 0) push(once, update_of(0));
    perturb(once, {step, 0, epsilon});
    return to_vector(once.whole(p));
  };
  const Parameter head = toy.embedding.weight, map = toy.map.weight;
  for (const Parameter p : {head, map}) {
    CAPTURE(p.index);
    perturb(weights, {0, 0, 1e-3f});
    const at::Tensor first = weights.whole(p);
    CHECK(weights.whole(p).const_data_ptr() == first.const_data_ptr());
    CHECK(to_vector(weights.whole(p)) == fresh(0, 1e-3f, p));
    weights.whole(p.index == head.index ? map : head);
    CHECK(to_vector(weights.whole(p)) == fresh(0, 1e-3f, p));
    perturb(weights, {0, 0, 2e-3f});
    CHECK(to_vector(weights.whole(p)) == fresh(0, 2e-3f, p));
  }
  push(weights, update_of(0));
  perturb(weights, {1, 0, 1e-3f});
  for (const Parameter p : {map, head}) CHECK(to_vector(weights.whole(p)) == fresh(1, 1e-3f, p));
}
