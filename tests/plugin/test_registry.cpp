#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/error.h"
#include "core/plugin/registry.h"
#include "tests/plugin/plugins.h"

using namespace mezo;
using mezo::test::plugin_file;

namespace {

template <class Call>
std::string plugin_error(Call&& call) {
  try {
    call();
  } catch (const PluginError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

const std::string folder = test::plugin_folder().string();

}  // namespace

TEST_CASE("components are found by kind and id, and know their plugin") {
  const Registry registry(test::named({"good"}));
  const Component& good = registry.find(MEZO_OBJECTIVE, "good");
  CHECK(good.kind() == MEZO_OBJECTIVE);
  CHECK(good.id() == "good");
  CHECK(good.plugin->path == plugin_file("good"));
  CHECK(good.plugin->descriptor->name == std::string("good"));
  CHECK(registry.components(MEZO_OBJECTIVE).size() == 2);
  CHECK(registry.components(MEZO_PEFT).empty());
}

TEST_CASE("an unknown id is answered with a guess, what is known and where was searched") {
  const Registry registry(test::named({"good"}));
  CHECK(plugin_error([&] { registry.find(MEZO_OBJECTIVE, "goood"); }) ==
        "no objective 'goood'; did you mean 'good'? (known: good, greeter; searched: no folder)");
  CHECK(plugin_error([&] { registry.find(MEZO_PEFT, "good"); }) ==
        "no peft 'good'; 'good' is of kind objective (known: none; searched: no folder)");
}

TEST_CASE("an unknown id whose file is broken is answered with the reason") {
  const Registry registry(test::only(folder));
  const std::string text = plugin_error([&] { registry.find(MEZO_OBJECTIVE, "wrong_sdk"); });
  CHECK(text.rfind("no objective 'wrong_sdk'", 0) == 0);
  CHECK(text.find(fmt::format("; searched: {} (--plugin-path); broken: ", folder)) != text.npos);
  CHECK(text.find(fmt::format("{}: it was built for SDK 77, this mezo has 6; update mezo",
                              plugin_file("wrong_sdk").string())) != text.npos);
  CHECK(text.find("malformed") == text.npos);
  const std::string far = plugin_error([&] { registry.find(MEZO_OBJECTIVE, "zzzzzzzzzz"); });
  CHECK(far.find("; broken: 20, see `mezo plugins`)") != far.npos);
}

TEST_CASE("a model is matched by an architecture that it serves") {
  const Registry registry(test::named({"good"}));
  CHECK(registry.match_model({"Unknown", "LlamaForCausalLM"}).id() == "llama");
  CHECK(registry.match_model({"gguf:llama"}).id() == "llama");
  CHECK(plugin_error([&] { registry.match_model({"LlamaForCausaLM"}); }) ==
        "no model serves 'LlamaForCausaLM'; did you mean 'LlamaForCausalLM'? (known: "
        "LlamaForCausalLM, gguf:llama; searched: no folder)");
  CHECK(plugin_error([&] { registry.match_model({}); }).rfind("no model serves ", 0) == 0);
}

TEST_CASE("an architecture that two models serve is answered with both") {
  const Registry registry(test::named({"good", "rival"}));
  CHECK(registry.match_model({"gguf:llama"}).id() == "llama");
  CHECK(plugin_error([&] { registry.match_model({"LlamaForCausalLM"}); }) ==
        fmt::format("two models serve 'LlamaForCausalLM': 'llama' ({}) and 'rival' ({}); choose "
                    "with `model.type`",
                    plugin_file("good").string(), plugin_file("rival").string()));
}

TEST_CASE("a component id that is taken makes the later plugin broken, with both files") {
  const std::string reason = fmt::format(
      "its objective 'good' is already provided by {}; remove one of the two files, or rename the "
      "component",
      plugin_file("good").string());
  CHECK(plugin_error([] {
          Registry(test::named({"good", "good_again"}));
        }) == fmt::format("[load_plugin] {}: {}", plugin_file("good_again").string(), reason));
}

TEST_CASE("a named plugin comes before the folders and wins their ids") {
  PluginSearch search = test::only(folder);
  search.named = {plugin_file("good_again").string()};
  const Registry registry(search);
  CHECK(registry.find(MEZO_OBJECTIVE, "good").plugin->path == plugin_file("good_again"));
}

TEST_CASE("all named plugins that fail are fatal, in one message") {
  const std::string text = plugin_error([] {
    Registry(test::named({"wrong_abi", "good", "null_entry"}));
  });
  CHECK(text == fmt::format("[load_plugin] {}: it was built for plugin ABI 999, this mezo has 1; "
                            "update mezo, or rebuild the plugin with this mezo's headers\n"
                            "[load_plugin] {}: its mezo_plugin_descriptor returned null; it should "
                            "return the address of a constant, as MEZO_PLUGIN does",
                            plugin_file("wrong_abi").string(), plugin_file("null_entry").string()));
}

TEST_CASE("one file is loaded once, by whatever names it is found") {
  const std::string path = plugin_file("good").string();
  PluginSearch search = test::only(folder);
  search.named = {path, folder + "/../plugins/mezo_good.so", "good", "mezo_good.so"};
  const Registry registry(search);
  int count = 0;
  for (const auto& plugin : registry.plugins()) {
    if (plugin->descriptor->name == std::string("good")) ++count;
  }
  CHECK(count == 1);
}
