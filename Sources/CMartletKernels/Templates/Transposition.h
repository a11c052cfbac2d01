// Plain matrices, in any order of their axes, into tiles and panels. Where the axis that must become the inner one
// is not, blocks of 16 x 16 are transposed in registers.

// Exchanges the off-diagonal blocks of width S of a 16 x 16 matrix held in 16 vectors (Eklundh, 1972).
#define EXCHANGE(S, ...)                                                    \
  for (int i = 0; i < 16; i++)                                              \
    if (!(i & S)) {                                                         \
      const floats a = v[i], b = v[i + S];                                  \
      v[i] = __builtin_shufflevector(a, b, LOW_##S);                        \
      v[i + S] = __builtin_shufflevector(a, b, HIGH_##S);                   \
    }
#define LOW_1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#define LOW_2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW_4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW_8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31

INLINE void transpose(floats v[16]) {
  UNROLL EXCHANGE(1)
  UNROLL EXCHANGE(2)
  UNROLL EXCHANGE(4)
  UNROLL EXCHANGE(8)
}

// v[i][j] = source[i * outer + j * inner] for i < rows, j < columns (at most 16 each), 0 elsewhere.
INLINE void gather_block(const float *source, int64_t outer, int64_t inner, int64_t rows, int64_t columns,
                         floats v[16]) {
  if (inner == 1) {
    for (int i = 0; i < 16; i++)
      v[i] = i >= rows ? splat(0) : columns == 16 ? load(source + i * outer) : load_tail(source + i * outer, columns, 0);
  } else if (outer == 1) {
    for (int j = 0; j < 16; j++)
      v[j] = j >= columns ? splat(0) : rows == 16 ? load(source + j * inner) : load_tail(source + j * inner, rows, 0);
    transpose(v);
  } else {
    for (int i = 0; i < 16; i++) {
      v[i] = splat(0);
      for (int j = 0; j < columns && i < rows; j++) v[i][j] = source[i * outer + j * inner];
    }
  }
}

// To nearest even, as float_to_bfloat, lane by lane.
INLINE ints to_bfloat(floats x) {
  typedef uint32_t words __attribute__((vector_size(64)));
  const words bits = (words)x;
  const words rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const ints nan = x != x;
  return (ints)((rounded & (words)~nan) | (((bits >> 16) | 0x40u) & (words)nan));
}

static void pack_tiles(martlet_format format, const float *source, int64_t output_step, int64_t input_step,
                       int64_t outputs, int64_t inputs, int64_t block_begin, int64_t block_end, void *tiles) {
  const int64_t padded = blocks_of(inputs) * 32, count = (outputs + 15) / 16;
  for (int64_t k = block_begin * 32; k < block_end * 32; k += 16) {
    const int64_t left = inputs - k, columns = left < 0 ? 0 : left < 16 ? left : 16;
    for (int64_t tile = 0; tile < count; tile++) {
      const int64_t rows = outputs - tile * 16 < 16 ? outputs - tile * 16 : 16;
      floats v[16];  // v[input][output]
      gather_block(source + tile * 16 * output_step + k * input_step, input_step, output_step, columns, rows, v);
      if (format == MARTLET_F32) {
        float *to = (float *)tiles + (tile * padded + k) * 16;
        UNROLL for (int i = 0; i < 16; i++) store(to + i * 16, v[i]);
      } else {
        int32_t *to = (int32_t *)tiles + (tile * padded + k) * 8;
        UNROLL for (int i = 0; i < 8; i++) {
          const ints pair = to_bfloat(v[2 * i]) | to_bfloat(v[2 * i + 1]) << 16;
          memcpy(to + i * 16, &pair, 64);
        }
      }
    }
  }
}

INLINE void panel_block(martlet_format format, const float *x, int64_t row_step, int64_t input_step, int64_t rows,
                        int64_t inputs, int64_t row, int64_t count, int64_t k, void *panel) {
  const int64_t left = inputs - k, columns = left < 0 ? 0 : left < 16 ? left : 16;
  floats v[16];  // v[row][input]
  gather_block(x + row * row_step + k * input_step, row_step, input_step, columns ? count : 0, columns, v);
  martlet_panel_group group = {0};
  for (int64_t i = 0; i < count; i++) {
    if (row + i >= group.begin + group.rows) group = panel_group_of(rows, row + i);
    const int64_t place = (group.begin * blocks_of(inputs) + k / 32 * group.rows + row + i - group.begin) * 32 + k % 32;
    if (format == MARTLET_F32) {
      store((float *)panel + place, v[i]);
    } else {
      typedef uint16_t shorts __attribute__((vector_size(32)));
      const shorts halves = __builtin_convertvector(to_bfloat(v[i]), shorts);
      memcpy((uint16_t *)panel + place, &halves, 32);
    }
  }
}

// Rows one after the other where inputs are neighbours, else block by block: reads are sequential either way.
static void pack_panel_strided(martlet_format format, const float *x, int64_t row_step, int64_t input_step,
                               int64_t rows, int64_t inputs, int64_t row_begin, int64_t row_end, int64_t block_begin,
                               int64_t block_end, void *panel) {
  const int64_t first = block_begin * 32, last = block_end * 32;
  if (input_step == 1) {
    for (int64_t row = row_begin; row < row_end; row += 16)
      for (int64_t k = first; k < last; k += 16)
        panel_block(format, x, row_step, 1, rows, inputs, row, row_end - row < 16 ? row_end - row : 16, k, panel);
  } else {
    for (int64_t k = first; k < last; k += 16)
      for (int64_t row = row_begin; row < row_end; row += 16)
        panel_block(format, x, row_step, input_step, rows, inputs, row, row_end - row < 16 ? row_end - row : 16, k, panel);
  }
}
