#pragma once
// The components that this process can use. Made once when a command starts, from the places that
// core/plugin/search.h lists; costs one dlopen a file and runs no factory. Everything that turns a
// `type:` into an object asks here first, then calls create() of core/plugin/create.h.

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api.h"
#include "core/plugin/contents.h"
#include "core/plugin/loader.h"
#include "core/plugin/search.h"

namespace mezo {

// One entry of a plugin's component array. Copies stay valid after their registry is gone.
struct Component {
  const mezo_component* descriptor = nullptr;
  std::shared_ptr<const Plugin> plugin;

  mezo_kind kind() const { return descriptor->kind; }
  std::string_view id() const { return descriptor->id; }
  std::span<const mezo_parameter> settings() const {
    return {descriptor->parameters, descriptor->parameter_count};
  }
};

struct BrokenPlugin {
  std::filesystem::path path;  // a file, or a folder that cannot be read
  std::string reason;
};

class MEZO_API Registry {
 public:
  // Throws PluginError, with the reasons of all of them, if an entry of `search.named` cannot be
  // used and is demanded. Whatever else is no good is remembered in broken().
  explicit Registry(const PluginSearch& search, const HostTags& host = host_tags());

  // Throws PluginError with what was probably meant, what is known, where was searched, and what is
  // broken there. The caller puts the place in front (`run.yaml:4:9: error[…]: `).
  const Component& find(mezo_kind kind, std::string_view id) const;

  // The model that serves one of the names, the first name first. Throws PluginError if there is
  // none, or if two plugins serve the same name.
  const Component& match_model(const std::vector<std::string>& architectures) const;

  std::vector<const Component*> components(mezo_kind kind) const;  // sorted by id
  const std::vector<std::shared_ptr<const Plugin>>& plugins() const { return plugins_; }
  const std::vector<BrokenPlugin>& broken() const { return broken_; }

  // For a message that a component is unknown: "; broken: …" with all plugins that could not be
  // used, or of more than three those of a name like it. "" where there are none.
  std::string broken_for(std::string_view name) const;
  const std::vector<PluginFolder>& folders() const { return folders_; }

 private:
  std::string load(const std::filesystem::path& path, const HostTags& host);
  std::string add(const std::shared_ptr<const Plugin>& plugin);
  void load_named(const PluginSearch& search, const HostTags& host);
  void load_folder(const PluginFolder& folder, const HostTags& host);

  std::string where_searched() const;

  std::map<std::pair<mezo_kind, std::string>, Component> components_;
  std::map<std::filesystem::path, std::string> reasons_;  // of each canonical path; "" if it loaded
  std::vector<std::shared_ptr<const Plugin>> plugins_;
  std::vector<BrokenPlugin> broken_;
  std::vector<PluginFolder> folders_;
};

}  // namespace mezo
