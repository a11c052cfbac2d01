// Double precision, for proofs of exactness and for whoever needs it more than speed; and what is the same for
// both types: strided copies and the windows of convolutions.
#include <math.h>

#include "KernelTable.h"

#define EACH(EXPRESSION) \
  for (int64_t i = 0; i < count; i++) { const double a = x[i]; y[i] = EXPRESSION; } \
  return;

void martlet_unary_double(martlet_unary_op op, const double *x, double *y, int64_t count) {
  switch (op) {
    case MARTLET_OP_NEGATE: EACH(-a)
    case MARTLET_OP_EXP: EACH(exp(a))
    case MARTLET_OP_LOG: EACH(log(a))
    case MARTLET_OP_SQRT: EACH(sqrt(a))
    case MARTLET_OP_RSQRT: EACH(1.0 / sqrt(a))
    case MARTLET_OP_TANH: EACH(tanh(a))
    case MARTLET_OP_SIGMOID: EACH(1.0 / (1.0 + exp(-a)))
    case MARTLET_OP_SOFTPLUS: EACH(a > 0 ? a + log1p(exp(-a)) : log1p(exp(a)))
    case MARTLET_OP_SIN: EACH(sin(a))
    case MARTLET_OP_COS: EACH(cos(a))
    case MARTLET_OP_ERF: EACH(erf(a))
    case MARTLET_OP_ABS: EACH(fabs(a))
    case MARTLET_OP_SIGN: EACH((double)((a > 0) - (a < 0)))
    case MARTLET_OP_RELU: EACH(a > 0 ? a : 0)
    case MARTLET_OP_STEP: EACH(a > 0 ? 1 : 0)
  }
}

#define PAIRS(EXPRESSION)                                     \
  for (int64_t i = 0; i < count; i++) {                       \
    const double a = x[i * a_step], b = z[i * b_step];        \
    y[i] = EXPRESSION;                                        \
  }                                                           \
  return;

void martlet_binary_double(martlet_binary_op op, const double *x, int64_t a_step, const double *z, int64_t b_step,
                           double *y, int64_t count) {
  switch (op) {
    case MARTLET_OP_ADD: PAIRS(a + b)
    case MARTLET_OP_SUBTRACT: PAIRS(a - b)
    case MARTLET_OP_MULTIPLY: PAIRS(a * b)
    case MARTLET_OP_DIVIDE: PAIRS(a / b)
    case MARTLET_OP_MAXIMUM: PAIRS(a > b ? a : b)
    case MARTLET_OP_MINIMUM: PAIRS(a < b ? a : b)
    case MARTLET_OP_GREATER: PAIRS(a > b ? 1 : 0)
    case MARTLET_OP_POWER: PAIRS(pow(a, b))
  }
}

void martlet_sum_double(const double *x, int64_t reduced, int64_t step, int64_t inner, double *y) {
  for (int64_t i = 0; i < inner; i++) y[i] = 0;
  for (int64_t r = 0; r < reduced; r++)
    for (int64_t i = 0; i < inner; i++) y[i] += x[r * step + i];
}

void martlet_gemm_double(int64_t rows, int64_t columns, int64_t inner, const double *a, int64_t a_row, int64_t a_inner,
                         const double *b, int64_t b_inner, int64_t b_column, double *c) {
  for (int64_t i = 0; i < rows; i++, c += columns) {
    for (int64_t j = 0; j < columns; j++) c[j] = 0;
    for (int64_t k = 0; k < inner; k++) {
      const double value = a[i * a_row + k * a_inner];
      for (int64_t j = 0; j < columns; j++) c[j] += value * b[k * b_inner + j * b_column];
    }
  }
}

void martlet_copy_strided(const void *x, int64_t step, void *y, int64_t count, int64_t element_bytes) {
  if (element_bytes == 4) {
    const uint32_t *from = x;
    uint32_t *to = y;
    for (int64_t i = 0; i < count; i++) to[i] = from[i * step];
  } else {
    const uint64_t *from = x;
    uint64_t *to = y;
    for (int64_t i = 0; i < count; i++) to[i] = from[i * step];
  }
}

// Walks every value of the windows that lies inside the image; BODY moves it.
#define WINDOWS(BODY)                                                                          \
  int64_t row = 0;                                                                             \
  for (int64_t c = 0; c < w->channels; c++)                                                    \
    for (int64_t ky = 0; ky < w->kernel_height; ky++)                                          \
      for (int64_t kx = 0; kx < w->kernel_width; kx++, row++)                                  \
        for (int64_t oy = 0; oy < w->out_height; oy++) {                                       \
          const int64_t y = oy * w->stride + ky - w->padding;                                  \
          const int64_t at = (row * w->out_height + oy) * w->out_width;                        \
          for (int64_t ox = 0; ox < w->out_width; ox++) {                                      \
            const int64_t x = ox * w->stride + kx - w->padding;                                \
            const bool inside = y >= 0 && y < w->height && x >= 0 && x < w->width;             \
            const int64_t pixel = (c * w->height + y) * w->width + x;                          \
            BODY                                                                               \
          }                                                                                    \
        }

void martlet_unfold(const martlet_window *w, const float *image, float *windows) {
  WINDOWS(windows[at + ox] = inside ? image[pixel] : 0;)
}
void martlet_unfold_double(const martlet_window *w, const double *image, double *windows) {
  WINDOWS(windows[at + ox] = inside ? image[pixel] : 0;)
}
void martlet_fold(const martlet_window *w, const float *windows, float *image) {
  WINDOWS(if (inside) image[pixel] += windows[at + ox];)
}
void martlet_fold_double(const martlet_window *w, const double *windows, double *image) {
  WINDOWS(if (inside) image[pixel] += windows[at + ox];)
}
