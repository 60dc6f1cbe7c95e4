#pragma once
// For authors of plugins: one row of a plugin's component array, made from a C++ class. The class
// implements one of the host's interfaces and takes the checked settings in its constructor:
//
//   class Accuracy : public mezo::Objective {
//    public:
//     explicit Accuracy(const mezo::Parameters& parameters);
//     …
//   };
//   static const mezo_parameter parameters[] = {…};
//   static const mezo_component components[] = {mezo::component<Accuracy, mezo::Objective>(
//       MEZO_OBJECTIVE, "accuracy", "share of examples that were predicted right", parameters)};
//   MEZO_PLUGIN("accuracy", "1.0.0", "Classification accuracy", "MIT", components)
//
// Everything here is a constant expression: no code of the plugin runs when it is loaded.

#include <cstddef>
#include <type_traits>

#include "core/config/parameters.h"
#include "core/plugin/descriptor.h"

namespace mezo {

// Creation goes through Interface* on its way to void*, because the host knows only Interface and a
// class with two bases has two addresses. Allocation and deletion both happen in the plugin.
template <class T, class Interface>
constexpr mezo_component component(mezo_kind kind, const char* id, const char* summary,
                                   const mezo_parameter* parameters, std::size_t parameter_count,
                                   const char* const* serves) {
  static_assert(std::is_base_of_v<Interface, T>, "the class must implement the interface");
  static_assert(std::is_constructible_v<T, const Parameters&>,
                "the class must have a constructor that takes const mezo::Parameters&");
  static_assert(std::has_virtual_destructor_v<Interface>, "it is deleted through the interface");
  return {kind,
          id,
          summary,
          parameters,
          parameter_count,
          serves,
          [](const void* checked) -> void* {
            return static_cast<Interface*>(new T(*static_cast<const Parameters*>(checked)));
          },
          [](void* object) { delete static_cast<Interface*>(object); }};
}

template <class T, class Interface, std::size_t N>
constexpr mezo_component component(mezo_kind kind, const char* id, const char* summary,
                                   const mezo_parameter (&parameters)[N],
                                   const char* const* serves = nullptr) {
  return component<T, Interface>(kind, id, summary, parameters, N, serves);
}

// For a component without settings.
template <class T, class Interface>
constexpr mezo_component component(mezo_kind kind, const char* id, const char* summary,
                                   std::nullptr_t = nullptr, const char* const* serves = nullptr) {
  return component<T, Interface>(kind, id, summary, nullptr, 0, serves);
}

}  // namespace mezo
