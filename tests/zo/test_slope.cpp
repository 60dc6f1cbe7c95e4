// Whether what streams read is theta plus and minus eps z, by the slope on z.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "core/checkpoint/load_model.h"
#include "core/zo/slope.h"
#include "stored_weights.h"

// c10's logging takes the name for itself; keep this last.
#undef CHECK
#define CHECK DOCTEST_CHECK

using namespace mezo;

namespace {

// A matrix of `rows` by 300, weights of N(mean, 0.02).
struct OneMatrix {
  Declaration d;
  Linear map;
  ParameterStore store;
  OneMatrix(std::int64_t rows, float mean, Storage storage)
      : map(d.linear("map", 300, rows, true)), store(d.parameters(), storage) {
    std::vector<float> w(static_cast<std::size_t>(rows * 300));
    fill_reference(Distribution::gaussian, {philox_key(1, "weights"), 0, 0}, 0, rows * 300,
                   w.data());
    for (float& x : w) x = mean + 0.02f * x;
    store.write(map.weight, w.data());
    store.write(map.bias, w.data());
  }
  double slope(at::ScalarType dtype, float epsilon,
               Distribution distribution = Distribution::gaussian) const {
    const auto all = slopes_of(store, {true, true}, {4, distribution, dtype}, epsilon);
    REQUIRE(all.size() == 1);  // no vector
    REQUIRE(all[0].name == "map.weight");
    return all[0].slope;
  }
};

}  // namespace

TEST_CASE("the slope is what scalar code finds over the whole of a small matrix") {
  for (const Storage storage : all_storages)
    for (const at::ScalarType type : all_types)
      for (const Distribution distribution : all_distributions)
        for (const float epsilon : {1e-3f, 1e-5f}) {
          const OneMatrix m(150, 0.5f, storage);
          const std::int64_t n = 150 * 300;
          const Stream streams[] = {{0, epsilon}, {0, -epsilon}};
          ReadBuffer read(2, static_cast<std::size_t>(n), type);
          WeightPass pass = pass_over(m.store, m.map.weight);
          pass.key = philox_key(4, "map.weight");
          pass.distribution = distribution;
          pass.streams = streams;
          pass.type = type;
          scalar_range(pass, pass.weights, 0, n, {}, read.outs);
          double along = 0, squares = 0;
          for (std::int64_t i = 0; i < n; ++i) {
            const auto value = [&](int s) {
              const void* out = read.outs[static_cast<std::size_t>(s)];
              const StoredView view{type == at::kFloat  ? Storage::float32
                                    : type == at::kHalf ? Storage::float16
                                                        : Storage::bfloat16,
                                    const_cast<void*>(out), nullptr};
              return double{stored_value(view, i)};
            };
            const double z = double{z_of(pass, 0, 0, static_cast<std::uint64_t>(i))};
            along += z * (value(0) - value(1));
            squares += z * z;
          }
          CHECK(m.slope(type, epsilon, distribution) ==
                doctest::Approx(along / (2 * double{epsilon} * squares)).epsilon(1e-12));
        }
}

TEST_CASE("a perturbation is whole in fp32, and lost where the type's spacing is far above it") {
  // bf16's spacing from 0.5 to 1 is 2^-8.
  CHECK(OneMatrix(1000, 0.75f, Storage::float32).slope(at::kFloat, 1e-3f) ==
        doctest::Approx(1).epsilon(1e-4));
  const OneMatrix kept(1000, 0.75f, Storage::bfloat16);
  CHECK(kept.slope(at::kBFloat16, 1e-5f) == 0.0);  // every weight is a bf16, every copy is it again
  CHECK(TensorSlope{"", kept.slope(at::kBFloat16, 5e-4f)}.off());
  CHECK(!TensorSlope{"", kept.slope(at::kBFloat16, 1e-2f)}.off());
  // Weights between bf16's are rounded up and down in the right proportion.
  CHECK(OneMatrix(1000, 0.75f, Storage::bfloat16_8).slope(at::kBFloat16, 5e-4f) ==
        doctest::Approx(1).epsilon(0.1));
}

TEST_CASE("a bias added in 16 bits is perturbed whole on average, though it lies on their grid") {
  constexpr std::int64_t n = 4096;
  constexpr float epsilon = 5e-4f;  // bf16's spacing there is 2^-8: to nearest, all would be lost
  OneMatrix m(n, 0.75f, Storage::float32);
  const std::vector<float> bias(n, 0.75f);
  m.store.write(m.map.bias, bias.data());
  ExactWeights weights(m.store, {true, true}, {4, Distribution::gaussian, at::kBFloat16});
  const PhiloxKey key = philox_key(4, "map.bias");
  double along = 0, squares = 0;
  for (std::uint32_t step = 0; step < 64; ++step) {
    weights.perturb(step, {{0, epsilon}, {0, -epsilon}});
    const at::Tensor both = weights.addend(m.map.bias).to(at::kFloat).contiguous();
    const float *plus = both.const_data_ptr<float>(), *minus = plus + n;
    std::vector<float> z(n);
    fill_reference(Distribution::gaussian, {key, step, 0}, 0, n, z.data());
    for (std::size_t i = 0; i < n; ++i) {
      along += double{z[i]} * (double{plus[i]} - double{minus[i]});
      squares += double{z[i]} * double{z[i]};
    }
  }
  CHECK(std::abs(along / (2 * double{epsilon} * squares) - 1) < 0.02);
}

// A trained model of 30 million parameters.
TEST_CASE("every matrix of a trained OPT is perturbed within 2%, in every storage and type") {
  const char* shared = std::getenv("MEZO_SHARED");
  const std::string path = std::string(shared ? shared : "") + "/models/opt-30m";
  if (!shared || !std::filesystem::exists(path)) {
    MESSAGE("skipped: no models/opt-30m in MEZO_SHARED");
    return;
  }
  const Registry registry(
      PluginSearch{{}, {}, {{MEZO_BINARY_DIR "/lib/mezo/plugins", "the build", true}}});
  for (const Storage storage : all_storages)
    for (const at::ScalarType type : all_types) {
      const LoadedModel model = load_model(path, registry, {at::kCPU, storage, type});
      const std::vector<bool> all(model.store.specs().size(), true);
      for (const float epsilon : {1e-3f, 1e-4f}) {
        auto slopes = slopes_of(model.store, all, {0, Distribution::gaussian, type}, epsilon);
        const auto [least, most] =
            std::minmax_element(slopes.begin(), slopes.end(),
                                [](const auto& a, const auto& b) { return a.slope < b.slope; });
        const auto off = std::count_if(slopes.begin(), slopes.end(),
                                       [](const TensorSlope& s) { return s.off(); });
        std::printf("%-10s read in %-8s epsilon %g: %zu matrices, slopes %.4f to %.4f, %td off\n",
                    name_of(storage), c10::toString(type), double{epsilon}, slopes.size(),
                    least->slope, most->slope, off);
        if (epsilon == 1e-3f)
          for (const TensorSlope& s : slopes) CHECK_MESSAGE(!s.off(), s.name, " ", s.slope);
      }
    }
}
