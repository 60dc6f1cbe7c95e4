#include <doctest/doctest.h>

#include "core/io/gguf.h"
#include "golden_files.h"
#include "tests/model/gguf_file.h"

using namespace mezo;

namespace {

// Part `number`, from 0 on, of `count` of a model of so many tensors; without any of them.
Gguf part(std::uint32_t number, std::uint32_t count, std::uint32_t tensors) {
  Gguf file;
  file.integer("split.no", number).integer("split.count", count);
  file.integer("split.tensors.count", tensors);
  if (number == 0) file.text("general.architecture", "toy").integer("toy.size", 7);
  return file;
}

Gguf& with_tensor(Gguf& file, const std::string& name) {
  return file.tensor(name, {2}, 0, std::string("\0\0\x80?\0\0\0@", 8));
}

struct Parts {
  ScratchFolder folder;

  // Three parts of a tensor each.
  Parts() {
    for (const int i : {0, 1, 2}) {
      Gguf file = part(static_cast<std::uint32_t>(i), 3, 3);
      write(i, with_tensor(file, std::string(1, static_cast<char>('c' - i))));
    }
  }
  std::filesystem::path at(int number) const {
    return folder / ("toy-0000" + std::to_string(number + 1) + "-of-00003.gguf");
  }
  void write(int number, const Gguf& file) { write_text(at(number), file.bytes()); }
  std::string refusal(int given = 0) const {
    return message_of<ModelError>([&] { load_gguf(at(given)); });
  }
};

}  // namespace

TEST_CASE("a split gguf model is whole whichever of its files is given") {
  const Parts parts;
  for (const int given : {0, 1, 2}) {
    const GgufFile model = load_gguf(parts.at(given));
    CHECK(model.metadata.integer("toy.size") == 7);
    REQUIRE(model.tensors.tensors().size() == 3);
    CHECK(model.tensors.tensors()[0].name == "a");
    CHECK(model.tensors.path_of(model.tensors.at("a")) == parts.at(2).string());
    CHECK(model.tensors.paths().size() == 3);
    CHECK(model.tensors.paths()[1] == parts.at(1).string());
  }
}

TEST_CASE("a first file may have no tensors, and a whole model may say that it is one of one") {
  Parts parts;
  parts.write(0, part(0, 3, 2));
  for (const int i : {1, 2}) {
    Gguf file = part(static_cast<std::uint32_t>(i), 3, 2);
    parts.write(i, with_tensor(file, i == 1 ? "b" : "a"));
  }
  const auto tensors_of = [](const std::filesystem::path& path) {
    const GgufFile model = load_gguf(path);
    return model.tensors.tensors().size();
  };
  CHECK(tensors_of(parts.at(0)) == 2);
  Gguf whole = part(0, 1, 1);
  write_text(parts.folder / "whole.gguf", with_tensor(whole, "a").bytes());
  CHECK(tensors_of(parts.folder / "whole.gguf") == 1);
}

TEST_CASE("a part that is missing or called otherwise is named") {
  const Parts parts;
  std::filesystem::remove(parts.at(1));
  for (const int given : {0, 2}) {
    CHECK(contains(parts.refusal(given), parts.at(given).string()));
    CHECK(contains(parts.refusal(given), parts.at(1).string() + ", is missing"));
  }
  const std::filesystem::path other = parts.folder / "toy.gguf";
  std::filesystem::rename(parts.at(0), other);
  CHECK(contains(message_of<ModelError>([&] { load_gguf(other); }),
                 "file 1 of the 3 that the model is split into: expected a name that ends in "
                 "-00001-of-00003.gguf"));
}

TEST_CASE("a part that does not fit the others is refused by its name") {
  const auto refused = [](int number, const Gguf& file) {
    Parts parts;
    parts.write(number, file);
    const std::string text = parts.refusal();
    CHECK(contains(text, parts.at(number).string()));
    return text;
  };
  Gguf twice = part(2, 3, 3), fewer = part(1, 2, 3), more = part(2, 3, 4), own = part(2, 3, 3),
       changed = part(2, 3, 3);
  CHECK(contains(refused(2, with_tensor(twice, "c")), "tensor \"c\""));
  CHECK(contains(refused(1, with_tensor(fewer, "b")), "\"split.count\": expected 3"));
  CHECK(contains(refused(2, with_tensor(more, "a")), "\"split.tensors.count\""));
  CHECK(contains(refused(2, with_tensor(own.integer("toy.more", 1), "a")), "\"toy.more\""));
  CHECK(contains(refused(2, with_tensor(changed.integer("toy.size", 8), "a")), "\"toy.size\""));
}

TEST_CASE("parts with fewer tensors than they say are refused") {
  Parts parts;
  for (const int i : {0, 1, 2}) {
    Gguf file = part(static_cast<std::uint32_t>(i), 3, 4);
    parts.write(i, with_tensor(file, std::string(1, static_cast<char>('a' + i))));
  }
  CHECK(contains(parts.refusal(), "\"split.tensors.count\": expected 3"));
}
