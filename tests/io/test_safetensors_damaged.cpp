#include <doctest/doctest.h>

#include "core/io/safetensors.h"
#include "golden_files.h"

using namespace mezo;

namespace {

// A file with this header (its length put before it) and `data` zero bytes after it.
std::string file_of(const std::string& header, size_t data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + std::string(data, '\0');
}

std::string refusal(const std::string& bytes) {
  const std::string text = message_of<ModelError>(
      [&] { load_safetensors(in_memory("dir/damaged.safetensors", bytes)); });
  CHECK(contains(text, "[load_safetensors] dir/damaged.safetensors"));
  return text;
}

}  // namespace

TEST_CASE("a safetensors file cut anywhere is refused") {
  const std::string whole = read_text(golden("plain.safetensors"));
  for (size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const std::string text = message_of<ModelError>(
        [&] { load_safetensors(in_memory("cut.safetensors", whole.substr(0, size))); });
    CHECK(contains(text, "cut.safetensors"));
  }
}

TEST_CASE("bytes after the last safetensors tensor are refused") {
  CHECK(contains(refusal(read_text(golden("plain.safetensors")) + "x"), "got 297"));
}

TEST_CASE("a safetensors header length that lies is refused") {
  std::string bytes = read_text(golden("plain.safetensors"));
  for (const uint64_t length :
       {uint64_t{0}, uint64_t{1}, uint64_t{799}, uint64_t{1089}, uint64_t{100'000'001},
        uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 7}) {
    CAPTURE(length);
    std::memcpy(bytes.data(), &length, 8);
    CHECK_FALSE(refusal(bytes).empty());
  }
}

TEST_CASE("a damaged safetensors header is refused with the file and the tensor") {
  struct Case {
    const char* header;
    const char* expected;
    bool names_tensor = true;
  };
  const Case cases[] = {
      {R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "8 bytes for F32 [2], got 4"},
      {R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}})", "within the 8 bytes"},
      {R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "[8, 0]"},
      {R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", "[0]"},
      {R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", "integers from 0"},
      {R"({"w":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", "integers from 0"},
      {R"({"w":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", "for shape"},
      {R"({"w":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}})", "2^63 - 1"},
      {R"({"w":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}})", "2^63 - 1"},
      {R"({"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", "2^59"},
      {R"({"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", "2^59"},
      {R"({"w":{"dtype":"Q4_1","shape":[2],"data_offsets":[0,8]}})", "Q4_1"},
      {R"({"w":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}})", "known dtype"},
      {R"({"w":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})", "known dtype"},
      {R"({"w":{"shape":[2],"data_offsets":[0,8]}})", "field dtype"},
      {R"({"w":{"dtype":"F32","data_offsets":[0,8]}})", "field shape"},
      {R"({"w":{"dtype":"F32","shape":[2]}})", "field data_offsets"},
      {R"({"w":[]})", "expected an object"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       "overlap"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
       "overlap"},
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "hole"},
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "got 8", false},
      {R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
       "\"w\" twice"},
      {R"({"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "\"dtype\" twice",
       false},
      {R"({"__metadata__":{"a":1}})", "expected a string for \"a\"", false},
      {R"({"__metadata__":[]})", "__metadata__, got array", false},
      {R"({})", "expected 0 bytes of data", false},
      {R"([])", "begins with '{'", false},
      {R"({"w":)", "valid JSON", false},
      {R"({} {})", "valid JSON", false},
      {"{\"\xff\":{}}", "valid JSON", false},
      {R"({"w":{"dtype":1e999}})", "valid JSON", false},
  };
  for (const Case& damaged : cases) {
    CAPTURE(damaged.header);
    const std::string text = refusal(file_of(damaged.header, 8));
    CAPTURE(text);
    CHECK(contains(text, damaged.expected));
    if (damaged.names_tensor) CHECK(contains(text, "\"w\""));
  }
}

TEST_CASE("text after a NUL in a safetensors header is not overlooked") {
  CHECK(contains(refusal(file_of(std::string("{}\0{}", 5), 0)), "NUL"));
}

TEST_CASE("a header of nested brackets is refused without exhausting the stack") {
  const std::string deep(1'000'000, '[');
  CHECK(contains(refusal(file_of(R"({"w":{"dtype":)" + deep, 0)), "nested"));
}

TEST_CASE("a name from a damaged file cannot garble the message") {
  const std::string text = refusal(file_of(R"({"a\n\u001b[31m":{}})", 0));
  CHECK(contains(text, "a\\x0a\\x1b[31m"));
}
