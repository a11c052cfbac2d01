// The compiled shaders (Scripts/build_shaders.sh).
#include "CMartletGPU.h"

#pragma clang diagnostic ignored "-Wc23-extensions"
#define SHADER(name) static const unsigned char name[] __attribute__((aligned(4))) = {
SHADER(attention)
#embed "Shaders/attention.spv"
};
SHADER(attention_join)
#embed "Shaders/attention_join.spv"
};
SHADER(attention_tile)
#embed "Shaders/attention_tile.spv"
};
SHADER(epilogue)
#embed "Shaders/epilogue.spv"
};
SHADER(likeliest)
#embed "Shaders/likeliest.spv"
};
SHADER(norm)
#embed "Shaders/norm.spv"
};
SHADER(norm_mix)
#embed "Shaders/norm_mix.spv"
};
SHADER(rotary_store)
#embed "Shaders/rotary_store.spv"
};
SHADER(wkv5)
#embed "Shaders/wkv5.spv"
};
SHADER(wkv5_chunk)
#embed "Shaders/wkv5_chunk.spv"
};
SHADER(product_rows_f32)
#embed "Shaders/product_rows_f32.spv"
};
SHADER(product_rows_f16)
#embed "Shaders/product_rows_f16.spv"
};
SHADER(product_rows_bf16)
#embed "Shaders/product_rows_bf16.spv"
};
SHADER(product_rows_q8_0)
#embed "Shaders/product_rows_q8_0.spv"
};
SHADER(product_rows_q4_0)
#embed "Shaders/product_rows_q4_0.spv"
};
SHADER(product_rows_q4_1)
#embed "Shaders/product_rows_q4_1.spv"
};
SHADER(product_tile_f32)
#embed "Shaders/product_tile_f32.spv"
};
SHADER(product_tile_f16)
#embed "Shaders/product_tile_f16.spv"
};
SHADER(product_tile_bf16)
#embed "Shaders/product_tile_bf16.spv"
};
SHADER(product_tile_q8_0)
#embed "Shaders/product_tile_q8_0.spv"
};
SHADER(product_tile_q4_0)
#embed "Shaders/product_tile_q4_0.spv"
};
SHADER(product_tile_q4_1)
#embed "Shaders/product_tile_q4_1.spv"
};
SHADER(product_matrix_f32)
#embed "Shaders/product_matrix_f32.spv"
};
SHADER(product_matrix_f16)
#embed "Shaders/product_matrix_f16.spv"
};
SHADER(product_matrix_bf16)
#embed "Shaders/product_matrix_bf16.spv"
};
SHADER(product_matrix_q8_0)
#embed "Shaders/product_matrix_q8_0.spv"
};
SHADER(product_matrix_q4_0)
#embed "Shaders/product_matrix_q4_0.spv"
};
SHADER(product_matrix_q4_1)
#embed "Shaders/product_matrix_q4_1.spv"
};

#define ENTRY(name) {#name, name, sizeof name}
static const martlet_gpu_shader shaders[] = {
  ENTRY(attention), ENTRY(attention_join), ENTRY(attention_tile), ENTRY(epilogue), ENTRY(likeliest), ENTRY(norm), ENTRY(norm_mix),
  ENTRY(rotary_store), ENTRY(wkv5), ENTRY(wkv5_chunk),
  ENTRY(product_rows_f32), ENTRY(product_rows_f16), ENTRY(product_rows_bf16),
  ENTRY(product_rows_q8_0), ENTRY(product_rows_q4_0), ENTRY(product_rows_q4_1),
  ENTRY(product_tile_f32), ENTRY(product_tile_f16), ENTRY(product_tile_bf16),
  ENTRY(product_tile_q8_0), ENTRY(product_tile_q4_0), ENTRY(product_tile_q4_1),
  ENTRY(product_matrix_f32), ENTRY(product_matrix_f16), ENTRY(product_matrix_bf16),
  ENTRY(product_matrix_q8_0), ENTRY(product_matrix_q4_0), ENTRY(product_matrix_q4_1),
};

const martlet_gpu_shader *martlet_gpu_shaders(int *count) {
  *count = (int)(sizeof shaders / sizeof *shaders);
  return shaders;
}
