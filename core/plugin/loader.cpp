#include "core/plugin/loader.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <boost/dll/shared_library.hpp>
#include <optional>
#include <string_view>
#include <system_error>

#include "core/plugin/blame.h"
#include "core/plugin/contents.h"
#include "core/plugin/handshake.h"
#include "core/plugin/thrown.h"

namespace mezo {

namespace {

namespace fs = std::filesystem;

// Keeps every library open; reachable to the end, so that it is not a leak either.
boost::dll::shared_library& keep_for_ever(boost::dll::shared_library library) {
  static auto& kept = *new std::vector<std::unique_ptr<boost::dll::shared_library>>;
  kept.push_back(std::make_unique<boost::dll::shared_library>(std::move(library)));
  return *kept.back();
}

// A FIFO or a device of that name would block or misbehave when it is opened.
std::optional<std::string> file_problem(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return "there is no such file; check the path and its spelling";
  if (fs::is_directory(status)) {
    return "it is a folder; name a file in it, or give the folder with --plugin-path";
  }
  if (!fs::is_regular_file(status)) return "it is not a regular file; name a shared library";
  return std::nullopt;
}

std::string_view open_advice(std::string_view text) {
  const auto says = [&](std::string_view part) { return text.find(part) != text.npos; };
  if (says("undefined symbol")) {
    return "rebuild the plugin against this mezo, and link it with what it uses";
  }
  if (says("cannot open shared object file")) {
    return "install the library that it needs, or set LD_LIBRARY_PATH; `ldd` shows which is "
           "missing";
  }
  if (says("version `")) return "rebuild the plugin on this system";
  return "check that it is a complete shared library for this machine (`file` tells)";
}

// Boost's error code says no more than that it failed; the reason is the loader's own text.
std::string open_problem() {
  const char* error = dlerror();
  const std::string text = error ? error : "the loader gave no reason";
  return fmt::format("it cannot be loaded: {}; {}", text, open_advice(text));
}

LoadResult broken(std::string reason) { return {nullptr, std::move(reason)}; }

}  // namespace

LoadResult load_plugin(const fs::path& path, const HostTags& host) {
  if (auto problem = file_problem(path)) return broken(*problem);

  std::error_code error;
  boost::dll::shared_library opened;
  {
    const Blame loading(path);
    opened.load(path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local, error);
  }
  if (!opened.is_loaded()) return broken(open_problem());
  const boost::dll::shared_library& library = keep_for_ever(std::move(opened));

  if (!library.has(MEZO_ENTRY_POINT)) {
    return broken("it exports no function " MEZO_ENTRY_POINT
                  ", so it is no plugin of mezo; end one of its source files with MEZO_PLUGIN and "
                  "link it with plugins/exports.map");
  }
  const mezo_plugin* descriptor = nullptr;
  try {
    const Blame asking(path);
    descriptor = library.get<const mezo_plugin*()>(MEZO_ENTRY_POINT)();
  } catch (...) {
    return broken(fmt::format("its " MEZO_ENTRY_POINT
                              " threw {}; it should only return the address of a constant, as "
                              "MEZO_PLUGIN does",
                              what_was_thrown()));
  }
  if (!descriptor) {
    return broken(
        "its " MEZO_ENTRY_POINT
        " returned null; it should return the address of a constant, as MEZO_PLUGIN does");
  }
  if (auto problem = handshake_problem(*descriptor, host)) return broken(*problem);
  if (auto problem = contents_problem(*descriptor)) return broken(*problem);
  return {std::make_shared<Plugin>(Plugin{path, descriptor, handshake_warnings(*descriptor, host)}),
          ""};
}

}  // namespace mezo
