// Models whose matrices stay as a GGUF file has them.
#include <ATen/ops/equal.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <span>
#include <tuple>

#include "core/answer/answer.h"
#include "core/checkpoint/weights_hash.h"
#include "core/zo/stored_source.h"
#include "quantised_llama.h"
#include "tests/model/model_folder.h"
#include "tests/model/toy.h"
#include "tests/task/questions.h"

using namespace mezo;

namespace {

const std::string second_layer = "model.layers.1.";

struct Written {
  ScratchFolder scratch;
  std::string path = (scratch / "model.gguf").string();

  explicit Written(const QuantisedLlama& model) { write_text(path, model.file()); }
  LoadedModel load(const ModelPlacement& placement) const {
    return load_model(path, registry(), placement);
  }
};

const ModelPlacement frozen{at::kCPU, {}, {}, true};

Parameter parameter(const LoadedModel& model, const std::string& name) {
  for (std::size_t i = 0; i < model.store.specs().size(); ++i)
    if (model.store.specs()[i].name == name) return {static_cast<int>(i)};
  throw std::invalid_argument(name);
}

std::string bytes_of_words(const LoadedModel& model, const std::string& name) {
  const at::Tensor& words = model.store.stored(parameter(model, name)).words;
  return {static_cast<const char*>(words.const_data_ptr()), words.nbytes()};
}

std::string kept_in(const LoadedModel& model, const std::string& name) {
  return name_of(model.store.stored(parameter(model, name)));
}

at::Tensor scores(const LoadedModel& model, at::ScalarType dtype, bool normalise) {
  const Question several = options_of({1, 2, 3, 2, 7, 1}, {{4}, {5, 6, 7}, {5, 8}}, {1, 3, 1}),
                 one = options_of({9, 1}, {{2}, {3}}, {1, 1});
  const std::vector<const Question*> all{&one, &several};
  StoredSource source(model.store, dtype);
  const auto asked = std::span(all).first(normalise ? 2 : 1);
  return answer(model.network, source, asked, Needs{.normalised = normalise}).option_scores;
}

// In every type that a forward computes in, over the whole vocabulary and over rows of the head.
void check_same_scores(const LoadedModel& kept, const LoadedModel& dequantised) {
  for (const at::ScalarType dtype : {at::kFloat, at::kHalf, at::kBFloat16})
    for (const bool normalise : {true, false}) {
      const at::Tensor a = scores(kept, dtype, normalise);
      CHECK(at::equal(a, scores(dequantised, dtype, normalise)));
      CHECK(a.select(1, 0).select(1, 0).isfinite().all().item<bool>());
    }
}

}  // namespace

TEST_CASE("a model that stays quantised scores bit for bit as the same file dequantised") {
  for (const bool tied : {false, true}) {
    const Written file{QuantisedLlama(tied)};
    check_same_scores(file.load(frozen), file.load({}));
  }
}

TEST_CASE("so does SmolLM2, in the memory of its file") {
  const std::string path = MEZO_SOURCE_DIR "/models/smollm2-135m-instruct-q4_1.gguf";
  if (!std::filesystem::exists(path)) {
    MESSAGE("skipped: there is no " << path);
    return;
  }
  const LoadedModel kept = load_model(path, registry(), frozen);
  const auto file_bytes = static_cast<double>(std::filesystem::file_size(path));
  CHECK(static_cast<double>(kept.store.bytes()) < file_bytes);
  CHECK(static_cast<double>(kept.store.bytes()) > 0.97 * file_bytes);
  const LoadedModel dequantised = load_model(path, registry());
  CHECK(at::equal(scores(kept, at::kFloat, true), scores(dequantised, at::kFloat, true)));
}

TEST_CASE("a frozen base keeps each matrix in its file's type, and vectors in float32") {
  const Written file{QuantisedLlama(false)};
  const LoadedModel model = file.load(frozen);
  CHECK(kept_in(model, "model.embed_tokens.weight") == "Q8_0");
  CHECK(kept_in(model, "lm_head.weight") == "Q4_0");
  CHECK(kept_in(model, second_layer + "self_attn.q_proj.weight") == "Q4_1");
  CHECK(kept_in(model, second_layer + "self_attn.v_proj.weight") == "float16");
  CHECK(kept_in(model, second_layer + "self_attn.o_proj.weight") == "bfloat16");
  CHECK(kept_in(model, second_layer + "mlp.up_proj.weight") == "float32");
  CHECK(kept_in(model, second_layer + "input_layernorm.weight") == "float32");
  CHECK(std::string(name_of(model.store.storage())) == "Q4_1");
  CHECK(model.kept_as_filed);
  CHECK(!model.widened);
  std::int64_t bytes = 0;
  for (const auto& [name, t] : QuantisedLlama(false).tensors)
    bytes += t.shape.size() == 1 ? 4 * t.shape[0] : static_cast<std::int64_t>(t.bytes.size());
  CHECK(model.store.bytes() == bytes);
}

TEST_CASE("a storage that is given, or a base that trains, dequantises and says what it costs") {
  const Written file{QuantisedLlama(true)};
  const std::int64_t q4_1 = 2 * (64 * 64 + 2 * 96 * 64), q4_0 = 2 * 32 * 64, q8_0 = 50 * 64;
  for (const auto& [placement, storage, size] :
       {std::tuple<ModelPlacement, const char*, int>{{}, "float32", 4},
        {{at::kCPU, Storage::bfloat16, {}, true}, "bfloat16", 2}}) {
    const LoadedModel model = file.load(placement);
    CHECK(std::string(name_of(model.store.storage())) == storage);
    CHECK(kept_in(model, "model.embed_tokens.weight") == storage);
    CHECK(!model.kept_as_filed);
    REQUIRE(model.widened);
    CHECK(model.widened->from == "Q4_0 and Q4_1 and Q8_0");
    CHECK(model.widened->file_bytes ==
          bytes_of(DType::Q4_1, q4_1) + bytes_of(DType::Q4_0, q4_0) + bytes_of(DType::Q8_0, q8_0));
    CHECK(model.widened->kept_bytes == size * (q4_1 + q4_0 + q8_0));
  }
}

TEST_CASE("rows of query and key projections lie in transformers' order, whatever the type") {
  QuantisedLlama made(true);
  const Written file{made};
  const LoadedModel model = file.load(frozen);
  for (const auto& [name, stored, heads] :
       {std::tuple<std::string, std::string, std::size_t>{"attn_q", "self_attn.q_proj", 2},
        {"attn_k", "self_attn.k_proj", 1}}) {
    const QuantisedLlama::Tensor& t = made.tensors.at("blk.1." + name + ".weight");
    const auto rows = static_cast<std::size_t>(t.shape[0]), size = t.bytes.size() / rows;
    const std::size_t head = rows / heads;
    std::string wanted;  // of each head the even rows, then the odd ones
    for (std::size_t h = 0; h < heads; ++h)
      for (const std::size_t first : {0, 1})
        for (std::size_t i = first; i < head; i += 2)
          wanted += t.bytes.substr((h * head + i) * size, size);
    CHECK(bytes_of_words(model, second_layer + stored + ".weight") == wanted);
  }
  CHECK(bytes_of_words(model, second_layer + "mlp.down_proj.weight") ==
        made.tensors.at("blk.1.ffn_down.weight").bytes);
}

TEST_CASE("hashes of quantised weights are those of their blocks") {
  QuantisedLlama made(true);
  const Written file{made};
  const auto hashes = [](const LoadedModel& model) {
    std::map<std::string, std::string> by_name;
    const std::vector<std::string> all = hash_parameters(model.store);
    for (std::size_t i = 0; i < all.size(); ++i) by_name[model.store.specs()[i].name] = all[i];
    return by_name;
  };
  const auto kept = hashes(file.load(frozen)), wide = hashes(file.load({}));
  CHECK(hashes(file.load(frozen)) == kept);
  for (const auto& [name, hash] : kept) {
    CAPTURE(name);
    const bool as_wide = name.ends_with("norm.weight") || name.ends_with("up_proj.weight");
    CHECK((wide.at(name) == hash) == as_wide);
  }
  made.tensors.at("blk.1.ffn_down.weight").bytes.back() ^= 1;
  const Written changed(made);
  for (const auto& [name, hash] : hashes(changed.load(frozen))) {
    CAPTURE(name);
    CHECK((hash == kept.at(name)) == (name != second_layer + "mlp.down_proj.weight"));
  }
}
