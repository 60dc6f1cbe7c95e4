#include "core/plugin/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <system_error>

#include "core/config/nearest.h"
#include "core/error.h"

namespace mezo {

namespace {

namespace fs = std::filesystem;

// What a file name says about its content: "accuracy" for mezo_accuracy.so.
std::string stem_of(const fs::path& path) {
  const std::string stem = path.stem().string();
  for (std::string_view prefix : {"mezo_", "libmezo_", "lib"}) {
    if (stem.rfind(prefix, 0) == 0) return stem.substr(prefix.size());
  }
  return stem;
}

// "llama" for LlamaForCausalLM too: the file names of plugins are lower case, architectures are
// not.
bool is_near(std::string name, const fs::path& path) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string stem = stem_of(path);
  if (name.empty() || stem.empty()) return false;
  return name.find(stem) != name.npos || stem.find(name) != stem.npos ||
         nearest(name, std::vector<std::string>{stem}).has_value();
}

std::vector<std::string> served(const mezo_component& model) {
  std::vector<std::string> names;
  for (const char* const* name = model.serves; name && *name; ++name) names.emplace_back(*name);
  return names;
}

std::string guess(std::string_view word, const std::vector<std::string>& candidates) {
  const auto near = nearest(word, candidates);
  return near ? fmt::format("; did you mean '{}'?", *near) : "";
}

std::string known(std::vector<std::string> names) {
  if (names.empty()) return "none";
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Registry::Registry(const PluginSearch& search, const HostTags& host) : folders_(search.folders) {
  load_named(search, host);
  for (const PluginFolder& folder : folders_) load_folder(folder, host);
}

void Registry::load_named(const PluginSearch& search, const HostTags& host) {
  std::vector<std::string> failures;
  for (const std::string& name : search.named) {
    try {
      const fs::path path = find_plugin_file(search, name);
      const std::string reason = load(path, host);
      if (reason.empty()) continue;
      failures.push_back(fmt::format("[load_plugin] {}: {}", path.string(), reason));
    } catch (const PluginError& error) {
      failures.emplace_back(error.what());
      broken_.push_back({name, error.what()});
    }
  }
  if (!failures.empty() && search.demand_named)
    throw PluginError(fmt::format("{}", fmt::join(failures, "\n")));
}

void Registry::load_folder(const PluginFolder& folder, const HostTags& host) {
  try {
    for (const fs::path& path : plugin_files(folder)) load(path, host);
  } catch (const PluginError& error) {
    broken_.push_back({folder.path, error.what()});
  }
}

// Why the file cannot be used, or "". A file that was met before, by whatever name, is not loaded
// again.
std::string Registry::load(const fs::path& path, const HostTags& host) {
  std::error_code error;
  fs::path canonical = fs::canonical(path, error);
  if (error) canonical = path;
  if (const auto met = reasons_.find(canonical); met != reasons_.end()) return met->second;

  LoadResult result = load_plugin(path, host);
  if (result.plugin) result.reason = add(result.plugin);
  if (!result.reason.empty()) broken_.push_back({path, result.reason});
  return reasons_[canonical] = result.reason;
}

// All of a plugin's components or none: half a plugin would be hard to explain.
std::string Registry::add(const std::shared_ptr<const Plugin>& plugin) {
  const mezo_plugin& descriptor = *plugin->descriptor;
  const mezo_component* const begin = descriptor.components;
  const mezo_component* const end = begin + descriptor.component_count;
  for (const mezo_component* component = begin; component != end; ++component) {
    const auto other = components_.find({component->kind, component->id});
    if (other == components_.end()) continue;
    return fmt::format(
        "its {} '{}' is already provided by {}; remove one of the two files, or "
        "rename the component",
        kind_name(component->kind), component->id, other->second.plugin->path.string());
  }
  for (const mezo_component* component = begin; component != end; ++component) {
    components_[{component->kind, component->id}] = {component, plugin};
  }
  plugins_.push_back(plugin);
  return "";
}

std::vector<const Component*> Registry::components(mezo_kind kind) const {
  std::vector<const Component*> found;
  for (const auto& [key, component] : components_) {
    if (key.first == kind) found.push_back(&component);
  }
  return found;
}

std::string Registry::where_searched() const {
  if (folders_.empty()) return "no folder";
  std::vector<std::string> texts;
  for (const PluginFolder& folder : folders_) {
    texts.push_back(fmt::format("{} ({})", folder.path.string(), folder.origin));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string Registry::broken_for(std::string_view name) const {
  if (broken_.empty()) return "";
  const bool few = broken_.size() <= 3;
  std::vector<std::string> near;
  for (const BrokenPlugin& broken : broken_) {
    if (!few && !is_near(std::string(name), broken.path)) continue;
    near.push_back(fmt::format("{}: {}", broken.path.string(), broken.reason));
  }
  if (near.empty()) return fmt::format("; broken: {}, see `mezo plugins`", broken_.size());
  return fmt::format("; broken: {}", fmt::join(near, "; "));
}

const Component& Registry::find(mezo_kind kind, std::string_view id) const {
  if (const auto found = components_.find({kind, std::string(id)}); found != components_.end()) {
    return found->second;
  }
  std::vector<std::string> ids;
  std::string elsewhere;
  for (const auto& [key, component] : components_) {
    if (key.first == kind) ids.push_back(key.second);
    if (key.second == id) elsewhere = fmt::format("; '{}' is of kind {}", id, kind_name(key.first));
  }
  throw PluginError(fmt::format("no {} '{}'{}{} (known: {}; searched: {}{})", kind_name(kind), id,
                                guess(id, ids), elsewhere, known(ids), where_searched(),
                                broken_for(id)));
}

const Component& Registry::match_model(const std::vector<std::string>& architectures) const {
  std::vector<std::string> all;
  for (const std::string& architecture : architectures) {
    const Component* match = nullptr;
    for (const Component* model : components(MEZO_MODEL)) {
      const std::vector<std::string> names = served(*model->descriptor);
      all.insert(all.end(), names.begin(), names.end());
      if (std::find(names.begin(), names.end(), architecture) == names.end()) continue;
      if (match) {
        throw PluginError(
            fmt::format("two models serve '{}': '{}' ({}) and '{}' ({}); choose with "
                        "`model.type`",
                        architecture, match->id(), match->plugin->path.string(), model->id(),
                        model->plugin->path.string()));
      }
      match = model;
    }
    if (match) return *match;
  }
  const std::string wanted = fmt::format("{}", fmt::join(architectures, "' or '"));
  const std::string first = architectures.empty() ? "" : architectures.front();
  throw PluginError(fmt::format("no model serves '{}'{} (known: {}; searched: {}{})", wanted,
                                guess(first, all), known(all), where_searched(),
                                broken_for(first)));
}

}  // namespace mezo
