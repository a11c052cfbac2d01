// The primitives that the AVX-512 tables share.
#define LANE_SUMS 16
#define LANE_ROWS_FLOAT 12
#define LANE_TILES_FLOAT 2
#define LANE_QUERIES 8
#define fused(a, b, c) ((floats)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define load_half(p) ((floats)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p))))
#define store_half(p, v) _mm256_storeu_si256((__m256i *)(p), _mm512_cvtps_ph((__m512)(v), 0))
#define dot_bytes(c, w, x) avx512_dot_bytes(c, w, x)
#define dot_bfloat(c, w, x) avx512_dot_bfloat(c, w, x)
#include "Vector.h"
