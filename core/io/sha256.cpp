#include "core/io/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/io/mapped_file.h"
#include "core/io/sha256_blocks.h"

namespace mezo {

namespace {

std::uint32_t big_endian(const unsigned char* b) {
  return (std::uint32_t{b[0]} << 24) | (std::uint32_t{b[1]} << 16) | (std::uint32_t{b[2]} << 8) |
         b[3];
}

Sha256Blocks fastest() {
  static const Sha256Blocks x86 = sha256_blocks_x86();
  return x86 ? x86 : sha256_blocks_plain;
}

}  // namespace

void sha256_blocks_plain(std::uint32_t* state, const unsigned char* bytes, std::size_t blocks) {
  for (; blocks > 0; --blocks, bytes += 64) {
    std::uint32_t w[64];
    for (int i = 0; i < 16; ++i) w[i] = big_endian(bytes + 4 * i);
    for (int i = 16; i < 64; ++i) {
      const std::uint32_t a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + w[i - 7] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3)) +
             (std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10));
    }
    std::uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4],
                  f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; ++i) {
      const std::uint32_t t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                               ((e & f) ^ (~e & g)) + sha256_constants[i] + w[i];
      const std::uint32_t t2 =
          (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const std::uint32_t sum[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; ++i) state[i] += sum[i];
  }
}

void Sha256::update(std::span<const std::byte> bytes) {
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t n = bytes.size();
  std::size_t held = size_ % 64;
  size_ += n;
  if (held > 0) {
    const std::size_t take = std::min(n, 64 - held);
    std::memcpy(rest_.data() + held, p, take);
    p += take, n -= take, held += take;
    if (held < 64) return;
    fastest()(state_.data(), rest_.data(), 1);
  }
  fastest()(state_.data(), p, n / 64);
  p += n / 64 * 64, n %= 64;
  if (n > 0) std::memcpy(rest_.data(), p, n);
}

std::string Sha256::hex() {
  const std::uint64_t bits = size_ * 8;
  unsigned char tail[72] = {0x80};
  const std::size_t padding = (size_ % 64 < 56 ? 56 : 120) - size_ % 64;
  for (int i = 0; i < 8; ++i)
    tail[padding + static_cast<std::size_t>(i)] = static_cast<unsigned char>(bits >> (56 - 8 * i));
  update(std::as_bytes(std::span(tail, padding + 8)));
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint32_t word : state_)
    for (int shift = 28; shift >= 0; shift -= 4) text += digits[(word >> shift) & 15];
  return text;
}

std::string sha256_of_file(const std::filesystem::path& path, const std::atomic<bool>* given_up) {
  constexpr std::size_t part = std::size_t{1} << 22;  // what is in memory at a time
  const MappedFile file(path);
  Sha256 hash;
  for (auto rest = file.bytes(); !rest.empty() && !(given_up && *given_up);) {
    const auto now = rest.first(std::min(part, rest.size()));
    hash.update(now);
    file.release(now);
    rest = rest.subspan(now.size());
  }
  return hash.hex();
}

}  // namespace mezo
