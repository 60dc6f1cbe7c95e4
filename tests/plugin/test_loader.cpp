#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/plugin/loader.h"
#include "tests/plugin/plugins.h"

using namespace mezo;
using mezo::test::plugin_file;

namespace {

// The reason, after a check that the library was refused.
std::string refusal(const std::string& name, const HostTags& host = host_tags()) {
  const LoadResult result = load_plugin(plugin_file(name), host);
  CHECK(result.plugin == nullptr);
  return result.reason;
}

std::string or_none(const std::string& tag) {
  return tag.empty() ? "none" : fmt::format("'{}'", tag);
}

}  // namespace

TEST_CASE("a good plugin loads, with its descriptor and without warnings") {
  const LoadResult result = load_plugin(plugin_file("good"));
  REQUIRE(result.plugin);
  CHECK(result.reason == "");
  CHECK(result.plugin->path == plugin_file("good"));
  CHECK(result.plugin->descriptor->version == std::string("1.2.3"));
  CHECK(result.plugin->descriptor->component_count == 3);
  CHECK(result.plugin->warnings.empty());
}

TEST_CASE("a plugin that is loaded again is the same library") {
  CHECK(load_plugin(plugin_file("good")).plugin->descriptor ==
        load_plugin(plugin_file("good")).plugin->descriptor);
}

TEST_CASE("a plugin exports its entry point alone, whatever its sources mark as visible") {
  void* const library = ::dlopen(plugin_file("good").c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library);
  CHECK(::dlsym(library, MEZO_ENTRY_POINT));
  CHECK_FALSE(::dlsym(library, "mezo_test_marked_visible"));
}

TEST_CASE(
    "a missing file, a folder and a file of another kind are refused before they are opened") {
  CHECK(refusal("absent") == "there is no such file; check the path and its spelling");
  CHECK(load_plugin(test::plugin_folder()).reason ==
        "it is a folder; name a file in it, or give the folder with --plugin-path");
  CHECK(load_plugin("/dev/null").reason == "it is not a regular file; name a shared library");
}

TEST_CASE("a file that is no library is refused with the loader's text") {
  CHECK(refusal("not_elf") ==
        fmt::format("it cannot be loaded: {}: invalid ELF header; check that it is a complete "
                    "shared library for this machine (`file` tells)",
                    plugin_file("not_elf").string()));
}

TEST_CASE("a symbol that is defined nowhere is found when the library is opened, not later") {
  CHECK(refusal("undefined_symbol") ==
        fmt::format("it cannot be loaded: {}: undefined symbol: _Z25mezo_test_defined_nowherev; "
                    "rebuild the plugin against this mezo, and link it with what it uses",
                    plugin_file("undefined_symbol").string()));
}

TEST_CASE("a library without the entry point is refused") {
  CHECK(refusal("no_entry") ==
        "it exports no function mezo_plugin_descriptor, so it is no plugin of mezo; end one of its "
        "source files with MEZO_PLUGIN and link it with plugins/exports.map");
}

TEST_CASE("an entry point that returns null or throws is refused") {
  CHECK(refusal("null_entry") ==
        "its mezo_plugin_descriptor returned null; it should return the address of a constant, as "
        "MEZO_PLUGIN does");
  CHECK(refusal("throwing_entry") ==
        "its mezo_plugin_descriptor threw std::logic_error: not today; it should only return the "
        "address of a constant, as MEZO_PLUGIN does");
}

TEST_CASE("another plugin ABI is refused with both numbers") {
  CHECK(refusal("wrong_abi") ==
        "it was built for plugin ABI 999, this mezo has 1; update mezo, or rebuild the plugin with "
        "this mezo's headers");
  CHECK(refusal("older_abi") ==
        "it was built for plugin ABI 0, this mezo has 1; rebuild the plugin with this mezo's "
        "headers");
}

TEST_CASE("a descriptor of another size is refused with both sizes") {
  CHECK(refusal("larger_struct") ==
        fmt::format("its descriptor has {} bytes, this mezo's {}, although both say plugin ABI 1; "
                    "rebuild the plugin with this mezo's core/plugin/descriptor.h, unchanged",
                    sizeof(mezo_plugin) + sizeof(char*), sizeof(mezo_plugin)));
}

TEST_CASE("another SDK is refused with both numbers") {
  CHECK(refusal("wrong_sdk") ==
        "it was built for SDK 77, this mezo has 6; update mezo, or rebuild the plugin with this "
        "mezo's headers");
}

TEST_CASE("another torch is refused with both versions") {
  CHECK(refusal("wrong_torch") ==
        fmt::format("it was built with torch '1.13.1', this mezo with '{}'; rebuild it against the "
                    "torch that this mezo uses",
                    host_tags().torch));
  CHECK(refusal("null_torch") == "its torch tag is null; write the descriptor with MEZO_PLUGIN");
}

TEST_CASE("a host without torch takes only plugins without torch, and the other way round") {
  HostTags host = host_tags();
  host.torch = host.torch == "none" ? "2.11.0" : "none";
  const char* advice = host.torch == "none"
                           ? "rebuild it against the torch that this mezo uses"
                           : "<torch/version.h> was not found when it was compiled: add torch's "
                             "second include folder, torch/include/torch/csrc/api/include";
  CHECK(refusal("good", host) ==
        fmt::format("it was built with torch '{}', this mezo with '{}'; {}", host_tags().torch,
                    host.torch, advice));
}

TEST_CASE("another C++11 ABI of the library is refused with both values") {
  CHECK(refusal("wrong_cxx11_abi") ==
        "it was built with _GLIBCXX_USE_CXX11_ABI '0', this mezo with '1'; rebuild it with this "
        "mezo's value");
}

TEST_CASE("another sanitizer is refused with both names") {
  CHECK(refusal("wrong_sanitizer") ==
        fmt::format("it was built with sanitizer 'memory', this mezo with {}; rebuild it with this "
                    "mezo's MEZO_SANITIZE setting",
                    or_none(host_tags().sanitizer)));
}

TEST_CASE("another CUDA is refused with both versions, none at all is not") {
  HostTags host = host_tags();
  for (const char* cuda : {"", "13.0"}) {
    host.cuda = cuda;
    CHECK(refusal("wrong_cuda", host) ==
          fmt::format("it was built with CUDA '9.2', this mezo with {}; rebuild it with this "
                      "mezo's CUDA version, or without its CUDA sources",
                      or_none(cuda)));
    CHECK(load_plugin(plugin_file("good"), host).plugin);
  }
  host.cuda = "9.2";
  CHECK(load_plugin(plugin_file("wrong_cuda"), host).plugin);
}

TEST_CASE("another compiler is a warning") {
  const LoadResult result = load_plugin(plugin_file("other_compiler"));
  REQUIRE(result.plugin);
  REQUIRE(result.plugin->warnings.size() == 1);
  CHECK(result.plugin->warnings[0] ==
        fmt::format("it was built with compiler 'gcc 4.8.5', this mezo with '{}'; rebuild it with "
                    "the same one if it misbehaves",
                    host_tags().compiler));
}

TEST_CASE("the checks come in order: of all tags that differ the first is named") {
  HostTags host = {2, 8, 99, "2.0", "another", "2", "another", "another"};
  const auto begins = [&](const std::string& text) {
    CHECK(refusal("wrong_cuda", host).rfind(text, 0) == 0);
  };
  begins("it was built for plugin ABI 1");
  host.abi = host_tags().abi;
  begins("its descriptor has");
  host.size = host_tags().size;
  begins("it was built for SDK 6");
  host.sdk = host_tags().sdk;
  begins("it was built with torch");
  host.torch = host_tags().torch;
  begins("it was built with _GLIBCXX_USE_CXX11_ABI");
  host.cxx11_abi = host_tags().cxx11_abi;
  begins("it was built with sanitizer");
  host.sanitizer = host_tags().sanitizer;
  begins("it was built with CUDA");
}
