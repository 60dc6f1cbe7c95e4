#include <doctest/doctest.h>

#include "core/io/gguf.h"
#include "golden_files.h"

using namespace mezo;

namespace {

// Writes GGUF files that may be wrong in any field.
class Builder {
 public:
  Builder(uint64_t tensors, uint64_t keys, uint32_t version = 3) {
    bytes_ = "GGUF";
    number(version).number(tensors).number(keys);
  }
  template <typename T>
  Builder& number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Builder& text(std::string_view text) {
    number(uint64_t{text.size()});
    bytes_ += text;
    return *this;
  }
  Builder& tensor(std::string_view name, std::vector<uint64_t> ne, uint32_t type, uint64_t offset) {
    text(name).number(static_cast<uint32_t>(ne.size()));
    for (const uint64_t extent : ne) number(extent);
    return number(type).number(offset);
  }
  Builder& key(std::string_view name, GgufType type) {
    return text(name).number(static_cast<uint32_t>(type));
  }
  // Pads to the alignment and adds zeros.
  std::string with_data(size_t size, size_t alignment = 32) const {
    std::string whole = bytes_;
    whole.resize((whole.size() + alignment - 1) / alignment * alignment);
    return whole + std::string(size, '\0');
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

std::string refusal(const std::string& bytes) {
  const std::string text =
      message_of<ModelError>([&] { load_gguf(in_memory("dir/damaged.gguf", bytes)); });
  CHECK(contains(text, "[load_gguf] dir/damaged.gguf"));
  return text;
}

constexpr uint32_t kF32 = 0;
constexpr uint32_t kQ4_0 = 2;

}  // namespace

TEST_CASE("a gguf file cut anywhere before its last tensor ends is refused") {
  const std::string whole = read_text(golden("v3.gguf"));
  const auto mapped = in_memory("whole", whole);
  size_t last = 0;
  const GgufFile file = load_gguf(mapped);
  for (const TensorView& tensor : file.tensors.tensors()) {
    const std::byte* end = tensor.data.data() + tensor.data.size();
    last = std::max(last, static_cast<size_t>(end - mapped->bytes().data()));
  }
  CHECK(last <= whole.size());
  CHECK(last + 32 > whole.size());  // only padding follows
  for (size_t size = 0; size < last; ++size) {
    CAPTURE(size);
    const std::string text =
        message_of<ModelError>([&] { load_gguf(in_memory("cut.gguf", whole.substr(0, size))); });
    CHECK(contains(text, "cut.gguf"));
  }
  CHECK_NOTHROW(load_gguf(in_memory("padding", whole.substr(0, last))));
}

TEST_CASE("gguf files of another kind or version are named") {
  CHECK(contains(refusal("GGML and more"), "begins with GGUF, got \"GGML\""));
  CHECK(contains(refusal(Builder(0, 0, 1).bytes()), "got version 1"));
  CHECK(contains(refusal(Builder(0, 0, 4).bytes()), "got version 4"));
  CHECK(contains(refusal(Builder(0, 0, 0).bytes()), "got version 0"));
  CHECK(contains(refusal(Builder(0, 0, 0x03000000).bytes()), "big-endian"));
}

TEST_CASE("a gguf file without tensors loads") {
  const GgufFile bare = load_gguf(in_memory("bare", Builder(0, 0).bytes()));
  CHECK(bare.tensors.tensors().empty());
  const auto built = Builder(1, 0).tensor("s", {}, kF32, 0).with_data(4);
  CHECK(load_gguf(in_memory("scalar", built)).tensors.at("s").shape.empty());
}

TEST_CASE("gguf tensors that cannot be are refused by name") {
  const uint64_t big = uint64_t{1} << 62;
  const auto one = [](std::vector<uint64_t> ne, uint32_t type, uint64_t offset) {
    const std::string text =
        refusal(Builder(1, 0).tensor("w", std::move(ne), type, offset).with_data(256));
    CHECK(contains(text, "tensor \"w\""));
    return text;
  };
  CHECK(contains(one({8}, 9, 0), "got Q8_1"));
  CHECK(contains(one({8}, 15, 0), "BF16, got Q8_K"));
  CHECK(contains(one({8}, 16, 0), "got IQ2_XXS"));
  CHECK(contains(one({8}, 26, 0), "got I32"));
  CHECK(contains(one({8}, 39, 0), "got MXFP4"));
  CHECK(contains(one({8}, 4000000000u, 0), "got unknown type 4000000000"));
  CHECK(contains(one({1, 1, 1, 1, 1}, kF32, 0), "at most 4 dimensions, got 5"));
  CHECK(contains(one({8, ~uint64_t{0}}, kF32, 0), "2^63, got 18446744073709551615"));
  CHECK(contains(one({big, big}, kF32, 0), "2^59"));
  CHECK(contains(one({33}, kQ4_0, 0), "multiple of 32 for Q4_0, got 33"));
  CHECK(contains(one({16, 2}, kQ4_0, 0), "got 16"));
  CHECK(contains(one({288}, 12, 0), "multiple of 256 for Q4_K, got 288"));
  CHECK(contains(one({}, kQ4_0, 0), "got 1"));
  CHECK(contains(one({8}, kF32, 4), "multiple of 32, got 4"));
  CHECK(contains(one({8}, kF32, 256), "got 32 bytes at offset 256"));
  CHECK(contains(one({65}, kF32, 0), "got 260 bytes at offset 0"));
  CHECK(contains(one({8}, kF32, ~uint64_t{0} - 31), "at offset 18446744073709551584"));
  CHECK(contains(one({uint64_t{1} << 58}, kF32, 0), "got 1152921504606846976 bytes"));
}

TEST_CASE("overlapping and duplicate gguf tensors are refused") {
  const auto overlap =
      Builder(2, 0).tensor("a", {16}, kF32, 0).tensor("w", {8}, kF32, 32).with_data(256);
  CHECK(contains(refusal(overlap),
                 "tensor \"w\": expected an offset from 64 on, where \"a\" ends, got 32"));
  const auto twins =
      Builder(2, 0).tensor("w", {8}, kF32, 0).tensor("w", {8}, kF32, 32).with_data(256);
  CHECK(contains(message_of<ModelError>([&] { load_gguf(in_memory("twins.gguf", twins)); }),
                 "twins.gguf: tensor \"w\""));
}

TEST_CASE("gguf counts that lie are refused before anything is allocated") {
  const uint64_t huge = uint64_t{1} << 60;
  CHECK(contains(refusal(Builder(huge, 0).with_data(64)), "number of tensors"));
  CHECK(contains(refusal(Builder(0, huge).with_data(64)), "number of keys"));
  CHECK(contains(refusal(Builder(3, 0).with_data(64)), "offset"));
  CHECK(contains(refusal(Builder(0, 1).number(huge).with_data(64)),
                 "expected 1152921504606846976 bytes for a key"));
  CHECK(
      contains(refusal(Builder(0, 1).key("k", GgufType::String).number(~uint64_t{0}).with_data(64)),
               "expected 18446744073709551615 bytes for a value"));
  CHECK(contains(refusal(Builder(1, 0).number(~uint64_t{0}).with_data(64)), "a tensor's name"));
  for (const GgufType type :
       {GgufType::Uint8, GgufType::Float64, GgufType::String, GgufType::Array}) {
    const auto array =
        Builder(0, 1).key("k", GgufType::Array).number(static_cast<uint32_t>(type)).number(huge);
    CHECK(contains(refusal(array.with_data(64)), "elements"));
  }
}

TEST_CASE("gguf values that cannot be are refused") {
  CHECK(contains(refusal(Builder(0, 1).text("k").number(uint32_t{13}).with_data(64)),
                 "value type from 0 to 12"));
  CHECK(contains(refusal(Builder(0, 1).key("k", GgufType::Bool).number(uint8_t{2}).with_data(64)),
                 "0 or 1 for a bool"));
  const auto twice = Builder(0, 2)
                         .key("k", GgufType::Uint8)
                         .number(uint8_t{1})
                         .key("k", GgufType::Uint8)
                         .number(uint8_t{1});
  CHECK(contains(refusal(twice.with_data(64)), "key \"k\": expected it once"));
  Builder nested(0, 1);
  nested.key("k", GgufType::Array);
  for (int i = 0; i < 100'000; ++i)
    nested.number(static_cast<uint32_t>(GgufType::Array)).number(uint64_t{1});
  CHECK(contains(refusal(nested.bytes()), "nested at most 8 deep"));
}

TEST_CASE("a gguf alignment must be a power of two") {
  const auto aligned = [](uint32_t alignment) {
    return Builder(1, 1)
        .key("general.alignment", GgufType::Uint32)
        .number(alignment)
        .tensor("w", {8}, kF32, 0)
        .with_data(64, alignment ? alignment : 1);
  };
  CHECK_NOTHROW(load_gguf(in_memory("16", aligned(16))));
  CHECK(contains(refusal(aligned(0)), "power of two as uint32, got 0"));
  CHECK(contains(refusal(aligned(24)), "got 24"));
  const auto far = Builder(1, 1)
                       .key("general.alignment", GgufType::Uint32)
                       .number(0x80000000u)
                       .tensor("w", {8}, kF32, 0);
  CHECK(contains(refusal(far.with_data(64)), "tensor \"w\""));
  const auto text = Builder(0, 1).key("general.alignment", GgufType::String).text("32");
  CHECK(contains(refusal(text.bytes()), "expected an integer, got string"));
}
