// All kernels of one instruction set, and its table.
#include "Vector.h"
#include "Exponential.h"
#include "Rows.h"
#include "Matmul.h"
#include "Sequences.h"

const martlet_kernel_table TABLE = {
    .pack_panel = pack_panel, .matmul = matmul, .rms_norm = rms_norm, .group_norm = group_norm, .softmax = softmax,
    .silu = silu, .silu_multiply = silu_multiply, .sigmoid = sigmoid, .relu_squared = relu_squared, .add = add,
    .multiply = multiply, .scale = scale, .lerp = lerp, .add_bias = add_bias, .argmax = argmax, .rotary = rotary,
    .wkv5 = wkv5, .cache_store = cache_store, .attention = attention, .probe_read = probe_read,
    .probe_arithmetic = probe_arithmetic,
};
