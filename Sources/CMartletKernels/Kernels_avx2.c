// Kernels for AVX2 with FMA and F16C (x86-64-v3: Haswell and Zen onward).
#if defined(__x86_64__)
#include <immintrin.h>

#include "KernelTable.h"

#define TABLE martlet_table_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "Templates/AVX2.h"

// vpmaddubsw saturates at 16 bits, which 255 x 127 x 2 exceeds: widen the odd and even bytes instead.
INLINE ints avx2_dot_bytes(ints c, bytes64 w, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  const __m256i narrow = _mm256_set1_epi32(four);
  const __m256i even_x = _mm256_srai_epi16(_mm256_slli_epi16(narrow, 8), 8), odd_x = _mm256_srai_epi16(narrow, 8);
  two sums = {.whole = c}, weights = {.whole = (ints)w};
  UNROLL for (int i = 0; i < 2; i++) {
    const __m256i even = _mm256_and_si256(weights.integer[i], _mm256_set1_epi16(0xff));
    const __m256i odd = _mm256_srli_epi16(weights.integer[i], 8);
    sums.integer[i] = _mm256_add_epi32(
        sums.integer[i], _mm256_add_epi32(_mm256_madd_epi16(even, even_x), _mm256_madd_epi16(odd, odd_x)));
  }
  return sums.whole;
}
// A weight's sign moves to x, so that two products fit 16 bits: 128 x 127 x 2.
#define dot_signed(c, w, x) avx2_dot_signed(c, w, x)
INLINE ints avx2_dot_signed(ints c, bytes64 w, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  const __m256i values = _mm256_set1_epi32(four);
  two sums = {.whole = c}, weights = {.whole = (ints)w ^ splat_int((int32_t)0x80808080)};
  UNROLL for (int i = 0; i < 2; i++) {
    const __m256i pairs =
        _mm256_maddubs_epi16(_mm256_abs_epi8(weights.integer[i]), _mm256_sign_epi8(values, weights.integer[i]));
    sums.integer[i] = _mm256_add_epi32(sums.integer[i], _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  return sums.whole;
}
// Products of small weights fit 16 bits, several of them: 31 x 127 x 8, 15 x 127 x 16.
typedef two small_sums;
#define SMALL_GROUPS(most) ((most) > 15 ? 4 : 8)
#define small_start() avx2_small_start()
#define dot_small(s, w, x) avx2_dot_small(s, w, x)
#define small_end(s, c) avx2_small_end(s, c)
#define small_from(pair) avx2_small_from(pair)
#define small_scaled(s, f, c) avx2_small_scaled(s, f, c)

INLINE small_sums avx2_small_start(void) { return (two){.whole = splat_int(0)}; }
INLINE small_sums avx2_dot_small(small_sums s, bytes64 w, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  const __m256i values = _mm256_set1_epi32(four);
  const two weights = {.whole = (ints)w};
  UNROLL for (int i = 0; i < 2; i++) {
    s.integer[i] = _mm256_add_epi16(s.integer[i], _mm256_maddubs_epi16(weights.integer[i], values));
    // In this order: the compiler would rather add pairs of groups first, for which there are not registers enough.
    __asm__("" : "+x"(s.integer[i]));
  }
  return s;
}
INLINE ints avx2_small_end(small_sums s, ints c) {
  UNROLL for (int i = 0; i < 2; i++) s.integer[i] = _mm256_madd_epi16(s.integer[i], _mm256_set1_epi16(1));
  return s.whole + c;
}
INLINE small_sums avx2_small_from(const int16_t *pair) {
  int32_t both;
  memcpy(&both, pair, 4);
  return (two){.whole = splat_int(both)};
}
INLINE ints avx2_small_scaled(small_sums s, ints factors, ints c) {
  const two f = {.whole = factors};
  UNROLL for (int i = 0; i < 2; i++) s.integer[i] = _mm256_madd_epi16(s.integer[i], f.integer[i]);
  return s.whole + c;
}

#include "Templates/Kernels.h"
#pragma clang attribute pop
#endif
