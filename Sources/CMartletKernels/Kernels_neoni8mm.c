// Kernels for 64-bit Arm with matrix products of bytes (ARMv8.6 and later: Graviton 3, Apple M2 onward, Snapdragon X).
#if defined(__aarch64__)
#include <arm_neon.h>

#include "KernelTable.h"

#define TABLE martlet_table_neoni8mm
#define LANE_ROWS_INTEGER 4
#define LANE_FEW_REGISTERS  // four rows of sums by outputs and rows take half of them
#define NEON_DOT_PRODUCTS
#define dot_pair(s, w, v, x, y) neon_dot_pair(s, w, v, x, y)
#define pair_end(s, a, b) neon_pair_end(s, a, b)
#pragma clang attribute push(__attribute__((target("dotprod,i8mm"))), apply_to = function)
#include "Templates/NEON.h"

// The sums of two outputs and two rows in each vector.
typedef struct { int32x4_t outputs[8]; } pair_sums;

// `w` and `v` are groups of four inputs that follow each other, of 16 outputs: a vector of both, output by output, has eight inputs of two of them.
INLINE pair_sums neon_dot_pair(pair_sums s, bytes64 w, bytes64 v, const int8_t *x, const int8_t *y) {
  const int8x16_t rows = vcombine_s8(vld1_s8(x), vld1_s8(y));
  const four first = {.whole = (ints)w}, second = {.whole = (ints)v};
  UNROLL for (int i = 0; i < 4; i++) {
    const int8x16_t low = vreinterpretq_s8_s32(vzip1q_s32(first.integer[i], second.integer[i]));
    const int8x16_t high = vreinterpretq_s8_s32(vzip2q_s32(first.integer[i], second.integer[i]));
    s.outputs[2 * i] = vmmlaq_s32(s.outputs[2 * i], low, rows);
    s.outputs[2 * i + 1] = vmmlaq_s32(s.outputs[2 * i + 1], high, rows);
  }
  return s;
}
INLINE void neon_pair_end(pair_sums s, ints *a, ints *b) {
  four first, second;
  UNROLL for (int i = 0; i < 4; i++) {
    first.integer[i] = vuzp1q_s32(s.outputs[2 * i], s.outputs[2 * i + 1]);
    second.integer[i] = vuzp2q_s32(s.outputs[2 * i], s.outputs[2 * i + 1]);
  }
  *a += first.whole;
  *b += second.whole;
}

#include "Templates/Kernels.h"
#pragma clang attribute pop
#endif
