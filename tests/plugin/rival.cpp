// A model that serves what the model in good.cpp serves.
#include "core/plugin/component.h"
#include "tests/plugin/speaker.h"

namespace {

struct Rival : mezo::test::Speaker {
  explicit Rival(const mezo::Parameters&) {}
  std::string say() const override { return "rival"; }
};

const char* const serves[] = {"LlamaForCausalLM", nullptr};
const mezo_component components[] = {mezo::component<Rival, mezo::test::Speaker>(
    MEZO_MODEL, "rival", "another model", nullptr, serves)};

}  // namespace

MEZO_PLUGIN("rival", "1.0.0", "Serves what another serves", "MIT", components)
