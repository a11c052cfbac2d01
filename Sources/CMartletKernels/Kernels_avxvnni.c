// Kernels for AVX2 with AVX-VNNI (Alder Lake and Sierra Forest onward).
#if defined(__x86_64__)
#include <immintrin.h>

#include "KernelTable.h"

#define TABLE martlet_table_avxvnni
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)
#include "Templates/AVX2.h"

INLINE ints avx2_dot_bytes(ints c, bytes64 w, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  const __m256i values = _mm256_set1_epi32(four);
  two sums = {.whole = c};
  const two weights = {.whole = (ints)w};
  UNROLL for (int i = 0; i < 2; i++) sums.integer[i] = _mm256_dpbusd_avx_epi32(sums.integer[i], weights.integer[i], values);
  return sums.whole;
}

#include "Templates/Kernels.h"
#pragma clang attribute pop
#endif
