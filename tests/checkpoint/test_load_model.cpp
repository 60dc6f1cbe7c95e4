#include <doctest/doctest.h>

#include "core/forward/forward_trace.h"
#include "tests/model/gguf_file.h"
#include "tests/model/model_folder.h"
#include "tests/model/toy.h"

using namespace mezo;

namespace {

const std::string first_layer = "model.layers.0.";

struct Folder : ModelFolder {
  Folder()
      : ModelFolder({{"architectures", {"LlamaForCausalLM"}},
                     {"vocab_size", 2000},
                     {"hidden_size", 8},
                     {"intermediate_size", 12},
                     {"num_hidden_layers", 1},
                     {"num_attention_heads", 2},
                     {"num_key_value_heads", 1},
                     {"rms_norm_eps", 1e-5},
                     {"tie_word_embeddings", true}},
                    {{"model.embed_tokens.weight", {2000, 8}},
                     {"model.norm.weight", {8}},
                     {first_layer + "input_layernorm.weight", {8}},
                     {first_layer + "post_attention_layernorm.weight", {8}},
                     {first_layer + "self_attn.q_proj.weight", {8, 8}},
                     {first_layer + "self_attn.k_proj.weight", {4, 8}},
                     {first_layer + "self_attn.v_proj.weight", {4, 8}},
                     {first_layer + "self_attn.o_proj.weight", {8, 8}},
                     {first_layer + "mlp.gate_proj.weight", {12, 8}},
                     {first_layer + "mlp.up_proj.weight", {12, 8}},
                     {first_layer + "mlp.down_proj.weight", {8, 12}}}) {}
};

std::string refusal(const char* key, nlohmann::json value) {
  Folder f;
  f.config[nlohmann::json::json_pointer(key)] = std::move(value);
  return f.refusal();
}

Gguf llama_gguf() {
  return Gguf()
      .text("general.architecture", "llama")
      .integer("llama.block_count", 1)
      .integer("llama.embedding_length", 8)
      .integer("llama.feed_forward_length", 12)
      .integer("llama.attention.head_count", 2)
      .integer("llama.vocab_size", 300)
      .number("llama.attention.layer_norm_rms_epsilon", 1e-5f);
}

std::string gguf_error(const Gguf& file) {
  const ScratchFolder scratch;
  const std::string path = (scratch / "model.gguf").string();
  write_text(path, file.bytes());
  std::string text = message_of<Error>([&] { load_model(path, registry()); });
  const std::string place = placed(path, "");
  return text.starts_with(place) ? text.substr(place.size()) : text;
}

}  // namespace

TEST_CASE("a folder loads, and says which tensors the model does not use") {
  Folder f;
  f.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = {DType::F32, {2}};  // no weights
  f.tensors["extra"] = {DType::F32, {2}};
  f.write();
  const LoadedModel model = load_model(f.path(), registry());
  CHECK(model.network.family.id() == "llama");
  CHECK(model.parameters() == 2000 * 8 + 3 * 8 + 64 + 32 + 32 + 64 + 3 * 96);
  CHECK(model.unused == std::vector<std::string>{"extra"});
  CHECK(prepare_model(f.path(), registry(), {"llama"}).files.unused() == model.unused);
}

TEST_CASE("a LLaMA that was saved from its base class loads, but for a head of its own") {
  Folder f;
  f.name_as_base_class();
  f.write();
  CHECK(load_model(f.path(), registry()).unused.empty());
  f.config["tie_word_embeddings"] = false;
  CHECK(f.error() == placed(f.path() + "/model.safetensors",
                            "tensors that the model needs are not there:\n  lm_head.weight"));
}

TEST_CASE("a LLaMA is causal, and its trace is what its layers are written") {
  Folder f;
  f.write();
  const LoadedModel model = load_model(f.path(), registry());
  CHECK(model.network.causal);
  const ForwardTrace trace = forward_trace(*model.network.model, model.base_specs());
  CHECK(trace.layers == 1);
  CHECK(trace.attention.size() == 1);
  CHECK(trace.attention[0].kv_heads == 1);
  CHECK(trace.order.size() == model.base_specs().size());
  for (std::size_t i = 0; i < trace.layer.size(); ++i)
    CHECK(trace.layer[i] == (model.base_specs()[i].name == "model.embed_tokens.weight" ? -1 : 0));
}

TEST_CASE("a config.json without architectures is served by its model_type") {
  Folder f;
  f.config.erase("architectures");
  f.config["model_type"] = "llama";
  CHECK(f.error() == "");
  f.config["model_type"] = "lama";
  CHECK(contains(f.error<PluginError>(), "no model serves 'model_type:lama'"));
  f.config["architectures"] = "LlamaForCausalLM";
  CHECK(contains(f.error(), "architectures: expected a list of names"));
}

TEST_CASE("missing tensors are named, all of them") {
  Folder f;
  f.tensors.erase("model.norm.weight");
  f.tensors.erase("model.layers.0.mlp.up_proj.weight");
  CHECK(f.error() == placed(f.path() + "/model.safetensors",
                            "tensors that the model needs are not there:"
                            "\n  model.layers.0.mlp.up_proj.weight\n  model.norm.weight"));
}

TEST_CASE("a tensor of another shape or type is named with both") {
  Folder f;
  f.tensors["model.layers.0.self_attn.k_proj.weight"].shape = {8, 4};
  CHECK(f.error() == placed(f.path() + "/model.safetensors",
                            "tensor model.layers.0.self_attn.k_proj.weight: the configuration asks "
                            "for shape [4, 8], got [8, 4]"));
  Folder g;
  g.tensors["model.norm.weight"].dtype = DType::I64;
  CHECK(g.error() == placed(g.path() + "/model.safetensors",
                            "tensor model.norm.weight: weights of type I64 cannot be read"));
  Folder h;
  h.tensors["model.norm.weight"].dtype = DType::F8_E4M3;
  CHECK(contains(h.error(), "tensor model.norm.weight: weights of type F8_E4M3 cannot be read"));
}

TEST_CASE("an architecture that no plugin serves is told with those that are") {
  Folder f;
  f.config["architectures"] = {"LlamoForCausalLM"};
  const std::string text = f.error<PluginError>();
  CHECK(contains(text,
                 "no model serves 'LlamoForCausalLM'; did you mean 'LlamaForCausalLM'? (known: "));
  CHECK(contains(text, "LlamaForCausalLM"));
  CHECK(contains(text, MEZO_BINARY_DIR "/lib/mezo/plugins"));
  const std::string type = f.error<PluginError>("lama");
  CHECK(contains(type, "no model 'lama'; did you mean 'llama'?"));
}

TEST_CASE("a config.json without a key, or with another type, is refused by key") {
  CHECK(refusal("/hidden_size", nullptr) == "hidden_size: expected an integer, got nothing");
  CHECK(refusal("/hidden_size", "8") == "hidden_size: expected an integer, got \"8\"");
  CHECK(refusal("/num_hidden_layers", 1.5) == "num_hidden_layers: expected an integer, got 1.5");
  CHECK(refusal("/vocab_size", -2000) == "vocab_size: expected a size from 0 to 2^40, got -2000");
  CHECK(refusal("/rms_norm_eps", "x") == "rms_norm_eps: expected a number, got \"x\"");
  CHECK(refusal("/tie_word_embeddings", "yes") ==
        "tie_word_embeddings: expected true or false, got \"yes\"");
  CHECK(refusal("/architectures", nullptr) ==
        "architectures: expected a list of names such as [\"LlamaForCausalLM\"], got nothing");
  CHECK(refusal("/num_attention_heads", 0) == "num_attention_heads: expected at least 1, got 0");
  CHECK(refusal("/num_key_value_heads", 3) ==
        "num_key_value_heads: expected a divisor of num_attention_heads, got 3");
  CHECK(refusal("/head_dim", 5) == "head_dim: expected an even width, got 5");
  CHECK(contains(refusal("/hidden_act", "gelo"),
                 "hidden_act: expected one of the activations relu, silu"));
}

TEST_CASE("positions scaled in an unknown way are refused in every spelling") {
  const std::string why =
      ": of scaled positions only linear, dynamic, llama3 and yarn can be computed, got ";
  CHECK(refusal("/rope_parameters", {{"rope_type", "longrope"}}) ==
        "rope_parameters.rope_type" + why + "\"longrope\"");
  CHECK(refusal("/rope_parameters", {{"type", "su"}}) == "rope_parameters.type" + why + "\"su\"");
  CHECK(refusal("/rope_scaling", {{"type", "linear"}, {"factor", 2.0}}) == "");
  CHECK(refusal("/rope_scaling", {{"type", "linear"}, {"factor", 0}}) ==
        "rope_scaling.factor: expected a number above 0, got 0");
  CHECK(refusal("/rope_scaling", {{"rope_type", "dynamic"}}) ==
        "rope_scaling.factor: expected a number, got nothing");
}

TEST_CASE("a tokenizer with more tokens than the model is refused") {
  Folder f;
  f.config["vocab_size"] = 100;
  f.tensors["model.embed_tokens.weight"].shape = {100, 8};
  const std::string text = f.error();
  CHECK(text.starts_with(placed(f.path(), "the tokenizer has ids up to ")));
  CHECK(text.ends_with(", but the model's vocab_size is 100"));
}

TEST_CASE("what is no model is told apart") {
  const ScratchFolder scratch;
  CHECK(message_of<ModelError>([&] { load_model((scratch / "absent").string(), registry()); }) ==
        "[load_model] no such file or folder: " + (scratch / "absent").string());
  write_text(scratch / "model.bin", "x");
  CHECK(message_of<ModelError>([&] { load_model((scratch / "model.bin").string(), registry()); }) ==
        "[load_model] expected a Hugging Face folder or a .gguf file, got " +
            (scratch / "model.bin").string());
  CHECK(contains(
      message_of<ModelError>([&] { load_model(scratch.path().string(), registry()); }),
      "config.json cannot be read: No such file or directory; a model folder holds config.json, "
      "weights and a tokenizer"));
  write_text(scratch / "config.json", "{\"architectures\": ");
  CHECK(contains(message_of<ModelError>([&] { load_model(scratch.path().string(), registry()); }),
                 "config.json]: expected JSON, got parse error"));
}

TEST_CASE("scaled positions of a GGUF file are refused by its own key") {
  CHECK(gguf_error(llama_gguf().text("llama.rope.scaling.type", "longrope")) ==
        "llama.rope.scaling.type: of scaled positions only linear, dynamic, llama3 and yarn can be "
        "computed, got \"longrope\"");
  CHECK(gguf_error(llama_gguf().number("llama.rope.scaling.factor", -4)) ==
        "llama.rope.scaling.factor: expected a number above 0, got -4.0");
  CHECK(gguf_error(llama_gguf().number("llama.rope.scale_linear", -4)) ==
        "llama.rope.scale_linear: expected a number above 0, got -4.0");
  // Without scaling the file goes on to what is missing next: here, its tensors.
  for (const Gguf& unscaled : {llama_gguf().number("llama.rope.scaling.factor", 1),
                               llama_gguf().text("llama.rope.scaling.type", "none")})
    CHECK(contains(gguf_error(unscaled),
                   "tensors that the model needs are not there:\n  model.embed_tokens.weight"));
}

TEST_CASE("a GGUF key is refused by its own name") {
  CHECK(gguf_error(llama_gguf().integers("llama.attention.head_count_kv", {2, 1})) ==
        "llama.attention.head_count_kv: expected an integer, got [\"array of 2 uint32\"]");
  CHECK(gguf_error(Gguf()
                       .text("general.architecture", "llama")
                       .integer("llama.vocab_size", 300)
                       .integer("llama.attention.head_count", 2)) ==
        "llama.embedding_length: expected an integer, got nothing");
  CHECK(contains(
      gguf_error(Gguf().text("general.architecture", "mamba").integer("mamba.vocab_size", 3)),
      "no model serves 'gguf:mamba'"));
}
