#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/io/sha256.h"
#include "core/io/sha256_blocks.h"

using namespace mezo;

namespace {

std::string hash_of(std::string_view text, std::size_t piece) {
  Sha256 hash;
  for (std::size_t at = 0; at < text.size(); at += piece)
    hash.update(std::as_bytes(std::span(text.substr(at, piece))));
  return hash.hex();
}

struct Digest {
  std::string text, hex;
};

// FIPS 180-4's examples.
const Digest digests[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {std::string(1'000'000, 'a'),
     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"}};

}  // namespace

TEST_CASE("SHA-256 gives the digests of its standard, in whatever pieces the message comes") {
  for (const Digest& digest : digests)
    for (const std::size_t piece : {1, 3, 63, 64, 65, 1000, 1'000'000})
      CHECK(hash_of(digest.text, piece) == digest.hex);
}

TEST_CASE("SHA-256 by the CPU's instructions is the plain form's, bit for bit") {
  const Sha256Blocks x86 = sha256_blocks_x86();
  if (!x86) {
    MESSAGE("skipped: this CPU has no SHA instructions");
    return;
  }
  std::mt19937 draw(1);
  for (int i = 0; i < 500; ++i) {
    const std::size_t blocks = draw() % 40, offset = draw() % 16;  // at any alignment
    std::vector<unsigned char> bytes(blocks * 64 + offset);
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(draw());
    std::uint32_t plain[8], fast[8];
    for (std::uint32_t& word : plain) word = draw();
    std::memcpy(fast, plain, sizeof plain);
    sha256_blocks_plain(plain, bytes.data() + offset, blocks);
    x86(fast, bytes.data() + offset, blocks);
    CHECK(std::memcmp(plain, fast, sizeof plain) == 0);
  }
}
