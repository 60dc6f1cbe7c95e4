#pragma once
// From a component to an object, and safely through its methods. Code of a plugin runs only inside
// create() and guard(): what it throws leaves them as an exception of the host's own that names the
// plugin, the component and what was thrown.

#include <memory>
#include <string_view>
#include <utility>

#include "core/api.h"
#include "core/config/parameters.h"
#include "core/plugin/registry.h"

namespace mezo {

// Only inside a catch block. The classes of core/error.h that are made for users (ConfigError,
// DataError, ModelError, RunError, PluginError) go on as they are; everything else is a fault of
// the plugin and becomes a PluginError. `doing` completes "threw … while …".
[[noreturn]] MEZO_API void rethrow_as_ours(const Component& component, std::string_view doing);

// Calls the factory; throws PluginError if it returns null.
MEZO_API void* create_raw(const Component& component, const Parameters& parameters);

// Calls the plugin's destroy; a throw there cannot be passed on, so it is kept until somebody asks.
MEZO_API void destroy_raw(const Component& component, void* object) noexcept;

// What destroy_raw() has kept since the last call: lines for the user, who should know that a
// plugin is at fault. Any thread.
MEZO_API std::vector<std::string> take_destruction_faults();

// What a component is created from where nobody gives it settings: its table's defaults. Throws
// ConfigError naming a setting that has none; `block` is where it would be given ("model").
MEZO_API Parameters default_settings(const Component& component, std::string_view block);

// `Interface` is the one of the component's kind: Registry::find(MEZO_OBJECTIVE, …) gives a
// component whose Interface is Objective. The object may outlive the registry.
template <class Interface>
std::shared_ptr<Interface> create(const Component& component, const Parameters& parameters) {
  auto* object = static_cast<Interface*>(create_raw(component, parameters));
  return std::shared_ptr<Interface>(object,
                                    [component](Interface* made) { destroy_raw(component, made); });
}

// A call into an object: `guard(component, [&] { return objective->value(…); })`.
template <class Call>
decltype(auto) guard(const Component& component, Call&& call, std::string_view doing = "running") {
  try {
    return std::forward<Call>(call)();
  } catch (...) {
    rethrow_as_ours(component, doing);
  }
}

}  // namespace mezo
