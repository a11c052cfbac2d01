// Every function that each instruction set implements, declared once:
//
//     KERNEL(result, name, (parameters), (arguments))
//
// CMartletKernels.h makes `result martlet_name parameters` of it, KernelTable.h a function pointer, Templates/Kernels.h the
// tables' entries, and Dispatch.c the call. There is no include guard: the file is included once for each.

// MARK: Weight formats

/// Writes rows `begin..<end` of `x` (`[rows, inputs]`, row stride `stride` floats) into a panel.
KERNEL(void, pack_panel,
       (martlet_format format, const float *x, int64_t stride, int64_t rows, int64_t inputs, int64_t begin,
        int64_t end, void *panel),
       (format, x, stride, rows, inputs, begin, end, panel))
/// y[row, output] = sum over inputs of x * w, for tiles `tile_begin..<tile_end`.
/// `y` has row stride `y_stride`; outputs at or beyond `outputs` are not written. With `accumulate` the sums are added
/// to what is there.
KERNEL(void, matmul,
       (martlet_format format, const void *tiles, int64_t outputs, int64_t inputs, int64_t tile_begin,
        int64_t tile_end, const void *panel, int64_t rows, float *y, int64_t y_stride, bool accumulate),
       (format, tiles, outputs, inputs, tile_begin, tile_end, panel, rows, y, y_stride, accumulate))

// MARK: Rows

/// `y = x / rms(x) * weight`, row by row.
KERNEL(void, rms_norm,
       (const float *x, const float *weight, float *y, int64_t rows, int64_t columns, float epsilon),
       (x, weight, y, rows, columns, epsilon))
/// `y = (x - mean) / deviation * weight + bias`, over each of `groups` equal parts of a row;
/// weight and bias hold `columns` values.
KERNEL(void, group_norm,
       (const float *x, const float *weight, const float *bias, float *y, int64_t rows, int64_t columns,
        int64_t groups, float epsilon),
       (x, weight, bias, y, rows, columns, groups, epsilon))
/// In-place softmax of each row.
KERNEL(void, softmax, (float *x, int64_t rows, int64_t columns), (x, rows, columns))
KERNEL(void, silu, (const float *x, float *y, int64_t count), (x, y, count))
/// `y = silu(gate) * up`.
KERNEL(void, silu_multiply, (const float *gate, const float *up, float *y, int64_t count), (gate, up, y, count))
KERNEL(void, sigmoid, (const float *x, float *y, int64_t count), (x, y, count))
/// `y = max(x, 0)^2`.
KERNEL(void, relu_squared, (const float *x, float *y, int64_t count), (x, y, count))
KERNEL(void, add, (const float *a, const float *b, float *y, int64_t count), (a, b, y, count))
KERNEL(void, multiply, (const float *a, const float *b, float *y, int64_t count), (a, b, y, count))
KERNEL(void, scale, (const float *x, float factor, float *y, int64_t count), (x, factor, y, count))
/// `y = a * mix + previous * (1 - mix)` with one mix a column.
KERNEL(void, lerp,
       (const float *a, const float *previous, const float *mix, float *y, int64_t rows, int64_t columns),
       (a, previous, mix, y, rows, columns))
/// Adds `bias[columns]` to every row of `x`, in place.
KERNEL(void, add_bias, (float *x, const float *bias, int64_t rows, int64_t columns), (x, bias, rows, columns))
/// Index of the largest value (the first of equals).
KERNEL(int64_t, argmax, (const float *x, int64_t count), (x, count))
/// Rotary embedding in place. `x` is `[rows, heads * size]`, `cosine` and `sine` `[rows, pairs]`;
/// pair i is (2i, 2i + 1) when `interleaved`, else (i, i + pairs).
KERNEL(void, rotary,
       (float *x, const float *cosine, const float *sine, int64_t rows, int64_t heads, int64_t size, int64_t pairs,
        bool interleaved),
       (x, cosine, sine, rows, heads, size, pairs, interleaved))

// MARK: Sequences

/// The WKV5 recurrence of one head over `rows` tokens (RWKV-5, "Eagle"):
///   y_j = sum_i r_i (u_i k_i v_j + S_ij);  S_ij = w_i S_ij + k_i v_j
/// r, k, v, y: `size` values a row, row stride `stride`; state `[size keys][size values]`, updated.
KERNEL(void, wkv5,
       (const float *r, const float *k, const float *v, const float *w, const float *u, float *y, float *state,
        int64_t rows, int64_t stride, int64_t size),
       (r, k, v, w, u, y, state, rows, stride, size))
/// Stores one position's key and value of one head (`size` values each) in a page, which holds
/// keys as `[MARTLET_PAGE / 16][size][16 positions]`, then values as `[MARTLET_PAGE][size]`.
KERNEL(void, cache_store,
       (martlet_cache_type type, void *page, int64_t slot, const float *key, const float *value, int64_t size),
       (type, page, slot, key, value, size))
/// Causal attention of `queries` query vectors over one key/value head.
///   query[i], output[i]: `size` values each; limit[i]: how many positions query i may see (>= 1),
///   not falling with i. pages[p] + offset: the head's part of page p.
KERNEL(void, attention,
       (martlet_cache_type type, const float *const *query, float *const *output, const int64_t *limit,
        int64_t queries, const void *const *pages, size_t offset, int64_t size, float scale),
       (type, query, output, limit, queries, pages, offset, size, scale))

// MARK: Elementwise, for differentiation (float and double)

KERNEL(void, unary, (martlet_unary_op op, const float *x, float *y, int64_t count), (op, x, y, count))
/// `y[i] = a[i * a_step] op b[i * b_step]`.
KERNEL(void, binary,
       (martlet_binary_op op, const float *a, int64_t a_step, const float *b, int64_t b_step, float *y, int64_t count),
       (op, a, a_step, b, b_step, y, count))
/// `y[i] = sum over r < reduced of x[r * step + i]` for `i < inner`, in an order that depends on the sizes alone.
KERNEL(void, sum,
       (const float *x, int64_t reduced, int64_t step, int64_t inner, float *y),
       (x, reduced, step, inner, y))

// MARK: Matrix products of plain matrices

/// Packs blocks `block_begin..<block_end` (of 32 inputs) of all tiles of the matrix whose value of (output, input) lies
/// at `source[output * output_step + input * input_step]`, as `MARTLET_F32` or `MARTLET_BF16`.
KERNEL(void, pack_tiles,
       (martlet_format format, const float *source, int64_t output_step, int64_t input_step, int64_t outputs,
        int64_t inputs, int64_t block_begin, int64_t block_end, void *tiles),
       (format, source, output_step, input_step, outputs, inputs, block_begin, block_end, tiles))
/// `martlet_pack_panel` of a part of the matrix whose value of (row, input) lies at
/// `x[row * row_step + input * input_step]`.
KERNEL(void, pack_panel_strided,
       (martlet_format format, const float *x, int64_t row_step, int64_t input_step, int64_t rows, int64_t inputs,
        int64_t row_begin, int64_t row_end, int64_t block_begin, int64_t block_end, void *panel),
       (format, x, row_step, input_step, rows, inputs, row_begin, row_end, block_begin, block_end, panel))

// MARK: Gradients

/// Given `g`, the gradient of each function's result: the gradient of its inputs.
KERNEL(void, silu_backward, (const float *x, const float *g, float *dx, int64_t count), (x, g, dx, count))
KERNEL(void, silu_multiply_backward,
       (const float *gate, const float *up, const float *g, float *dgate, float *dup, int64_t count),
       (gate, up, g, dgate, dup, count))
/// `y` is the sigmoid.
KERNEL(void, sigmoid_backward, (const float *y, const float *g, float *dx, int64_t count), (y, g, dx, count))
KERNEL(void, relu_squared_backward, (const float *x, const float *g, float *dx, int64_t count), (x, g, dx, count))
/// `y` is the softmax.
KERNEL(void, softmax_backward,
       (const float *y, const float *g, float *dx, int64_t rows, int64_t columns),
       (y, g, dx, rows, columns))
/// The gradients of weights, `[columns]`, are added to what is there.
KERNEL(void, rms_norm_backward,
       (const float *x, const float *weight, const float *g, float *dx, float *dweight, int64_t rows, int64_t columns,
        float epsilon),
       (x, weight, g, dx, dweight, rows, columns, epsilon))
KERNEL(void, group_norm_backward,
       (const float *x, const float *weight, const float *g, float *dx, float *dweight, float *dbias, int64_t rows,
        int64_t columns, int64_t groups, float epsilon),
       (x, weight, g, dx, dweight, dbias, rows, columns, groups, epsilon))
KERNEL(void, lerp_backward,
       (const float *a, const float *previous, const float *mix, const float *g, float *da, float *dprevious,
        float *dmix, int64_t rows, int64_t columns),
       (a, previous, mix, g, da, dprevious, dmix, rows, columns))
/// `y[row] = log(sum(exp(x[row])))`.
KERNEL(void, log_sum_exp, (const float *x, float *y, int64_t rows, int64_t columns), (x, y, rows, columns))
/// `dx[row] = (exp(x[row] - log_sum[row]) - onehot(target[row])) * scale[row]`.
KERNEL(void, cross_entropy_backward,
       (const float *x, const float *log_sum, const int64_t *target, const float *scale, float *dx, int64_t rows,
        int64_t columns),
       (x, log_sum, target, scale, dx, rows, columns))
/// Backward of `martlet_wkv5` of one head from a zero state: four passes that store no states (BlinkDL's
/// wkv5_cuda.cu). `dlog_decay` is the gradient of log(w); it and `du` (`[size]`) are overwritten.
/// `scratch` holds 2 * size * size floats.
KERNEL(void, wkv5_backward,
       (const float *r, const float *k, const float *v, const float *w, const float *u, const float *g, float *dr,
        float *dk, float *dv, float *dlog_decay, float *du, float *scratch, int64_t rows, int64_t stride, int64_t size),
       (r, k, v, w, u, g, dr, dk, dv, dlog_decay, du, scratch, rows, stride, size))
KERNEL(void, adam,
       (const martlet_adam_step *step, float *parameter, const float *gradient, float *first, float *second,
        int64_t count),
       (step, parameter, gradient, first, second, count))

// MARK: Measuring the machine

/// Reads `bytes` once with the widest loads of the current table; returns a checksum.
KERNEL(uint64_t, probe_read, (const void *data, size_t bytes), (data, bytes))
/// Runs `iterations` rounds of 8-bit dot products (16 independent sums) and returns the number of
/// multiply-accumulates done; `MARTLET_F32` measures float fused multiply-adds.
KERNEL(double, probe_arithmetic, (martlet_format format, int64_t iterations), (format, iterations))

// MARK: Planes of pixels, in double precision

/// The orthonormal cosine transform (type II; `inverse`: type III) of each column of `plane`, `[rows, columns]`, written as `[columns, rows]`.
/// `factors` and `cosines` are described in Templates/Planes.h; `space` holds 16 * rows + 8 doubles.
KERNEL(void, cosine_columns,
       (const double *plane, int64_t rows, int64_t columns, bool inverse, const double *factors, const double *cosines,
        double *space, double *result),
       (plane, rows, columns, inverse, factors, cosines, space, result))
/// Moves both dual variables, `[height, width]`, `relaxation` times as far as a step along the differences of `plane` to the next row and
/// column would that ends in the unit disc.
KERNEL(void, variation_ascend,
       (double *down, double *right, const double *plane, double step, double relaxation, int64_t height, int64_t width),
       (down, right, plane, step, relaxation, height, width))
/// `result`: `plane` after a step along the divergence of both dual variables.
KERNEL(void, variation_descend,
       (const double *plane, const double *down, const double *right, double step, int64_t height, int64_t width,
        double *result),
       (plane, down, right, step, height, width, result))
/// Moves `plane` `relaxation` times as far as `found` is away and writes the point beyond it, `2 found - plane`, to `ahead`. `squares` are the
/// squared lengths of the way to `found` and of `found`.
KERNEL(void, variation_advance,
       (double *plane, const double *found, double *ahead, double relaxation, int64_t count, double squares[2]),
       (plane, found, ahead, relaxation, count, squares))
