// A plugin without faults: two objectives and a model, one with a table and a static initialiser.
#include "core/plugin/component.h"
#include "tests/plugin/speaker.h"

namespace {

using mezo::test::Speaker;

// Two bases, so that the address of the object is not the address of its Speaker.
struct Padding {
  virtual ~Padding() = default;
  long padding = 1;
};

struct Good : Padding, Speaker {
  explicit Good(const mezo::Parameters&) {}
  ~Good() override {
    if (destroyed) *destroyed = true;
  }
  std::string say() const override { return "good"; }
};

const std::string greeting = std::string("made when ") + "the library is loaded";

struct Greeter : Speaker {
  explicit Greeter(const mezo::Parameters&) {}
  std::string say() const override { return greeting; }
};

const mezo_parameter parameters[] = {
    {"volume", MEZO_NUMBER, "0.5", "[0, 1]", nullptr, nullptr, "how loud it speaks"}};
const char* const serves[] = {"LlamaForCausalLM", "gguf:llama", nullptr};
const mezo_component components[] = {
    mezo::component<Good, Speaker>(MEZO_OBJECTIVE, "good", "says good", parameters),
    mezo::component<Greeter, Speaker>(MEZO_OBJECTIVE, "greeter", "says when it was made"),
    mezo::component<Good, Speaker>(MEZO_MODEL, "llama", "a model", parameters, serves)};

}  // namespace

// Stays inside all the same, because of exports.map.
extern "C" __attribute__((visibility("default"))) int mezo_test_marked_visible() { return 1; }

MEZO_PLUGIN("good", "1.2.3", "Has no faults", "MIT", components)
