#include <doctest/doctest.h>

#include "core/forward/forward_trace.h"
#include "core/plugin/create.h"
#include "gguf_file.h"
#include "model_folder.h"
#include "toy.h"

using namespace mezo;

namespace {

const std::string decoder = "model.decoder.", opt_layer = decoder + "layers.0.";

struct OptFolder : ModelFolder {
  OptFolder()
      : ModelFolder({{"architectures", {"OPTForCausalLM"}},
                     {"vocab_size", 2000},
                     {"hidden_size", 8},
                     {"ffn_dim", 12},
                     {"num_hidden_layers", 1},
                     {"num_attention_heads", 2},
                     {"max_position_embeddings", 30}},
                    {{decoder + "embed_tokens.weight", {2000, 8}},
                     {decoder + "embed_positions.weight", {32, 8}},
                     {opt_layer + "self_attn.q_proj.weight", {8, 8}},
                     {opt_layer + "self_attn.k_proj.weight", {8, 8}},
                     {opt_layer + "self_attn.v_proj.weight", {8, 8}},
                     {opt_layer + "self_attn.out_proj.weight", {8, 8}},
                     {opt_layer + "fc1.weight", {12, 8}},
                     {opt_layer + "fc2.weight", {8, 12}}}) {
    for (const char* norm :
         {"layers.0.self_attn_layer_norm", "layers.0.final_layer_norm", "final_layer_norm"})
      for (const char* part : {".weight", ".bias"})
        tensors[decoder + norm + part] = {DType::F32, {8}};
    for (const char* map : {"q_proj", "k_proj", "v_proj", "out_proj"})
      tensors[opt_layer + "self_attn." + map + ".bias"] = {DType::F32, {8}};
    tensors[opt_layer + "fc1.bias"] = {DType::F32, {12}};
    tensors[opt_layer + "fc2.bias"] = {DType::F32, {8}};
  }
};

std::string refusal(const char* key, nlohmann::json value) {
  OptFolder f;
  f.config[key] = std::move(value);
  return f.refusal();
}

}  // namespace

TEST_CASE("an OPT loads with transformers' names, tied and with biases unless it says otherwise") {
  OptFolder f;
  f.write();
  const LoadedModel model = load_model(f.path(), registry());
  CHECK(model.network.family.id() == "opt");
  CHECK(model.unused.empty());
  CHECK(model.parameters() == 2000 * 8 + 32 * 8 + 6 * 8 + 4 * 72 + 12 * 9 + 8 * 13);

  OptFolder g;
  g.config["tie_word_embeddings"] = false;
  g.config["enable_bias"] = false;
  CHECK(contains(g.error(), "tensors that the model needs are not there:\n  lm_head.weight"));
  g.tensors["lm_head.weight"] = {DType::F32, {2000, 8}};
  std::erase_if(g.tensors, [](const auto& t) {
    return t.first.ends_with(".bias") && !t.first.ends_with("norm.bias");
  });
  g.write();
  CHECK(load_model(g.path(), registry(), {}, {"opt"}).unused.empty());
}

TEST_CASE("an OPT loads with the names that it was published with, and from its base class") {
  OptFolder f;
  f.name_as_base_class();
  f.write();
  const LoadedModel model = load_model(f.path(), registry());
  CHECK(model.unused.empty());
  CHECK(model.specs.front().name == "model.decoder.embed_tokens.weight");
}

TEST_CASE("an OPT is causal, and its trace is what its layers are") {
  OptFolder f;
  f.config["tie_word_embeddings"] = false;
  f.tensors["lm_head.weight"] = {DType::F32, {2000, 8}};
  f.write();
  const LoadedModel model = load_model(f.path(), registry());
  CHECK(model.network.causal);
  const ForwardTrace trace = forward_trace(*model.network.model, model.base_specs());
  CHECK(trace.layers == 1);
  CHECK(trace.attention.size() == 1);
  CHECK(trace.attention[0].width == 4);
  CHECK(trace.order.size() == model.base_specs().size());
  for (std::size_t i = 0; i < trace.layer.size(); ++i) {
    const std::string& name = model.base_specs()[i].name;
    CHECK(trace.layer[i] == (contains(name, "embed_") ? -1 : name == "lm_head.weight" ? 1 : 0));
  }
}

TEST_CASE("an OPT of another architecture is refused by key") {
  CHECK(refusal("activation_function", "gelo")
            .starts_with("activation_function: expected one of the activations relu, silu, "));
  CHECK(refusal("layer_norm_elementwise_affine", false) ==
        "layer_norm_elementwise_affine: this family has norms with gain and bias only, got false");
}

TEST_CASE("an OPT's sizes are refused by key") {
  for (const char* key : {"num_hidden_layers", "hidden_size", "ffn_dim", "vocab_size",
                          "max_position_embeddings", "num_attention_heads"}) {
    CAPTURE(key);
    CHECK(refusal(key, nullptr) == std::string(key) + ": expected an integer, got nothing");
    CHECK(refusal(key, 0).starts_with(std::string(key) + ": expected 1 to "));
  }
  CHECK(refusal("num_attention_heads", 3) ==
        "num_attention_heads: expected a divisor of hidden_size, got 3");
}

TEST_CASE("an OPT is not read from a GGUF file") {
  const ScratchFolder scratch;
  const std::string path = (scratch / "model.gguf").string();
  write_text(path, Gguf()
                       .text("general.architecture", "opt")
                       .integer("opt.block_count", 1)
                       .integer("opt.vocab_size", 300)
                       .bytes());
  CHECK(contains(message_of<Error>([&] { load_model(path, registry()); }),
                 "no model serves 'gguf:opt'"));
}

TEST_CASE("a sequence has as many tokens as the configuration gives positions, or any number") {
  const auto family = create<ModelFamily>(registry().find(MEZO_MODEL, "opt"), Parameters());
  OptFolder f;
  f.write();
  CHECK(family->max_positions(ModelConfig::from_folder(f.path())) == 30);
  CHECK(family->max_positions(ModelConfig::from_json("{}", "none")) == std::nullopt);
}
