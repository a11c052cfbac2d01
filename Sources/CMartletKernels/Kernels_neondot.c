// Kernels for 64-bit Arm with dot products of bytes (ARMv8.2 and later: Cortex-A76, Graviton 2, Apple M1 onward).
#if defined(__aarch64__)
#include <arm_neon.h>

#include "KernelTable.h"

#define TABLE martlet_table_neondot
#define LANE_ROWS_INTEGER 4
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#include "Templates/NEON.h"

INLINE ints neon_dot(ints c, bytes64 w, const int8_t *x) {
  const int8x16_t values = neon_repeat(x);
  const four weights = {.whole = (ints)w};
  four sums = {.whole = c};
  UNROLL for (int i = 0; i < 4; i++)
    sums.integer[i] = vdotq_s32(sums.integer[i], vreinterpretq_s8_s32(weights.integer[i]), values);
  return sums.whole;
}

#include "Templates/Kernels.h"
#pragma clang attribute pop
#endif
