/// The numeric inner loops of Martlet, in C.
///
/// Every function works on raw pointers and plain sizes, never allocates and never starts a thread.
/// Work is split above this layer by `martlet_pool_run`. Each function runs through a table of
/// implementations (AVX-512 with BF16, with VNNI or without both, AVX2 with or without VNNI, NEON, portable C) chosen once
/// at start.
///
/// Layouts shared by all matrix kernels:
///
/// * **Weights** `[outputs, inputs]` are packed into tiles of 16 outputs. A tile is a sequence of
///   blocks of 32 inputs (256 in Q4_K, Q5_K and Q6_K); inside a block come the scales of the 16 outputs
///   (quantised formats), then groups `[16 outputs][4 bytes]`, so that one 64-byte load feeds 16 outputs
///   and no sum ever runs across lanes. The sum of an output is taken in the same order whatever the number of rows, so a
///   row's result does not depend on the rows beside it.
/// * **Activations** `[rows, inputs]` are repacked into a *panel*: groups of at most 12 rows, each `[block of 32 inputs][row][32]`.
#ifndef C_MARTLET_KERNELS_H
#define C_MARTLET_KERNELS_H

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
  MARTLET_SIMD_NEONDOT = 2,     // NEON and its 8-bit dot products
  MARTLET_SIMD_NEONI8MM = 3,    // the same and its 8-bit matrix products
  MARTLET_SIMD_AVX2 = 4,
  MARTLET_SIMD_AVXVNNI = 5,     // AVX2 and its 8-bit dot products
  MARTLET_SIMD_AVX512BW = 6,    // F, BW, DQ, VL
  MARTLET_SIMD_AVX512 = 7,      // the same and VNNI
  MARTLET_SIMD_AVX512BF16 = 8,  // the same and BF16
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
  MARTLET_Q4_K = 6,
  MARTLET_Q5_K = 7,
  MARTLET_Q6_K = 8,
} martlet_format;

/// Inputs that one block of a packed tile has: 32, and 256 in Q4_K, Q5_K and Q6_K.
int64_t martlet_block_inputs(martlet_format format);
/// Bytes of one block (16 outputs) of a packed tile.
size_t martlet_tile_block_bytes(martlet_format format);
/// Bytes of a packed tile (16 outputs) of `inputs` inputs.
size_t martlet_tile_bytes(martlet_format format, int64_t inputs);
/// Bytes of one row of `inputs` values before packing (row-major; GGUF blocks for quantised formats).
size_t martlet_row_bytes(martlet_format format, int64_t inputs);

/// Packs up to 16 rows (`source + i * row_bytes`) of `inputs` values into one tile; missing rows and
/// the inputs up to the next multiple of 32 become zero. No value changes, and a tile of 16 rows has the rows' bytes.
void martlet_pack_tile(martlet_format format, const void *source, size_t row_bytes, int rows, int64_t inputs,
                       void *tile);
/// The inverse of `martlet_pack_tile` for one output: writes `inputs` float values.
void martlet_unpack_row(martlet_format format, const void *tile, int row, int64_t inputs, float *values);

/// Bytes that a panel of `rows` x `inputs` activations takes for weights of `format`.
size_t martlet_panel_bytes(martlet_format format, int64_t rows, int64_t inputs);

// MARK: Formats of files

/// Types a checkpoint can hold; the values are GGUF's (ggml_type).
typedef enum {
  MARTLET_FILE_F32 = 0, MARTLET_FILE_F16 = 1, MARTLET_FILE_Q4_0 = 2, MARTLET_FILE_Q4_1 = 3,
  MARTLET_FILE_Q5_0 = 6, MARTLET_FILE_Q5_1 = 7, MARTLET_FILE_Q8_0 = 8, MARTLET_FILE_Q2_K = 10,
  MARTLET_FILE_Q3_K = 11, MARTLET_FILE_Q4_K = 12, MARTLET_FILE_Q5_K = 13, MARTLET_FILE_Q6_K = 14,
  MARTLET_FILE_Q8_K = 15, MARTLET_FILE_IQ4_NL = 20, MARTLET_FILE_IQ4_XS = 23, MARTLET_FILE_F64 = 28, MARTLET_FILE_BF16 = 30,
  MARTLET_FILE_MXFP4 = 39,
} martlet_file_type;

/// Values in one block of a file type, and bytes of it; 0 for an unknown type.
int64_t martlet_file_block_values(int type);
int64_t martlet_file_block_bytes(int type);
/// Expands `count` values (a multiple of the block's) to float.
void martlet_file_expand(int type, const void *source, int64_t count, float *values);
/// Rounds `count` float values (whole blocks) to `type`: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K, Q5_K or Q6_K.
bool martlet_file_round(int type, const float *values, int64_t count, void *destination);
/// Whether none of `count` values (whole blocks) is infinite or not a number.
bool martlet_file_is_finite(int type, const void *source, int64_t count);
/// Writes `count` values (whole blocks) of type `from` as type `to` with the same integer codes, so that nothing is
/// rounded but the scales: Q4_K as Q4_1; Q3_K, Q4_0, Q5_0, Q8_K, IQ4_NL, IQ4_XS and MXFP4 as Q8_0. Returns the largest error as a part of the
/// largest value of its block of 32, 0 where every value is kept; -1, writing nothing, for other pairs.
float martlet_file_repack(int from, int to, const void *source, int64_t count, void *destination);
/// The largest difference as a part of the largest of `values` in its block of 32.
float martlet_largest_error(const float *values, const float *others, int64_t count);

// MARK: Sequences

/// Element type of a key/value cache.
typedef enum { MARTLET_CACHE_F32 = 0, MARTLET_CACHE_F16 = 1 } martlet_cache_type;

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

/// `martlet_unary`, `martlet_binary` and `martlet_sum` in double precision.
void martlet_unary_double(martlet_unary_op op, const double *x, double *y, int64_t count);
void martlet_binary_double(martlet_binary_op op, const double *a, int64_t a_step, const double *b, int64_t b_step,
                           double *y, int64_t count);
void martlet_sum_double(const double *x, int64_t reduced, int64_t step, int64_t inner, double *y);
/// `y[i] = x[i * step]` for elements of 4 or 8 bytes.
void martlet_copy_strided(const void *x, int64_t step, void *y, int64_t count, int64_t element_bytes);

// MARK: Matrix products of plain matrices

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

// MARK: Optimization

/// One step of Adam (Kingma and Ba, 2015) with the weight decay of AdamW (Loshchilov and Hutter, 2019), or
/// coupled to the gradient (`coupled`).
typedef struct {
  float gradient_scale, beta1, beta2, epsilon, weight_decay, learning_rate;
  float correction1, correction2;  // 1 - beta^step
  bool coupled;
} martlet_adam_step;

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

// MARK: Kernels of the instruction sets

#define KERNEL(result, name, parameters, arguments) result martlet_##name parameters;
#include "KernelList.h"
#undef KERNEL

#endif
