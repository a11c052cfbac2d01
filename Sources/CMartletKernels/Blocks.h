// What blocks of files hold, for those that expand them (Formats.c) and those that write them anew (Repack.c).
#ifndef MARTLET_BLOCKS_H
#define MARTLET_BLOCKS_H

#include <math.h>

#include "KernelTable.h"

static inline float half_at(const uint8_t *p) {
  uint16_t bits;
  memcpy(&bits, p, 2);
  return half_to_float(bits);
}
static inline void put_half(uint8_t *p, float value) {
  const uint16_t bits = float_to_half(value);
  memcpy(p, &bits, 2);
}

// The integers of a Q3_K block: a scale (-32...31) for each 16 values (-4...3).
static inline void integers_q3_k(const uint8_t *b, int scales[16], int values[256]) {
  const uint8_t *high = b, *q = b + 32, *packed = b + 96;
  for (int i = 0; i < 16; i++) {
    const int low = i < 8 ? packed[i] & 15 : packed[i - 8] >> 4;
    scales[i] = (low | (packed[8 + i % 4] >> (2 * (i / 4)) & 3) << 4) - 32;
  }
  int bit = 0;
  for (int half = 0; half < 2; half++, q += 32)
    for (int shift = 0; shift < 8; shift += 2, bit++)
      for (int l = 0; l < 32; l++) *values++ = (q[l] >> shift & 3) - (high[l] >> bit & 1 ? 0 : 4);
}

// What the 4-bit codes of IQ4_NL and IQ4_XS stand for, and those of MXFP4 (twice the values of E2M1).
static const int8_t uneven[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
static const int8_t floating[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// The scale of sub-block j of a block of IQ4_XS, from -32 to 31.
static inline int scale_iq4_xs(const uint8_t *b, int j) {
  const int low = b[4 + j / 2] >> (4 * (j % 2)) & 15, high = (b[2] | b[3] << 8) >> (2 * j) & 3;
  return (low | high << 4) - 32;
}

// The scale of a block of MXFP4, an exponent alone; half the usual, as `floating` holds twice the values.
static inline float scale_mxfp4(const uint8_t *b) { return ldexpf(1, b[0] - 128); }

#endif
