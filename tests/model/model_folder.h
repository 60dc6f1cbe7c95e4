#pragma once
// A small model on disk, for the tests of loading and of what a family refuses: right as it is
// made, so that a test spoils it in one place. Its weights are zeros.

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/checkpoint/load_model.h"
#include "core/io/safetensors.h"
#include "tests/io/golden_files.h"
#include "tests/scratch_folder.h"
#include "toy.h"

namespace mezo {

inline const Registry& registry() {
  static const Registry made([] {
    PluginSearch search;
    search.folders = {{MEZO_BINARY_DIR "/lib/mezo/plugins", "the test", true}};
    return search;
  }());
  return made;
}

// "[place] text", built by append: GCC 12 warns falsely of + with a literal in front.
inline std::string placed(std::string_view place, std::string_view text) {
  return std::string("[").append(place).append("] ").append(text);
}

struct ModelFolder {
  struct Tensor {
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;
  };
  using Shapes = std::map<std::string, std::vector<std::int64_t>>;

  ScratchFolder scratch;
  nlohmann::json config;
  std::map<std::string, Tensor> tensors;

  ModelFolder(nlohmann::json config_json, const Shapes& shapes) : config(std::move(config_json)) {
    for (const auto& [name, shape] : shapes) tensors[name] = {DType::F32, shape};
  }

  std::string path() const { return scratch.path().string(); }

  // As a base class is saved, which knows nothing of "model." in front.
  void name_as_base_class() {
    std::map<std::string, Tensor> shorter;
    for (const auto& [name, t] : tensors)
      shorter[name.substr(std::string_view("model.").size())] = t;
    tensors = std::move(shorter);
  }

  void write() const {
    const Bytes zeros(1 << 20);
    std::vector<TensorView> views;
    for (const auto& [name, t] : tensors) {
      TensorView view{name, t.dtype, t.shape, {}};
      view.data = std::span(zeros).first(static_cast<std::size_t>(bytes_of(t.dtype, view.count())));
      views.push_back(view);
    }
    write_safetensors(scratch / "model.safetensors", views);
    write_text(scratch / "config.json", config.dump());
    for (const char* file : {"vocab.json", "merges.txt"})
      std::filesystem::copy_file(
          std::filesystem::path(MEZO_SOURCE_DIR) / "tests/text/goldens/gpt2" / file, scratch / file,
          std::filesystem::copy_options::overwrite_existing);
  }

  // What loading and checking say; they must say the same.
  template <class E = ModelError>
  std::string error(const std::string& type = "auto") const {
    write();
    const std::string text = message_of<E>([&] { load_model(path(), registry(), {}, {type}); });
    CHECK(message_of<E>([&] { prepare_model(path(), registry(), {type}); }) == text);
    return text;
  }

  // The whole of the message that refuses this configuration, less the file's name.
  std::string refusal() const {
    std::string text = error();
    const std::string place = placed(path() + "/config.json", "");
    return text.starts_with(place) ? text.substr(place.size()) : text;
  }
};

}  // namespace mezo
