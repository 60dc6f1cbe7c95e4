// Loads well, then fails in every way that a component can.
#include <cstdlib>
#include <stdexcept>

#include "core/error.h"
#include "core/plugin/component.h"
#include "tests/plugin/speaker.h"

namespace {

using mezo::test::Speaker;

struct OwnException {};
struct OwnError : mezo::DataError {
  using DataError::DataError;
};

struct Quiet : Speaker {
  explicit Quiet(const mezo::Parameters&) {}
  std::string say() const override { throw std::out_of_range("nothing to say"); }
};

void destroy(void* object) { delete static_cast<Speaker*>(object); }
void destroy_and_throw(void* object) {
  destroy(object);
  throw std::runtime_error("too late");
}

template <class Exception>
void* fail(const Exception& exception) {
  throw exception;
}

constexpr mezo_component objective(const char* id, void* (*create)(const void*),
                                   void (*destroyer)(void*) = destroy) {
  return {MEZO_OBJECTIVE, id, "misbehaves", nullptr, 0, nullptr, create, destroyer};
}

const mezo_component components[] = {
    objective("aborts", [](const void*) -> void* { std::abort(); }),
    objective("throws_error", [](const void*) { return fail(std::runtime_error("no voice")); }),
    objective("throws_torch_error",
              [](const void*) {
                return fail(std::runtime_error(
                    "bad shape\nException raised from f at f.cpp:1 (most recent call first):\n#0"));
              }),
    objective("throws_42", [](const void*) { return fail(42); }),
    objective("throws_text", [](const void*) -> void* { throw "just text"; }),
    objective("throws_own", [](const void*) { return fail(OwnException()); }),
    objective("throws_config_error",
              [](const void*) { return fail(mezo::ConfigError("rank is too large")); }),
    objective("throws_own_data_error", [](const void*) { return fail(OwnError("line 3")); }),
    objective("throws_model_error",
              [](const void*) { return fail(mezo::ModelError("no such tensor")); }),
    objective("returns_null", [](const void*) -> void* { return nullptr; }),
    mezo::component<Quiet, Speaker>(MEZO_OBJECTIVE, "throws_later", "throws when it is used"),
    objective(
        "throws_at_the_end",
        [](const void* parameters) -> void* {
          return static_cast<Speaker*>(
              new Quiet(*static_cast<const mezo::Parameters*>(parameters)));
        },
        destroy_and_throw)};

}  // namespace

MEZO_PLUGIN("misbehaving", "0.1", "Fails in every way", "MIT", components)
