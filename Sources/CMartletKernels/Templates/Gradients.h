// Backward of the fused row kernels, and the optimiser's step. Vector bodies with padded tails, as in Rows.h.

// Runs BODY on vectors of every array listed by LOADS, then once more on the tail.
#define WALK(COUNT, LOADS, BODY)                                  \
  {                                                               \
    int64_t i = 0;                                                \
    for (; i + 16 <= (COUNT); i += 16) { LOADS(load_whole) BODY(store_whole) } \
    if (i < (COUNT)) {                                            \
      const int64_t left = (COUNT)-i;                             \
      LOADS(load_part) BODY(store_part)                           \
    }                                                             \
  }
#define load_whole(p) load((p) + i)
#define load_part(p) load_tail((p) + i, left, 0)
#define store_whole(p, v) store((p) + i, v)
#define store_part(p, v) store_tail((p) + i, v, left)

static void silu_backward(const float *x, const float *g, float *dx, int64_t count) {
#define LOADS(L) const floats a = L(x), b = L(g), s = logistic(a);
#define BODY(S) S(dx, b * s * fused(a, splat(1) - s, splat(1)));
  WALK(count, LOADS, BODY)
#undef LOADS
#undef BODY
}

static void silu_multiply_backward(const float *gate, const float *up, const float *g, float *dgate, float *dup,
                                   int64_t count) {
#define LOADS(L) const floats a = L(gate), b = L(up), c = L(g), s = logistic(a);
#define BODY(S) S(dgate, c * b * s * fused(a, splat(1) - s, splat(1))); S(dup, c * a * s);
  WALK(count, LOADS, BODY)
#undef LOADS
#undef BODY
}

MAP2(sigmoid_backward, b * a * (splat(1) - a))
MAP2(relu_squared_backward, b * larger(a, splat(0)) * splat(2))

static void softmax_backward(const float *y, const float *g, float *dx, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; row++, y += columns, g += columns, dx += columns) {
    floats products = splat(0);
#define LOADS(L) const floats a = L(y), b = L(g);
#define BODY(S) products = fused(a, b, products);
    WALK(columns, LOADS, BODY)
#undef BODY
    const floats dot = splat(sum_of(products));
#define BODY(S) S(dx, a * (b - dot));
    WALK(columns, LOADS, BODY)
#undef LOADS
#undef BODY
  }
}

// With n = x / rms: dx = (g w - n mean(g w n)) / rms.
static void rms_norm_backward(const float *x, const float *weight, const float *g, float *dx, float *dweight,
                              int64_t rows, int64_t columns, float epsilon) {
  for (int64_t row = 0; row < rows; row++, x += columns, g += columns, dx += columns) {
    floats squares = splat(0), products = splat(0);
#define LOADS(L) const floats a = L(x), b = L(g), w = L(weight);
#define BODY(S) squares = fused(a, a, squares); products = fused(a * b, w, products);
    WALK(columns, LOADS, BODY)
#undef BODY
    const float factor = 1.0f / __builtin_sqrtf(sum_of(squares) / (float)columns + epsilon);
    const floats f = splat(factor), mean = splat(sum_of(products) * factor / (float)columns);
#undef LOADS
#define LOADS(L) const floats a = L(x) * f, b = L(g), w = L(weight), d = L(dweight);
#define BODY(S) S(dx, (b * w - a * mean) * f); S(dweight, fused(a, b, d));
    WALK(columns, LOADS, BODY)
#undef LOADS
#undef BODY
  }
}

// With n = (x - mean) / deviation: dx = (g w - mean(g w) - n mean(g w n)) / deviation, part by part.
static void group_norm_backward(const float *x, const float *weight, const float *g, float *dx, float *dweight,
                                float *dbias, int64_t rows, int64_t columns, int64_t groups, float epsilon) {
  const int64_t size = columns / groups;
  for (int64_t part = 0; part < rows * groups; part++, x += size, g += size, dx += size) {
    const int64_t place = part % groups * size;
    const float *const w0 = weight + place;
    float *const dw = dweight + place, *const db = dbias + place;
    floats total = splat(0), squares = splat(0), first = splat(0), second = splat(0);
#define LOADS(L) const floats a = L(x);
#define BODY(S) total += a;
    WALK(size, LOADS, BODY)
#undef LOADS
#undef BODY
    const float mean = sum_of(total) / (float)size;
    const floats m = splat(mean);
    int64_t i = 0;
    for (; i + 16 <= size; i += 16) {
      const floats a = load(x + i) - m, b = load(g + i) * load(w0 + i);
      squares = fused(a, a, squares);
      first += b;
      second = fused(a, b, second);
    }
    if (i < size) {
      const floats a = load_tail(x + i, size - i, mean) - m;
      const floats b = load_tail(g + i, size - i, 0) * load_tail(w0 + i, size - i, 0);
      squares = fused(a, a, squares);
      first += b;
      second = fused(a, b, second);
    }
    const float factor = 1.0f / __builtin_sqrtf(sum_of(squares) / (float)size + epsilon);
    const floats f = splat(factor), c1 = splat(sum_of(first) / (float)size);
    const floats c2 = splat(sum_of(second) * factor / (float)size);
#define LOADS(L) const floats a = (L(x) - m) * f, b = L(g), w = L(w0), d = L(dw), e = L(db);
#define BODY(S) S(dx, (b * w - c1 - a * c2) * f); S(dw, fused(a, b, d)); S(db, e + b);
    WALK(size, LOADS, BODY)
#undef LOADS
#undef BODY
  }
}

static void lerp_backward(const float *a, const float *previous, const float *mix, const float *g, float *da,
                          float *dprevious, float *dmix, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; row++) {
#define LOADS(L) const floats x = L(a), p = L(previous), m = L(mix), b = L(g), d = L(dmix);
#define BODY(S) S(da, b * m); S(dprevious, b * (splat(1) - m)); S(dmix, fused(b, x - p, d));
    WALK(columns, LOADS, BODY)
#undef LOADS
#undef BODY
    a += columns, previous += columns, g += columns, da += columns, dprevious += columns;
  }
}

static void log_sum_exp(const float *x, float *y, int64_t rows, int64_t columns) {
  const float lowest = -__builtin_inff();
  for (int64_t row = 0; row < rows; row++, x += columns) {
    floats top = splat(lowest), total = splat(0);
    int64_t i = 0;
    for (; i + 16 <= columns; i += 16) top = larger(top, load(x + i));
    if (i < columns) top = larger(top, load_tail(x + i, columns - i, lowest));
    const float peak = largest_of(top);
    for (i = 0; i + 16 <= columns; i += 16) total += exponential(load(x + i) - splat(peak));
    if (i < columns) total += exponential(load_tail(x + i, columns - i, lowest) - splat(peak));
    y[row] = peak + logf(sum_of(total));
  }
}

static void cross_entropy_backward(const float *x, const float *log_sum, const int64_t *target, const float *factor,
                                   float *dx, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; row++, x += columns, dx += columns) {
    const floats shift = splat(log_sum[row]), f = splat(factor[row]);
    if (factor[row] == 0) {
      memset(dx, 0, (size_t)columns * sizeof(float));
      continue;
    }
#define LOADS(L) const floats a = L(x);
#define BODY(S) S(dx, exponential(a - shift) * f);
    WALK(columns, LOADS, BODY)
#undef LOADS
#undef BODY
    dx[target[row]] -= factor[row];
  }
}

static void adam(const martlet_adam_step *step, float *parameter, const float *gradient, float *first, float *second,
                 int64_t count) {
  const floats beta1 = splat(step->beta1), beta2 = splat(step->beta2), epsilon = splat(step->epsilon);
  const floats one1 = splat(1.0f - step->beta1), one2 = splat(1.0f - step->beta2);
  const floats rate = splat(step->learning_rate / step->correction1);
  const floats root = splat(1.0f / __builtin_sqrtf(step->correction2)), gradient_scale = splat(step->gradient_scale);
  const floats coupled = splat(step->coupled ? step->weight_decay : 0);
  const floats keep = splat(step->coupled ? 1.0f : 1.0f - step->learning_rate * step->weight_decay);
#define LOADS(L)                                                                                         \
  const floats p = L(parameter), g = fused(coupled, p, L(gradient) * gradient_scale);                    \
  const floats m = fused(beta1, L(first), one1 * g), v = fused(beta2, L(second), one2 * g * g);
#define BODY(S)                                                                                          \
  S(first, m);                                                                                           \
  S(second, v);                                                                                          \
  S(parameter, p * keep - rate * m / (__builtin_elementwise_sqrt(v) * root + epsilon));
  WALK(count, LOADS, BODY)
#undef LOADS
#undef BODY
}
