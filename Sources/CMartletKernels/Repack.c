// Blocks of files written as other blocks with the same integer codes, at load time only.
#include "Blocks.h"

static inline float larger_of(float a, float b) { return a > b ? a : b; }

// Writes a scale in half precision; returns what that changes, as a part of the scale.
static float put_scale(uint8_t *b, float scale) {
  put_half(b, scale);
  return scale != 0 ? fabsf(half_at(b) - scale) / fabsf(scale) : 0;
}

// Eight blocks of Q4_1 with the four-bit codes of one of Q4_K.
static float repack_q4_k(const uint8_t *b, uint8_t *y) {
  const float d = half_at(b), least = half_at(b + 2);
  float worst = 0;
  for (int j = 0; j < 8; j++, y += 20) {
    int scale, minimum, low = 15, high = 0;
    scale_and_minimum(j, b + 4, &scale, &minimum);
    uint8_t codes[32];
    for (int l = 0; l < 32; l++) {
      const uint8_t both = b[16 + j / 2 * 32 + l];
      codes[l] = j % 2 ? both >> 4 : both & 15;
      low = codes[l] < low ? codes[l] : low;
      high = codes[l] > high ? codes[l] : high;
    }
    const float factor = d * (float)scale, start = -least * (float)minimum;
    put_half(y, factor);
    put_half(y + 2, start);
    for (int l = 0; l < 16; l++) y[4 + l] = (uint8_t)(codes[l] | codes[l + 16] << 4);
    // Value and error are linear in the code, so both are largest at an end.
    const float step = half_at(y) - factor, shift = half_at(y + 2) - start;
    const float error = larger_of(fabsf(step * (float)low + shift), fabsf(step * (float)high + shift));
    const float peak = larger_of(fabsf(factor * (float)low + start), fabsf(factor * (float)high + start));
    if (error > 0) worst = larger_of(worst, peak > 0 ? error / peak : 1);
  }
  return worst;
}

// Eight blocks of Q8_0 with the codes of one of Q3_K or Q8_K, times `sign`.
static float put_codes(const int *codes, int sign, float scale, uint8_t *y) {
  float worst = 0;
  for (int j = 0; j < 8; j++, y += 34) {
    worst = put_scale(y, scale * (float)sign);
    for (int l = 0; l < 32; l++) y[2 + l] = (uint8_t)(int8_t)(codes[j * 32 + l] * sign);
  }
  return worst;
}

// A block of Q8_0 with what a table says of 4-bit codes.
static float put_table(const uint8_t *codes, const int8_t *table, float scale, uint8_t *y) {
  for (int l = 0; l < 16; l++) {
    y[2 + l] = (uint8_t)table[codes[l] & 15];
    y[18 + l] = (uint8_t)table[codes[l] >> 4];
  }
  return put_scale(y, scale);
}

float martlet_file_repack(int from, int to, const void *source, int64_t count, void *destination) {
  const uint8_t *b = source;
  uint8_t *y = destination;
  float worst = 0;
  if (from == MARTLET_FILE_Q4_K && to == MARTLET_FILE_Q4_1) {
    for (int64_t i = 0; i < count; i += 256, b += 144, y += 8 * 20) worst = larger_of(worst, repack_q4_k(b, y));
  } else if (from == MARTLET_FILE_Q3_K && to == MARTLET_FILE_Q8_0) {
    for (int64_t i = 0; i < count; i += 256, b += 110, y += 8 * 34) {
      int scales[16], codes[256];
      integers_q3_k(b, scales, codes);
      for (int l = 0; l < 256; l++) codes[l] *= scales[l / 16];
      // From -124 to 128, so exchanged in sign they are bytes.
      worst = larger_of(worst, put_codes(codes, -1, half_at(b + 108), y));
    }
  } else if (from == MARTLET_FILE_Q8_K && to == MARTLET_FILE_Q8_0) {
    for (int64_t i = 0; i < count; i += 256, b += 292, y += 8 * 34) {
      int codes[256];
      float scale;
      memcpy(&scale, b, 4);
      for (int l = 0; l < 256; l++) codes[l] = (int8_t)b[4 + l];
      worst = larger_of(worst, put_codes(codes, 1, scale, y));
    }
  } else if (from == MARTLET_FILE_IQ4_NL && to == MARTLET_FILE_Q8_0) {
    for (int64_t i = 0; i < count; i += 32, b += 18, y += 34) put_table(b + 2, uneven, half_at(b), y);
  } else if (from == MARTLET_FILE_MXFP4 && to == MARTLET_FILE_Q8_0) {
    for (int64_t i = 0; i < count; i += 32, b += 17, y += 34)
      worst = larger_of(worst, put_table(b + 1, floating, scale_mxfp4(b), y));
  } else if (from == MARTLET_FILE_IQ4_XS && to == MARTLET_FILE_Q8_0) {
    for (int64_t i = 0; i < count; i += 256, b += 136)
      for (int j = 0; j < 8; j++, y += 34)
        worst = larger_of(worst, put_table(b + 8 + 16 * j, uneven, half_at(b) * (float)scale_iq4_xs(b, j), y));
  } else if (from == MARTLET_FILE_Q5_0 && to == MARTLET_FILE_Q8_0) {
    for (int64_t i = 0; i < count; i += 32, b += 22, y += 34) {
      uint32_t high;
      memcpy(&high, b + 2, 4);
      memcpy(y, b, 2);
      for (int l = 0; l < 16; l++) {
        y[2 + l] = (uint8_t)(((b[6 + l] & 15) | (high >> l & 1) << 4) - 16);
        y[18 + l] = (uint8_t)(((b[6 + l] >> 4) | (high >> (l + 16) & 1) << 4) - 16);
      }
    }
  } else if (from == MARTLET_FILE_Q4_0 && to == MARTLET_FILE_Q8_0) {
    for (int64_t i = 0; i < count; i += 32, b += 18, y += 34) {
      memcpy(y, b, 2);
      for (int l = 0; l < 16; l++) {
        y[2 + l] = (uint8_t)((b[2 + l] & 15) - 8);
        y[18 + l] = (uint8_t)((b[2 + l] >> 4) - 8);
      }
    }
  } else {
    return -1;
  }
  return worst;
}

float martlet_largest_error(const float *values, const float *others, int64_t count) {
  float worst = 0;
  for (int64_t start = 0; start < count; start += 32) {
    float peak = 0, error = 0;
    for (int64_t i = start; i < count && i < start + 32; i++) {
      peak = larger_of(peak, fabsf(values[i]));
      error = larger_of(error, fabsf(values[i] - others[i]));
    }
    if (error > 0) worst = larger_of(worst, peak > 0 ? error / peak : 1);
  }
  return worst;
}
