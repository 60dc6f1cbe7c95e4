#pragma once
// For the files whose loops are worth compiling once for each instruction set, chosen when the
// program is loaded: a function marked MEZO_EACH_TARGET, and the parts of it marked MEZO_INLINE.
// Only for arithmetic that is exact on each of them (integers, fma where it is written), so that
// all give the same bits. A test defines the macro as nothing, to build a file for one instruction
// set.

#if defined(MEZO_EACH_TARGET)
#elif defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define MEZO_EACH_TARGET \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MEZO_EACH_TARGET
#endif
#define MEZO_INLINE inline __attribute__((always_inline))
