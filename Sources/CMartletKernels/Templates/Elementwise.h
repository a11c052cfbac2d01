// Elementwise functions and sums that differentiation is made of. What no model's inner loop needs fast goes
// through the C library, element by element.
#include <math.h>

MAP1(unary_negate, -a)
MAP1(unary_exp, exponential(a))
MAP1(unary_tanh, hyperbolic_tangent(a))
MAP1(unary_abs, larger(a, -a))
MAP1(unary_relu, larger(a, splat(0)))
MAP1(unary_step, choose(a > splat(0), splat(1), splat(0)))

#define EACH(EXPRESSION) \
  for (int64_t i = 0; i < count; i++) { const float a = x[i]; y[i] = EXPRESSION; } \
  return;

static void unary(martlet_unary_op op, const float *x, float *y, int64_t count) {
  switch (op) {
    case MARTLET_OP_NEGATE: unary_negate(x, y, count); return;
    case MARTLET_OP_EXP: unary_exp(x, y, count); return;
    case MARTLET_OP_SIGMOID: sigmoid(x, y, count); return;
    case MARTLET_OP_ABS: unary_abs(x, y, count); return;
    case MARTLET_OP_RELU: unary_relu(x, y, count); return;
    case MARTLET_OP_STEP: unary_step(x, y, count); return;
    case MARTLET_OP_LOG: EACH(logf(a))
    case MARTLET_OP_SQRT: EACH(__builtin_sqrtf(a))
    case MARTLET_OP_RSQRT: EACH(1.0f / __builtin_sqrtf(a))
    case MARTLET_OP_TANH: unary_tanh(x, y, count); return;
    case MARTLET_OP_SOFTPLUS: EACH(a > 0 ? a + log1pf(expf(-a)) : log1pf(expf(a)))
    case MARTLET_OP_SIN: EACH(sinf(a))
    case MARTLET_OP_COS: EACH(cosf(a))
    case MARTLET_OP_ERF: EACH(erff(a))
    case MARTLET_OP_SIGN: EACH((float)((a > 0) - (a < 0)))
  }
}

// A step of 0 repeats one value, a step of 1 walks; both run on vectors.
#define BINARY(EXPRESSION)                                                                     \
  {                                                                                            \
    int64_t i = 0;                                                                             \
    if (a_step <= 1 && b_step <= 1) {                                                          \
      const floats first = splat(x[0]), second = splat(z[0]);                                  \
      for (; i + 16 <= count; i += 16) {                                                       \
        const floats a = a_step ? load(x + i) : first, b = b_step ? load(z + i) : second;      \
        store(y + i, EXPRESSION);                                                              \
      }                                                                                        \
      if (i < count) {                                                                         \
        const floats a = a_step ? load_tail(x + i, count - i, 1) : first;                      \
        const floats b = b_step ? load_tail(z + i, count - i, 1) : second;                     \
        store_tail(y + i, EXPRESSION, count - i);                                              \
      }                                                                                        \
      return;                                                                                  \
    }                                                                                          \
    for (; i < count; i++) {                                                                   \
      const floats a = splat(x[i * a_step]), b = splat(z[i * b_step]);                         \
      const floats result = EXPRESSION;                                                        \
      y[i] = result[0];                                                                        \
    }                                                                                          \
    return;                                                                                    \
  }

static void binary(martlet_binary_op op, const float *x, int64_t a_step, const float *z, int64_t b_step, float *y,
                   int64_t count) {
  switch (op) {
    case MARTLET_OP_ADD: BINARY(a + b)
    case MARTLET_OP_SUBTRACT: BINARY(a - b)
    case MARTLET_OP_MULTIPLY: BINARY(a * b)
    case MARTLET_OP_DIVIDE: BINARY(a / b)
    case MARTLET_OP_MAXIMUM: BINARY(larger(a, b))
    case MARTLET_OP_MINIMUM: BINARY(smaller(a, b))
    case MARTLET_OP_GREATER: BINARY(choose(a > b, splat(1), splat(0)))
    case MARTLET_OP_POWER:
      for (int64_t i = 0; i < count; i++) y[i] = powf(x[i * a_step], z[i * b_step]);
      return;
  }
}

// Sums run in 16 lanes over blocks of 64 (rows) or 4,096 (values), and the blocks are added up, so that the error
// grows with the square root of the length at most.
static void sum(const float *x, int64_t reduced, int64_t step, int64_t inner, float *y) {
  if (inner == 1 && step == 1) {
    double total = 0;
    for (int64_t begin = 0; begin < reduced; begin += 4096) {
      const int64_t count = reduced - begin < 4096 ? reduced - begin : 4096;
      floats lanes = splat(0);
      int64_t i = 0;
      for (; i + 16 <= count; i += 16) lanes += load(x + begin + i);
      if (i < count) lanes += load_tail(x + begin + i, count - i, 0);
      total += sum_of(lanes);
    }
    y[0] = (float)total;
    return;
  }
  for (int64_t i = 0; i < inner; i += 16) {
    const int64_t count = inner - i < 16 ? inner - i : 16;
    floats total = splat(0);
    for (int64_t begin = 0; begin < reduced; begin += 64) {
      const int64_t end = begin + 64 < reduced ? begin + 64 : reduced;
      floats part = splat(0);
      if (count == 16)
        for (int64_t r = begin; r < end; r++) part += load(x + r * step + i);
      else
        for (int64_t r = begin; r < end; r++) part += load_tail(x + r * step + i, count, 0);
      total += part;
    }
    store_tail(y + i, total, count);
  }
}
