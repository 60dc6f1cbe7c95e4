// Prefix tuning: every layer's attention sees `length` keys and values of its own before a
// sequence's, and only they train. Li and Liang 2021, arXiv 2101.00190, without their
// reparameterisation, as the MeZO authors use it: started from the activations of random vocabulary
// tokens, which the paper finds worth 6 points over a random start, and without shifting the
// tokens' positions. The peft package shifts them by the prefix's length, so only such a prefix can
// be exchanged with it; the folder of another is read by mezo alone. The recommended values are the
// MeZO authors' single best guess (learning rate 1e-2, epsilon 1e-1).

#include <nlohmann/json.hpp>

#include "core/checkpoint/peft_folder.h"
#include "core/error.h"
#include "core/model/peft.h"
#include "core/plugin/component.h"

namespace {

struct Layer {
  mezo::Parameter key, value;  // [length, kv heads, width]
  mezo::AttentionShape shape;
  std::int64_t elements = 0;  // of one position: kv heads * width
};

// The second is a prefix without shifted positions, which only mezo reads.
constexpr const char *shifted_type = "PREFIX_TUNING", *unshifted_type = "MEZO_PREFIX_TUNING";

// All layers of a peft folder are one tensor [length, layers * 2 * elements]: keys of layer 0, its
// values, keys of layer 1, …
constexpr const char* tensor_name = "prompt_embeddings";

// Every key of the peft package's PrefixTuningConfig; tests/run/test_peft_keys.py holds it to that.
const std::vector<mezo::PeftKey>& keys() {
  static const std::vector<mezo::PeftKey> all = {
      {"num_virtual_tokens"},
      {"token_dim"},
      {"num_layers"},
      {"num_attention_heads"},
      // Of meaning in training: what was projected is saved as keys and values.
      {"prefix_projection"},
      {"encoder_hidden_size"},
      {"init_weights"},
      {"num_transformer_submodules",
       {"null", "1"},
       "this one is for an encoder and a decoder, which no model here has"},
      {"modules_to_save",
       {"null"},
       "a prefix cannot be merged; train one without other parts of the model"},
      {"task_type",
       {"\"CAUSAL_LM\"", "\"FEATURE_EXTRACTION\""},
       "for other tasks the peft package uses a prefix otherwise, and for null not at all; set "
       "CAUSAL_LM if it was trained for that"}};
  return all;
}

struct Settings {
  std::int64_t length = 5;
  bool activations = true, shifts = false;
  std::shared_ptr<const mezo::PeftFolder> from;  // nullptr: starts anew
};

class PrefixAdapter : public mezo::Adapter {
 public:
  PrefixAdapter(std::vector<Layer> layers, Settings settings, std::string note)
      : layers_(std::move(layers)), settings_(std::move(settings)), note_(std::move(note)) {}

  std::vector<std::string> notes() const override { return {note_}; }

  void start(mezo::AdapterStart& start) const override {
    if (settings_.from) return start_from_folder(start);
    if (!settings_.activations) {
      // The deviation of most models' embeddings when their training began.
      for (const Layer& layer : layers_)
        for (const mezo::Parameter p : {layer.key, layer.value}) start.write_normal(p, 0.02f);
      return;
    }
    const auto seen = start.activations(start.random_tokens(settings_.length));
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      start.write(layers_[i].key, values_of(seen[i].keys));
      start.write(layers_[i].value, values_of(seen[i].values));
    }
  }

  std::optional<mezo::KeysValues> prefix(mezo::ParameterSource& source, int layer) const override {
    const Layer& l = layers_.at(static_cast<std::size_t>(layer));
    return mezo::KeysValues{source.whole(l.key), source.whole(l.value)};
  }

  std::int64_t position_shift() const override { return settings_.shifts ? settings_.length : 0; }

  std::optional<std::string> refuses_merge() const override {
    return "a prefix is no change of the model's weights; --format peft writes it by itself, if it "
           "was trained with peft.positions: peft";
  }

  mezo::PeftFiles peft_files(const mezo::AdapterReader& read) const override {
    const std::int64_t width = layers_.front().elements,
                       count = static_cast<std::int64_t>(layers_.size());
    std::vector<float> all(static_cast<std::size_t>(settings_.length * count * 2 * width));
    for (std::size_t i = 0; i < layers_.size(); ++i)
      for (int part = 0; part < 2; ++part) {
        const std::vector<float> own = read(part == 0 ? layers_[i].key : layers_[i].value);
        for (std::int64_t t = 0; t < settings_.length; ++t)
          std::copy_n(own.data() + t * width, width,
                      all.data() + place(static_cast<std::int64_t>(i), part, t));
      }
    const nlohmann::ordered_json config = {
        {"peft_type", settings_.shifts ? shifted_type : unshifted_type},
        {"inference_mode", true},
        {"num_virtual_tokens", settings_.length},
        {"token_dim", width},
        {"num_transformer_submodules", 1},
        {"num_attention_heads", layers_.front().shape.kv_heads},
        {"num_layers", count},
        {"encoder_hidden_size", width},
        {"prefix_projection", false}};
    return {config.dump(), {{tensor_name, {settings_.length, count * 2 * width}, std::move(all)}}};
  }
  std::optional<std::string> refuses_peft() const override {
    if (!settings_.shifts)
      return "the peft package shifts the tokens' positions by the prefix's length, and this one "
             "was trained without (peft.positions: paper); it would not score the same";
    return refuses_files();
  }
  std::optional<std::string> refuses_files() const override {
    for (const Layer& l : layers_)
      if (l.shape.kv_heads != layers_.front().shape.kv_heads ||
          l.elements != layers_.front().elements)
        return "its format has one size for all layers, and this model's differ";
    return std::nullopt;
  }

 private:
  // Where position t of a layer's keys (part 0) or values (1) begins in the folder's tensor.
  std::int64_t place(std::int64_t layer, int part, std::int64_t t) const {
    const std::int64_t width = layers_.front().elements,
                       row = static_cast<std::int64_t>(layers_.size()) * 2 * width;
    return t * row + (2 * layer + part) * width;
  }

  static std::vector<float> values_of(const at::Tensor& t) {
    return {t.const_data_ptr<float>(), t.const_data_ptr<float>() + t.numel()};
  }

  void start_from_folder(mezo::AdapterStart& start) const {
    const std::int64_t width = layers_.front().elements;
    const std::vector<float> all = settings_.from->read(
        tensor_name, {settings_.length, static_cast<std::int64_t>(layers_.size()) * 2 * width});
    for (std::size_t i = 0; i < layers_.size(); ++i)
      for (int part = 0; part < 2; ++part) {
        std::vector<float> own(static_cast<std::size_t>(settings_.length * width));
        for (std::int64_t t = 0; t < settings_.length; ++t)
          std::copy_n(all.data() + place(static_cast<std::int64_t>(i), part, t), width,
                      own.data() + t * width);
        start.write(part == 0 ? layers_[i].key : layers_[i].value, own);
      }
  }

  std::vector<Layer> layers_;
  Settings settings_;
  std::string note_;
};

class Prefix : public mezo::Peft {
 public:
  explicit Prefix(const mezo::Parameters& p)
      : settings_{p.integer("length"), p.text("start") == "activations",
                  p.text("positions") == "peft", nullptr} {
    const std::string& folder = p.text("adapter");
    if (folder.empty()) return;
    settings_.from = std::make_shared<const mezo::PeftFolder>(
        folder, std::vector<std::string>{shifted_type, unshifted_type});
    const mezo::ModelConfig& c = settings_.from->config();
    settings_.from->check_keys(keys());
    if (p.given("length") && settings_.length != c.integer("num_virtual_tokens"))
      throw mezo::ConfigError("[peft prefix] length: the adapter " + folder + " has " +
                              c.json("num_virtual_tokens") + "; leave it out");
    const bool shifts = settings_.from->type() == shifted_type;
    if (p.given("positions") && settings_.shifts != shifts)
      throw mezo::ConfigError(
          "[peft prefix] positions: the adapter " + folder +
          (shifts ? " is of the peft package, which shifts positions by the prefix: leave it out, "
                    "or set peft"
                  : " was trained without shifting positions: leave it out, or set paper"));
    settings_.length = c.integer("num_virtual_tokens");
    settings_.shifts = shifts;
  }

  std::shared_ptr<mezo::Adapter> adapt(const mezo::ModelOutline& model,
                                       mezo::Declaration& declare) const override {
    const std::vector<mezo::AttentionShape> shapes = model.attention();
    if (shapes.empty())
      throw mezo::ConfigError("[peft prefix] the model has no attention to put a prefix before");
    std::vector<Layer> layers;
    std::int64_t elements = 0;
    for (const mezo::AttentionShape& shape : shapes) {
      const std::string at = "prefix." + std::to_string(layers.size());
      const std::vector<std::int64_t> size = {settings_.length, shape.kv_heads, shape.width};
      layers.push_back({declare.adapter(at + ".key", size), declare.adapter(at + ".value", size),
                        shape, shape.kv_heads * shape.width});
      elements += 2 * settings_.length * layers.back().elements;
    }
    std::string note = std::to_string(settings_.length) + " keys and values before each of " +
                       std::to_string(layers.size()) + " layers, " + std::to_string(elements) +
                       " parameters";
    if (settings_.from) {
      settings_.from->refuse_unused({tensor_name}, [](const std::string&) {
        return std::string(
            "a prefix is the tensor prompt_embeddings alone, and this would change "
            "a part of the base");
      });
      check_adapter(layers);
    }
    return std::make_shared<PrefixAdapter>(std::move(layers), settings_, std::move(note));
  }

  std::vector<std::pair<std::string, std::string>> resolved() const override {
    if (!settings_.from) return {};
    return {{"length", std::to_string(settings_.length)},
            {"positions", settings_.shifts ? "peft" : "paper"}};
  }

  Recommended recommended() const override { return {1e-2, 1e-1}; }

 private:
  void check_adapter(const std::vector<Layer>& layers) const {
    const mezo::ModelConfig& c = settings_.from->config();
    const auto expect = [&](const char* key, std::int64_t wanted) {
      if (c.integer(key, wanted) != wanted)  // null: that of the model
        c.refuse(key, "this model needs " + std::to_string(wanted) +
                          "; was the adapter made for another one?");
    };
    expect("num_layers", static_cast<std::int64_t>(layers.size()));
    expect("token_dim", layers.front().elements);
    expect("num_attention_heads", layers.front().shape.kv_heads);
    settings_.from->require(
        tensor_name,
        {settings_.length, static_cast<std::int64_t>(layers.size()) * 2 * layers.front().elements});
  }

  Settings settings_;
};

constexpr const char* starts[] = {"activations", "random", nullptr};
constexpr const char* positions[] = {"paper", "peft", nullptr};

constexpr mezo_parameter parameters[] = {
    {"length", MEZO_INTEGER, "5", "[1, 4096]", nullptr, "tokens",
     "keys and values before each layer's own"},
    {"start", MEZO_TEXT, "activations", nullptr, starts, nullptr,
     "activations: of random vocabulary tokens in this model; random: normal, deviation 0.02"},
    {"positions", MEZO_TEXT, "paper", nullptr, positions, nullptr,
     "paper: the tokens' positions begin at 0; peft: after the prefix, as the peft package has it"},
    {"adapter", MEZO_PATH, "", nullptr, nullptr, nullptr,
     "start from this folder, written by the peft package or by `mezo export --format peft`"}};

constexpr mezo_component components[] = {mezo::component<Prefix, mezo::Peft>(
    MEZO_PEFT, "prefix", "keys and values before each layer's train, the model stays", parameters)};

}  // namespace

MEZO_PLUGIN("prefix", "1.0.0", "Prefix tuning", "MIT", components)
