#include "core/plugin/handshake.h"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

namespace mezo {

namespace {

std::optional<std::string> number_problem(std::string_view what, std::uint32_t plugins,
                                          std::uint32_t hosts) {
  if (plugins == hosts) return std::nullopt;
  return fmt::format("it was built for {} {}, this mezo has {}; {}", what, plugins, hosts,
                     plugins > hosts ? "update mezo, or rebuild the plugin with this mezo's headers"
                                     : "rebuild the plugin with this mezo's headers");
}

std::optional<std::string> size_problem(const mezo_plugin& plugin, const HostTags& host) {
  if (plugin.size == host.size) return std::nullopt;
  return fmt::format(
      "its descriptor has {} bytes, this mezo's {}, although both say plugin ABI {}; rebuild the "
      "plugin with this mezo's core/plugin/descriptor.h, unchanged",
      plugin.size, host.size, host.abi);
}

struct Tag {
  const char* what;
  const char* plugins;
  const std::string& hosts;
  const char* advice;
};

std::string shown(std::string_view value) {
  return value.empty() ? "none" : fmt::format("'{}'", value);
}

std::optional<std::string> tag_problem(const Tag& tag) {
  if (!tag.plugins)
    return fmt::format("its {} tag is null; write the descriptor with MEZO_PLUGIN", tag.what);
  if (tag.plugins == tag.hosts) return std::nullopt;
  return fmt::format("it was built with {} {}, this mezo with {}; {}", tag.what, shown(tag.plugins),
                     shown(tag.hosts), tag.advice);
}

// Only one header says the version, in another folder than most.
const char* torch_advice(const char* theirs) {
  return theirs && std::string_view(theirs) == "none"
             ? "<torch/version.h> was not found when it was compiled: add torch's second include "
               "folder, torch/include/torch/csrc/api/include"
             : "rebuild it against the torch that this mezo uses";
}

}  // namespace

std::optional<std::string> handshake_problem(const mezo_plugin& plugin, const HostTags& host) {
  if (auto problem = number_problem("plugin ABI", plugin.abi, host.abi)) return problem;
  if (auto problem = size_problem(plugin, host)) return problem;
  if (auto problem = number_problem("SDK", plugin.sdk, host.sdk)) return problem;

  const Tag tags[] = {
      {"torch", plugin.torch, host.torch, torch_advice(plugin.torch)},
      {"_GLIBCXX_USE_CXX11_ABI", plugin.cxx11_abi, host.cxx11_abi,
       "rebuild it with this mezo's value"},
      {"sanitizer", plugin.sanitizer, host.sanitizer,
       "rebuild it with this mezo's MEZO_SANITIZE setting"},
  };
  for (const Tag& tag : tags) {
    if (auto problem = tag_problem(tag)) return problem;
  }
  const bool without_cuda = plugin.cuda && !*plugin.cuda;
  if (without_cuda) return std::nullopt;
  return tag_problem({"CUDA", plugin.cuda, host.cuda,
                      "rebuild it with this mezo's CUDA version, or without its CUDA sources"});
}

std::vector<std::string> handshake_warnings(const mezo_plugin& plugin, const HostTags& host) {
  const std::string_view compiler = plugin.compiler ? plugin.compiler : "";
  if (compiler == host.compiler) return {};
  return {
      fmt::format("it was built with compiler {}, this mezo with {}; rebuild it with the same "
                  "one if it misbehaves",
                  shown(compiler), shown(host.compiler))};
}

}  // namespace mezo
