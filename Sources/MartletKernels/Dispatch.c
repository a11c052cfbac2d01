// Chooses the kernel table and forwards every public function to it.
#include <stdatomic.h>
#include <stdlib.h>

#include "KernelTable.h"

static const martlet_kernel_table *table_of(martlet_simd simd) {
  switch (simd) {
    case MARTLET_SIMD_PORTABLE: return &martlet_table_portable;
#if defined(__x86_64__)
    case MARTLET_SIMD_AVX2: return &martlet_table_avx2;
    case MARTLET_SIMD_AVX512: return &martlet_table_avx512;
    case MARTLET_SIMD_AVX512BF16: return &martlet_table_avx512bf16;
#elif defined(__aarch64__)
    case MARTLET_SIMD_NEON: return &martlet_table_neon;
#endif
    default: return NULL;
  }
}

bool martlet_simd_supported(martlet_simd simd) {
  switch (simd) {
    case MARTLET_SIMD_PORTABLE: return true;
#if defined(__x86_64__)
    case MARTLET_SIMD_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case MARTLET_SIMD_AVX512:
      return martlet_simd_supported(MARTLET_SIMD_AVX2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
    case MARTLET_SIMD_AVX512BF16:
      return martlet_simd_supported(MARTLET_SIMD_AVX512) && __builtin_cpu_supports("avx512bf16");
#elif defined(__aarch64__)
    case MARTLET_SIMD_NEON: return true;
#endif
    default: return false;
  }
}

const char *martlet_simd_name(martlet_simd simd) {
  static const char *const names[] = {"portable", "neon", "avx2", "avx512", "avx512bf16"};
  return simd <= MARTLET_SIMD_AVX512BF16 ? names[simd] : "unknown";
}

static _Atomic(int) best = -1;
static _Thread_local int chosen = -1;  // by martlet_simd_select

// The best table of this machine, or a lower one that MARTLET_SIMD names.
static martlet_simd choose_simd(void) {
  martlet_simd highest = MARTLET_SIMD_PORTABLE;
  for (int i = 0; i <= MARTLET_SIMD_AVX512BF16; i++)
    if (martlet_simd_supported((martlet_simd)i)) highest = (martlet_simd)i;
  const char *wanted = getenv("MARTLET_SIMD");
  for (int i = 0; wanted && i <= (int)highest; i++)
    if (strcmp(wanted, martlet_simd_name((martlet_simd)i)) == 0 && martlet_simd_supported((martlet_simd)i))
      return (martlet_simd)i;
  return highest;
}

martlet_simd martlet_simd_current(void) {
  if (chosen >= 0) return (martlet_simd)chosen;
  int simd = atomic_load_explicit(&best, memory_order_relaxed);
  if (simd < 0) {
    simd = (int)choose_simd();
    atomic_store_explicit(&best, simd, memory_order_relaxed);
  }
  return (martlet_simd)simd;
}

bool martlet_simd_select(martlet_simd simd) {
  if (!martlet_simd_supported(simd)) return false;
  chosen = (int)simd;
  return true;
}

static inline const martlet_kernel_table *table(void) { return table_of(martlet_simd_current()); }

void martlet_pack_panel(martlet_format format, const float *x, int64_t stride, int64_t rows, int64_t inputs,
                        int64_t begin, int64_t end, void *panel) {
  table()->pack_panel(format, x, stride, rows, inputs, begin, end, panel);
}
void martlet_matmul(martlet_format format, const void *tiles, int64_t outputs, int64_t inputs, int64_t tile_begin,
                    int64_t tile_end, const void *panel, int64_t rows, float *y, int64_t y_stride, bool accumulate) {
  table()->matmul(format, tiles, outputs, inputs, tile_begin, tile_end, panel, rows, y, y_stride, accumulate);
}
void martlet_rms_norm(const float *x, const float *weight, float *y, int64_t rows, int64_t columns, float epsilon) {
  table()->rms_norm(x, weight, y, rows, columns, epsilon);
}
void martlet_group_norm(const float *x, const float *weight, const float *bias, float *y, int64_t rows,
                        int64_t columns, int64_t groups, float epsilon) {
  table()->group_norm(x, weight, bias, y, rows, columns, groups, epsilon);
}
void martlet_softmax(float *x, int64_t rows, int64_t columns) { table()->softmax(x, rows, columns); }
void martlet_silu(const float *x, float *y, int64_t count) { table()->silu(x, y, count); }
void martlet_silu_multiply(const float *gate, const float *up, float *y, int64_t count) {
  table()->silu_multiply(gate, up, y, count);
}
void martlet_sigmoid(const float *x, float *y, int64_t count) { table()->sigmoid(x, y, count); }
void martlet_relu_squared(const float *x, float *y, int64_t count) { table()->relu_squared(x, y, count); }
void martlet_add(const float *a, const float *b, float *y, int64_t count) { table()->add(a, b, y, count); }
void martlet_multiply(const float *a, const float *b, float *y, int64_t count) { table()->multiply(a, b, y, count); }
void martlet_scale(const float *x, float factor, float *y, int64_t count) { table()->scale(x, factor, y, count); }
void martlet_lerp(const float *a, const float *previous, const float *mix, float *y, int64_t rows, int64_t columns) {
  table()->lerp(a, previous, mix, y, rows, columns);
}
void martlet_add_bias(float *x, const float *bias, int64_t rows, int64_t columns) {
  table()->add_bias(x, bias, rows, columns);
}
int64_t martlet_argmax(const float *x, int64_t count) { return table()->argmax(x, count); }
void martlet_rotary(float *x, const float *cosine, const float *sine, int64_t rows, int64_t heads, int64_t size,
                    int64_t pairs, bool interleaved) {
  table()->rotary(x, cosine, sine, rows, heads, size, pairs, interleaved);
}
void martlet_wkv5(const float *r, const float *k, const float *v, const float *w, const float *u, float *y,
                  float *state, int64_t rows, int64_t stride, int64_t size) {
  table()->wkv5(r, k, v, w, u, y, state, rows, stride, size);
}
void martlet_cache_store(martlet_cache_type type, void *page, int64_t slot, const float *key, const float *value,
                         int64_t size) {
  table()->cache_store(type, page, slot, key, value, size);
}
void martlet_attention(martlet_cache_type type, const float *const *query, float *const *output,
                       const int64_t *limit, int64_t queries, const void *const *pages, size_t offset, int64_t size,
                       float scale) {
  table()->attention(type, query, output, limit, queries, pages, offset, size, scale);
}
void martlet_unary(martlet_unary_op op, const float *x, float *y, int64_t count) { table()->unary(op, x, y, count); }
void martlet_binary(martlet_binary_op op, const float *a, int64_t a_step, const float *b, int64_t b_step, float *y,
                    int64_t count) {
  table()->binary(op, a, a_step, b, b_step, y, count);
}
void martlet_sum(const float *x, int64_t reduced, int64_t step, int64_t inner, float *y) {
  table()->sum(x, reduced, step, inner, y);
}
void martlet_pack_tiles(martlet_format format, const float *source, int64_t output_step, int64_t input_step,
                        int64_t outputs, int64_t inputs, int64_t block_begin, int64_t block_end, void *tiles) {
  table()->pack_tiles(format, source, output_step, input_step, outputs, inputs, block_begin, block_end, tiles);
}
void martlet_pack_panel_strided(martlet_format format, const float *x, int64_t row_step, int64_t input_step,
                                int64_t rows, int64_t inputs, int64_t row_begin, int64_t row_end, int64_t block_begin,
                                int64_t block_end, void *panel) {
  table()->pack_panel_strided(format, x, row_step, input_step, rows, inputs, row_begin, row_end, block_begin,
                              block_end, panel);
}
void martlet_silu_backward(const float *x, const float *g, float *dx, int64_t count) {
  table()->silu_backward(x, g, dx, count);
}
void martlet_silu_multiply_backward(const float *gate, const float *up, const float *g, float *dgate, float *dup,
                                    int64_t count) {
  table()->silu_multiply_backward(gate, up, g, dgate, dup, count);
}
void martlet_sigmoid_backward(const float *y, const float *g, float *dx, int64_t count) {
  table()->sigmoid_backward(y, g, dx, count);
}
void martlet_relu_squared_backward(const float *x, const float *g, float *dx, int64_t count) {
  table()->relu_squared_backward(x, g, dx, count);
}
void martlet_softmax_backward(const float *y, const float *g, float *dx, int64_t rows, int64_t columns) {
  table()->softmax_backward(y, g, dx, rows, columns);
}
void martlet_rms_norm_backward(const float *x, const float *weight, const float *g, float *dx, float *dweight,
                               int64_t rows, int64_t columns, float epsilon) {
  table()->rms_norm_backward(x, weight, g, dx, dweight, rows, columns, epsilon);
}
void martlet_group_norm_backward(const float *x, const float *weight, const float *g, float *dx, float *dweight,
                                 float *dbias, int64_t rows, int64_t columns, int64_t groups, float epsilon) {
  table()->group_norm_backward(x, weight, g, dx, dweight, dbias, rows, columns, groups, epsilon);
}
void martlet_lerp_backward(const float *a, const float *previous, const float *mix, const float *g, float *da,
                           float *dprevious, float *dmix, int64_t rows, int64_t columns) {
  table()->lerp_backward(a, previous, mix, g, da, dprevious, dmix, rows, columns);
}
void martlet_log_sum_exp(const float *x, float *y, int64_t rows, int64_t columns) {
  table()->log_sum_exp(x, y, rows, columns);
}
void martlet_cross_entropy_backward(const float *x, const float *log_sum, const int64_t *target, const float *scale,
                                    float *dx, int64_t rows, int64_t columns) {
  table()->cross_entropy_backward(x, log_sum, target, scale, dx, rows, columns);
}
void martlet_wkv5_backward(const float *r, const float *k, const float *v, const float *w, const float *u,
                           const float *g, float *dr, float *dk, float *dv, float *dlog_decay, float *du,
                           float *scratch, int64_t rows, int64_t stride, int64_t size) {
  table()->wkv5_backward(r, k, v, w, u, g, dr, dk, dv, dlog_decay, du, scratch, rows, stride, size);
}
void martlet_adam(const martlet_adam_step *step, float *parameter, const float *gradient, float *first, float *second,
                  int64_t count) {
  table()->adam(step, parameter, gradient, first, second, count);
}
uint64_t martlet_probe_read(const void *data, size_t bytes) { return table()->probe_read(data, bytes); }
double martlet_probe_arithmetic(martlet_format format, int64_t iterations) {
  return table()->probe_arithmetic(format, iterations);
}
