// The table of function pointers that every instruction set fills in. See include/CMartletKernels.h
// for what each function does.
#ifndef MARTLET_KERNEL_TABLE_H
#define MARTLET_KERNEL_TABLE_H

#include <string.h>

#include "CMartletKernels.h"

typedef struct {
#define KERNEL(result, name, parameters, arguments) result(*name) parameters;
#include "KernelList.h"
#undef KERNEL
} martlet_kernel_table;

extern const martlet_kernel_table martlet_table_portable;
#if defined(__x86_64__)
extern const martlet_kernel_table martlet_table_avx2;
extern const martlet_kernel_table martlet_table_avx512;
extern const martlet_kernel_table martlet_table_avx512bf16;
#elif defined(__aarch64__)
extern const martlet_kernel_table martlet_table_neon;
#endif

// A panel of 8-bit activations holds three arrays one after the other:
//   values [blocks][rows][32] int8, scales [blocks][rows] float, sums [blocks][rows] int32.
static inline const float *panel_scales(const void *panel, int64_t blocks, int64_t rows) {
  return (const float *)((const int8_t *)panel + blocks * rows * MARTLET_BLOCK);
}
static inline const int32_t *panel_sums(const void *panel, int64_t blocks, int64_t rows) {
  return (const int32_t *)(panel_scales(panel, blocks, rows) + blocks * rows);
}

static inline int64_t blocks_of(int64_t inputs) { return (inputs + MARTLET_BLOCK - 1) / MARTLET_BLOCK; }

// Half precision by integer arithmetic: the compiler's own conversions call into a run-time library
// that older systems lack.
static inline float half_to_float(uint16_t bits) {
  const uint32_t sign = (uint32_t)(bits & 0x8000u) << 16;
  const uint32_t magnitude = bits & 0x7fffu;
  uint32_t wide;
  float value;
  if (magnitude >= 0x7c00u) {  // infinity, NaN
    wide = sign | 0x7f800000u | (magnitude & 0x3ffu) << 13;
  } else if (magnitude >= 0x0400u) {
    wide = sign | ((magnitude << 13) + 0x38000000u);
  } else {  // zero, subnormal: an integer multiple of 2^-24
    value = (float)magnitude * 0x1p-24f;
    memcpy(&wide, &value, sizeof wide);
    wide |= sign;
  }
  memcpy(&value, &wide, sizeof value);
  return value;
}
// Round to nearest, ties to even.
static inline uint16_t float_to_half(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
  bits &= 0x7fffffffu;
  if (bits > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
  if (bits >= 0x47800000u) return (uint16_t)(sign | 0x7c00u);
  if (bits < 0x38800000u) {  // below the least normal half: let the float adder round
    float magnitude, bias = 0.5f;
    memcpy(&magnitude, &bits, sizeof magnitude);
    magnitude += bias;
    memcpy(&bits, &magnitude, sizeof bits);
    return (uint16_t)(sign | (bits - 0x3f000000u));
  }
  return (uint16_t)(sign | ((bits + 0xfffu + (bits >> 13 & 1) - 0x38000000u) >> 13));
}
static inline float bfloat_to_float(uint16_t bits) {
  uint32_t wide = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &wide, sizeof value);
  return value;
}
// Round to nearest, ties to even; NaN stays NaN.
static inline uint16_t float_to_bfloat(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)((bits >> 16) | 0x40);
  return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}

#endif
