// The primitives that the NEON tables share. Bytes are multiplied as signed ones, so weights are below 128, or 128 is taken off.
#define LANE_SUMS 6
#define LANE_ROWS_FLOAT 5
#define LANE_TILES_FLOAT 1
#define LANE_QUERIES 5
#define fused(a, b, c) __builtin_elementwise_fma(a, b, c)
#define load_half(p) neon_load_half(p)
#define store_half(p, v) neon_store_half(p, v)
#define dot_bytes(c, w, x) neon_dot(c, w, x)
#define dot_signed(c, w, x) neon_dot(c, (bytes64)((ints)(w) ^ splat_int((int32_t)0x80808080)), x)
#define dot_bfloat(c, w, x) neon_dot_bfloat(c, w, x)

#include "Vector.h"

typedef union {
  floats all;
  ints whole;
  float32x4_t quarter[4];
  int32x4_t integer[4];
} four;

INLINE floats neon_load_half(const void *p) {
  four v;
  UNROLL for (int i = 0; i < 4; i++) v.quarter[i] = vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16((const uint16_t *)p + i * 4)));
  return v.all;
}
INLINE void neon_store_half(void *p, floats v) {
  const four t = {.all = v};
  UNROLL for (int i = 0; i < 4; i++) vst1_u16((uint16_t *)p + i * 4, vreinterpret_u16_f16(vcvt_f16_f32(t.quarter[i])));
}
// Four bytes, four times.
INLINE int8x16_t neon_repeat(const int8_t *x) {
  int32_t packed;
  memcpy(&packed, x, 4);
  return vreinterpretq_s8_s32(vdupq_n_s32(packed));
}
INLINE floats neon_dot_bfloat(floats c, bytes64 w, const uint16_t *x) {
  const floats even = (floats)((ints)w << 16), odd = (floats)((ints)w & splat_int((int32_t)0xffff0000));
  return fused(odd, splat(bfloat_to_float(x[1])), fused(even, splat(bfloat_to_float(x[0])), c));
}

#ifdef NEON_DOT_PRODUCTS
INLINE ints neon_dot(ints c, bytes64 w, const int8_t *x) {
  const int8x16_t values = neon_repeat(x);
  const four weights = {.whole = (ints)w};
  four sums = {.whole = c};
  UNROLL for (int i = 0; i < 4; i++)
    sums.integer[i] = vdotq_s32(sums.integer[i], vreinterpretq_s8_s32(weights.integer[i]), values);
  return sums.whole;
}
#endif
