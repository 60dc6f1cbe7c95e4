#include "core/plugin/create.h"

#include <fmt/format.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/config/schema.h"
#include "core/error.h"
#include "core/plugin/blame.h"
#include "core/plugin/contents.h"
#include "core/plugin/thrown.h"

namespace mezo {

namespace {

std::string fault(const Component& component, std::string_view what) {
  return fmt::format("[plugin {}] {} '{}' {}; this is a fault of the plugin ({})",
                     component.plugin->descriptor->name, kind_name(component.kind()),
                     component.id(), what, component.plugin->path.string());
}

// Of objects whose last owner let go of them where nobody can be told.
struct {
  std::mutex mutex;
  std::vector<std::string> faults;
} destruction;

}  // namespace

void rethrow_as_ours(const Component& component, std::string_view doing) {
  try {
    throw;
  } catch (const ConfigError&) {
    throw;
  } catch (const DataError&) {
    throw;
  } catch (const ModelError&) {
    throw;
  } catch (const RunError&) {
    throw;
  } catch (const PluginError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw RunError(fmt::format("out of memory while {}", doing));
  } catch (...) {
    throw PluginError(fault(component, fmt::format("threw {} while {}", what_was_thrown(), doing)));
  }
}

void* create_raw(const Component& component, const Parameters& parameters) {
  constexpr std::string_view doing = "being created";
  const Blame creating(component.plugin ? component.plugin->path : std::filesystem::path());
  void* object = guard(
      component, [&] { return component.descriptor->create(&parameters); }, doing);
  if (!object) throw PluginError(fault(component, "was not created: its factory returned null"));
  return object;
}

void destroy_raw(const Component& component, void* object) noexcept {
  try {
    component.descriptor->destroy(object);
  } catch (...) {
    const std::string what = fmt::format("threw {} while being destroyed", what_was_thrown());
    const std::lock_guard lock(destruction.mutex);
    destruction.faults.push_back(fault(component, what));
  }
}

std::vector<std::string> take_destruction_faults() {
  const std::lock_guard lock(destruction.mutex);
  return std::exchange(destruction.faults, {});
}

Parameters default_settings(const Component& component, std::string_view block) {
  for (const mezo_parameter& row : component.settings())
    if (!row.default_value)
      throw ConfigError(
          fmt::format("[{0}] {1} {2} has a required setting {0}.{3}: give it, and {0}.type: {2}",
                      block, kind_name(component.kind()), component.id(), row.name));
  Diagnostics none;
  return check(nullptr, block, component.settings(), none);
}

}  // namespace mezo
