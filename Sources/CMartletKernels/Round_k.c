// Rounding to K-quants, as the reference quantisers of ggml do without an importance matrix (ggml-quants.c: Kawrakow
// and contributors): least squares over a few scales, for each group of inputs. Plain C, for conversion.
#include <math.h>

#include "KernelTable.h"

// The nearest integer (to even) within bounds; `low` for NaN. The sum leaves it in the lowest bits of the mantissa.
static inline int clamped(float value, int low, int high) {
  const float within = value > (float)low ? (value < (float)high ? value : (float)high) : (float)low;
  const float moved = within + 0x1.8p23f;
  int32_t bits;
  memcpy(&bits, &moved, 4);
  return (bits & 0x7fffff) - 0x400000;
}

static float put_half(uint8_t *p, float value) {
  const uint16_t bits = float_to_half(value);
  memcpy(p, &bits, 2);
  return half_to_float(bits);
}

// The scale and the minimum (positive, to be subtracted) of 32 values in codes 0...most, with the smallest squared error
// weighed by `weights`.
static float scale_with_minimum(const float *x, const float *weights, int most, float first, int steps, uint8_t *codes,
                                float *minimum) {
  float low = x[0], high = x[0], sum_w = weights[0], sum_x = weights[0] * x[0];
  for (int i = 1; i < 32; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
    sum_w += weights[i];
    sum_x += weights[i] * x[i];
  }
  if (low > 0) low = 0;
  *minimum = -low;
  memset(codes, 0, 32);
  if (high == low) return 0;
  float inverse = (float)most / (high - low), scale = 1 / inverse, best = 0;
  for (int i = 0; i < 32; i++) {
    codes[i] = (uint8_t)clamped(inverse * (x[i] - low), 0, most);
    const float off = scale * (float)codes[i] + low - x[i];
    best += weights[i] * (off * off);
  }
  for (int step = 0; step <= steps; step++) {
    uint8_t trial[32];
    inverse = (first + 0.1f * (float)step + (float)most) / (high - low);
    float sum_l = 0, sum_l2 = 0, sum_xl = 0;
    for (int i = 0; i < 32; i++) {
      const int l = clamped(inverse * (x[i] - low), 0, most);
      trial[i] = (uint8_t)l;
      sum_l += weights[i] * (float)l;
      sum_l2 += weights[i] * (float)l * (float)l;
      sum_xl += weights[i] * (float)l * x[i];
    }
    const float determinant = sum_w * sum_l2 - sum_l * sum_l;
    if (!(determinant > 0)) continue;
    float this_scale = (sum_w * sum_xl - sum_x * sum_l) / determinant;
    float this_low = (sum_l2 * sum_x - sum_l * sum_xl) / determinant;
    if (this_low > 0) {
      this_low = 0;
      this_scale = sum_xl / sum_l2;
    }
    float error = 0;
    for (int i = 0; i < 32; i++) {
      const float off = this_scale * (float)trial[i] + this_low - x[i];
      error += weights[i] * (off * off);
    }
    if (error < best) {
      memcpy(codes, trial, 32);
      best = error;
      scale = this_scale;
      low = this_low;  // where later trials begin, as in ggml
    }
  }
  *minimum = -low;
  return scale;
}

static void round_with_minima(const float *x, int most, uint8_t *block) {
  uint8_t codes[256];
  float scales[8], minima[8], largest_scale = 0, largest_minimum = 0;
  for (int j = 0; j < 8; j++) {
    float weights[32], squares = 0;
    for (int l = 0; l < 32; l++) squares += x[j * 32 + l] * x[j * 32 + l];
    for (int l = 0; l < 32; l++) weights[l] = sqrtf(squares / 32) + fabsf(x[j * 32 + l]);
    scales[j] = scale_with_minimum(x + j * 32, weights, most, most == 15 ? -1.0f : -0.5f, most == 15 ? 20 : 15,
                                   codes + j * 32, &minima[j]);
    largest_scale = scales[j] > largest_scale ? scales[j] : largest_scale;
    largest_minimum = minima[j] > largest_minimum ? minima[j] : largest_minimum;
  }
  const float d = put_half(block, largest_scale / 63), least = put_half(block + 2, largest_minimum / 63);
  uint8_t *packed = block + 4;
  memset(packed, 0, 12);
  for (int j = 0; j < 8; j++) {
    const int s = largest_scale > 0 ? clamped(63 / largest_scale * scales[j], 0, 63) : 0;
    const int m = largest_minimum > 0 ? clamped(63 / largest_minimum * minima[j], 0, 63) : 0;
    if (j < 4) {
      packed[j] |= (uint8_t)s;
      packed[j + 4] |= (uint8_t)m;
    } else {
      packed[j + 4] = (uint8_t)((s & 15) | (m & 15) << 4);
      packed[j - 4] |= (uint8_t)(s >> 4 << 6);
      packed[j] |= (uint8_t)(m >> 4 << 6);
    }
    const float factor = d * (float)s, start = least * (float)m;
    for (int l = 0; factor != 0 && l < 32; l++)
      codes[j * 32 + l] = (uint8_t)clamped((x[j * 32 + l] + start) / factor, 0, most);
  }
  uint8_t *high = block + 16, *low = most == 15 ? block + 16 : block + 48;
  if (most > 15) memset(high, 0, 32);
  for (int j = 0; j < 8; j++)
    for (int l = 0; l < 32; l++) {
      const int code = codes[j * 32 + l];
      uint8_t *byte = low + j / 2 * 32 + l;
      *byte = j % 2 ? (uint8_t)(*byte | (code & 15) << 4) : (uint8_t)(code & 15);
      if (most > 15) high[l] |= (uint8_t)(code >> 4 << j);
    }
}

// The scale of 16 values in codes -32...31, with the smallest error weighed by their squares.
static float symmetric_scale(const float *x, uint8_t *codes) {
  float extreme = 0;
  for (int i = 0; i < 16; i++) extreme = fabsf(x[i]) > fabsf(extreme) ? x[i] : extreme;
  memset(codes, 0, 16);
  if (fabsf(extreme) < 1e-15f) return 0;
  float best = 0, scale = 0;
  for (int step = -10; step <= 9; step++) {
    if (step == 0) continue;
    const float inverse = -(32 + 0.1f * (step == -10 ? 0 : (float)step)) / extreme;  // the plain one first
    float sum_xl = 0, sum_l2 = 0;
    uint8_t trial[16];
    for (int i = 0; i < 16; i++) {
      const int l = clamped(inverse * x[i], -32, 31);
      const float w = x[i] * x[i];
      trial[i] = (uint8_t)(l + 32);
      sum_xl += w * x[i] * (float)l;
      sum_l2 += w * (float)l * (float)l;
    }
    if (step == -10 || (sum_l2 > 0 && sum_xl * sum_xl > best * sum_l2)) {
      memcpy(codes, trial, 16);
      scale = sum_l2 > 0 ? sum_xl / sum_l2 : 0;
      best = scale * sum_xl;
    }
  }
  return scale;
}

static void round_symmetric(const float *x, uint8_t *block) {
  uint8_t codes[256];
  float scales[16], largest = 0;
  for (int s = 0; s < 16; s++) {
    scales[s] = symmetric_scale(x + s * 16, codes + s * 16);
    // The squares of such values are beyond single precision; the block is told to be no number, not written as zeros.
    if (!isfinite(scales[s])) largest = INFINITY;
    largest = fabsf(scales[s]) > fabsf(largest) ? scales[s] : largest;
  }
  memset(block, 0, 210);
  if (isinf(largest)) put_half(block + 208, largest);
  if (fabsf(largest) < 1e-15f || isinf(largest)) return;
  const float inverse = -128 / largest, d = put_half(block + 208, 1 / inverse);
  for (int s = 0; s < 16; s++) {
    const int scale = clamped(inverse * scales[s], -128, 127);
    block[192 + s] = (uint8_t)(int8_t)scale;
    const float factor = d * (float)scale;
    for (int l = 0; factor != 0 && l < 16; l++)
      codes[s * 16 + l] = (uint8_t)(clamped(x[s * 16 + l] / factor, -32, 31) + 32);
  }
  for (int i = 0; i < 256; i++) {
    const int half = i / 128, part = i % 128 / 32, l = i % 32;
    block[half * 64 + part % 2 * 32 + l] |= (uint8_t)((codes[i] & 15) << (part < 2 ? 0 : 4));
    block[128 + half * 32 + l] |= (uint8_t)(codes[i] >> 4 << (2 * part));
  }
}

void martlet_round_k(int type, const float *values, uint8_t *block) {
  if (type == MARTLET_FILE_Q6_K)
    round_symmetric(values, block);
  else
    round_with_minima(values, type == MARTLET_FILE_Q4_K ? 15 : 31, block);
}
