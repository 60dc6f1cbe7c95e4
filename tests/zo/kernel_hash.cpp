// Prints one hash over what the kernels make of kernel_cases.h. CMakeLists.txt builds it with
// core/zo/kernel.cpp for several instruction sets; all must print the same. Exits with 77 on a
// processor that lacks those of the build.

#include <cstdio>
#include <string_view>

#include "kernel_cases.h"

using namespace mezo;

namespace {

std::uint64_t hash(std::uint64_t h, const std::vector<float>& values) {
  for (const float v : values) {
    std::uint32_t bits;
    std::memcpy(&bits, &v, sizeof bits);
    h = (h ^ bits) * 0x100000001B3ull;
  }
  return h;
}

}  // namespace

int main() {
#if defined(__AVX512F__)
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512bw"))
    return 77;
#elif defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 77;
#endif
  std::uint64_t h = 0xCBF29CE484222325ull;
  const PhiloxKey key = philox_key(5, "hash");
  for (const float scale : {1e-4f, 3e-39f})
    for (const std::int64_t n : {1, 7, 64, 1000, 1025, 20000})
      for (const std::uint64_t first :
           {std::uint64_t{0}, std::uint64_t{13}, (std::uint64_t{1} << 35) - 500}) {
        const auto owned = kernel_updates(3, 2, scale, 1e-3f);
        const auto missed = views(owned);
        std::vector<float> theta = kernel_weights(n, 8), plus(theta.size()), minus(theta.size());
        advance_and_perturb(theta.data(), n, first, key, missed, {40, 1, scale}, plus.data(),
                            minus.data());
        h = hash(hash(hash(h, theta), plus), minus);
      }
  std::printf("%016llx\n", static_cast<unsigned long long>(h));
}
