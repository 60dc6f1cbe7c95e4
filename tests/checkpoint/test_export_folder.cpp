#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/checkpoint/export_folder.h"
#include "core/io/float16.h"
#include "core/io/safetensors.h"
#include "tests/io/golden_files.h"
#include "tests/model/model_folder.h"
#include "tests/model/toy.h"
#include "tests/scratch_folder.h"

using namespace mezo;

namespace {

constexpr std::int64_t vocabulary = 2000;

// A LLaMA of one layer on disk: vectors in fp32, matrices in `dtype`, every weight 1/3 in it.
void write_base(const std::filesystem::path& folder, DType dtype) {
  std::map<std::string, std::vector<std::int64_t>> shapes = {
      {"model.embed_tokens", {vocabulary, 8}}, {"model.norm", {8}}};
  for (const char* name : {"input_layernorm", "post_attention_layernorm"})
    shapes[std::string("model.layers.0.") + name] = {8};
  for (const char* name : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                           "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"})
    shapes[std::string("model.layers.0.") + name] = {8, 8};
  std::vector<TensorView> views = {{"unused.weight", DType::F32, {0}, {}}};
  for (const auto& [module, shape] : shapes)
    views.push_back({module + ".weight", shape.size() == 1 ? DType::F32 : dtype, shape, {}});
  Bytes data;
  const auto thirds = [&](const TensorView& view) {
    const std::vector<float> weights(static_cast<std::size_t>(view.count()), 1.0f / 3);
    data.resize(static_cast<std::size_t>(bytes_of(view.dtype, view.count())));
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const std::uint16_t half =
          view.dtype == DType::F16 ? fp32_to_fp16(weights[i]) : fp32_to_bf16(weights[i]);
      if (view.dtype == DType::F32)
        std::memcpy(data.data() + 4 * i, &weights[i], 4);
      else
        std::memcpy(data.data() + 2 * i, &half, 2);
    }
    return std::span<const std::byte>(data);
  };
  write_safetensors(folder / "model.safetensors", views, {}, thirds);
  const nlohmann::json config = {{"architectures", {"LlamaForCausalLM"}},
                                 {"vocab_size", vocabulary},
                                 {"hidden_size", 8},
                                 {"intermediate_size", 8},
                                 {"num_hidden_layers", 1},
                                 {"num_attention_heads", 2},
                                 {"num_key_value_heads", 2},
                                 {"rms_norm_eps", 1e-5},
                                 {"tie_word_embeddings", true}};
  write_text(folder / "config.json", config.dump());
  for (const char* file : {"vocab.json", "merges.txt"})
    std::filesystem::copy_file(
        std::filesystem::path(MEZO_SOURCE_DIR) / "tests/text/goldens/gpt2" / file, folder / file);
}

// A base on disk, loaded, and a place to export it to.
struct Case {
  ScratchFolder scratch;
  LoadedModel model;

  explicit Case(DType dtype = DType::F16) : model(loaded(dtype)) {}

  LoadedModel loaded(DType dtype) {
    std::filesystem::create_directory(scratch / "base");
    write_base(scratch / "base", dtype);
    return load_model((scratch / "base").string(), registry());
  }
  // Every weight of the store plus `change`.
  WeightReader changed_by(float change) const {
    return [this, change](Parameter p, std::span<float> out) {
      model.store.read(p, out.data());
      for (float& w : out) w += change;
    };
  }
  ExportReport to_out(float change = 0, ExportOptions options = {}) const {
    return export_folder(model, changed_by(change), scratch / "out", options);
  }
  template <class E = RunError>
  std::string error(const WeightReader& read, ExportOptions options = {}) const {
    std::string text = message_of<E>([&] { export_folder(model, read, scratch / "out", options); });
    CHECK(scratch.names() == std::vector<std::string>{"base"});
    return text;
  }
};

std::map<std::string, std::string> contents(const TensorFile& file) {
  std::map<std::string, std::string> all;
  for (const TensorView& view : file.tensors())
    all[view.name] = std::string(name_of(view.dtype)) +
                     std::string(reinterpret_cast<const char*>(view.data.data()), view.data.size());
  return all;
}

}  // namespace

TEST_CASE("an untrained model is exported byte for byte, in the types of its file") {
  for (const DType dtype : {DType::F16, DType::BF16, DType::F32}) {
    const Case c(dtype);
    const ExportReport report = c.to_out();
    auto expected = contents(load_safetensors_folder(c.scratch / "base"));
    expected.erase("unused.weight");
    CHECK(contents(load_safetensors_folder(c.scratch / "out")) == expected);
    for (const char* file : {"config.json", "vocab.json", "merges.txt"})
      CHECK(read_text(c.scratch / "out" / file) == read_text(c.scratch / "base" / file));
    CHECK(report.files ==
          std::vector<std::string>{"config.json", "merges.txt", "vocab.json", "model.safetensors"});
    CHECK(report.left_out == std::vector<std::string>{"unused.weight"});
    CHECK(report.rounding.changed == 0);
    CHECK(report.lines().at(1) == "rounding: none, every weight is written as it is");
    CHECK(report.lines().at(2) == "not written, as the model does not use it: unused.weight");
  }
}

TEST_CASE("a change of less than half a step is lost in 16 bits, and the report says so") {
  const Case c(DType::F16);  // 1/3 in steps of 2^-12; the norms keep the change, being fp32
  const float change = 1.0f / (1 << 14);
  const ExportReport report = c.to_out(change);
  const std::int64_t vectors = 3 * 8, all = c.model.parameters();
  CHECK(report.rounding.weights == all);
  CHECK(report.rounding.narrowed == all - vectors);
  CHECK(report.rounding.changed == all);
  CHECK(report.rounding.lost == all - vectors);
  CHECK(report.rounding.error_over_change() ==
        doctest::Approx(std::sqrt(double(all - vectors) / double(all))).epsilon(1e-3));
  const double share = 100.0 * double(all - vectors) / double(all);
  CHECK(report.rounding.text().ends_with(
      fmt::format("; {:.2f}% of the changed weights are as before", share)));
  CHECK(report.types == std::map<std::string, int>{{"F16", 8}, {"F32", 3}});
}

TEST_CASE("another type is that of every tensor, and config.json's") {
  const Case c(DType::F16);
  const ExportReport report = c.to_out(0, {.dtype = DType::BF16});
  CHECK(report.types == std::map<std::string, int>{{"BF16", 11}});
  const auto config = nlohmann::json::parse(read_text(c.scratch / "out/config.json"));
  CHECK(config.at("torch_dtype") == "bfloat16");
  CHECK(config.size() == 10);
  CHECK(export_dtype("bfloat16") == DType::BF16);
  CHECK_FALSE(export_dtype("auto"));
  CHECK(message_of<ConfigError>([] { export_dtype("int8"); }) ==
        "[export] expected a type of auto, float32, float16 or bfloat16, got 'int8'");
}

TEST_CASE("shards hold at most the limit, or one tensor, and their index names them") {
  const Case c(DType::F16);
  const std::int64_t limit = 3 * 128;  // three matrices; the embedding is larger
  const ExportReport report = c.to_out(0, {.dtype = {}, .shard_bytes = limit});
  std::size_t shards = 0;
  for (const std::string& name : report.files) {
    if (!name.ends_with(".safetensors")) continue;
    ++shards;
    const TensorFile file = load_safetensors(c.scratch / "out" / name);
    std::size_t bytes = 0;
    for (const TensorView& view : file.tensors()) bytes += view.data.size();
    CHECK((bytes <= static_cast<std::size_t>(limit) || file.tensors().size() == 1));
    CHECK(file.metadata().at("format") == "pt");
  }
  CHECK(shards > 3);
  CHECK(report.files.back() == "model.safetensors.index.json");
  const auto index =
      nlohmann::json::parse(read_text(c.scratch / "out/model.safetensors.index.json"));
  CHECK(index["metadata"]["total_size"] == report.bytes);
  CHECK(index["metadata"]["total_parameters"] == c.model.parameters());
  auto expected = contents(load_safetensors_folder(c.scratch / "base"));
  expected.erase("unused.weight");
  CHECK(contents(load_safetensors_folder(c.scratch / "out")) == expected);
}

TEST_CASE("a weight without a value in its type is named, and nothing is written") {
  const Case c(DType::F16);
  CHECK(
      contains(c.error(c.changed_by(70000)),
               "out: nothing was written: tensor model.embed_tokens.weight: expected weights with "
               "a finite value in F16, got 70000.336 at element 0"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(
      contains(c.error(c.changed_by(nan), {.dtype = DType::F32}), "finite value in F32, got nan"));
}

TEST_CASE("what a reader throws passes through, and nothing is written") {
  const Case c;
  const auto text =
      c.error<DataError>([](Parameter, std::span<float>) { throw DataError("cannot read on"); });
  CHECK(text == "cannot read on");
}

TEST_CASE("a full disk is told by the system's reason, and nothing is left") {
  const Case c;
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t size : {rlim_t{10}, rlim_t{30000}}) {  // in config.json; in the weights
    const rlimit small{size, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    const std::string text = message_of<RunError>([&] { c.to_out(); });
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK(contains(text, "out: nothing was written: "));
    CHECK(contains(text, "cannot write: File too large"));
    CHECK(c.scratch.names() == std::vector<std::string>{"base"});
  }
  std::signal(SIGXFSZ, handler);
}

TEST_CASE("a base that is no longer what was loaded is refused") {
  const Case c(DType::F16);
  std::filesystem::remove(c.scratch / "base/model.safetensors");
  write_safetensors(c.scratch / "base/model.safetensors", {});
  const std::string text = c.error<ModelError>(c.changed_by(0));
  CHECK(contains(text, "base/model.safetensors] tensors that the model needs are not there:"));
  CHECK(contains(text, "\n  model.embed_tokens.weight"));
}
