// A forward's operations on a GPU beside the CPU's, which other tests hold to a textbook's; skipped
// without one. 16-bit results may differ by a rounding of each number that goes in.
#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>

#include <algorithm>

#include "core/forward/activations.h"
#include "core/forward/attention_kernels.h"
#include "core/forward/packed_attention.h"
#include "core/forward/packed_batch.h"
#include "gpu.h"
#include "tests/model/toy.h"

using namespace mezo;

namespace {

double tolerance(at::ScalarType type) {
  return type == at::kFloat ? 2e-5 : type == at::kHalf ? 4e-3 : 3e-2;
}

constexpr at::ScalarType compared_types[] = {at::kFloat, at::kHalf, at::kBFloat16};

}  // namespace

TEST_CASE("norms of every width, type and alignment are the CPU's") {
  const auto device = gpu();
  if (!device) return;
  // In registers: 1 to 8 packs a thread; beyond them, and where packs do not fit, read anew.
  for (const std::int64_t width :
       {1, 7, 8, 24, 2048, 2056, 4096, 5120, 7168, 9216, 16384, 16392, 20000})
    for (const at::ScalarType type : compared_types)
      for (const std::int64_t streams : {1, 3})
        for (const std::int64_t shift : {0, 1}) {
          CAPTURE(width);
          CAPTURE(static_cast<int>(type));
          CAPTURE(streams);
          CAPTURE(shift);
          const at::Tensor x = (numbers({6, width}, 1) * 3 + 0.5).to(type),
                           gain = numbers({streams, width}, 2) + 1,
                           bias = numbers({streams, width}, 3);
          // At an address that is a multiple of 16, or one element behind.
          const auto there = [&](const at::Tensor& t) {
            at::Tensor room = at::empty({t.numel() + 1}, t.options().device(*device));
            return room.narrow(0, shift, t.numel()).view(t.sizes()).copy_(t);
          };
          const ActivationKernels &cpu = activation_kernels(false),
                                  &cuda = activation_kernels(true);
          const auto close = [&](const at::Tensor& a, const at::Tensor& b) {
            return difference(a.to(at::kFloat), b.cpu().to(at::kFloat)) <= 4 * tolerance(type);
          };
          CHECK(close(cpu.layer_norm(x, gain, bias, 1e-5),
                      cuda.layer_norm(there(x), there(gain), there(bias), 1e-5)));
          CHECK(close(cpu.rms_norm(x, gain, 1e-5), cuda.rms_norm(there(x), there(gain), 1e-5)));
        }
}

TEST_CASE("norms of each head are the CPU's, by the gains of the head's stream") {
  const auto device = gpu();
  if (!device) return;
  for (const at::ScalarType type : compared_types)
    for (const std::int64_t streams : {1, 2}) {
      const at::Tensor x = numbers({6, 5, 64}, 1).to(type), gain = numbers({streams, 64}, 2) + 1,
                       bias = numbers({streams, 64}, 3);
      const ActivationKernels &cpu = activation_kernels(false), &cuda = activation_kernels(true);
      const auto there = [&](const at::Tensor& t) { return t.to(*device); };
      const auto close = [&](const at::Tensor& a, const at::Tensor& b) {
        return difference(a.to(at::kFloat), b.cpu().to(at::kFloat)) <= 4 * tolerance(type);
      };
      const at::Tensor rms = cuda.rms_norm(there(x), there(gain), 1e-5),
                       layer = cuda.layer_norm(there(x), there(gain), there(bias), 1e-5);
      CHECK(close(cpu.rms_norm(x, gain, 1e-5), rms));
      CHECK(close(cpu.layer_norm(x, gain, bias, 1e-5), layer));
      CHECK(close(rms.cpu().view({30, 64}),
                  cuda.rms_norm(there(x).view({30, 64}), there(gain), 1e-5)));
    }
}

TEST_CASE("norms on a GPU give autograd the CPU's gradients instead of none") {
  const auto device = gpu();
  if (!device) return;
  const at::Tensor x = numbers({6, 24}, 1), gain = numbers({2, 24}, 2) + 1,
                   bias = numbers({2, 24}, 3), weight = numbers({6, 24}, 4);
  // Of the sum of what a norm gives, weighted: gradients of x, gain and bias.
  const auto gradients = [&](at::Device where, bool centred) {
    const ActivationKernels& kernels = activation_kernels(where.is_cuda());
    std::vector<at::Tensor> leaves;
    for (const at::Tensor& t : {x, gain, bias})
      leaves.push_back(t.to(where).clone().requires_grad_(true));
    const at::Tensor y = centred ? kernels.layer_norm(leaves[0], leaves[1], leaves[2], 1e-5)
                                 : kernels.rms_norm(leaves[0], leaves[1], 1e-5);
    REQUIRE(y.requires_grad());
    (y * weight.to(where)).sum().backward();
    std::vector<at::Tensor> all;
    for (std::size_t i = 0; i < (centred ? 3u : 2u); ++i) all.push_back(leaves[i].grad().cpu());
    return all;
  };
  for (const bool centred : {true, false}) {
    const auto cpu = gradients(at::kCPU, centred), cuda = gradients(*device, centred);
    for (std::size_t i = 0; i < cpu.size(); ++i) CHECK(difference(cpu[i], cuda[i]) < 1e-4);
  }
  // A parameter alone that wants a gradient is enough, and none is wanted under NoGradGuard.
  const at::Tensor there = x.to(*device), trained = gain.to(*device).requires_grad_(true);
  CHECK(activation_kernels(true).rms_norm(there, trained, 1e-5).requires_grad());
  const at::NoGradGuard none;
  CHECK(!activation_kernels(true).rms_norm(there, trained, 1e-5).requires_grad());
}

namespace {

bool shares_context(const PackedBatch& batch) {
  return std::any_of(batch.pieces().begin(), batch.pieces().end(),
                     [](const Piece& p) { return p.parent >= 0; });
}

// Whether two streams of such heads are attended to on the GPU as on the CPU.
void check_attention(const PackedBatch& batch, at::ScalarType type, std::int64_t width,
                     std::int64_t length, at::Device device) {
  CAPTURE(batch.rows());
  CAPTURE(static_cast<int>(type));
  CAPTURE(width);
  CAPTURE(length);
  const std::int64_t rows = 2 * batch.rows();
  const at::Tensor q = numbers({rows, 4, width}, 1).to(type),
                   k = numbers({rows, 2, width}, 2).to(type),
                   v = numbers({rows, 2, width}, 3).to(type);
  // Streams of keys and of values; what does not train is one for all.
  for (const auto& [own_keys, own_values] : {std::pair{1, 1}, {2, 2}, {2, 1}, {1, 2}})
    for (const AttentionOptions& o :
         {AttentionOptions{0.2, true, 0}, AttentionOptions{0.2, true, 6},
          AttentionOptions{0.2, true, 1000}, AttentionOptions{0.2, false, 0},
          AttentionOptions{0.2, false, 6}}) {
      if (shares_context(batch) && !o.causal) continue;
      CAPTURE(own_keys);
      CAPTURE(own_values);
      CAPTURE(o.causal);
      CAPTURE(o.window);
      std::optional<KeysValues> prefix, there;
      if (length) {
        prefix = KeysValues{numbers({own_keys, length, 2, width}, 4).to(type),
                            numbers({own_values, length, 2, width}, 5).to(type)};
        there = KeysValues{prefix->keys.to(device), prefix->values.to(device)};
        for (at::Tensor* t : {&prefix->keys, &prefix->values}) *t = t->to(at::kFloat);
      }
      const at::Tensor expected = PackedAttention(batch, 2)(0, q.to(at::kFloat), k.to(at::kFloat),
                                                            v.to(at::kFloat), o, prefix);
      const at::Tensor result =
          PackedAttention(batch, 2, device)(0, q.to(device), k.to(device), v.to(device), o, there);
      CHECK(difference(expected, result.cpu().to(at::kFloat)) <= tolerance(type));
    }
}

}  // namespace

TEST_CASE("attention with and without a prefix is the CPU's") {
  const auto device = gpu();
  if (!device) return;
  PackedBatch ragged, even, lengthy, continued;
  for (const std::int32_t length : {5, 1, 40, 17}) ragged.add(tokens(0, length));
  for (int i = 0; i < 3; ++i) even.add(tokens(0, 20));
  for (int i = 0; i < 2; ++i) lengthy.add(tokens(0, 300));
  const int parent = continued.add(tokens(0, 9));
  continued.add(tokens(9, 4), parent);
  continued.add(tokens(20, 6), parent);
  for (const at::ScalarType type : compared_types) {
    // Heads of every number of threads, and ones that do not fit in them.
    for (const PackedBatch* batch : {&ragged, &even, &continued})
      for (const std::int64_t width : {8, 12, 64, 80, 128, 136})
        for (const std::int64_t length : {0, 1, 5})
          check_attention(*batch, type, width, length, *device);
    check_attention(ragged, type, 128, 70, *device);
    for (const std::int64_t length : {0, 5}) check_attention(lengthy, type, 128, length, *device);
  }
}

TEST_CASE("in 16 bits a prefix is added behind attention, of heads that threads can share") {
  const auto device = gpu();
  if (!device) return;
  const at::ScalarType type = at::kBFloat16;
  for (const bool sizes_change : {false, true})
    for (const auto& [width, length, adds] :
         {std::tuple{64, 20, true}, {128, 20, true}, {128, 300, true}, {12, 20, false}}) {
      const auto heads = [&](int seed) {
        return numbers({2, length, 4, width}, seed).to(*device, type).transpose(1, 2);
      };
      const auto prefix = [&](int seed) {
        return numbers({1, 5, 4, width}, seed).to(*device, type);
      };
      const auto out = attention_kernels(true).attend_behind(
          {prefix(4), prefix(5)}, {heads(1), heads(2), heads(3), 0.2, true, sizes_change});
      CHECK(out.has_value() == adds);
    }
}

TEST_CASE("a prefix whose scores are far above the others' takes all of the attention") {
  const auto device = gpu();
  if (!device) return;
  PackedBatch batch;
  for (int i = 0; i < 2; ++i) batch.add(tokens(0, 7));
  for (const at::ScalarType type : compared_types) {
    const at::Tensor q = at::ones({14, 2, 16}, type), k = numbers({14, 2, 16}, 2).to(type),
                     v = numbers({14, 2, 16}, 3).to(type);
    // A score of 16 * 20 = 320: its exponential is infinite.
    const KeysValues prefix{at::full({1, 1, 2, 16}, 20.0, type),
                            numbers({1, 1, 2, 16}, 5).to(type)};
    const at::Tensor result = PackedAttention(batch, 1, *device)(
        0, q.to(*device), k.to(*device), v.to(*device), {1.0, true, 0},
        KeysValues{prefix.keys.to(*device), prefix.values.to(*device)});
    CHECK(difference(prefix.values.view({1, 2, 16}).expand({14, 2, 16}).to(at::kFloat),
                     result.cpu().to(at::kFloat)) <= tolerance(type));
  }
}
