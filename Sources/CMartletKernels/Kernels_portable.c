// Kernels without any instruction set extension, and the reference of the others.
#include "KernelTable.h"

#define TABLE martlet_table_portable
#define LANE_SUMS 2
#define LANE_ROWS_FLOAT 2
#define LANE_TILES_FLOAT 1
#define LANE_ROWS_INTEGER 2
#define LANE_QUERIES 8
#define fused(a, b, c) ((a) * (b) + (c))
#define load_half(p) portable_load_half(p)
#define store_half(p, v) portable_store_half(p, v)
#define dot_bytes(c, w, x) portable_dot_bytes(c, w, x)
#define dot_bfloat(c, w, x) portable_dot_bfloat(c, w, x)

#include "Templates/Vector.h"

INLINE floats portable_load_half(const void *p) {
  uint16_t bits[16];
  memcpy(bits, p, sizeof bits);
  floats v;
  for (int i = 0; i < 16; i++) v[i] = half_to_float(bits[i]);
  return v;
}
INLINE void portable_store_half(void *p, floats v) {
  uint16_t bits[16];
  for (int i = 0; i < 16; i++) bits[i] = float_to_half(v[i]);
  memcpy(p, bits, sizeof bits);
}
INLINE ints portable_dot_bytes(ints c, bytes64 w, const int8_t *x) {
  UNROLL for (int i = 0; i < 4; i++) c += (ints)(((ints)w >> (8 * i)) & splat_int(0xff)) * splat_int(x[i]);
  return c;
}
INLINE floats portable_dot_bfloat(floats c, bytes64 w, const uint16_t *x) {
  const floats even = (floats)((ints)w << 16), odd = (floats)((ints)w & splat_int((int32_t)0xffff0000));
  return fused(odd, splat(bfloat_to_float(x[1])), fused(even, splat(bfloat_to_float(x[0])), c));
}

#include "Templates/Kernels.h"
