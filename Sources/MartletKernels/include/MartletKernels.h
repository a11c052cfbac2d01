/// MartletKernels: the numeric inner loops of Martlet, in C.
///
/// Every function works on raw pointers and plain sizes, never allocates and never starts a thread.
/// Work is split above this layer by `martlet_pool_run`. Each function runs through a table of
/// implementations (AVX-512 with BF16, AVX-512 with VNNI, AVX2, NEON, portable C) chosen once at start.
///
/// Layouts shared by all matrix kernels:
///
/// * **Weights** `[outputs, inputs]` are packed into tiles of 16 outputs. A tile is a sequence of
///   blocks of 32 inputs; inside a block come the scales of the 16 outputs (quantised formats), then
///   groups `[16 outputs][4 bytes]`, so that one 64-byte load feeds 16 outputs and no sum ever runs
///   across lanes. The sum of an output is taken in the same order whatever the number of rows, so a
///   row's result does not depend on the rows beside it.
/// * **Activations** `[rows, inputs]` are repacked into a *panel* `[block of 32 inputs][row][32]`.
#ifndef MARTLET_KERNELS_H
#define MARTLET_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARTLET_TILE 16   // outputs in a weight tile
#define MARTLET_BLOCK 32  // inputs in a block
#define MARTLET_PAGE 64   // positions in a page of a key/value cache

// MARK: Tables

typedef enum {
  MARTLET_SIMD_PORTABLE = 0,
  MARTLET_SIMD_NEON = 1,
  MARTLET_SIMD_AVX2 = 2,
  MARTLET_SIMD_AVX512 = 3,      // F, BW, DQ, VL, VNNI
  MARTLET_SIMD_AVX512BF16 = 4,  // the same and BF16
} martlet_simd;

/// The table in use.
martlet_simd martlet_simd_current(void);
/// Whether this machine can run `simd`.
bool martlet_simd_supported(martlet_simd simd);
/// Switches the calling thread to `simd` (for tests; `MARTLET_SIMD` is for everyone); false, changing
/// nothing, where the machine lacks it.
bool martlet_simd_select(martlet_simd simd);
const char *martlet_simd_name(martlet_simd simd);

// MARK: Thread pool

/// Runs `body(context, 0)` ... `body(context, chunks - 1)`, each once, on the calling thread and the
/// pool's workers, and returns when all are done. Concurrent callers take turns.
void martlet_pool_run(void (*body)(void *context, int64_t chunk), void *context, int64_t chunks);
/// Number of threads that work on a region, the caller included.
int martlet_pool_width(void);
/// Sets the width (1...64).
void martlet_pool_set_width(int width);

// MARK: Weight formats

typedef enum {
  MARTLET_F32 = 0,
  MARTLET_F16 = 1,
  MARTLET_BF16 = 2,
  MARTLET_Q8_0 = 3,
  MARTLET_Q4_0 = 4,
  MARTLET_Q4_1 = 5,
} martlet_format;

/// Bytes of one block (16 outputs x 32 inputs) of a packed tile.
size_t martlet_tile_block_bytes(martlet_format format);
/// Bytes of one row of `inputs` values before packing (row-major; GGUF blocks for quantised formats).
size_t martlet_row_bytes(martlet_format format, int64_t inputs);

/// Packs up to 16 rows (`source + i * row_bytes`) of `inputs` values into one tile; missing rows and
/// the inputs up to the next multiple of 32 become zero.
void martlet_pack_tile(martlet_format format, const void *source, size_t row_bytes, int rows, int64_t inputs,
                       void *tile);
/// The inverse of `martlet_pack_tile` for one output: writes `inputs` float values.
void martlet_unpack_row(martlet_format format, const void *tile, int row, int64_t inputs, float *values);

/// Bytes that a panel of `rows` x `inputs` activations takes for weights of `format`.
size_t martlet_panel_bytes(martlet_format format, int64_t rows, int64_t inputs);
/// Writes rows `begin..<end` of `x` (`[rows, inputs]`, row stride `stride` floats) into a panel.
void martlet_pack_panel(martlet_format format, const float *x, int64_t stride, int64_t rows, int64_t inputs,
                        int64_t begin, int64_t end, void *panel);

/// y[row, output] = sum over inputs of x * w, for tiles `tile_begin..<tile_end`.
/// `y` has row stride `y_stride`; outputs at or beyond `outputs` are not written. With `accumulate` the sums are added
/// to what is there.
void martlet_matmul(martlet_format format, const void *tiles, int64_t outputs, int64_t inputs, int64_t tile_begin,
                    int64_t tile_end, const void *panel, int64_t rows, float *y, int64_t y_stride, bool accumulate);

// MARK: Formats of files

/// Types a checkpoint can hold; the values are GGUF's (ggml_type).
typedef enum {
  MARTLET_FILE_F32 = 0, MARTLET_FILE_F16 = 1, MARTLET_FILE_Q4_0 = 2, MARTLET_FILE_Q4_1 = 3,
  MARTLET_FILE_Q5_0 = 6, MARTLET_FILE_Q5_1 = 7, MARTLET_FILE_Q8_0 = 8, MARTLET_FILE_Q2_K = 10,
  MARTLET_FILE_Q3_K = 11, MARTLET_FILE_Q4_K = 12, MARTLET_FILE_Q5_K = 13, MARTLET_FILE_Q6_K = 14,
  MARTLET_FILE_Q8_K = 15, MARTLET_FILE_F64 = 28, MARTLET_FILE_BF16 = 30,
} martlet_file_type;

/// Values in one block of a file type, and bytes of it; 0 for an unknown type.
int64_t martlet_file_block_values(int type);
int64_t martlet_file_block_bytes(int type);
/// Expands `count` values (a multiple of the block's) to float.
void martlet_file_expand(int type, const void *source, int64_t count, float *values);
/// Rounds `count` float values to `type`: F32, F16, BF16, Q8_0, Q4_0 or Q4_1.
bool martlet_file_round(int type, const float *values, int64_t count, void *destination);
/// Whether none of `count` values (whole blocks) is infinite or not a number.
bool martlet_file_is_finite(int type, const void *source, int64_t count);
/// Writes `count` values (whole blocks) of type `from` as type `to` with the same integer codes, so that nothing is
/// rounded but the scales: Q4_K as Q4_1; Q3_K, Q4_0, Q5_0 and Q8_K as Q8_0. Returns the largest error as a part of the
/// largest value of its block of 32, 0 where every value is kept; -1, writing nothing, for other pairs.
float martlet_file_repack(int from, int to, const void *source, int64_t count, void *destination);
/// The largest difference as a part of the largest of `values` in its block of 32.
float martlet_largest_error(const float *values, const float *others, int64_t count);

// MARK: Rows

/// `y = x / rms(x) * weight`, row by row.
void martlet_rms_norm(const float *x, const float *weight, float *y, int64_t rows, int64_t columns, float epsilon);
/// `y = (x - mean) / deviation * weight + bias`, over each of `groups` equal parts of a row;
/// weight and bias hold `columns` values.
void martlet_group_norm(const float *x, const float *weight, const float *bias, float *y, int64_t rows,
                        int64_t columns, int64_t groups, float epsilon);
/// In-place softmax of each row.
void martlet_softmax(float *x, int64_t rows, int64_t columns);
void martlet_silu(const float *x, float *y, int64_t count);
/// `y = silu(gate) * up`.
void martlet_silu_multiply(const float *gate, const float *up, float *y, int64_t count);
void martlet_sigmoid(const float *x, float *y, int64_t count);
/// `y = max(x, 0)^2`.
void martlet_relu_squared(const float *x, float *y, int64_t count);
void martlet_add(const float *a, const float *b, float *y, int64_t count);
void martlet_multiply(const float *a, const float *b, float *y, int64_t count);
void martlet_scale(const float *x, float factor, float *y, int64_t count);
/// `y = a * mix + previous * (1 - mix)` with one mix a column.
void martlet_lerp(const float *a, const float *previous, const float *mix, float *y, int64_t rows, int64_t columns);
/// Adds `bias[columns]` to every row of `x`, in place.
void martlet_add_bias(float *x, const float *bias, int64_t rows, int64_t columns);
/// Index of the largest value (the first of equals).
int64_t martlet_argmax(const float *x, int64_t count);
/// Rotary embedding in place. `x` is `[rows, heads * size]`, `cosine` and `sine` `[rows, pairs]`;
/// pair i is (2i, 2i + 1) when `interleaved`, else (i, i + pairs).
void martlet_rotary(float *x, const float *cosine, const float *sine, int64_t rows, int64_t heads, int64_t size,
                    int64_t pairs, bool interleaved);

// MARK: Sequences

/// The WKV5 recurrence of one head over `rows` tokens (RWKV-5, "Eagle"):
///   y_j = sum_i r_i (u_i k_i v_j + S_ij);  S_ij = w_i S_ij + k_i v_j
/// r, k, v, y: `size` values a row, row stride `stride`; state `[size keys][size values]`, updated.
void martlet_wkv5(const float *r, const float *k, const float *v, const float *w, const float *u, float *y,
                  float *state, int64_t rows, int64_t stride, int64_t size);

/// Element type of a key/value cache.
typedef enum { MARTLET_CACHE_F32 = 0, MARTLET_CACHE_F16 = 1 } martlet_cache_type;

/// Stores one position's key and value of one head (`size` values each) in a page, which holds
/// keys as `[MARTLET_PAGE / 16][size][16 positions]`, then values as `[MARTLET_PAGE][size]`.
void martlet_cache_store(martlet_cache_type type, void *page, int64_t slot, const float *key, const float *value,
                         int64_t size);
/// Causal attention of `queries` query vectors over one key/value head.
///   query[i], output[i]: `size` values each; limit[i]: how many positions query i may see (>= 1),
///   not falling with i. pages[p] + offset: the head's part of page p.
void martlet_attention(martlet_cache_type type, const float *const *query, float *const *output,
                       const int64_t *limit, int64_t queries, const void *const *pages, size_t offset, int64_t size,
                       float scale);

// MARK: Elementwise, for differentiation (float and double)

typedef enum {
  MARTLET_OP_NEGATE, MARTLET_OP_EXP, MARTLET_OP_LOG, MARTLET_OP_SQRT, MARTLET_OP_RSQRT, MARTLET_OP_TANH,
  MARTLET_OP_SIGMOID, MARTLET_OP_SOFTPLUS, MARTLET_OP_SIN, MARTLET_OP_COS, MARTLET_OP_ERF, MARTLET_OP_ABS,
  MARTLET_OP_SIGN, MARTLET_OP_RELU,
  MARTLET_OP_STEP,  // 1 above 0, else 0
} martlet_unary_op;

typedef enum {
  MARTLET_OP_ADD, MARTLET_OP_SUBTRACT, MARTLET_OP_MULTIPLY, MARTLET_OP_DIVIDE, MARTLET_OP_MAXIMUM,
  MARTLET_OP_MINIMUM,
  MARTLET_OP_GREATER,  // 1 where a > b, else 0
  MARTLET_OP_POWER,
} martlet_binary_op;

void martlet_unary(martlet_unary_op op, const float *x, float *y, int64_t count);
void martlet_unary_double(martlet_unary_op op, const double *x, double *y, int64_t count);
/// `y[i] = a[i * a_step] op b[i * b_step]`.
void martlet_binary(martlet_binary_op op, const float *a, int64_t a_step, const float *b, int64_t b_step, float *y,
                    int64_t count);
void martlet_binary_double(martlet_binary_op op, const double *a, int64_t a_step, const double *b, int64_t b_step,
                           double *y, int64_t count);
/// `y[i] = sum over r < reduced of x[r * step + i]` for `i < inner`, in an order that depends on the sizes alone.
void martlet_sum(const float *x, int64_t reduced, int64_t step, int64_t inner, float *y);
void martlet_sum_double(const double *x, int64_t reduced, int64_t step, int64_t inner, double *y);
/// `y[i] = x[i * step]` for elements of 4 or 8 bytes.
void martlet_copy_strided(const void *x, int64_t step, void *y, int64_t count, int64_t element_bytes);

// MARK: Matrix products of plain matrices

/// Packs blocks `block_begin..<block_end` (of 32 inputs) of all tiles of the matrix whose value of (output, input) lies
/// at `source[output * output_step + input * input_step]`, as `MARTLET_F32` or `MARTLET_BF16`.
void martlet_pack_tiles(martlet_format format, const float *source, int64_t output_step, int64_t input_step,
                        int64_t outputs, int64_t inputs, int64_t block_begin, int64_t block_end, void *tiles);
/// `martlet_pack_panel` of a part of the matrix whose value of (row, input) lies at
/// `x[row * row_step + input * input_step]`.
void martlet_pack_panel_strided(martlet_format format, const float *x, int64_t row_step, int64_t input_step,
                                int64_t rows, int64_t inputs, int64_t row_begin, int64_t row_end, int64_t block_begin,
                                int64_t block_end, void *panel);
/// `c[i, j] = sum over k of a[i, k] b[k, j]` in double precision, one after the other in k.
void martlet_gemm_double(int64_t rows, int64_t columns, int64_t inner, const double *a, int64_t a_row, int64_t a_inner,
                         const double *b, int64_t b_inner, int64_t b_column, double *c);

// MARK: Convolution

/// Windows of an image, and their sum back into it. `image` is `[channels, height, width]`, `windows`
/// `[channels * kernel_height * kernel_width, out_height * out_width]`; pixels outside the image are 0.
typedef struct {
  int64_t channels, height, width, kernel_height, kernel_width, out_height, out_width, stride, padding;
} martlet_window;
void martlet_unfold(const martlet_window *window, const float *image, float *windows);
void martlet_unfold_double(const martlet_window *window, const double *image, double *windows);
/// Adds to `image`, which the caller has set to zero.
void martlet_fold(const martlet_window *window, const float *windows, float *image);
void martlet_fold_double(const martlet_window *window, const double *windows, double *image);

// MARK: Gradients

/// Given `g`, the gradient of each function's result: the gradient of its inputs.
void martlet_silu_backward(const float *x, const float *g, float *dx, int64_t count);
void martlet_silu_multiply_backward(const float *gate, const float *up, const float *g, float *dgate, float *dup,
                                    int64_t count);
/// `y` is the sigmoid.
void martlet_sigmoid_backward(const float *y, const float *g, float *dx, int64_t count);
void martlet_relu_squared_backward(const float *x, const float *g, float *dx, int64_t count);
/// `y` is the softmax.
void martlet_softmax_backward(const float *y, const float *g, float *dx, int64_t rows, int64_t columns);
/// The gradients of weights, `[columns]`, are added to what is there.
void martlet_rms_norm_backward(const float *x, const float *weight, const float *g, float *dx, float *dweight,
                               int64_t rows, int64_t columns, float epsilon);
void martlet_group_norm_backward(const float *x, const float *weight, const float *g, float *dx, float *dweight,
                                 float *dbias, int64_t rows, int64_t columns, int64_t groups, float epsilon);
void martlet_lerp_backward(const float *a, const float *previous, const float *mix, const float *g, float *da,
                           float *dprevious, float *dmix, int64_t rows, int64_t columns);
/// `y[row] = log(sum(exp(x[row])))`.
void martlet_log_sum_exp(const float *x, float *y, int64_t rows, int64_t columns);
/// `dx[row] = (exp(x[row] - log_sum[row]) - onehot(target[row])) * scale[row]`.
void martlet_cross_entropy_backward(const float *x, const float *log_sum, const int64_t *target, const float *scale,
                                    float *dx, int64_t rows, int64_t columns);
/// Backward of `martlet_wkv5` of one head from a zero state: four passes that store no states (BlinkDL's
/// wkv5_cuda.cu). `dlog_decay` is the gradient of log(w); it and `du` (`[size]`) are overwritten.
/// `scratch` holds 2 * size * size floats.
void martlet_wkv5_backward(const float *r, const float *k, const float *v, const float *w, const float *u,
                           const float *g, float *dr, float *dk, float *dv, float *dlog_decay, float *du,
                           float *scratch, int64_t rows, int64_t stride, int64_t size);

/// One step of Adam (Kingma and Ba, 2015) with the weight decay of AdamW (Loshchilov and Hutter, 2019), or
/// coupled to the gradient (`coupled`).
typedef struct {
  float gradient_scale, beta1, beta2, epsilon, weight_decay, learning_rate;
  float correction1, correction2;  // 1 - beta^step
  bool coupled;
} martlet_adam_step;
void martlet_adam(const martlet_adam_step *step, float *parameter, const float *gradient, float *first, float *second,
                  int64_t count);

// MARK: Measuring the machine

/// Reads `bytes` once with the widest loads of the current table; returns a checksum.
uint64_t martlet_probe_read(const void *data, size_t bytes);
/// Runs `iterations` rounds of 8-bit dot products (16 independent sums) and returns the number of
/// multiply-accumulates done; `MARTLET_F32` measures float fused multiply-adds.
double martlet_probe_arithmetic(martlet_format format, int64_t iterations);

// MARK: Search among stored vectors

/// Sum of `a[i] * b[i]`, exactly. `count` is at most 130,000.
int32_t martlet_dot_int8(const int8_t *a, const int8_t *b, int64_t count);
/// Sum of `(a[i] - b[i])^2`, in an order that depends on `count` alone.
float martlet_squared_distance(const float *a, const float *b, int64_t count);
/// Sum of `(scale a[i] - b[i])^2`, in the same order.
float martlet_squared_distance_int8(const int8_t *a, float scale, const float *b, int64_t count);
/// Rows of `sketches` (`[rows, width]`) whose squared distance to `query` is at most `limit`, in ascending order, written
/// to `hits` with their squared distances in `sums`; both have room for one more than all rows. Returns how many.
int64_t martlet_sketch_scan(const int8_t *sketches, int64_t rows, int64_t width, const int8_t *query, int32_t limit,
                            int32_t *hits, int32_t *sums);

#endif
