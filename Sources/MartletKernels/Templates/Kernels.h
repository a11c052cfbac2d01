// All kernels of one instruction set, and its table.
#include "Vector.h"
#include "Exponential.h"
#include "Rows.h"
#include "Matmul.h"
#include "Sequences.h"
#include "Elementwise.h"
#include "Transposition.h"
#include "Gradients.h"
#include "RecurrenceGradient.h"

const martlet_kernel_table TABLE = {
    .pack_panel = pack_panel, .matmul = matmul, .rms_norm = rms_norm, .group_norm = group_norm, .softmax = softmax,
    .silu = silu, .silu_multiply = silu_multiply, .sigmoid = sigmoid, .relu_squared = relu_squared, .add = add,
    .multiply = multiply, .scale = scale, .lerp = lerp, .add_bias = add_bias, .argmax = argmax, .rotary = rotary,
    .wkv5 = wkv5, .cache_store = cache_store, .attention = attention, .unary = unary, .binary = binary,
    .sum = sum, .pack_tiles = pack_tiles, .pack_panel_strided = pack_panel_strided, .silu_backward = silu_backward,
    .silu_multiply_backward = silu_multiply_backward, .sigmoid_backward = sigmoid_backward,
    .relu_squared_backward = relu_squared_backward, .softmax_backward = softmax_backward,
    .rms_norm_backward = rms_norm_backward, .group_norm_backward = group_norm_backward,
    .lerp_backward = lerp_backward, .log_sum_exp = log_sum_exp, .cross_entropy_backward = cross_entropy_backward,
    .wkv5_backward = wkv5_backward, .adam = adam, .probe_read = probe_read,
    .probe_arithmetic = probe_arithmetic,
};
