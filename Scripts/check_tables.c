// Products of every table of kernels that the processor has, with packed weights of random shapes: each row against double
// precision, and its bits beside other rows, added to what is there and alone. Prints what is wrong and ends with 1.
// Scripts/check_neon.sh builds and runs it for Arm.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CMartletKernels.h"

static const struct { martlet_format format; int type; const char *name; } formats[] = {
    {MARTLET_F32, MARTLET_FILE_F32, "f32"},    {MARTLET_F16, MARTLET_FILE_F16, "f16"},
    {MARTLET_BF16, MARTLET_FILE_BF16, "bf16"}, {MARTLET_Q8_0, MARTLET_FILE_Q8_0, "q8_0"},
    {MARTLET_Q4_0, MARTLET_FILE_Q4_0, "q4_0"}, {MARTLET_Q4_1, MARTLET_FILE_Q4_1, "q4_1"},
    {MARTLET_Q4_K, MARTLET_FILE_Q4_K, "q4_k"}, {MARTLET_Q5_K, MARTLET_FILE_Q5_K, "q5_k"},
    {MARTLET_Q6_K, MARTLET_FILE_Q6_K, "q6_k"},
};

static float noise(void) { return (float)(rand() % 20001 - 10000) / 10000; }

// One product of a random shape; returns whether all is right.
static int check(int number, int outputs, int inputs, int rows) {
  const martlet_format format = formats[number].format;
  const size_t row_bytes = martlet_row_bytes(format, inputs), tile_bytes = martlet_tile_bytes(format, inputs);
  const int tiles = (outputs + 15) / 16;
  float *weights = malloc(sizeof(float) * (size_t)outputs * inputs), *x = malloc(sizeof(float) * (size_t)rows * inputs);
  float *y = malloc(sizeof(float) * (size_t)rows * outputs), *added = malloc(sizeof(float) * (size_t)rows * outputs);
  float *alone = malloc(sizeof(float) * outputs);
  uint8_t *file = malloc(outputs * row_bytes), *packed = calloc(tiles, tile_bytes);
  void *panel = malloc(martlet_panel_bytes(format, rows, inputs));
  for (int o = 0; o < outputs; o++) {
    for (int i = 0; i < inputs; i++) weights[o * inputs + i] = noise();
    martlet_file_round(formats[number].type, weights + o * inputs, inputs, file + o * row_bytes);
    martlet_file_expand(formats[number].type, file + o * row_bytes, inputs, weights + o * inputs);
  }
  for (int tile = 0; tile < tiles; tile++)
    martlet_pack_tile(format, file + tile * 16 * row_bytes, row_bytes, outputs - tile * 16 < 16 ? outputs - tile * 16 : 16, inputs,
                      packed + tile * tile_bytes);
  for (int i = 0; i < rows * inputs; i++) x[i] = noise();
  for (int i = 0; i < rows * outputs; i++) added[i] = 0.25f;
  martlet_pack_panel(format, x, inputs, rows, inputs, 0, rows, panel);
  martlet_matmul(format, packed, outputs, inputs, 0, tiles, panel, rows, y, outputs, false);
  martlet_matmul(format, packed, outputs, inputs, 0, tiles / 2, panel, rows, added, outputs, true);
  martlet_matmul(format, packed, outputs, inputs, tiles / 2, tiles, panel, rows, added, outputs, true);
  int dependent = 0, wrong = 0;
  double worst = 0;
  for (int r = 0; r < rows; r++) {
    martlet_pack_panel(format, x + r * inputs, inputs, 1, inputs, 0, 1, panel);
    martlet_matmul(format, packed, outputs, inputs, 0, tiles, panel, 1, alone, outputs, false);
    dependent += memcmp(alone, y + r * outputs, sizeof(float) * outputs) != 0;
    for (int o = 0; o < outputs; o++) {
      double sum = 0, magnitude = 1e-9;
      for (int i = 0; i < inputs; i++) {
        const double term = (double)weights[o * inputs + i] * x[r * inputs + i];
        sum += term;
        magnitude += fabs(term);
      }
      const double off = fabs(sum - y[r * outputs + o]) / magnitude;
      worst = off > worst || off != off ? off : worst;
      wrong += added[r * outputs + o] != y[r * outputs + o] + 0.25f;
    }
  }
  const double most = number < 2 ? 1e-6 : 0.01;
  const int right = !dependent && !wrong && worst <= most;
  if (!right)
    printf("%s, %s, %d rows of %d inputs and %d outputs: off by %.2g of the terms, %d rows depend on others, %d sums are wrong\n",
           martlet_simd_name(martlet_simd_current()), formats[number].name, rows, inputs, outputs, worst, dependent, wrong);
  free(weights), free(x), free(y), free(added), free(alone), free(file), free(packed), free(panel);
  return right;
}

int main(void) {
  int wrong = 0;
  for (int simd = 0; simd <= MARTLET_SIMD_AVX512BF16; simd++) {
    if (!martlet_simd_select((martlet_simd)simd)) continue;
    int count = 0;
    for (int number = 0; number < (int)(sizeof formats / sizeof *formats); number++)
      for (int trial = 0; trial < 12; trial++, count++) {
        const int unit = (int)martlet_block_inputs(formats[number].format);
        const int blocks = 1 + rand() % (unit == 256 ? 5 : 20), rows = 1 + rand() % (trial % 4 ? 60 : 300);
        wrong += !check(number, 1 + rand() % 70, unit * blocks, rows);
      }
    printf("%s: %d products\n", martlet_simd_name((martlet_simd)simd), count);
  }
  return wrong != 0;
}
