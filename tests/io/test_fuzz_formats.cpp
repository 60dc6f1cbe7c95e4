// A bounded, seeded mutation fuzzer for both loaders: every input is a golden with random damage,
// loaded, and every tensor and value of it touched. Only ModelError may come out. Meant for the
// sanitizer build, where the bytes lie in an exact heap block; the seed is fixed, so that a failure
// repeats.
#include <doctest/doctest.h>

#include <random>

#include "core/io/dequantize.h"
#include "core/io/gguf.h"
#include "core/io/safetensors.h"
#include "golden_files.h"
#include "tests/long_tests.h"

using namespace mezo;

namespace {

const int kRounds = mezo::short_or_long(5'000, 20'000);

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  std::string damage(std::string bytes, const std::string& other) {
    for (size_t edits = 1 + below(4); edits > 0 && !bytes.empty(); --edits) edit(bytes, other);
    return bytes;
  }

 private:
  size_t below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  // Headers matter more than data: half of all places are in the first eighth.
  size_t place(const std::string& bytes) {
    return below(below(2) ? bytes.size() : 1 + bytes.size() / 8);
  }

  uint64_t boundary() {
    constexpr uint64_t kValues[] = {0,
                                    1,
                                    2,
                                    3,
                                    8,
                                    0x7f,
                                    0x80,
                                    0xff,
                                    0x7fff,
                                    0xffff,
                                    0x7fffffff,
                                    0x80000000,
                                    0xffffffff,
                                    uint64_t{1} << 59,
                                    uint64_t{1} << 60,
                                    uint64_t{1} << 62,
                                    ~uint64_t{0} >> 1,
                                    uint64_t{1} << 63,
                                    ~uint64_t{0},
                                    ~uint64_t{0} - 7,
                                    ~uint64_t{0} - 31};
    return kValues[below(std::size(kValues))];
  }

  void put(std::string& bytes, size_t at, uint64_t value, size_t width) {
    for (size_t i = 0; i < width && at + i < bytes.size(); ++i)
      bytes[at + i] = static_cast<char>(value >> (8 * i));
  }

  void edit(std::string& bytes, const std::string& other) {
    const size_t at = place(bytes);
    switch (below(8)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        return;
      case 1:
        bytes[at] = static_cast<char>(below(256));
        return;
      case 2:
        bytes.resize(at);
        return;
      case 3:
        put(bytes, at, boundary(), 8);
        return;
      case 4:
        put(bytes, at / 4 * 4, boundary(), 4);
        return;
      case 5:
        bytes.erase(at, 1 + below(16));
        return;
      case 6:
        bytes.insert(at, other.substr(place(other), 1 + below(64)));
        return;
      case 7:
        digits(bytes);
        return;
    }
  }

  // Replaces a number in JSON text, so that the header still parses.
  void digits(std::string& bytes) {
    const size_t at = bytes.find_first_of("0123456789", place(bytes));
    if (at == std::string::npos) return;
    const size_t end = std::min(bytes.find_first_not_of("0123456789", at), bytes.size());
    bytes.replace(at, end - at, std::to_string(below(3) ? below(400) : boundary()));
  }

  std::mt19937_64 random_;
};

void touch(const TensorFile& file) {
  std::vector<float> out;
  for (const TensorView& tensor : file.tensors()) {
    out.resize(static_cast<size_t>(tensor.count()));
    unsigned sum = 0;
    for (const std::byte byte : tensor.data) sum += std::to_integer<unsigned>(byte);
    CHECK_MESSAGE(sum <= tensor.data.size() * 255, "unreachable: keeps the reads");
    if (is_weight(tensor.dtype)) dequantize(tensor, out.data());
    (void)file.path_of(tensor);
  }
}

void touch(const GgufValue& value) {
  (void)value.type_name();
  (void)value.as_number();
  (void)value.as_boolean();
  if (const auto text = value.as_text()) (void)std::string(*text);
  for (const GgufValue& element : value.elements()) touch(element);
}

// Makes the header length fit again after damage that made the header longer or shorter, so that
// the damage reaches what comes after the JSON is parsed.
void repair_header_length(std::string& bytes, const std::string& from) {
  uint64_t length;
  if (bytes.size() < sizeof length) return;
  std::memcpy(&length, from.data(), sizeof length);
  length += bytes.size() - from.size();
  std::memcpy(bytes.data(), &length, sizeof length);
}

void leave_as_is(std::string&, const std::string&) {}

// Loads damaged goldens; returns how many still loaded.
template <typename Load>
int fuzz(uint64_t seed, const std::vector<const char*>& names, Load load,
         void (*repair)(std::string&, const std::string&) = leave_as_is) {
  std::vector<std::string> seeds;
  for (const char* name : names) seeds.push_back(read_text(golden(name)));
  Mutator mutator(seed);
  int loaded = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string& from = seeds[static_cast<size_t>(round) % seeds.size()];
    const std::string& other = seeds[static_cast<size_t>(round / 7) % seeds.size()];
    std::string bytes = mutator.damage(from, other);
    if (round % 4 != 0) repair(bytes, from);
    try {
      load(in_memory("fuzz", bytes));
      ++loaded;
    } catch (const ModelError& error) {
      if (!contains(error.what(), "fuzz"))
        FAIL("round ", round, ": no file name in: ", std::string(error.what()));
    } catch (const std::exception& error) {
      FAIL("round ", round, ": not a ModelError: ", std::string(error.what()));
    }
  }
  return loaded;
}

}  // namespace

TEST_CASE("damaged safetensors files give a ModelError or a tensor that can be read") {
  const std::vector<const char*> names = {"plain.safetensors",
                                          "sharded/model-00001-of-00002.safetensors"};
  const int loaded = fuzz(
      1, names, [](auto file) { touch(load_safetensors(std::move(file))); }, repair_header_length);
  MESSAGE(loaded, " of ", kRounds, " damaged files loaded");
  CHECK(loaded > kRounds / 100);  // the damage must reach past the first check
}

TEST_CASE("damaged gguf files give a ModelError or tensors and values that can be read") {
  const int loaded = fuzz(2, {"v2.gguf", "v3.gguf", "aligned64.gguf"}, [](auto file) {
    const GgufFile gguf = load_gguf(std::move(file));
    touch(gguf.tensors);
    for (const auto& [key, value] : gguf.metadata.values()) touch(value);
  });
  MESSAGE(loaded, " of ", kRounds, " damaged files loaded");
  CHECK(loaded > kRounds / 100);
}

TEST_CASE("damaged shard indexes give a ModelError or tensors") {
  const ScratchFolder scratch;
  std::filesystem::copy(golden("sharded"), scratch.path());
  const std::string index = read_text(golden("sharded/model.safetensors.index.json"));
  Mutator mutator(3);
  for (int round = 0; round < short_or_long(500, 2'000); ++round) {
    write_text(scratch / "model.safetensors.index.json", mutator.damage(index, index));
    try {
      touch(load_safetensors_folder(scratch.path()));
    } catch (const ModelError&) {
    }
  }
}
