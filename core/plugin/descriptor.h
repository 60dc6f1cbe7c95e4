/* What a plugin tells the host before any of its code runs.
 *
 * A plugin is a shared library that exports one function, mezo_plugin_descriptor, returning a
 * pointer to a constant of type mezo_plugin. It is plain C data that the host may read whatever
 * compiler, C++ library or torch the plugin was built with. The components behind it are C++
 * objects, so the host compares the tags first and refuses what could not work, with both values
 * in the message, instead of crashing later. In this order:
 *
 *   abi, size   layout of these structs. Another: refused.
 *   sdk         version of the C++ interfaces (core/model/model.h and the like). Another: refused.
 *   torch       tensors cross the boundary. Another: refused.
 *   cxx11_abi   std::string crosses the boundary. Another: refused.
 *   sanitizer   an address-sanitized object in a plain host would crash. Another: refused.
 *   cuda        "" for a plugin without CUDA code; else it must equal the host's.
 *   compiler    informative; another is a warning.
 *
 * Then it reads the components as data: `mezo plugins` lists them without running a factory.
 *
 * Rules for a plugin (plugins/objectives/accuracy is a complete example of under 60 lines):
 *
 *   - Write each component with mezo::component (core/plugin/component.h) and the descriptor with
 *     MEZO_PLUGIN, at the end of one source file.
 *   - Export nothing else: the CMake function mezo_plugin (plugins/mezo_plugin.cmake) hides the
 *     rest, so that two plugins with a private symbol of the same name never meet.
 *   - A factory or a method may throw. mezo::ConfigError, DataError and ModelError reach the user
 *     as they are; anything else is reported as a fault of the plugin, with its name.
 *   - An object is destroyed by the plugin that made it: the host calls `destroy`, never delete.
 *   - A plugin is never unloaded (torch keeps global state), so its static objects live until the
 *     process ends.
 *   - Register no torch operators: a second plugin that registers the same one ends the process.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
#include <cstddef> /* the C headers alone do not define _GLIBCXX_USE_CXX11_ABI */
#endif

#include "core/config/parameter.h"

#if defined(__has_include)
#if __has_include(<torch/version.h>)
#include <torch/version.h>
#endif
#endif

/* Raised when a struct of this file or of parameter.h changes. `abi` and `size` stay the first two
 * members for ever, so that the host can always read them. */
#define MEZO_ABI 1u
/* Raised when a C++ interface that components implement changes. */
#define MEZO_SDK 6u

/* The name of the one exported function, a mezo_entry_point. */
#define MEZO_ENTRY_POINT "mezo_plugin_descriptor"

#ifdef TORCH_VERSION
#define MEZO_TORCH_TAG TORCH_VERSION
#else
#define MEZO_TORCH_TAG "none"
#endif

#if defined(__clang__)
#define MEZO_COMPILER_TAG "clang " __clang_version__
#elif defined(__GNUC__)
#define MEZO_COMPILER_TAG "gcc " __VERSION__
#else
#define MEZO_COMPILER_TAG "unknown"
#endif

#if defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
#define MEZO_CXX11_ABI_TAG "0"
#else
#define MEZO_CXX11_ABI_TAG "1"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define MEZO_SANITIZER_TAG "address"
#elif defined(__SANITIZE_THREAD__)
#define MEZO_SANITIZER_TAG "thread"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEZO_SANITIZER_TAG "address"
#elif __has_feature(thread_sanitizer)
#define MEZO_SANITIZER_TAG "thread"
#endif
#endif
#ifndef MEZO_SANITIZER_TAG
#define MEZO_SANITIZER_TAG ""
#endif

/* The build of a plugin with CUDA code defines this as the toolkit's version, "13.0". */
#ifndef MEZO_CUDA_TAG
#define MEZO_CUDA_TAG ""
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum mezo_kind { MEZO_MODEL, MEZO_PEFT, MEZO_OBJECTIVE };

struct mezo_component {
  enum mezo_kind kind;

  /* What a YAML file writes as `type:`. Lower-case letters, digits and _ - . after a letter;
   * unique among all components of its kind. */
  const char* id;

  /* One line for `mezo plugins`. */
  const char* summary;

  /* Its settings; NULL and 0 where it has none. */
  const struct mezo_parameter* parameters;
  size_t parameter_count;

  /* Models only, else NULL: what `type: auto` matches, NULL-terminated. A name of config.json's
   * "architectures" ("LlamaForCausalLM"), or "gguf:" and a GGUF's general.architecture
   * ("gguf:llama"). */
  const char* const* serves;

  /* `parameters` points to a checked mezo::Parameters (core/config/parameters.h) that lives only
   * for the call. Returns the component's C++ interface, cast to exactly mezo::ModelFamily*,
   * mezo::Peft* or mezo::Objective* before it becomes a void*, or throws. */
  void* (*create)(const void* parameters);

  /* Takes what create returned. Must not throw. */
  void (*destroy)(void* component);
};

struct mezo_plugin {
  uint32_t abi;  /* MEZO_ABI */
  uint32_t size; /* sizeof(struct mezo_plugin) */
  uint32_t sdk;  /* MEZO_SDK */
  const char* torch;
  const char* compiler;
  const char* cxx11_abi;
  const char* sanitizer;
  const char* cuda;
  const char* name;
  const char* version;
  const char* summary;
  const char* license; /* an SPDX identifier */
  const struct mezo_component* components;
  size_t component_count; /* at least 1 */
};

/* The same pointer at every call, to data that lives until the process ends. */
typedef const struct mezo_plugin* (*mezo_entry_point)(void);

#ifdef __cplusplus
}

// clang-format off
/* MEZO_PLUGIN("name", "1.0.0", "summary", "MIT", components), at file scope: `components` is a
 * static array of mezo_component. */
#define MEZO_PLUGIN(NAME, VERSION, SUMMARY, LICENSE, COMPONENTS)                                  \
  extern "C" __attribute__((visibility("default")))                                               \
  const mezo_plugin* mezo_plugin_descriptor(void) {                                               \
    static const mezo_plugin plugin = {                                                           \
        MEZO_ABI,           sizeof(mezo_plugin), MEZO_SDK,                                        \
        MEZO_TORCH_TAG,     MEZO_COMPILER_TAG,   MEZO_CXX11_ABI_TAG,                              \
        MEZO_SANITIZER_TAG, MEZO_CUDA_TAG,                                                        \
        NAME,               VERSION,             SUMMARY,            LICENSE,                     \
        COMPONENTS,         sizeof(COMPONENTS) / sizeof((COMPONENTS)[0])};                        \
    return &plugin;                                                                               \
  }
// clang-format on
#endif
