// Activations into panels, and matrix products of packed weight tiles with panels.
//
// A micro-kernel holds ROWS rows x TILES tiles of sums in registers and walks the inputs once; the
// order of additions for one output is always: inputs 0, 1, 2, ... in its own lane. That makes the
// result of a row the same bits for any number of rows.

static void pack_panel(martlet_format format, const float *x, int64_t stride, int64_t rows, int64_t inputs,
                       int64_t begin, int64_t end, void *panel) {
  const int64_t blocks = blocks_of(inputs);
  for (int64_t row = begin; row < end; row++) {
    for (int64_t block = 0; block < blocks; block++) {
      const float *source = x + row * stride + block * 32;
      const int64_t count = inputs - block * 32 < 32 ? inputs - block * 32 : 32;
      const int64_t place = block * rows + row;
      floats low, high;
      if (count == 32) {
        low = load(source);
        high = load(source + 16);
      } else {
        low = load_tail(source, count < 16 ? count : 16, 0);
        high = count > 16 ? load_tail(source + 16, count - 16, 0) : splat(0);
      }
      if (format == MARTLET_F32 || format == MARTLET_F16) {
        store((float *)panel + place * 32, low);
        store((float *)panel + place * 32 + 16, high);
      } else if (format == MARTLET_BF16) {
        uint16_t *destination = (uint16_t *)panel + place * 32;
        for (int i = 0; i < 16; i++) destination[i] = float_to_bfloat(low[i]);
        for (int i = 0; i < 16; i++) destination[16 + i] = float_to_bfloat(high[i]);
      } else {
        const floats top = larger(larger(low, -low), larger(high, -high));
        const float peak = largest_of(top);
        const floats inverse = splat(peak > 0 ? 127.0f / peak : 0.0f);
        const ints a = __builtin_convertvector(__builtin_elementwise_roundeven(low * inverse), ints);
        const ints b = __builtin_convertvector(__builtin_elementwise_roundeven(high * inverse), ints);
        int8_t *destination = (int8_t *)panel + place * 32;
        const bytes16 p = __builtin_convertvector(a, bytes16), q = __builtin_convertvector(b, bytes16);
        memcpy(destination, &p, 16);
        memcpy(destination + 16, &q, 16);
        ((float *)panel_scales(panel, blocks, rows))[place] = peak / 127.0f;
        const ints both = a + b;
        int32_t sum = 0;
        for (int i = 0; i < 16; i++) sum += both[i];
        ((int32_t *)panel_sums(panel, blocks, rows))[place] = sum;
      }
    }
  }
}

INLINE void write_tile(float *y, floats sums, int64_t output, int64_t outputs, const bool accumulate) {
  if (output + 16 <= outputs) {
    store(y + output, accumulate ? load(y + output) + sums : sums);
  } else {
    if (accumulate) sums += load_tail(y + output, outputs - output, 0);
    store_tail(y + output, sums, outputs - output);
  }
}

// Where a micro-kernel works: `tiles` weights of the first tile, `panel` the activations, row `row` of
// `rows`, `y` the row's outputs, `output` the first output.
typedef struct {
  const uint8_t *tiles;
  int64_t tile_bytes, blocks;
  const void *panel;
  int64_t rows, row;
  float *y;
  int64_t stride, output, outputs;
  bool accumulate;
} place;

#define FINISH                                        \
  UNROLL for (int t = 0; t < TILES; t++)              \
    UNROLL for (int r = 0; r < ROWS; r++)             \
      write_tile(at->y + r * at->stride, sums[t][r], at->output + t * 16, at->outputs, at->accumulate);

#define START_FLOATS                                  \
  floats sums[TILES][ROWS];                           \
  UNROLL for (int t = 0; t < TILES; t++) UNROLL for (int r = 0; r < ROWS; r++) sums[t][r] = splat(0);

// f32 and f16: 32 groups of [16 outputs] a block.
INLINE void micro_float(const place *at, const bool half, const int ROWS, const int TILES) {
  START_FLOATS
  const size_t group = half ? 32 : 64;
  for (int64_t block = 0; block < at->blocks; block++) {
    const float *x = (const float *)at->panel + (block * at->rows + at->row) * 32;
    const uint8_t *w = at->tiles + (size_t)block * 32 * group;
    // The rows of the next block lie far away, where no hardware looks ahead.
    if (ROWS > 1) UNROLL for (int r = 0; r < 2 * ROWS; r++) __builtin_prefetch(x + at->rows * 32 + r * 16);
    for (int k = 0; k < 32; k++, w += group) {
      floats weights[TILES];
      UNROLL for (int t = 0; t < TILES; t++)
        weights[t] = half ? load_half(w + t * at->tile_bytes) : load((const float *)(w + t * at->tile_bytes));
      UNROLL for (int r = 0; r < ROWS; r++) {
        const floats value = splat(x[r * 32 + k]);
        UNROLL for (int t = 0; t < TILES; t++) sums[t][r] = fused(weights[t], value, sums[t][r]);
      }
    }
  }
  FINISH
}

// bf16: 16 groups of [16 outputs][2 inputs] a block.
INLINE void micro_bfloat(const place *at, const int ROWS, const int TILES) {
  START_FLOATS
  for (int64_t block = 0; block < at->blocks; block++) {
    const uint16_t *x = (const uint16_t *)at->panel + (block * at->rows + at->row) * 32;
    const uint8_t *w = at->tiles + block * 1024;
    if (ROWS > 1) UNROLL for (int r = 0; r < ROWS; r++) __builtin_prefetch(x + at->rows * 32 + r * 32);
    for (int k = 0; k < 16; k++, w += 64) {
      bytes64 weights[TILES];
      UNROLL for (int t = 0; t < TILES; t++) weights[t] = load_bytes(w + t * at->tile_bytes);
      UNROLL for (int r = 0; r < ROWS; r++)
        UNROLL for (int t = 0; t < TILES; t++) sums[t][r] = dot_bfloat(sums[t][r], weights[t], x + r * 32 + 2 * k);
    }
  }
  FINISH
}

// Eight- and four-bit blocks: half scales [16] (and half minima [16] in q4_1), then groups of
// [16 outputs][4 bytes]. Weights are unsigned (128 or 8 too large); the sums start at minus the excess.
INLINE void micro_integer(const place *at, const martlet_format format, const int ROWS, const int TILES) {
  START_FLOATS
  const int64_t block_bytes = format == MARTLET_Q8_0 ? 544 : format == MARTLET_Q4_0 ? 288 : 320;
  const float *scales = panel_scales(at->panel, at->blocks, at->rows) + at->row;
  const int32_t *excess = panel_sums(at->panel, at->blocks, at->rows) + at->row;
  const int8_t *x = (const int8_t *)at->panel + at->row * 32;
  const uint8_t *w = at->tiles;
  for (int64_t block = 0; block < at->blocks; block++) {
    UNROLL for (int t = 0; t < TILES; t++) {
      const uint8_t *tile = w + t * at->tile_bytes;
      const uint8_t *data = tile + (format == MARTLET_Q4_1 ? 64 : 32);
      ints dots[ROWS];
      UNROLL for (int r = 0; r < ROWS; r++)
        dots[r] = format == MARTLET_Q4_1 ? splat_int(0)
                                         : splat_int(excess[r] * (format == MARTLET_Q8_0 ? -128 : -8));
      if (format == MARTLET_Q8_0) {
        UNROLL for (int g = 0; g < 8; g++) {
          const bytes64 weights = load_bytes(data + g * 64);
          UNROLL for (int r = 0; r < ROWS; r++) dots[r] = dot_bytes(dots[r], weights, x + r * 32 + g * 4);
        }
      } else {
        UNROLL for (int g = 0; g < 4; g++) {
          const bytes64 both = load_bytes(data + g * 64);
          const bytes64 low = both & (bytes64)splat_int(0x0f0f0f0f);
          const bytes64 high = (bytes64)((ints)both >> 4) & (bytes64)splat_int(0x0f0f0f0f);
          UNROLL for (int r = 0; r < ROWS; r++) dots[r] = dot_bytes(dots[r], low, x + r * 32 + g * 4);
          UNROLL for (int r = 0; r < ROWS; r++) dots[r] = dot_bytes(dots[r], high, x + r * 32 + 16 + g * 4);
        }
      }
      const floats factor = load_half(tile);
      UNROLL for (int r = 0; r < ROWS; r++)
        sums[t][r] = fused(to_floats(dots[r]) * factor, splat(scales[r]), sums[t][r]);
      if (format == MARTLET_Q4_1) {
        const floats minimum = load_half(tile + 32);
        UNROLL for (int r = 0; r < ROWS; r++)
          sums[t][r] = fused(minimum, splat(scales[r] * (float)excess[r]), sums[t][r]);
      }
    }
    w += block_bytes;
    x += at->rows * 32;
    scales += at->rows;
    excess += at->rows;
  }
  FINISH
}

INLINE void micro(const place *at, const martlet_format format, const int ROWS, const int TILES) {
  if (format == MARTLET_F32 || format == MARTLET_F16)
    micro_float(at, format == MARTLET_F16, ROWS, TILES);
  else if (format == MARTLET_BF16)
    micro_bfloat(at, ROWS, TILES);
  else
    micro_integer(at, format, ROWS, TILES);
}

// SINGLE and WIDE are the tiles read at a time for one row and for more. One float row has one chain of
// additions a tile, so two or four tiles hide its latency; integer sums are independent from block to block, and
// a single sequential stream of weights is what memory delivers fastest.
#define DEFINE_MATMUL(NAME, FORMAT, MOST_ROWS, SINGLE, WIDE)                                                             \
  __attribute__((noinline)) static void NAME(place at, int64_t tiles, int64_t rows) {                              \
    const int64_t parts = (rows + MOST_ROWS - 1) / MOST_ROWS;                                                      \
    const place first = at;                                                                                        \
    for (int64_t part = 0; part < parts; part++) {                                                                 \
      at = first;                                                                                                  \
      at.row = rows * part / parts;                                                                                \
      at.y = first.y + at.row * at.stride;                                                                         \
      const int64_t count = rows * (part + 1) / parts - at.row;                                                    \
      int64_t tile = 0;                                                                                            \
      while (tile < tiles) {                                                                                       \
        int64_t step = 1;                                                                                          \
        if (count == 1 && SINGLE > 1 && tile + SINGLE <= tiles) {                                                  \
          micro(&at, FORMAT, 1, SINGLE);                                                                           \
          step = SINGLE;                                                                                           \
        } else if (WIDE == 2 && tile + 2 <= tiles) {                                                               \
          step = 2;                                                                                                \
          switch (count) { CASES(FORMAT, 2, MOST_ROWS) }                                                           \
        } else {                                                                                                   \
          switch (count) { CASES(FORMAT, 1, MOST_ROWS) }                                                           \
        }                                                                                                          \
        tile += step;                                                                                              \
        at.tiles += step * at.tile_bytes;                                                                          \
        at.output += step * 16;                                                                                    \
      }                                                                                                            \
    }                                                                                                              \
  }
#define CASE(FORMAT, TILES, MOST, N) \
  case N: if (N <= MOST) micro(&at, FORMAT, N <= MOST ? N : 1, TILES); break;
#define CASES(F, T, M)                                                                                       \
  CASE(F, T, M, 1) CASE(F, T, M, 2) CASE(F, T, M, 3) CASE(F, T, M, 4) CASE(F, T, M, 5) CASE(F, T, M, 6)      \
  CASE(F, T, M, 7) CASE(F, T, M, 8) CASE(F, T, M, 9) CASE(F, T, M, 10) CASE(F, T, M, 11) CASE(F, T, M, 12)

DEFINE_MATMUL(matmul_f32, MARTLET_F32, LANE_ROWS_FLOAT, 2, LANE_TILES_FLOAT)
DEFINE_MATMUL(matmul_f16, MARTLET_F16, LANE_ROWS_FLOAT, 4, LANE_TILES_FLOAT)
DEFINE_MATMUL(matmul_bf16, MARTLET_BF16, LANE_ROWS_FLOAT, 2, LANE_TILES_FLOAT)
DEFINE_MATMUL(matmul_q8_0, MARTLET_Q8_0, LANE_ROWS_INTEGER, 1, 1)
DEFINE_MATMUL(matmul_q4_0, MARTLET_Q4_0, LANE_ROWS_INTEGER, 1, 1)
DEFINE_MATMUL(matmul_q4_1, MARTLET_Q4_1, LANE_ROWS_INTEGER, 1, 1)

static void matmul(martlet_format format, const void *tiles, int64_t outputs, int64_t inputs, int64_t tile_begin,
                   int64_t tile_end, const void *panel, int64_t rows, float *y, int64_t y_stride, bool accumulate) {
  const int64_t tile_bytes = (int64_t)martlet_tile_block_bytes(format) * blocks_of(inputs);
  const place at = {.tiles = (const uint8_t *)tiles + tile_begin * tile_bytes, .tile_bytes = tile_bytes,
                    .blocks = blocks_of(inputs), .panel = panel, .rows = rows, .y = y, .stride = y_stride,
                    .output = tile_begin * 16, .outputs = outputs, .accumulate = accumulate};
  const int64_t count = tile_end - tile_begin;
  switch (format) {
    case MARTLET_F32: matmul_f32(at, count, rows); break;
    case MARTLET_F16: matmul_f16(at, count, rows); break;
    case MARTLET_BF16: matmul_bf16(at, count, rows); break;
    case MARTLET_Q8_0: matmul_q8_0(at, count, rows); break;
    case MARTLET_Q4_0: matmul_q4_0(at, count, rows); break;
    case MARTLET_Q4_1: matmul_q4_1(at, count, rows); break;
  }
}
