// The primitives that both AVX-512 tables share.
#define LANE_ROWS_FLOAT 12
#define LANE_TILES_FLOAT 2
#define LANE_ROWS_INTEGER 12
#define fused(a, b, c) ((floats)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define load_half(p) ((floats)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p))))
#define store_half(p, v) _mm256_storeu_si256((__m256i *)(p), _mm512_cvtps_ph((__m512)(v), 0))
#define dot_bytes(c, w, x) avx512_dot_bytes(c, w, x)
#define dot_bfloat(c, w, x) avx512_dot_bfloat(c, w, x)
#include "Vector.h"

INLINE ints avx512_dot_bytes(ints c, bytes64 w, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  return (ints)_mm512_dpbusd_epi32((__m512i)c, (__m512i)w, _mm512_set1_epi32(four));
}
