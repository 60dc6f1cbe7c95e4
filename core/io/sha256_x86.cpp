#include "core/io/sha256_blocks.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

namespace mezo {

namespace {

#define MEZO_SHA __attribute__((target("sha,sse4.1,ssse3")))

// The instructions keep the eight words as A B E F and C D G H, highest first.
struct State {
  __m128i abef, cdgh;
};

MEZO_SHA State load(const std::uint32_t* words) {
  const auto* at = reinterpret_cast<const __m128i*>(words);
  const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(at), 0xB1);
  const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(at + 1), 0x1B);
  return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
}

MEZO_SHA void store(const State& state, std::uint32_t* words) {
  auto* at = reinterpret_cast<__m128i*>(words);
  const __m128i feba = _mm_shuffle_epi32(state.abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(state.cdgh, 0xB1);
  _mm_storeu_si128(at, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(at + 1, _mm_alignr_epi8(dchg, feba, 8));
}

// `w` holds the last 16 words of the message schedule, four a register.
MEZO_SHA void one_block(State& state, const unsigned char* bytes) {
  const __m128i big_endian = _mm_set_epi64x(0x0C0D0E0F08090A0B, 0x0405060700010203);
  const State before = state;
  __m128i w[4];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    __m128i& now = w[i & 3];
    if (i < 4) {
      now = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes) + i),
                             big_endian);
    } else {
      const __m128i last = w[(i + 3) & 3], last_but_one = w[(i + 2) & 3];
      const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(now, w[(i + 1) & 3]),
                                        _mm_alignr_epi8(last, last_but_one, 4));
      now = _mm_sha256msg2_epu32(sum, last);
    }
    const auto* k = reinterpret_cast<const __m128i*>(sha256_constants) + i;
    const __m128i wk = _mm_add_epi32(now, _mm_loadu_si128(k));
    state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, wk);
    state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(wk, 0x0E));
  }
  state.abef = _mm_add_epi32(state.abef, before.abef);
  state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
}

MEZO_SHA void take(std::uint32_t* words, const unsigned char* bytes, std::size_t blocks) {
  State state = load(words);
  for (; blocks > 0; --blocks, bytes += 64) one_block(state, bytes);
  store(state, words);
}

bool has_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

}  // namespace

Sha256Blocks sha256_blocks_x86() { return has_instructions() ? take : nullptr; }

}  // namespace mezo

#else

namespace mezo {

Sha256Blocks sha256_blocks_x86() { return nullptr; }

}  // namespace mezo

#endif
