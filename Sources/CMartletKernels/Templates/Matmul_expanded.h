// Products of many rows with K-quants, where registers are few. To take codes apart costs as much as to multiply them with a row
// or two, so a stretch of a tile is expanded once, to a byte a weight and floats for what scales them, and then multiplied with
// every row. All operations are those of one row, in the same order: the same bits.

// 512 inputs: 12 KiB stay in the first-level cache beside the rows they are multiplied with.
#define EXPANDED_BLOCKS 16
// Sums of so many steps of rows and so many tiles wait on the stack from stretch to stretch, 60 KiB. Results are written once, 256
// bytes a row: rows are pages apart, and single tiles of many rows were found to wait for memory.
#define EXPANDED_STEPS (240 / LANE_ROWS_INTEGER)
#define EXPANDED_TILES 4
// From so many rows on. Then groups of a panel have at least eight rows, and a step of at most six has at least four.
#define EXPANDED_LEAST_ROWS 24
_Static_assert(LANE_ROWS_INTEGER == 6, "steps of four to six rows");

// Q4_K and Q5_K have minima, Q6_K has scales of halves.
typedef struct {
  bytes64 weights[8];
  floats factor, minimum;
  ints halves[2];
} expanded;

INLINE void expand_weights(const martlet_format format, const uint8_t *data, expanded *to) {
  bytes64 high = (bytes64)splat_int(0);
  if (format == MARTLET_Q5_K) high = load_bytes(data + 256);
  UNROLL for (int i = 0; i < 8; i++) {
    const int g = paired_group(i);
    if (format == MARTLET_Q6_K) high = load_bytes(data + 256 + g / 4 * 64);
    to->weights[g] = small_weights(format, data, high, g);
  }
}

// Expands `count` blocks of 32 inputs; the first one begins a block of 256.
INLINE void expand(const martlet_format format, const uint8_t *w, int64_t count, expanded *to) {
  const int head = head_bytes(format), part_bytes = part_bytes_of(format);
  for (int64_t block = 0; block < count; block += 8, w += head + 8 * part_bytes) {
    const floats scale = load_half(w), least = format == MARTLET_Q6_K ? splat(0) : -load_half(w + 32);
    uint8_t part_scales[8][16], part_minima[8][16];
    if (format != MARTLET_Q6_K) unpack_scales(w + 64, part_scales, part_minima);
    for (int64_t part = 0; part < 8 && block + part < count; part++, to++) {
      const uint8_t *data = w + head + part * part_bytes;
      fetch_ahead(data, part_bytes);
      expand_weights(format, data, to);
      if (format == MARTLET_Q6_K) {
        to->factor = scale;
        UNROLL for (int half = 0; half < 2; half++)
          to->halves[half] = half_scale(scale, w + 32 + part * 32 + half * 16);
      } else {
        to->factor = scale * floats_of(part_scales[part]);
        to->minimum = least * floats_of(part_minima[part]);
      }
    }
  }
}

// Adds the products of blocks `begin..<end` to `waiting`, the sums of earlier blocks; those of the first blocks begin it.
INLINE void micro_expanded(const place *at, const martlet_format format, const expanded *w, int64_t begin, int64_t end,
                           floats *waiting, const int ROWS) {
  floats sums[ROWS];
  UNROLL for (int r = 0; r < ROWS; r++) sums[r] = begin > 0 ? waiting[r] : splat(0);
  const int64_t first = begin * at->rows + at->row;
  const float *scales = panel_scales(at->panel, at->blocks, at->rows) + first;
  const float *offsets = panel_offsets(at->panel, at->blocks, at->rows) + first;
  const martlet_panel_sums *excess = panel_sums(at->panel, at->blocks, at->rows) + first;
  const int8_t *x = (const int8_t *)at->panel + first * 32;
  for (int64_t block = begin; block < end; block++, w++) {
    const uint8_t *const data = (const uint8_t *)w->weights;
    if (format == MARTLET_Q6_K) {
      add_halves(true, data, x, excess, scales, w->factor, w->halves, ROWS, sums);
    } else {
      ints dots[LANE_ROWS_INTEGER];
      UNROLL for (int r = 0; r < ROWS; r++) dots[r] = splat_int(0);
      dot_groups(format, true, data, x, 0, 8, ROWS, dots);
      add_products(format, dots, w->factor, w->minimum, scales, offsets, ROWS, sums);
    }
    SUMS_WAIT
    x += at->rows * 32;
    scales += at->rows;
    offsets += at->rows;
    excess += at->rows;
  }
  UNROLL for (int r = 0; r < ROWS; r++) waiting[r] = sums[r];
}

#define DEFINE_EXPANDED(NAME, FORMAT)                                                                            \
  __attribute__((noinline)) static void NAME(const place first, int64_t tiles, int64_t rows) {                   \
    expanded weights[EXPANDED_BLOCKS];                                                                           \
    floats waiting[EXPANDED_TILES][EXPANDED_STEPS][LANE_ROWS_INTEGER];                                           \
    const int64_t block_bytes = head_bytes(FORMAT) + 8 * part_bytes_of(FORMAT);                                  \
    row_step steps[EXPANDED_STEPS];                                                                              \
    place at = first;                                                                                            \
    for (int64_t row = 0; row < rows;) {                                                                         \
      int count = 0;                                                                                             \
      for (; count < EXPANDED_STEPS && row < rows; row += steps[count++].count)                                  \
        steps[count] = row_step_at(row, rows, LANE_ROWS_INTEGER);                                                \
      for (int64_t start = 0; start < tiles; start += EXPANDED_TILES) {                                          \
        const int width = (int)(tiles - start < EXPANDED_TILES ? tiles - start : EXPANDED_TILES);                \
        for (int tile = 0; tile < width; tile++) {                                                               \
          const uint8_t *const w = first.tiles + (start + tile) * at.tile_bytes;                                 \
          for (int64_t begin = 0; begin < at.blocks; begin += EXPANDED_BLOCKS) {                                 \
            const int64_t end = begin + EXPANDED_BLOCKS < at.blocks ? begin + EXPANDED_BLOCKS : at.blocks;       \
            expand(FORMAT, w + begin / 8 * block_bytes, end - begin, weights);                                   \
            for (int i = 0; i < count; i++) {                                                                    \
              move(&at, &first, steps[i]);                                                                       \
              switch (steps[i].count) {                                                                          \
                STEP(FORMAT, 4) STEP(FORMAT, 5) STEP(FORMAT, 6)                                                  \
              }                                                                                                  \
            }                                                                                                    \
          }                                                                                                      \
        }                                                                                                        \
        for (int i = 0; i < count; i++) {                                                                        \
          move(&at, &first, steps[i]);                                                                           \
          for (int64_t r = 0; r < steps[i].count; r++)                                                           \
            for (int tile = 0; tile < width; tile++)                                                             \
              write_tile(at.y + r * at.stride, waiting[tile][i][r], first.output + (start + tile) * 16,          \
                         at.outputs, at.accumulate);                                                             \
        }                                                                                                        \
      }                                                                                                          \
    }                                                                                                            \
  }
#define STEP(FORMAT, N) \
  case N: micro_expanded(&at, FORMAT, weights, begin, end, waiting[tile][i], N); break;

DEFINE_EXPANDED(expanded_q4_k, MARTLET_Q4_K)
DEFINE_EXPANDED(expanded_q5_k, MARTLET_Q5_K)
DEFINE_EXPANDED(expanded_q6_k, MARTLET_Q6_K)
