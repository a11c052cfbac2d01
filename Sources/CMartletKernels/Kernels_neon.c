// Kernels for 64-bit Arm (NEON; every ARMv8 processor).
#if defined(__aarch64__)
#include <arm_neon.h>

#include "KernelTable.h"

#define TABLE martlet_table_neon
#define LANE_ROWS_INTEGER 4
#include "Templates/NEON.h"

INLINE ints neon_dot(ints c, bytes64 w, const int8_t *x) {
  const int8x16_t values = neon_repeat(x);
  const four weights = {.whole = (ints)w};
  four sums = {.whole = c};
  UNROLL for (int i = 0; i < 4; i++) {
    const int8x16_t quarter = vreinterpretq_s8_s32(weights.integer[i]);
    const int16x8_t low = vmull_s8(vget_low_s8(quarter), vget_low_s8(values)), high = vmull_high_s8(quarter, values);
    sums.integer[i] = vaddq_s32(sums.integer[i], vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
  }
  return sums.whole;
}

#include "Templates/Kernels.h"
#endif
