// A family with settings of its own: it is built with what it is given, else with its defaults.
#include <doctest/doctest.h>

#include "core/checkpoint/build_model.h"
#include "core/config/schema.h"
#include "core/error.h"
#include "core/plugin/component.h"
#include "core/plugin/create.h"
#include "tests/io/golden_files.h"

using namespace mezo;

namespace {

struct Layered : Model {
  Embedding tokens;
  std::vector<Linear> maps;

  Layered(Declaration& declare, std::int64_t layers) : tokens(declare.embedding("tokens", 7, 4)) {
    for (std::int64_t i = 0; i < layers; ++i)
      maps.push_back(declare.linear("layers." + std::to_string(i), 4, 4, false));
  }
  at::Tensor hidden(Ops& ops, const Batch& batch) const override {
    return ops.embedding(tokens, batch.ids);
  }
  at::Tensor head(Ops&, const at::Tensor& rows) const override { return rows; }
};

struct LayeredFamily : ModelFamily {
  std::int64_t layers;
  explicit LayeredFamily(const Parameters& settings) : layers(settings.integer("layers")) {}
  std::unique_ptr<Model> build(const ModelConfig&, Declaration& declare) const override {
    return std::make_unique<Layered>(declare, layers);
  }
};

constexpr mezo_parameter optional_layers[] = {
    {"layers", MEZO_INTEGER, "2", "[1, 9]", nullptr, nullptr, "how many"}};
constexpr mezo_parameter required_layers[] = {
    {"layers", MEZO_INTEGER, nullptr, "[1, 9]", nullptr, nullptr, "how many"}};
constexpr mezo_component with_default =
    component<LayeredFamily, ModelFamily>(MEZO_MODEL, "layered", "for a test", optional_layers);
constexpr mezo_component without_default =
    component<LayeredFamily, ModelFamily>(MEZO_MODEL, "layered", "for a test", required_layers);

Component component_of(const mezo_component& description) {
  return {&description, std::make_shared<const Plugin>()};
}

std::size_t parameters_with(const Parameters& settings) {
  return build_model(ModelConfig::from_json("{\"vocab_size\": 7}", "toy"),
                     component_of(with_default), settings)
      .specs.size();
}

}  // namespace

TEST_CASE("a family is built with the settings that it is given, or their defaults") {
  Value block = Value::map();
  block.set("layers", Value::scalar("5"));
  Diagnostics diagnostics;
  CHECK(parameters_with(check(&block, "model", optional_layers, diagnostics)) == 6);
  CHECK(!diagnostics.has_errors());
  CHECK(parameters_with(default_settings(component_of(with_default), "model")) == 3);
}

TEST_CASE("a family whose setting has no default wants to be named") {
  CHECK(
      message_of<ConfigError>([&] { default_settings(component_of(without_default), "model"); }) ==
      "[model] model layered has a required setting model.layers: give it, and model.type: "
      "layered");
}
