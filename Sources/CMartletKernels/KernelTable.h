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
extern const martlet_kernel_table martlet_table_avxvnni;
extern const martlet_kernel_table martlet_table_avx512bw;
extern const martlet_kernel_table martlet_table_avx512;
extern const martlet_kernel_table martlet_table_avx512bf16;
#elif defined(__aarch64__)
extern const martlet_kernel_table martlet_table_neon;
extern const martlet_kernel_table martlet_table_neondot;
extern const martlet_kernel_table martlet_table_neoni8mm;
#endif

// Rows of a panel lie in groups of at most 12 (as many as the widest kernel reads together), and each group is a panel
// of its own: what a kernel walks through is sequential memory. In one large panel the blocks of a row would be a power of two
// apart for many numbers of rows, and fall into the same few places of the first-level cache.
#define MARTLET_PANEL_ROWS 12

typedef struct { int64_t begin, rows; } martlet_panel_group;
static inline int64_t panel_groups(int64_t rows) { return (rows + MARTLET_PANEL_ROWS - 1) / MARTLET_PANEL_ROWS; }
static inline martlet_panel_group panel_group(int64_t rows, int64_t group) {
  const int64_t count = panel_groups(rows), begin = rows * group / count;
  return (martlet_panel_group){.begin = begin, .rows = rows * (group + 1) / count - begin};
}
// The group of a row.
static inline martlet_panel_group panel_group_of(int64_t rows, int64_t row) {
  const int64_t count = panel_groups(rows), group = row * count / rows;
  return panel_group(rows, rows * (group + 1) / count <= row ? group + 1 : group);
}

// What weights that are too large by 8, by 128 (all inputs of a block) or by 32 (its halves) add too much to a sum, negated;
// and the latter in two parts, for the inputs 4g, 4g+1 and 4g+2, 4g+3, as they fall into sums of 16 bits.
typedef struct { int32_t by_8, by_128, by_32[2]; int16_t pairs_by_32[2][2]; } martlet_panel_sums;

// A group of 8-bit activations holds four arrays one after the other:
//   values [blocks][rows][32] int8, scales [blocks][rows] float, offsets [blocks][rows] float (scale * sum of the values),
//   sums [blocks][rows].
static inline const float *panel_scales(const void *panel, int64_t blocks, int64_t rows) {
  return (const float *)((const int8_t *)panel + blocks * rows * MARTLET_BLOCK);
}
static inline const float *panel_offsets(const void *panel, int64_t blocks, int64_t rows) {
  return panel_scales(panel, blocks, rows) + blocks * rows;
}
static inline const martlet_panel_sums *panel_sums(const void *panel, int64_t blocks, int64_t rows) {
  return (const martlet_panel_sums *)(panel_offsets(panel, blocks, rows) + blocks * rows);
}

// Q4_K, Q5_K and Q6_K (Pack_k.c and Round_k.c).
static inline bool is_k(martlet_format format) {
  return format == MARTLET_Q4_K || format == MARTLET_Q5_K || format == MARTLET_Q6_K;
}
void martlet_pack_tile_k(martlet_format format, const uint8_t *source, size_t row_bytes, int rows, int64_t inputs,
                         uint8_t *tile);
void martlet_unpack_row_k(martlet_format format, const uint8_t *tile, int row, int64_t inputs, float *values);
void martlet_round_k(int type, const float *values, uint8_t *block);

// The packed 6-bit scales and minima of Q4_K and Q5_K.
static inline void scale_and_minimum(int j, const uint8_t *q, int *scale, int *minimum) {
  if (j < 4) {
    *scale = q[j] & 63;
    *minimum = q[j + 4] & 63;
  } else {
    *scale = (q[j + 4] & 15) | (q[j - 4] >> 6) << 4;
    *minimum = (q[j + 4] >> 4) | (q[j] >> 6) << 4;
  }
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
