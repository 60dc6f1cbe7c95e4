#include <doctest/doctest.h>

#include <limits>

#include "core/io/dequantize.h"
#include "core/io/gguf.h"
#include "core/io/sha256.h"
#include "golden_files.h"
#include "random_blocks.h"

using namespace mezo;

TEST_CASE("gguf tensors of every type dequantise to the values of the gguf package") {
  for (const char* stem : {"v2", "v3", "aligned64"}) {
    const GgufFile file = load_gguf(golden(std::string(stem) + ".gguf"));
    CHECK(file.tensors.tensors().size() == 7);
    for (const TensorView& tensor : file.tensors.tensors()) {
      CAPTURE(stem);
      CAPTURE(tensor.name);
      std::vector<float> out(static_cast<size_t>(tensor.count()));
      dequantize(tensor, out.data());
      const std::string expected =
          read_text(golden(std::string(stem) == "v2" ? "v3" : stem) / (tensor.name + ".f32"));
      REQUIRE(expected.size() == out.size() * 4);
      CHECK(std::memcmp(expected.data(), out.data(), expected.size()) == 0);
    }
  }
}

TEST_CASE("blocks of every type and scale are the gguf package's, bit for bit") {
  const GgufFile file = load_gguf(golden("blocks.gguf"));
  std::string hashes;
  for (const DType type : ggml_types) {
    const TensorView& tensor = file.tensors.at(name_of(type));
    CHECK(tensor.dtype == type);
    CHECK(tensor.shape == std::vector<int64_t>{3, 12 * block_size(type)});
    std::vector<float> out(static_cast<size_t>(tensor.count()));
    dequantize(tensor, out.data());
    Sha256 hash;
    hash.update(std::as_bytes(std::span(out)));
    hashes += hash.hex() + " " + name_of(type) + "\n";
  }
  CHECK(hashes == read_text(golden("blocks.sha256")));
  CHECK(file.tensors.tensors().size() == ggml_types.size());
}

TEST_CASE("gguf shapes come in Hugging Face order with their types") {
  const GgufFile file = load_gguf(golden("v3.gguf"));
  const TensorFile& tensors = file.tensors;
  CHECK(tensors.at("cube").shape == std::vector<int64_t>{2, 3, 4});
  CHECK(tensors.at("q41.weight").shape == std::vector<int64_t>{4, 160});
  CHECK(tensors.at("q41.weight").dtype == DType::Q4_1);
  CHECK(tensors.at("q40.weight").dtype == DType::Q4_0);
  CHECK(tensors.at("q80.weight").dtype == DType::Q8_0);
  CHECK(tensors.at("brain.weight").dtype == DType::BF16);
  CHECK(tensors.at("half.weight").dtype == DType::F16);
}

TEST_CASE("gguf metadata of every type reads back") {
  const GgufMetadata metadata = load_gguf(golden("v3.gguf")).metadata;
  CHECK(metadata.text("general.architecture") == "llama");
  CHECK(metadata.integer("t.uint8") == 255);
  CHECK(metadata.integer("t.int8") == -128);
  CHECK(metadata.integer("t.uint16") == 65535);
  CHECK(metadata.integer("t.int16") == -32768);
  CHECK(metadata.integer("t.uint32") == 4294967295);
  CHECK(metadata.integer("t.int32") == std::numeric_limits<int32_t>::min());
  CHECK(metadata.integer("t.int64") == std::numeric_limits<int64_t>::min());
  CHECK(metadata.number("t.float32") == 100000.0);
  CHECK(metadata.number("t.float64") == 0.1);
  CHECK(metadata.number("t.uint8") == 255.0);
  CHECK(metadata.boolean("t.bool"));
  CHECK(metadata.text("t.string") == "Grüße");
  CHECK(metadata.text("t.raw") == std::string("\xff\xfe\0x", 4));
  CHECK(metadata.integers("t.integers") == std::vector<int64_t>{1, -2, 3});
  CHECK(metadata.numbers("t.numbers") == std::vector<double>{0.5, -1.5});
  CHECK(metadata.booleans("t.booleans") == std::vector<bool>{true, false, true});
  CHECK(metadata.texts("t.texts") == std::vector<std::string>{"<s>", "Ġthe", "x"});
  const auto nested = metadata.list("t.nested");
  REQUIRE(nested.size() == 2);
  REQUIRE(nested[0].elements().size() == 2);
  CHECK(nested[0].elements()[1].as_integer() == 2);
  CHECK(nested[1].elements()[0].as_integer() == 3);
}

TEST_CASE("a missing gguf key takes the fallback and a wrong type never does") {
  const GgufMetadata metadata = load_gguf(golden("v3.gguf")).metadata;
  CHECK(metadata.integer("none", 7) == 7);
  CHECK(metadata.number("none", 0.5) == 0.5);
  CHECK(metadata.boolean("none", true));
  CHECK(metadata.text("none", "x") == "x");
  const auto refused = [&](auto act) {
    const std::string text = message_of<ModelError>(act);
    CHECK(contains(text, "v3.gguf"));
    return text;
  };
  CHECK(contains(refused([&] { metadata.integer("none"); }),
                 "key \"none\": expected an integer, got no such key"));
  CHECK(contains(refused([&] { metadata.integer("t.string", 7); }),
                 "key \"t.string\": expected an integer, got string"));
  CHECK(
      contains(refused([&] { metadata.integer("t.uint64"); }), "got uint64 18446744073709551615"));
  CHECK(contains(refused([&] { metadata.integer("t.float32"); }), "got float32"));
  CHECK(contains(refused([&] { metadata.number("t.texts"); }),
                 "expected a number, got array of 3 string"));
  CHECK(contains(refused([&] { metadata.boolean("t.uint8"); }), "expected a bool, got uint8"));
  CHECK(contains(refused([&] { metadata.text("t.bool"); }), "expected a string, got bool"));
  CHECK(contains(refused([&] { metadata.integers("t.uint8"); }),
                 "expected an array of integers, got uint8"));
  CHECK(contains(refused([&] { metadata.texts("t.integers"); }),
                 "expected an array of strings, got array of 3 int32"));
  CHECK(contains(refused([&] { metadata.list("t.bool"); }), "expected an array, got bool"));
}
