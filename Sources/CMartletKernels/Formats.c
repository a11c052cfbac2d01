// The block formats of GGUF files (ggml's): expansion to float, and rounding to those we write.
// Plain C: this runs at load and conversion time only.
#include "Blocks.h"

typedef struct { int type, values, bytes; } block_shape;
static const block_shape shapes[] = {
    {MARTLET_FILE_F32, 1, 4},     {MARTLET_FILE_F16, 1, 2},      {MARTLET_FILE_BF16, 1, 2},
    {MARTLET_FILE_Q4_0, 32, 18},  {MARTLET_FILE_Q4_1, 32, 20},   {MARTLET_FILE_Q5_0, 32, 22},
    {MARTLET_FILE_Q5_1, 32, 24},  {MARTLET_FILE_Q8_0, 32, 34},   {MARTLET_FILE_Q2_K, 256, 84},
    {MARTLET_FILE_Q3_K, 256, 110}, {MARTLET_FILE_Q4_K, 256, 144}, {MARTLET_FILE_Q5_K, 256, 176},
    {MARTLET_FILE_Q6_K, 256, 210}, {MARTLET_FILE_Q8_K, 256, 292}, {MARTLET_FILE_F64, 1, 8},
    {MARTLET_FILE_IQ4_NL, 32, 18}, {MARTLET_FILE_IQ4_XS, 256, 136}, {MARTLET_FILE_MXFP4, 32, 17},
};

static const block_shape *shape_of(int type) {
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    if (shapes[i].type == type) return &shapes[i];
  return NULL;
}
int64_t martlet_file_block_values(int type) { return shape_of(type) ? shape_of(type)->values : 0; }
int64_t martlet_file_block_bytes(int type) { return shape_of(type) ? shape_of(type)->bytes : 0; }

static void expand_q2_k(const uint8_t *b, float *y) {
  const uint8_t *scales = b, *q = b + 16;
  const float d = half_at(b + 80), least = half_at(b + 82);
  for (int half = 0; half < 2; half++, q += 32)
    for (int shift = 0; shift < 8; shift += 2)
      for (int part = 0; part < 2; part++) {
        const int s = *scales++;
        for (int l = 0; l < 16; l++)
          *y++ = d * (float)(s & 15) * (float)(q[part * 16 + l] >> shift & 3) - least * (float)(s >> 4);
      }
}

static void expand_q3_k(const uint8_t *b, float *y) {
  int scales[16], values[256];
  integers_q3_k(b, scales, values);
  for (int i = 0; i < 256; i++) y[i] = half_at(b + 108) * (float)scales[i / 16] * (float)values[i];
}

static void expand_q4_k(const uint8_t *b, float *y) {
  const float d = half_at(b), least = half_at(b + 2);
  const uint8_t *q = b + 16;
  for (int j = 0; j < 8; j++) {
    int scale, minimum;
    scale_and_minimum(j, b + 4, &scale, &minimum);
    for (int l = 0; l < 32; l++) {
      const int both = q[j / 2 * 32 + l];
      *y++ = d * (float)scale * (float)(j % 2 ? both >> 4 : both & 15) - least * (float)minimum;
    }
  }
}

static void expand_q5_k(const uint8_t *b, float *y) {
  const float d = half_at(b), least = half_at(b + 2);
  const uint8_t *high = b + 16, *q = b + 48;
  for (int j = 0; j < 8; j++) {
    int scale, minimum;
    scale_and_minimum(j, b + 4, &scale, &minimum);
    for (int l = 0; l < 32; l++) {
      const int both = q[j / 2 * 32 + l];
      const int value = (j % 2 ? both >> 4 : both & 15) | (high[l] >> j & 1) << 4;
      *y++ = d * (float)scale * (float)value - least * (float)minimum;
    }
  }
}

static void expand_q6_k(const uint8_t *b, float *y) {
  const uint8_t *low = b, *high = b + 128;
  const int8_t *scales = (const int8_t *)b + 192;
  const float d = half_at(b + 208);
  for (int half = 0; half < 2; half++, low += 64, high += 32, scales += 8, y += 128)
    for (int l = 0; l < 32; l++)
      for (int part = 0; part < 4; part++) {
        const int byte = low[l + part % 2 * 32];
        const int value = (part < 2 ? byte & 15 : byte >> 4) | (high[l] >> (2 * part) & 3) << 4;
        y[part * 32 + l] = d * (float)scales[part * 2 + l / 16] * (float)(value - 32);
      }
}

static void expand_codes(const uint8_t *codes, const int8_t *table, float scale, float *y) {
  for (int l = 0; l < 16; l++) {
    y[l] = scale * (float)table[codes[l] & 15];
    y[l + 16] = scale * (float)table[codes[l] >> 4];
  }
}

static void expand_block(int type, const uint8_t *b, float *y) {
  uint32_t high;
  switch (type) {
    case MARTLET_FILE_Q4_0:
      for (int i = 0; i < 16; i++) {
        y[i] = half_at(b) * (float)((b[2 + i] & 15) - 8);
        y[i + 16] = half_at(b) * (float)((b[2 + i] >> 4) - 8);
      }
      break;
    case MARTLET_FILE_Q4_1:
      for (int i = 0; i < 16; i++) {
        y[i] = half_at(b) * (float)(b[4 + i] & 15) + half_at(b + 2);
        y[i + 16] = half_at(b) * (float)(b[4 + i] >> 4) + half_at(b + 2);
      }
      break;
    case MARTLET_FILE_Q5_0:
      memcpy(&high, b + 2, 4);
      for (int i = 0; i < 16; i++) {
        y[i] = half_at(b) * (float)((int)((b[6 + i] & 15) | (high >> i & 1) << 4) - 16);
        y[i + 16] = half_at(b) * (float)((int)((b[6 + i] >> 4) | (high >> (i + 16) & 1) << 4) - 16);
      }
      break;
    case MARTLET_FILE_Q5_1:
      memcpy(&high, b + 4, 4);
      for (int i = 0; i < 16; i++) {
        y[i] = half_at(b) * (float)((b[8 + i] & 15) | (high >> i & 1) << 4) + half_at(b + 2);
        y[i + 16] = half_at(b) * (float)((b[8 + i] >> 4) | (high >> (i + 16) & 1) << 4) + half_at(b + 2);
      }
      break;
    case MARTLET_FILE_Q8_0:
      for (int i = 0; i < 32; i++) y[i] = half_at(b) * (float)(int8_t)b[2 + i];
      break;
    case MARTLET_FILE_IQ4_NL: expand_codes(b + 2, uneven, half_at(b), y); break;
    case MARTLET_FILE_IQ4_XS:
      for (int j = 0; j < 8; j++) expand_codes(b + 8 + 16 * j, uneven, half_at(b) * (float)scale_iq4_xs(b, j), y + 32 * j);
      break;
    case MARTLET_FILE_MXFP4: expand_codes(b + 1, floating, scale_mxfp4(b), y); break;
    case MARTLET_FILE_Q2_K: expand_q2_k(b, y); break;
    case MARTLET_FILE_Q3_K: expand_q3_k(b, y); break;
    case MARTLET_FILE_Q4_K: expand_q4_k(b, y); break;
    case MARTLET_FILE_Q5_K: expand_q5_k(b, y); break;
    case MARTLET_FILE_Q6_K: expand_q6_k(b, y); break;
    case MARTLET_FILE_Q8_K: {
      float d;
      memcpy(&d, b, 4);
      for (int i = 0; i < 256; i++) y[i] = d * (float)(int8_t)b[4 + i];
      break;
    }
    default: break;
  }
}

void martlet_file_expand(int type, const void *source, int64_t count, float *values) {
  const uint8_t *b = source;
  uint16_t bits;
  switch (type) {
    case MARTLET_FILE_F32: memcpy(values, b, (size_t)count * 4); return;
    case MARTLET_FILE_F16:
      for (int64_t i = 0; i < count; i++) {
        memcpy(&bits, b + i * 2, 2);
        values[i] = half_to_float(bits);
      }
      return;
    case MARTLET_FILE_BF16:
      for (int64_t i = 0; i < count; i++) {
        memcpy(&bits, b + i * 2, 2);
        values[i] = bfloat_to_float(bits);
      }
      return;
    case MARTLET_FILE_F64:
      for (int64_t i = 0; i < count; i++) {
        double wide;
        memcpy(&wide, b + i * 8, 8);
        values[i] = (float)wide;
      }
      return;
    default: break;
  }
  const block_shape *shape = shape_of(type);
  if (!shape) return;
  for (int64_t i = 0; i < count; i += shape->values, b += shape->bytes) expand_block(type, b, values + i);
}

// Sixteen lanes of the compiler's vectors, in registers of any width.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"
typedef float lanes __attribute__((vector_size(64)));
typedef int32_t whole __attribute__((vector_size(64)));
typedef uint8_t codes __attribute__((vector_size(16)));

static inline __attribute__((always_inline)) lanes all(float x) { return (lanes){0} + x; }
static inline __attribute__((always_inline)) whole between(whole x, int32_t least, int32_t most) {
  const whole lowest = (whole){0} + least, highest = (whole){0} + most;
  x = (x & (x >= lowest)) | (lowest & (x < lowest));
  return (x & (x <= highest)) | (highest & (x > highest));
}
// Half away from zero, as roundf: what the truncation leaves is exact.
static inline __attribute__((always_inline)) whole rounded(lanes x) {
  const whole cut = __builtin_convertvector(x, whole);
  const lanes rest = x - __builtin_convertvector(cut, lanes);
  return cut - (rest >= all(0.5f)) + (rest <= all(-0.5f));  // a true comparison is -1
}

// Rounds one block of 32 as ggml's reference quantisers do.
static void round_block(int type, const float *x, uint8_t *b) {
  lanes first, second;
  memcpy(&first, x, 64);
  memcpy(&second, x + 16, 64);
  const float low = __builtin_reduce_min(__builtin_elementwise_min(first, second));
  const float high = __builtin_reduce_max(__builtin_elementwise_max(first, second));
  float extreme = high > -low ? high : -low > high ? low : 0;
  for (int i = 0; i < 32 && extreme == 0 && high > 0; i++)  // of two that are equally far, the first
    extreme = fabsf(x[i]) == high ? x[i] : 0;
  if (type == MARTLET_FILE_Q8_0) {
    const float d = fabsf(extreme) / 127, inverse = d > 0 ? 1 / d : 0;
    put_half(b, d);
    const codes c = __builtin_convertvector(rounded(first * all(inverse)), codes);
    const codes e = __builtin_convertvector(rounded(second * all(inverse)), codes);
    memcpy(b + 2, &c, 16);
    memcpy(b + 18, &e, 16);
    return;
  }
  const bool offset = type == MARTLET_FILE_Q4_1;
  const float d = offset ? (high - low) / 15 : extreme / -8, inverse = d != 0 ? 1 / d : 0;
  put_half(b, d);
  if (offset) put_half(b + 2, low);
  const lanes scaled[2] = {offset ? (first - all(low)) * all(inverse) : first * all(inverse) + all(8),
                           offset ? (second - all(low)) * all(inverse) : second * all(inverse) + all(8)};
  const whole lower = between(__builtin_convertvector(scaled[0] + all(0.5f), whole), 0, 15);
  const whole upper = between(__builtin_convertvector(scaled[1] + all(0.5f), whole), 0, 15);
  const codes both = __builtin_convertvector(lower | upper << 4, codes);
  memcpy(b + (offset ? 4 : 2), &both, 16);
}
#pragma clang diagnostic pop

bool martlet_file_round(int type, const float *values, int64_t count, void *destination) {
  uint8_t *b = destination;
  uint16_t bits;
  switch (type) {
    case MARTLET_FILE_F32: memcpy(b, values, (size_t)count * 4); return true;
    case MARTLET_FILE_F16:
    case MARTLET_FILE_BF16:
      for (int64_t i = 0; i < count; i++) {
        bits = type == MARTLET_FILE_F16 ? float_to_half(values[i]) : float_to_bfloat(values[i]);
        memcpy(b + i * 2, &bits, 2);
      }
      return true;
    case MARTLET_FILE_Q8_0:
    case MARTLET_FILE_Q4_0:
    case MARTLET_FILE_Q4_1: {
      const int64_t bytes = martlet_file_block_bytes(type);
      for (int64_t i = 0; i + 32 <= count; i += 32, b += bytes) round_block(type, values + i, b);
      return true;
    }
    case MARTLET_FILE_Q4_K:
    case MARTLET_FILE_Q5_K:
    case MARTLET_FILE_Q6_K: {
      const int64_t bytes = martlet_file_block_bytes(type);
      for (int64_t i = 0; i + 256 <= count; i += 256, b += bytes) martlet_round_k(type, values + i, b);
      return true;
    }
    default: return false;
  }
}

// Whether `count` numbers whose bits are `mask` in the exponent's place are finite: none has all of them set.
#define ALL_FINITE(NAME, TYPE, MASK)                                          \
  static bool NAME(const uint8_t *b, int64_t count) {                         \
    TYPE found = 0;                                                           \
    for (int64_t i = 0; i < count; i++) {                                     \
      TYPE bits;                                                              \
      memcpy(&bits, b + i * (int64_t)sizeof bits, sizeof bits);               \
      found |= (TYPE)((bits & (TYPE)(MASK)) == (TYPE)(MASK));                 \
    }                                                                         \
    return found == 0;                                                        \
  }
ALL_FINITE(finite_halves, uint16_t, 0x7c00)
ALL_FINITE(finite_bfloats, uint16_t, 0x7f80)
ALL_FINITE(finite_floats, uint32_t, 0x7f800000)
ALL_FINITE(finite_doubles, uint64_t, 0x7ff0000000000000)

bool martlet_file_is_finite(int type, const void *source, int64_t count) {
  const uint8_t *b = source;
  int first = 0, halves = 1;  // of a block: where its scales lie, and how many they are
  switch (type) {
    case MARTLET_FILE_F32: return finite_floats(b, count);
    case MARTLET_FILE_F64: return finite_doubles(b, count);
    case MARTLET_FILE_F16: return finite_halves(b, count);
    case MARTLET_FILE_BF16: return finite_bfloats(b, count);
    case MARTLET_FILE_Q4_1:
    case MARTLET_FILE_Q5_1:
    case MARTLET_FILE_Q4_K:
    case MARTLET_FILE_Q5_K: halves = 2; break;
    case MARTLET_FILE_Q2_K: first = 80, halves = 2; break;
    case MARTLET_FILE_Q3_K: first = 108; break;
    case MARTLET_FILE_Q6_K: first = 208; break;
    default: break;
  }
  const block_shape *shape = shape_of(type);
  if (!shape) return true;
  bool finite = true;
  for (int64_t i = 0; i < count; i += shape->values, b += shape->bytes) {
    if (type == MARTLET_FILE_Q8_K)
      finite &= finite_floats(b, 1);
    else if (type == MARTLET_FILE_MXFP4)
      finite &= b[0] <= 252;  // 12 times a greater scale is beyond single precision
    else
      finite &= finite_halves(b + first, halves);
  }
  return finite;
}
