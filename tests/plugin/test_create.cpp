#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>

#include "core/error.h"
#include "core/plugin/create.h"
#include "tests/plugin/plugins.h"
#include "tests/plugin/speaker.h"

using namespace mezo;
using mezo::test::Speaker;

namespace {

const Registry& registry() {
  static const Registry made(test::named({"good", "misbehaving"}));
  return made;
}

std::shared_ptr<Speaker> make(const std::string& id) {
  return create<Speaker>(registry().find(MEZO_OBJECTIVE, id), Parameters());
}

std::string fault(const std::string& id, const std::string& what) {
  return "[plugin misbehaving] objective '" + id + "' " + what +
         "; this is a fault of the plugin (" + test::plugin_file("misbehaving").string() + ")";
}

// What exactly Expected says, if that very class is thrown.
template <class Expected, class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const Expected& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("a component is created, used, and destroyed by its plugin") {
  bool destroyed = false;
  std::shared_ptr<Speaker> good = make("good");
  good->destroyed = &destroyed;
  CHECK(good->say() == "good");
  CHECK_FALSE(destroyed);
  good.reset();
  CHECK(destroyed);
}

TEST_CASE("a static initialiser of a plugin has run before its factory") {
  CHECK(make("greeter")->say() == "made when the library is loaded");
}

TEST_CASE("an object may outlive the registry that it came from") {
  std::optional<Registry> short_lived(test::named({"good"}));
  const std::shared_ptr<Speaker> good =
      create<Speaker>(short_lived->find(MEZO_OBJECTIVE, "good"), Parameters());
  short_lived.reset();
  CHECK(good->say() == "good");
}

TEST_CASE("whatever a factory throws becomes a PluginError that names it") {
  const auto thrown = [](const std::string& id) {
    return message_of<PluginError>([&] { make(id); });
  };
  CHECK(thrown("throws_error") ==
        fault("throws_error", "threw std::runtime_error: no voice while being created"));
  CHECK(thrown("throws_42") == fault("throws_42", "threw int: 42 while being created"));
  CHECK(thrown("throws_text") ==
        fault("throws_text", "threw char const*: just text while being created"));
  CHECK(thrown("throws_own") ==
        fault("throws_own", "threw (anonymous namespace)::OwnException while being created"));
}

TEST_CASE("torch's stack frames do not reach the message") {
  CHECK(message_of<PluginError>([] { make("throws_torch_error"); }) ==
        fault("throws_torch_error", "threw std::runtime_error: bad shape while being created"));
}

TEST_CASE("a factory's error for the user keeps its class and its text") {
  CHECK(message_of<ConfigError>([] { make("throws_config_error"); }) == "rank is too large");
  CHECK(message_of<DataError>([] { make("throws_own_data_error"); }) == "line 3");
  CHECK(message_of<ModelError>([] { make("throws_model_error"); }) == "no such tensor");
}

TEST_CASE("a factory that returns null is a PluginError") {
  CHECK(message_of<PluginError>([] { make("returns_null"); }) ==
        fault("returns_null", "was not created: its factory returned null"));
}

TEST_CASE("guard translates what a method throws, and passes on what it returns") {
  const Component& component = registry().find(MEZO_OBJECTIVE, "throws_later");
  const auto quiet = create<Speaker>(component, Parameters());
  const auto running = [&] { guard(component, [&] { return quiet->say(); }); };
  CHECK(message_of<PluginError>(running) ==
        fault("throws_later", "threw std::out_of_range: nothing to say while running"));
  const auto evaluating = [&] {
    guard(
        component, [&] { return quiet->say(); }, "speaking");
  };
  CHECK(message_of<PluginError>(evaluating) ==
        fault("throws_later", "threw std::out_of_range: nothing to say while speaking"));

  int value = 1;
  int& same = guard(component, [&]() -> int& { return value; });
  CHECK(&same == &value);
  guard(component, [] {});
}

TEST_CASE("guard in guard names the inner component once") {
  const Component& inner = registry().find(MEZO_OBJECTIVE, "throws_later");
  const Component& outer = registry().find(MEZO_OBJECTIVE, "good");
  const auto call = [&] {
    guard(outer, [&] { guard(inner, [] { throw std::runtime_error("deep"); }); });
  };
  CHECK(message_of<PluginError>(call) ==
        fault("throws_later", "threw std::runtime_error: deep while running"));
}

TEST_CASE("the host's own RunError passes through a plugin's frames") {
  const Component& component = registry().find(MEZO_OBJECTIVE, "good");
  CHECK(message_of<RunError>([&] { guard(component, [] { throw RunError("interrupted"); }); }) ==
        "interrupted");
}

TEST_CASE("a destroy function that throws does not end the process") {
  mezo::take_destruction_faults();
  make("throws_at_the_end").reset();
  const std::vector<std::string> faults = mezo::take_destruction_faults();
  REQUIRE(faults.size() == 1);
  CHECK(faults[0] ==
        fault("throws_at_the_end", "threw std::runtime_error: too late while being destroyed"));
  CHECK(mezo::take_destruction_faults().empty());
}
