#include "tools/bench_step/model.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/normal.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>

#include "core/checkpoint/start_adapter.h"
#include "core/error.h"
#include "core/io/float16.h"
#include "core/plugin/create.h"

namespace mezo::bench {

namespace {

struct Shape {
  int hidden, layers, heads, inner;
};

const std::map<std::string, Shape>& shapes() {
  static const std::map<std::string, Shape> all = {
      {"opt-125m", {768, 12, 12, 3072}},   {"opt-1.3b", {2048, 24, 32, 8192}},
      {"opt-2.7b", {2560, 32, 32, 10240}}, {"opt-6.7b", {4096, 32, 32, 16384}},
      {"opt-13b", {5120, 40, 40, 20480}},  {"opt-30b", {7168, 48, 56, 28672}},
      {"opt-66b", {9216, 64, 72, 36864}}};
  return all;
}

// Random blocks whose scales, of fp16 in ggml's blocks, keep weights about as large as others are.
void fill_blocks(at::Tensor words, DType type) {
  words.random_(0, 256);
  at::Tensor blocks = words.view({-1, bytes_of(type, block_size(type))});
  const int values = type == DType::Q8_0 ? 256 : 16;
  const auto set = [&](std::int64_t at, float value) {
    const std::uint16_t half = fp32_to_fp16(value);
    blocks.select(1, at).fill_(half & 0xFF);
    blocks.select(1, at + 1).fill_(half >> 8);
  };
  set(0, 0.07f / static_cast<float>(values));
  if (type == DType::Q4_1) set(2, -0.035f);
}

void fill(ParameterStore& store) {
  for (std::size_t i = 0; i < store.specs().size(); ++i) {
    const Parameter p{static_cast<int>(i)};
    const StoredTensor& t = store.stored(p);
    at::Tensor words = t.words, residual = t.residual;
    if (t.storage == Storage::quantised) {
      fill_blocks(words, t.blocks);
      continue;
    }
    const bool gain =
        store.spec(p).role == Role::vector && store.spec(p).name.ends_with("norm.weight");
    words.normal_(gain ? 1.0 : 0.0, 0.02);
    if (residual.defined()) residual.random_(0, 256);
  }
}

ChosenPeft mode_named(const std::string& id, const Registry& registry) {
  const Component& component = registry.find(MEZO_PEFT, id);
  return {create<Peft>(component, default_settings(component, "peft")), component};
}

BenchModel read_model(const std::string& path, const Registry& registry,
                      const ModelPlacement& placement, const ChosenPeft& mode) {
  PreparedModel prepared = prepare_model(path, registry, {.mode = mode});
  const std::int64_t tokens = prepared.tokenizer.vocabulary_size();
  LoadedModel model = load_weights(std::move(prepared), placement);
  start_adapter({model.network, model.store, model.dtype, tokens}, 0);
  return {std::move(static_cast<BuiltModel&>(model)), std::move(model.store), model.dtype};
}

BenchModel random_model(const std::string& name, const Shape& s, const Registry& registry,
                        const ModelPlacement& placement, const StorageType& storage,
                        const ChosenPeft& mode) {
  const ModelConfig config = ModelConfig::from_json(
      fmt::format(R"({{"architectures": ["OPTForCausalLM"], "hidden_size": {}, "ffn_dim": {},
                       "num_hidden_layers": {}, "num_attention_heads": {}, "vocab_size": 50272,
                       "max_position_embeddings": 2048}})",
                  s.hidden, s.inner, s.layers, s.heads),
      name);
  BuiltModel built =
      build_model(config, registry.match_model(config.architectures()), Parameters(), mode);
  ParameterStore store(built.specs, std::vector<StorageType>(built.specs.size(), storage),
                       placement.device);
  fill(store);
  return {std::move(built), std::move(store), *placement.dtype};
}

}  // namespace

BenchModel make_model(const std::string& name, const Registry& registry, at::Device device,
                      const StorageType& storage, at::ScalarType dtype, const std::string& peft) {
  const ChosenPeft mode = mode_named(peft, registry);
  const auto found = shapes().find(name);
  ModelPlacement placement{device, storage.storage, dtype};
  if (found != shapes().end())
    return random_model(name, found->second, registry, placement, storage, mode);
  if (storage.storage == Storage::quantised) {
    placement.storage.reset();
    placement.frozen = true;
  }
  BenchModel model = read_model(name, registry, placement, mode);
  if (model.store.storage() != storage)
    throw ConfigError(fmt::format("{}: most weights are kept as {}, not {}", name,
                                  name_of(model.store.storage()), name_of(storage)));
  return model;
}

std::vector<Question> make_batch(const BenchModel& model, const BatchShape& shape, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::int32_t> token(
      5, static_cast<std::int32_t>(model.network.entries) - 300);
  std::uniform_int_distribution<int> length_of(std::max(1, shape.length / 4), shape.length);
  const std::vector<std::vector<std::int32_t>> options = {{100}, {200}};
  const std::vector<std::int32_t> scored = {1, 1};
  std::vector<Question> questions;
  for (int i = 0; i < shape.batch; ++i) {
    const int length = shape.ragged ? length_of(random) : shape.length;
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(length) +
                                     (shape.what == Scored::every));
    for (std::int32_t& t : tokens) t = token(random);
    questions.push_back(shape.what == Scored::last
                            ? options_behind(std::move(tokens), options, scored)
                            : answer_behind({tokens[0]}, {tokens.begin() + 1, tokens.end()}));
  }
  return questions;
}

std::vector<double> losses(const BenchModel& model, ParameterSource& source,
                           const std::vector<Question>& batch) {
  const at::AutoDispatchBelowADInplaceOrView forward_only;
  std::vector<const Question*> pointers;
  for (const Question& q : batch) pointers.push_back(&q);
  const Outputs outputs = answer(model.network, source, pointers, {});
  const at::Tensor& scores = outputs.option_scores;
  const at::Tensor wanted = scores.size(2) > 1 ? at::log_softmax(scores, -1) : scores;
  const at::Tensor value = wanted.select(2, 0).mean({1}).neg().to(at::kDouble).contiguous();
  const double* first = value.const_data_ptr<double>();
  return {first, first + value.numel()};
}

}  // namespace mezo::bench
