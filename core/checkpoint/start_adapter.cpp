#include "core/checkpoint/start_adapter.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <fmt/format.h>

#include <stdexcept>

#include "core/error.h"
#include "core/forward/stream_ops.h"
#include "core/io/dequantize.h"
#include "core/io/read_file.h"
#include "core/io/safetensors.h"
#include "core/plugin/create.h"
#include "core/zo/direction.h"
#include "core/zo/stored_source.h"

namespace mezo {

namespace {

// The base's Ops that note what attention is given.
class NotingOps : public StreamOps {
 public:
  using StreamOps::StreamOps;
  at::Tensor attention(int layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       const AttentionOptions& options) override {
    noted.push_back(
        {k.to(at::kCPU, at::kFloat).contiguous(), v.to(at::kCPU, at::kFloat).contiguous()});
    return StreamOps::attention(layer, q, k, v, options);
  }
  std::vector<KeysValues> noted;
};

class FirstValues : public AdapterStart {
 public:
  FirstValues(const AdapterTarget& target, std::uint64_t seed) : target_(target), seed_(seed) {}

  void write(Parameter p, std::span<const float> values) override {
    const ParameterSpec& spec = target_.store.spec(p);
    if (spec.role != Role::adapter || static_cast<std::int64_t>(values.size()) != spec.elements())
      throw std::logic_error("[AdapterStart] write() of " + std::to_string(values.size()) +
                             " values to " + spec.name);
    target_.store.write(p, values.data());
  }

  void write_uniform(Parameter p, float bound) override {
    std::vector<float> values(static_cast<std::size_t>(target_.store.spec(p).elements()));
    const PhiloxKey key = key_of(target_.store.spec(p).name);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const PhiloxBlock block = philox(philox_counter(i / 4, 0, 0, Purpose::direction), key);
      values[i] = bound * (static_cast<float>(block[i % 4] >> 8) * 0x1p-23f - 1.0f);
    }
    write(p, values);
  }

  void write_normal(Parameter p, float deviation) override {
    std::vector<float> values(static_cast<std::size_t>(target_.store.spec(p).elements()));
    fill_reference(Distribution::gaussian, {key_of(target_.store.spec(p).name), 0, 0}, 0,
                   static_cast<std::int64_t>(values.size()), values.data());
    for (float& v : values) v *= deviation;
    write(p, values);
  }

  std::vector<std::int32_t> random_tokens(std::int64_t count) override {
    const PhiloxKey key = key_of("tokens");
    const auto entries = static_cast<std::uint64_t>(target_.tokens);
    std::vector<std::int32_t> tokens;
    for (std::int64_t i = 0; i < count; ++i) {
      const PhiloxBlock block =
          philox(philox_counter(static_cast<std::uint64_t>(i), 0, 0, Purpose::direction), key);
      // The upper word of a 32 x 32-bit product: at most 2^-32 * entries away from uniform.
      tokens.push_back(static_cast<std::int32_t>((std::uint64_t{block[0]} * entries) >> 32));
    }
    return tokens;
  }

  std::vector<KeysValues> activations(std::span<const std::int32_t> tokens) override {
    const at::AutoDispatchBelowADInplaceOrView forward_only;
    PackedBatch batch;
    batch.add(tokens);
    StoredSource source(target_.store, target_.dtype);
    NotingOps ops(source, batch);
    guard(target_.network.family, [&] { target_.network.model->hidden(ops, ops.batch()); });
    return std::move(ops.noted);
  }

 private:
  // Not the tensor's own key, from which its directions are drawn.
  PhiloxKey key_of(const std::string& name) const { return philox_key(seed_, name + " start"); }

  AdapterTarget target_;
  std::uint64_t seed_;
};

std::vector<Parameter> tensors_of(const LoadedModel& model) {
  std::vector<Parameter> all;
  for (std::size_t i = model.base_specs().size(); i < model.store.specs().size(); ++i)
    all.push_back({static_cast<int>(i)});
  return all;
}

}  // namespace

void start_adapter(const AdapterTarget& target, std::uint64_t seed) {
  const AttachedAdapter& attached = target.network.adapter;
  if (!attached) return;
  FirstValues start(target, seed);
  guard(
      attached.component, [&] { attached.adapter->start(start); },
      "giving the adapter its first values");
}

void start_adapter(LoadedModel& model, std::uint64_t seed) {
  start_adapter({model.network, model.store, model.dtype, model.tokenizer.vocabulary_size()}, seed);
}

AdapterReader reader_of(const ParameterStore& store) {
  return [&store](Parameter p) {
    std::vector<float> values(static_cast<std::size_t>(store.spec(p).elements()));
    store.read(p, values.data());
    return values;
  };
}

void write_initial(const LoadedModel& model, const std::filesystem::path& path) {
  if (!model.network.adapter) return;
  std::vector<std::vector<float>> values;
  std::vector<TensorView> views;
  for (const Parameter p : tensors_of(model)) {
    values.push_back(reader_of(model.store)(p));
    const ParameterSpec& spec = model.store.spec(p);
    views.push_back({spec.name, DType::F32, spec.shape, std::as_bytes(std::span(values.back()))});
  }
  write_safetensors(path, std::move(views), {{"format", "pt"}});
}

void read_initial(LoadedModel& model, const std::filesystem::path& path) {
  if (!model.network.adapter) return;
  const auto refuse = [&](const std::string& what) {
    return RunError(fmt::format("[{}] {}", path.string(), what));
  };
  if (!is_there(path))
    throw refuse("this file, which holds what the adapter started from, is missing");
  try {
    const TensorFile file = load_safetensors(path);
    if (file.tensors().size() != tensors_of(model).size())
      throw refuse("it has other tensors than the adapter of the run's configuration");
    for (const Parameter p : tensors_of(model)) {
      const ParameterSpec& spec = model.store.spec(p);
      const TensorView* view = file.find(spec.name);
      if (!view || view->shape != spec.shape || view->dtype != DType::F32)
        throw refuse("it has no tensor " + spec.name + " of the shape that the adapter has");
      std::vector<float> values(static_cast<std::size_t>(spec.elements()));
      dequantize(*view, values.data());
      model.store.write(p, values.data());
    }
  } catch (const ModelError& e) {  // it is no model's file
    throw RunError(e.what());
  }
}

}  // namespace mezo
