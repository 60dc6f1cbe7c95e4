// Measures a training step against two plain forwards of the same model in one run, and the kernel
// that prepares perturbed weights against a plain copy. Prints a JSON line a measurement;
// tools/bench makes the tables.
//
//   bench_step --model opt-13b --device cuda --dtype bfloat16 --storage bfloat16 bfloat16+8
//              --batch 16 --length 64 --rounds 10
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/normal.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <utility>

#include "core/error.h"
#include "core/machine/device.h"
#include "core/machine/kept_pages.h"
#include "core/machine/short_spins.h"
#include "core/plugin/create.h"
#include "core/plugin/registry.h"
#include "core/run/placement.h"
#include "core/train/first_order.h"
#include "core/zo/spsa.h"
#include "core/zo/step.h"
#include "tools/bench_step/model.h"

namespace mezo::bench {

namespace {

struct Arguments {
  std::string model = "opt-125m", device = "cpu", dtype = "float32", loss = "last", peft = "full";
  std::vector<std::string> storages = {"float32"};
  int batch = 16, length = 64, rounds = 5, probes = 1;
  bool reference = true, ragged = false, adam = false;
};

using Clock = std::chrono::steady_clock;

// Waits for all that a GPU was asked for.
void wait(at::Device device) {
  if (device.is_cuda()) at::empty({1}, at::TensorOptions(device)).zero_().cpu();
}

template <class Work>
double seconds(at::Device device, Work&& work) {
  wait(device);
  const auto start = Clock::now();
  work();
  wait(device);
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

at::ScalarType dtype_of(const std::string& name) { return word_type(storage_named(name).value()); }

StorageType storage_type(const std::string& name) {
  if (const auto storage = storage_named(name)) return {*storage};
  for (const DType blocks : {DType::Q4_0, DType::Q4_1, DType::Q8_0})
    if (const StorageType type{Storage::quantised, blocks}; name == name_of(type)) return type;
  throw ConfigError("no storage type '" + name + "'");
}

// The authors' step written plainly: four passes over all weights, each drawing z anew with a
// generator and adding a multiple of it, around two forwards.
void plain_step(BenchModel& model, const std::vector<Question>& batch) {
  const at::NoGradGuard no_grad;
  const auto perturb = [&](double scale) {
    for (std::size_t i = 0; i < model.store.specs().size(); ++i) {
      at::Tensor words = model.store.stored({static_cast<int>(i)}).words;
      const at::Tensor z = at::empty_like(words).normal_();
      words.copy_(words + scale * z);
    }
  };
  StoredSource source(model.store, model.dtype);
  perturb(1e-3);
  losses(model, source, batch);
  perturb(-2e-3);
  losses(model, source, batch);
  perturb(1e-3);
  perturb(1e-9);
}

// Bytes a second of a large copy, counting what is read and what is written.
double copy_speed(at::Device device) {
  const std::int64_t bytes = device.is_cuda() ? std::int64_t{4} << 30 : std::int64_t{256} << 20;
  const at::Tensor from = at::empty({bytes}, at::TensorOptions(device).dtype(at::kByte)).zero_();
  at::Tensor to = at::empty_like(from);
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) times.push_back(seconds(device, [&] { to.copy_(from); }));
  return 2.0 * static_cast<double>(bytes) / median(times);
}

using Batch = std::vector<Question>;

// One, or of ragged sequences one a round, as training has them.
std::vector<Batch> batches_of(const Arguments& a, const BenchModel& model) {
  const BatchShape shape{a.batch, a.length, a.loss == "every" ? Scored::every : Scored::last,
                         a.ragged};
  std::vector<Batch> batches;
  for (int i = 0; i < (a.ragged ? a.rounds + 2 : 1); ++i)
    batches.push_back(make_batch(model, shape, static_cast<unsigned>(i + 1)));
  return batches;
}

struct Stepper {
  BenchModel& model;
  ExactWeights weights;
  SpsaOptions options;
  std::uint32_t step = 0;

  Stepper(BenchModel& m, Distribution distribution, const Arguments& a)
      : model(m), weights(m.store, m.trained, {0, distribution, m.dtype}) {
    options.probes = a.probes;
    options.together = a.peft != "full";  // as optimizer.streams: auto has it
  }

  void operator()(const Batch& batch) {
    Spsa spsa(options);
    take_step(weights, spsa, step++, 1e-9,
              [&](ParameterSource& source) { return losses(model, source, batch); });
  }

  // Every matrix that trains once, as a step reads it: an update that waits and two perturbed
  // copies.
  double preparation(std::int64_t& elements) {
    std::vector<double> times;
    for (int round = 0; round < 4; ++round) {
      weights.push(step, {{step, 0, 1e-9f}}, 0.0f);
      ++step;
      weights.perturb(step, {{0, 1e-3f}, {0, -1e-3f}});
      elements = 0;
      times.push_back(seconds(model.store.device(), [&] {
        for (std::size_t i = 0; i < model.store.specs().size(); ++i)
          if (model.trained[i] && model.store.specs()[i].role == Role::matrix) {
            weights.whole({static_cast<int>(i)});
            elements += model.store.specs()[i].elements();
          }
      }));
    }
    return median(times);
  }
};

// Steps of `model`, beside plain forwards of `base`: the same weights, as a forward reads them, or
// the model itself.
void measure(const Arguments& a, BenchModel& base, BenchModel& model, const std::string& storage,
             at::Device device) {
  const std::vector<Batch> batches = batches_of(a, base);
  const auto batch = [&](int i) -> const Batch& {
    return batches[static_cast<std::size_t>(i) % batches.size()];
  };
  StoredSource plain(base.store, base.dtype);
  // Of the model alone: what an adapter costs belongs to the step.
  const auto forward = [&](const Batch& batch) {
    const AttachedAdapter own = std::exchange(base.network.adapter, {});
    losses(base, plain, batch);
    base.network.adapter = own;
  };
  forward(batch(0));
  reset_peak_memory(device);
  forward(batch(0));
  const std::int64_t others = &base == &model ? 0 : base.store.bytes();
  const std::int64_t forward_peak = device_memory(device).peak_bytes - others;

  for (const Distribution d : {Distribution::gaussian, Distribution::rademacher}) {
    Stepper step(model, d, a);
    step(batch(0));
    step(batch(1));
    reset_peak_memory(device);
    std::vector<double> steps, pairs;
    for (int i = 0; i < a.rounds; ++i) {
      pairs.push_back(seconds(device, [&] {
        forward(batch(i + 2));
        forward(batch(i + 2));
      }));
      steps.push_back(seconds(device, [&] { step(batch(i + 2)); }));
    }
    const std::int64_t peak = device_memory(device).peak_bytes - others;
    std::int64_t elements = 0;
    const double preparation = step.preparation(elements);
    const int word = a.dtype == "float32" ? 4 : 2;
    // None where no matrix trains.
    const double bytes = elements ? static_cast<double>(elements) *
                                        (2 * bytes_of(model.store.storage().storage) + 2 * word)
                                  : 0;
    fmt::print(
        R"({{"what": "step", "model": "{}", "parameters": {}, "device": "{}", "dtype": "{}", "storage": "{}", "peft": "{}", "probes": {}, "distribution": "{}", "loss": "{}", "batch": {}, "length": {}, "ragged": {}, "two_forwards_s": {:.6f}, "step_s": {:.6f}, "ratio": {:.4f}, "preparation_s": {:.6f}, "preparation_bytes_a_s": {:.4e}, "parameters_a_s": {:.4e}, "weights_bytes": {}, "scratch_bytes": {}, "forward_peak_bytes": {}, "step_peak_bytes": {}}})"
        "\n",
        a.model, model.parameters(), device_memory(device).name, a.dtype, storage, a.peft, a.probes,
        d == Distribution::gaussian ? "gaussian" : "rademacher", a.loss, a.batch, a.length,
        a.ragged, median(pairs), median(steps), median(steps) / (a.probes * median(pairs)),
        preparation, bytes / preparation, static_cast<double>(elements) / preparation,
        model.store.bytes(), step.weights.scratch_bytes(), forward_peak, peak);
    std::fflush(stdout);
  }
}

void measure_plainly_written(const Arguments& a, BenchModel& model, at::Device device) {
  const Batch batch = batches_of(a, model).front();
  plain_step(model, batch);
  reset_peak_memory(device);
  std::vector<double> times;
  for (int i = 0; i < std::max(2, a.rounds / 3); ++i)
    times.push_back(seconds(device, [&] { plain_step(model, batch); }));
  fmt::print(
      R"({{"what": "reference written plainly", "model": "{}", "dtype": "{}", "loss": "{}", "batch": {}, "length": {}, "step_s": {:.6f}, "step_peak_bytes": {}}})"
      "\n",
      a.model, a.dtype, a.loss, a.batch, a.length, median(times), device_memory(device).peak_bytes);
  std::fflush(stdout);
}

// Adam's step, alone in its process so that the peak is its own. What trains is kept as float32.
void measure_adam(const Arguments& a, const Registry& registry, at::Device device) {
  const StorageType storage{a.peft == "full" ? Storage::float32 : storage_named(a.dtype).value()};
  BenchModel model = make_model(a.model, registry, device, storage, dtype_of(a.dtype), a.peft);
  const Component& component = registry.find(MEZO_OBJECTIVE, "cross_entropy");
  const ChosenObjective objective{
      create<Objective>(component, default_settings(component, "objective")), component};
  FirstOrderStep maker(model.network, objective, model.store, model.trained, model.dtype, {}, 0);
  std::vector<Batch> batches = batches_of(a, model);
  for (Batch& batch : batches)
    for (Question& q : batch) q.right = {0};
  const auto step = [&](int i) {
    std::vector<const Question*> asked;
    for (const Question& q : batches[static_cast<std::size_t>(i) % batches.size()])
      asked.push_back(&q);
    maker.step(static_cast<std::uint32_t>(i), 1e-9, asked);
  };
  step(0);
  step(1);
  reset_peak_memory(device);
  std::vector<double> steps;
  for (int i = 0; i < a.rounds; ++i) steps.push_back(seconds(device, [&] { step(i + 2); }));
  fmt::print(
      R"({{"what": "adam", "model": "{}", "parameters": {}, "device": "{}", "dtype": "{}", "storage": "{}", "peft": "{}", "loss": "{}", "batch": {}, "length": {}, "ragged": {}, "step_s": {:.6f}, "weights_bytes": {}, "moments_bytes": {}, "step_peak_bytes": {}}})"
      "\n",
      a.model, model.parameters(), device_memory(device).name, a.dtype, name_of(storage), a.peft,
      a.loss, a.batch, a.length, a.ragged, median(steps), model.store.bytes(), maker.state_bytes(),
      device_memory(device).peak_bytes);
}

int run(int argc, char** argv) {
  Arguments a;
  CLI::App app("times a training step against two plain forwards", "bench_step");
  app.add_option("--model", a.model, "a model's path, or an OPT shape: opt-1.3b, opt-13b, …");
  app.add_option("--device", a.device)->check(CLI::IsMember({"cpu", "cuda"}));
  app.add_option("--dtype", a.dtype)->check(CLI::IsMember({"float32", "float16", "bfloat16"}));
  app.add_option("--storage", a.storages,
                 "types to keep weights in, one after the other; those that do not train may be "
                 "quantised: Q4_0, Q4_1, Q8_0");
  app.add_option("--loss", a.loss, "last: two options; every: each token")
      ->check(CLI::IsMember({"last", "every"}));
  app.add_option("--peft", a.peft, "what trains: full, lora, prefix");
  app.add_option("--probes", a.probes, "of a step");
  app.add_option("--batch", a.batch);
  app.add_option("--length", a.length);
  app.add_flag("--ragged", a.ragged, "lengths from a quarter of it up to it, others each round");
  app.add_option("--rounds", a.rounds);
  app.add_option("--reference", a.reference, "also the authors' step, written plainly");
  app.add_flag("--adam", a.adam, "Adam's step instead, and nothing else");
  CLI11_PARSE(app, argc, argv);
  const at::NoGradGuard no_grad;
  const at::Device device = open_device(a.device);
  PluginSearch search;
  search.folders = plugin_folders({});
  const Registry registry(search);
  if (a.adam) {
    measure_adam(a, registry, device);
    return 0;
  }
  fmt::print(R"({{"what": "copy", "device": "{}", "bytes_a_s": {:.4e}}})"
             "\n",
             device_memory(device).name, copy_speed(device));
  const at::ScalarType dtype = dtype_of(a.dtype);
  std::optional<BenchModel> base;  // kept in the type that forwards compute in
  const auto as_computed = [&]() -> BenchModel& {
    if (!base)
      base.emplace(
          make_model(a.model, registry, device, {storage_named(a.dtype).value()}, dtype, a.peft));
    return *base;
  };
  for (const std::string& storage : a.storages) {
    if (storage == a.dtype) {
      measure(a, as_computed(), as_computed(), storage, device);
      continue;
    }
    const StorageType type = storage_type(storage);
    const bool alone = type.storage == Storage::quantised;  // else memory would count both
    BenchModel model = make_model(a.model, registry, device, type, dtype, a.peft);
    measure(a, alone ? model : as_computed(), model, storage, device);
  }
  if (a.reference) measure_plainly_written(a, as_computed(), device);
  return 0;
}

}  // namespace

}  // namespace mezo::bench

int main(int argc, char** argv) {
  mezo::start_with_short_spins(argv);
  mezo::keep_freed_pages();
  try {
    return mezo::bench::run(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_step: {}\n", e.what());
    return 1;
  }
}
