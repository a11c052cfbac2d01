// Row-wise and elementwise kernels. A tail shorter than a vector goes through a padded copy, so the
// tail's arithmetic equals the body's.
INLINE floats load_tail(const float *p, int64_t count, float fill) {
  floats v = splat(fill);
  memcpy(&v, p, (size_t)count * sizeof(float));
  return v;
}
INLINE void store_tail(float *p, floats v, int64_t count) { memcpy(p, &v, (size_t)count * sizeof(float)); }

// Defines NAME(..., y, count) as y = EXPRESSION of the vectors a (and b).
#define MAP1(NAME, EXPRESSION)                                            \
  static void NAME(const float *x, float *y, int64_t count) {             \
    int64_t i = 0;                                                        \
    for (; i + 16 <= count; i += 16) {                                    \
      const floats a = load(x + i);                                       \
      store(y + i, EXPRESSION);                                           \
    }                                                                     \
    if (i < count) {                                                      \
      const floats a = load_tail(x + i, count - i, 0);                    \
      store_tail(y + i, EXPRESSION, count - i);                           \
    }                                                                     \
  }
#define MAP2(NAME, EXPRESSION)                                                      \
  static void NAME(const float *x, const float *z, float *y, int64_t count) {       \
    int64_t i = 0;                                                                  \
    for (; i + 16 <= count; i += 16) {                                              \
      const floats a = load(x + i), b = load(z + i);                                \
      store(y + i, EXPRESSION);                                                     \
    }                                                                               \
    if (i < count) {                                                                \
      const floats a = load_tail(x + i, count - i, 0), b = load_tail(z + i, count - i, 0); \
      store_tail(y + i, EXPRESSION, count - i);                                     \
    }                                                                               \
  }

MAP1(silu, a *logistic(a))
MAP1(sigmoid, logistic(a))
MAP1(relu_squared, larger(a, splat(0)) * larger(a, splat(0)))
MAP2(silu_multiply, a *logistic(a) * b)
MAP2(add, a + b)
MAP2(multiply, a *b)

static void scale(const float *x, float factor, float *y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = x[i] * factor;
}

static void lerp(const float *a, const float *previous, const float *mix, float *y, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; row++) {
    const int64_t base = row * columns;
    for (int64_t i = 0; i < columns; i++)
      y[base + i] = a[base + i] * mix[i] + previous[base + i] * (1.0f - mix[i]);
  }
}

static void add_bias(float *x, const float *bias, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; row++)
    for (int64_t i = 0; i < columns; i++) x[row * columns + i] += bias[i];
}

static void rms_norm(const float *x, const float *weight, float *y, int64_t rows, int64_t columns, float epsilon) {
  for (int64_t row = 0; row < rows; row++, x += columns, y += columns) {
    floats squares = splat(0);
    int64_t i = 0;
    for (; i + 16 <= columns; i += 16) {
      const floats a = load(x + i);
      squares = fused(a, a, squares);
    }
    if (i < columns) {
      const floats a = load_tail(x + i, columns - i, 0);
      squares = fused(a, a, squares);
    }
    const float factor = 1.0f / __builtin_sqrtf(sum_of(squares) / (float)columns + epsilon);
    for (i = 0; i < columns; i++) y[i] = x[i] * factor * weight[i];
  }
}

static void group_norm(const float *x, const float *weight, const float *bias, float *y, int64_t rows,
                       int64_t columns, int64_t groups, float epsilon) {
  const int64_t size = columns / groups;
  for (int64_t part = 0; part < rows * groups; part++, x += size, y += size) {
    const float *w = weight + part % groups * size, *b = bias + part % groups * size;
    floats total = splat(0), squares = splat(0);
    int64_t i = 0;
    for (; i + 16 <= size; i += 16) total += load(x + i);
    if (i < size) total += load_tail(x + i, size - i, 0);
    const float mean = sum_of(total) / (float)size;
    for (i = 0; i + 16 <= size; i += 16) {
      const floats a = load(x + i) - splat(mean);
      squares = fused(a, a, squares);
    }
    if (i < size) {
      const floats a = load_tail(x + i, size - i, mean) - splat(mean);
      squares = fused(a, a, squares);
    }
    const float factor = 1.0f / __builtin_sqrtf(sum_of(squares) / (float)size + epsilon);
    for (i = 0; i < size; i++) y[i] = (x[i] - mean) * factor * w[i] + b[i];
  }
}

static void softmax(float *x, int64_t rows, int64_t columns) {
  const float lowest = -__builtin_inff();
  for (int64_t row = 0; row < rows; row++, x += columns) {
    floats top = splat(lowest), total = splat(0);
    int64_t i = 0;
    for (; i + 16 <= columns; i += 16) top = larger(top, load(x + i));
    if (i < columns) top = larger(top, load_tail(x + i, columns - i, lowest));
    const floats peak = splat(largest_of(top));
    for (i = 0; i + 16 <= columns; i += 16) {
      const floats e = exponential(load(x + i) - peak);
      store(x + i, e);
      total += e;
    }
    if (i < columns) {
      const floats e = exponential(load_tail(x + i, columns - i, lowest) - peak);
      store_tail(x + i, e, columns - i);
      total += e;
    }
    scale(x, 1.0f / sum_of(total), x, columns);
  }
}

static int64_t argmax(const float *x, int64_t count) {
  floats top = splat(-__builtin_inff());
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) top = larger(top, load(x + i));
  float best = largest_of(top);
  for (; i < count; i++) best = x[i] > best ? x[i] : best;
  for (i = 0; i < count; i++)
    if (x[i] == best) return i;
  return 0;
}

static void rotary(float *x, const float *cosine, const float *sine, int64_t rows, int64_t heads, int64_t size,
                   int64_t pairs, bool interleaved) {
  for (int64_t row = 0; row < rows; row++, cosine += pairs, sine += pairs)
    for (int64_t head = 0; head < heads; head++, x += size) {
      if (interleaved) {
        for (int64_t i = 0; i < pairs; i++) {
          const float a = x[2 * i], b = x[2 * i + 1];
          x[2 * i] = a * cosine[i] - b * sine[i];
          x[2 * i + 1] = a * sine[i] + b * cosine[i];
        }
      } else {
        float *z = x + pairs;
        for (int64_t i = 0; i < pairs; i++) {
          const float a = x[i], b = z[i];
          x[i] = a * cosine[i] - b * sine[i];
          z[i] = a * sine[i] + b * cosine[i];
        }
      }
    }
}

static uint64_t probe_read(const void *data, size_t size) {
  typedef uint64_t words __attribute__((vector_size(64), aligned(1)));
  const uint8_t *p = data;
  words a = {0}, b = {0}, c = {0}, d = {0};
  for (size_t i = 0; i + 256 <= size; i += 256) {
    fetch_ahead(p + i, 256);
    a ^= *(const words *)(p + i);
    b ^= *(const words *)(p + i + 64);
    c ^= *(const words *)(p + i + 128);
    d ^= *(const words *)(p + i + 192);
  }
  a ^= b ^ c ^ d;
  return a[0] ^ a[1] ^ a[2] ^ a[3] ^ a[4] ^ a[5] ^ a[6] ^ a[7];
}

static double probe_arithmetic(martlet_format format, int64_t iterations) {
  if (format == MARTLET_F32) {
    floats sums[16], a = splat(1.0f);
    for (int i = 0; i < 16; i++) sums[i] = splat((float)i);
    for (int64_t n = 0; n < iterations; n++) {
      UNROLL for (int i = 0; i < 16; i++) {
        sums[i] = fused(sums[i], a, a);
        __asm__ volatile("" ::: "memory");
      }
    }
    float total = 0;
    for (int i = 0; i < 16; i++) total += sum_of(sums[i]);
    return total == 0 ? 0 : (double)iterations * 16 * 16;
  }
  ints sums[16];
  bytes64 w = {1};
  int8_t x[4] = {1, 2, 3, 4};
  __asm__ volatile("" : "+m"(x));
  for (int i = 0; i < 16; i++) sums[i] = splat_int(i);
  for (int64_t n = 0; n < iterations; n++) {
    UNROLL for (int i = 0; i < 16; i++) sums[i] = dot_bytes(sums[i], w, x);
    __asm__ volatile("" : "+m"(x));
  }
  int32_t total = 0;
  for (int i = 0; i < 16; i++) total ^= sums[i][0];
  return (double)iterations * 16 * 64 + (total == 12345);
}
