// Kernels for AVX-512 without VNNI (Skylake-X).
#if defined(__x86_64__)
#include <immintrin.h>

#include "KernelTable.h"

#define TABLE martlet_table_avx512bw
#define LANE_ROWS_INTEGER 6
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#include "Templates/AVX512.h"
#include "Templates/AVX512Bfloat.h"

// Odd and even bytes are widened, as two products of 255 x 127 exceed 16 bits.
INLINE ints avx512_dot_bytes(ints c, bytes64 w, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  const __m512i narrow = _mm512_set1_epi32(four);
  const __m512i even_x = _mm512_srai_epi16(_mm512_slli_epi16(narrow, 8), 8), odd_x = _mm512_srai_epi16(narrow, 8);
  const __m512i even = _mm512_and_si512((__m512i)w, _mm512_set1_epi16(0xff)), odd = _mm512_srli_epi16((__m512i)w, 8);
  return c + (ints)_mm512_madd_epi16(even, even_x) + (ints)_mm512_madd_epi16(odd, odd_x);
}
// A weight's sign moves to x, so that two products fit 16 bits: 128 x 127 x 2.
#define dot_signed(c, w, x) avx512_dot_signed(c, w, x)
INLINE ints avx512_dot_signed(ints c, bytes64 w, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  const __m512i weights = (__m512i)((ints)w ^ splat_int((int32_t)0x80808080)), values = _mm512_set1_epi32(four);
  const __m512i turned = _mm512_mask_sub_epi8(values, _mm512_movepi8_mask(weights), _mm512_setzero_si512(), values);
  const __m512i pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(weights), turned);
  return c + (ints)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
}
// Products of small weights fit 16 bits, several of them: 31 x 127 x 8, 15 x 127 x 16.
typedef ints small_sums;
#define SMALL_GROUPS(most) ((most) > 15 ? 4 : 8)
#define small_start() splat_int(0)
#define dot_small(s, w, x) avx512_dot_small(s, w, x)
#define small_end(s, c) ((c) + (ints)_mm512_madd_epi16((__m512i)(s), _mm512_set1_epi16(1)))
#define small_from(pair) avx512_small_from(pair)
#define small_scaled(s, f, c) ((c) + (ints)_mm512_madd_epi16((__m512i)(s), (__m512i)(f)))

INLINE small_sums avx512_small_from(const int16_t *pair) {
  int32_t both;
  memcpy(&both, pair, 4);
  return splat_int(both);
}
INLINE small_sums avx512_dot_small(small_sums s, bytes64 w, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  return (small_sums)_mm512_add_epi16((__m512i)s, _mm512_maddubs_epi16((__m512i)w, _mm512_set1_epi32(four)));
}

#include "Templates/Kernels.h"
#pragma clang attribute pop
#endif
