/* What a plugin tells the host before any of its code runs.
 *
 * A plugin is a shared library that exports one function, mezo_plugin_descriptor, returning a pointer to a constant of the
 * type below. It is plain C data that the host may read whatever compiler, C++ library or torch the plugin was built with.
 * The components behind it are C++ objects, so the host compares the tags first and refuses what could not work, with both
 * values in the message, instead of crashing later:
 *
 *   abi, size              layout of these structs; another abi: refused
 *   sdk                    version of the C++ interfaces (core/model/model.h and the like); another: refused
 *   torch, cxx11_abi,      must equal the host's: tensors and std::string cross the boundary; another: refused
 *   sanitizer
 *   compiler               informative; another version is a warning
 *   cuda                   "" for a plugin without CUDA code; otherwise must equal the host's
 *
 * Rules for a plugin (plugins/objectives/accuracy is a complete example of under 60 lines):
 *   - write the descriptor with MEZO_PLUGIN at the end of one source file; export nothing else;
 *   - a factory may throw; whatever leaves it is caught by the host and reported with the plugin's name;
 *   - an object is destroyed by the plugin that made it, so the host calls `destroy`, never delete;
 *   - a plugin is never unloaded (torch keeps global state), so static objects live until the process ends;
 *   - register no torch operators.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/plugin/parameter.h"

#if defined(__has_include)
#if __has_include(<torch/version.h>)
#include <torch/version.h>
#endif
#endif

/* Raised when the structs of this file change. `abi` and `size` stay the first two members for ever. */
#define MEZO_ABI 1u
/* Raised when a C++ interface that components implement changes. */
#define MEZO_SDK 1u

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

#ifdef __cplusplus
extern "C" {
#endif

enum mezo_kind { MEZO_MODEL, MEZO_PEFT, MEZO_OBJECTIVE };

struct mezo_component {
  enum mezo_kind kind;
  const char* id;      /* lower case, unique among components of its kind: what a YAML file writes as `type:` */
  const char* summary; /* one line */
  const struct mezo_parameter* parameters;
  size_t parameter_count;
  /* Models only, else NULL: what `type: auto` matches, NULL-terminated. A name of config.json's "architectures"
   * ("LlamaForCausalLM"), or "gguf:" and a GGUF's general.architecture ("gguf:llama"). */
  const char* const* serves;
  /* `parameters` points to a checked mezo::Parameters (core/config/parameters.h). Returns the component's C++ interface
   * (mezo::ModelFamily*, mezo::Peft*, mezo::Objective*) or throws. */
  void* (*create)(const void* parameters);
  void (*destroy)(void* component);
};

struct mezo_plugin {
  uint32_t abi;
  uint32_t size; /* sizeof(struct mezo_plugin) */
  uint32_t sdk;
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
  size_t component_count;
};

typedef const struct mezo_plugin* (*mezo_entry_point)(void);

#ifdef __cplusplus
}

/* MEZO_PLUGIN("name", "1.0.0", "summary", "MIT", components): `components` is a static array of mezo_component. */
#define MEZO_PLUGIN(NAME, VERSION, SUMMARY, LICENSE, COMPONENTS)                                          \
  extern "C" __attribute__((visibility("default"))) const mezo_plugin* mezo_plugin_descriptor(void) {   \
    static const mezo_plugin plugin = {MEZO_ABI,           sizeof(mezo_plugin), MEZO_SDK,                \
                                       MEZO_TORCH_TAG,     MEZO_COMPILER_TAG,   MEZO_CXX11_ABI_TAG,      \
                                       MEZO_SANITIZER_TAG, "",                  NAME,                    \
                                       VERSION,            SUMMARY,             LICENSE,                 \
                                       COMPONENTS,         sizeof(COMPONENTS) / sizeof((COMPONENTS)[0])}; \
    return &plugin;                                                                                      \
  }
#endif
