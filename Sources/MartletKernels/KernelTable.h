// The table of function pointers that every instruction set fills in. See include/MartletKernels.h
// for what each function does.
#ifndef MARTLET_KERNEL_TABLE_H
#define MARTLET_KERNEL_TABLE_H

#include <string.h>

#include "MartletKernels.h"

typedef struct {
  void (*pack_panel)(martlet_format, const float *, int64_t, int64_t, int64_t, int64_t, int64_t, void *);
  void (*matmul)(martlet_format, const void *, int64_t, int64_t, int64_t, int64_t, const void *, int64_t, float *,
                 int64_t, bool);
  void (*rms_norm)(const float *, const float *, float *, int64_t, int64_t, float);
  void (*group_norm)(const float *, const float *, const float *, float *, int64_t, int64_t, int64_t, float);
  void (*softmax)(float *, int64_t, int64_t);
  void (*silu)(const float *, float *, int64_t);
  void (*silu_multiply)(const float *, const float *, float *, int64_t);
  void (*sigmoid)(const float *, float *, int64_t);
  void (*relu_squared)(const float *, float *, int64_t);
  void (*add)(const float *, const float *, float *, int64_t);
  void (*multiply)(const float *, const float *, float *, int64_t);
  void (*scale)(const float *, float, float *, int64_t);
  void (*lerp)(const float *, const float *, const float *, float *, int64_t, int64_t);
  void (*add_bias)(float *, const float *, int64_t, int64_t);
  int64_t (*argmax)(const float *, int64_t);
  void (*rotary)(float *, const float *, const float *, int64_t, int64_t, int64_t, int64_t, bool);
  void (*wkv5)(const float *, const float *, const float *, const float *, const float *, float *, float *, int64_t,
               int64_t, int64_t);
  void (*cache_store)(martlet_cache_type, void *, int64_t, const float *, const float *, int64_t);
  void (*attention)(martlet_cache_type, const float *const *, float *const *, const int64_t *, int64_t,
                    const void *const *, size_t, int64_t, float);
  void (*unary)(martlet_unary_op, const float *, float *, int64_t);
  void (*binary)(martlet_binary_op, const float *, int64_t, const float *, int64_t, float *, int64_t);
  void (*sum)(const float *, int64_t, int64_t, int64_t, float *);
  void (*pack_tiles)(martlet_format, const float *, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, void *);
  void (*pack_panel_strided)(martlet_format, const float *, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                             int64_t, int64_t, void *);
  void (*silu_backward)(const float *, const float *, float *, int64_t);
  void (*silu_multiply_backward)(const float *, const float *, const float *, float *, float *, int64_t);
  void (*sigmoid_backward)(const float *, const float *, float *, int64_t);
  void (*relu_squared_backward)(const float *, const float *, float *, int64_t);
  void (*softmax_backward)(const float *, const float *, float *, int64_t, int64_t);
  void (*rms_norm_backward)(const float *, const float *, const float *, float *, float *, int64_t, int64_t, float);
  void (*group_norm_backward)(const float *, const float *, const float *, float *, float *, float *, int64_t, int64_t,
                              int64_t, float);
  void (*lerp_backward)(const float *, const float *, const float *, const float *, float *, float *, float *, int64_t,
                        int64_t);
  void (*log_sum_exp)(const float *, float *, int64_t, int64_t);
  void (*cross_entropy_backward)(const float *, const float *, const int64_t *, const float *, float *, int64_t,
                                 int64_t);
  void (*wkv5_backward)(const float *, const float *, const float *, const float *, const float *, const float *,
                        float *, float *, float *, float *, float *, float *, int64_t, int64_t, int64_t);
  void (*adam)(const martlet_adam_step *, float *, const float *, float *, float *, int64_t);
  uint64_t (*probe_read)(const void *, size_t);
  double (*probe_arithmetic)(martlet_format, int64_t);
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
