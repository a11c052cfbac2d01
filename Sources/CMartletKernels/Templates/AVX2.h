// The primitives that both AVX2 tables share.
#define LANE_SUMS 4
#define LANE_ROWS_FLOAT 6
#define LANE_TILES_FLOAT 1
#define LANE_ROWS_INTEGER 6
#define LANE_EXPANDS
#define LANE_QUERIES 6
#define LANE_FEW_REGISTERS
#define fused(a, b, c) avx2_fused(a, b, c)
#define load_half(p) avx2_load_half(p)
#define store_half(p, v) avx2_store_half(p, v)
#define dot_bytes(c, w, x) avx2_dot_bytes(c, w, x)
#define dot_bfloat(c, w, x) avx2_dot_bfloat(c, w, x)
#include "Vector.h"

typedef union {
  floats all;
  ints whole;
  __m256 half[2];
  __m256i integer[2];
} two;

INLINE floats avx2_fused(floats a, floats b, floats c) { return __builtin_elementwise_fma(a, b, c); }
INLINE floats avx2_load_half(const void *p) {
  const two v = {.half = {_mm256_cvtph_ps(_mm_loadu_si128(p)), _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p + 1))}};
  return v.all;
}
INLINE void avx2_store_half(void *p, floats v) {
  const two t = {.all = v};
  _mm_storeu_si128(p, _mm256_cvtps_ph(t.half[0], 0));
  _mm_storeu_si128((__m128i *)p + 1, _mm256_cvtps_ph(t.half[1], 0));
}
INLINE floats avx2_dot_bfloat(floats c, bytes64 w, const uint16_t *x) {
  const floats even = (floats)((ints)w << 16), odd = (floats)((ints)w & splat_int((int32_t)0xffff0000));
  return fused(odd, splat(bfloat_to_float(x[1])), fused(even, splat(bfloat_to_float(x[0])), c));
}
