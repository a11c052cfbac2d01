// Activations into panels, and matrix products of packed weight tiles with panels.
//
// A micro-kernel holds ROWS rows x TILES tiles of sums in registers and walks the inputs once; the
// order of additions for one output is always: inputs 0, 1, 2, ... in its own lane. That makes the
// result of a row the same bits for any number of rows.

// A table may have a faster way for sums of products of small weights (6 bits at most) with signed bytes, in which only
// so many groups of four inputs fit (SMALL_GROUPS by the largest weight) until it is widened:
//   small_start()          nothing yet
//   dot_small(s, w, x)     dot_bytes
//   small_end(s, c)        c + the sums
//   small_from(pair)       begins with two numbers of 16 bits; additions wrap around, so that only the whole sum and each
//                          product of two weights have to fit
//   small_scaled(s, f, c)  c + the sums, each times the one of the pairs of equal factors of 16 bits in f
// The others use dot_bytes. A table may also have
//   dot_signed(c, w, x)    dot_bytes of w - 128
// for weights of 8 bits, whose sums then start at 0; and products of two rows at a time,
//   dot_pair(s, w, v, x, y)  dot_bytes of groups w and v that follow each other, for the rows x and y (pair_sums)
//   pair_end(s, a, b)        adds the sums to those of the rows, a and b

// To the nearest integer, ties to even, of numbers below 2^22: the addition has no bits for what is behind the point.
INLINE ints nearest(floats v) {
  const floats shift = splat(12582912.0f);
  return (ints)(v + shift) - (ints)shift;
}

// Of values 4g, 4g+1 together, and of values 4g+2, 4g+3.
INLINE void sums_of_pairs(ints v, int32_t sums[2]) {
  typedef int32_t eight __attribute__((vector_size(32)));
  typedef int32_t four __attribute__((vector_size(16)));
  const eight a = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                  __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  const four b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
  sums[0] = b[0] + b[1];
  sums[1] = b[2] + b[3];
}

// Packs `count` (at most 32) values as block number `index` of a group of `rows` rows at `to`.
INLINE void pack_values(martlet_format format, const float *source, int64_t count, void *to, int64_t blocks,
                        int64_t rows, int64_t index) {
  floats low, high;
  if (count == 32) {
    low = load(source);
    high = load(source + 16);
  } else {
    low = load_tail(source, count < 16 ? count : 16, 0);
    high = count > 16 ? load_tail(source + 16, count - 16, 0) : splat(0);
  }
  if (format == MARTLET_F32 || format == MARTLET_F16) {
    store((float *)to + index * 32, low);
    store((float *)to + index * 32 + 16, high);
  } else if (format == MARTLET_BF16) {
    uint16_t *destination = (uint16_t *)to + index * 32;
    for (int i = 0; i < 16; i++) destination[i] = float_to_bfloat(low[i]);
    for (int i = 0; i < 16; i++) destination[16 + i] = float_to_bfloat(high[i]);
  } else {
    // By their bits, magnitudes are integers in the same order, infinity and NaN above all others: these make the row's
    // products NaN, by the scale.
    const ints magnitude = splat_int(0x7fffffff);
    const int32_t top = __builtin_reduce_max(__builtin_elementwise_max((ints)low & magnitude, (ints)high & magnitude));
    float peak;
    memcpy(&peak, &top, 4);
    if (top >= 0x7f800000) low = high = splat(0);
    // Below, the scale would be subnormal, and then the quotient infinite.
    const floats inverse = splat(peak > 0x1p-119f ? 127.0f / peak : 0.0f);
    const ints a = nearest(low * inverse), b = nearest(high * inverse);
    int8_t *destination = (int8_t *)to + index * 32;
    const bytes16 p = __builtin_convertvector(a, bytes16), q = __builtin_convertvector(b, bytes16);
    memcpy(destination, &p, 16);
    memcpy(destination + 16, &q, 16);
    const float scale = peak / 127.0f;
    int32_t first[2], second[2];
    sums_of_pairs(a, first);
    sums_of_pairs(b, second);
    const int32_t in_first = first[0] + first[1], in_second = second[0] + second[1], sum = in_first + in_second;
    ((float *)panel_scales(to, blocks, rows))[index] = scale;
    ((float *)panel_offsets(to, blocks, rows))[index] = scale * (float)sum;
    ((martlet_panel_sums *)panel_sums(to, blocks, rows))[index] =
        (martlet_panel_sums){.by_8 = sum * -8,
                             .by_128 = sum * -128,
                             .by_32 = {in_first * -32, in_second * -32},
                             .pairs_by_32 = {{(int16_t)(first[0] * -32), (int16_t)(first[1] * -32)},
                                             {(int16_t)(second[0] * -32), (int16_t)(second[1] * -32)}}};
  }
}

static void pack_panel(martlet_format format, const float *x, int64_t stride, int64_t rows, int64_t inputs,
                       int64_t begin, int64_t end, void *panel) {
  const int64_t blocks = blocks_of(inputs);
  for (int64_t row = begin; row < end; row++) {
    const martlet_panel_group group = panel_group_of(rows, row);
    void *const to = (uint8_t *)panel + martlet_panel_bytes(format, group.begin, inputs);
    for (int64_t block = 0; block < blocks; block++) {
      const int64_t count = inputs - block * 32 < 32 ? inputs - block * 32 : 32;
      pack_values(format, x + row * stride + block * 32, count, to, blocks, group.rows, block * group.rows + row - group.begin);
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

// Where a micro-kernel works: `tiles` weights of the first tile, `panel` a group of activations, row `row` of
// its `rows`, `y` the row's outputs, `output` the first output.
typedef struct {
  const uint8_t *tiles;
  int64_t tile_bytes, blocks;
  const void *panel;
  size_t row_bytes;  // of a row in a panel
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

// Where registers are few, sums of rows wait in memory while the products of a block are added up: LANE_FEW_REGISTERS says
// so, because the compiler would rather spill within the block, many times.
#ifdef LANE_FEW_REGISTERS
#define SUMS_WAIT if (ROWS > 2) __asm__ volatile("" : : "r"(&sums[0]) : "memory");
#else
#define SUMS_WAIT
#endif

#ifndef PLAIN_ADDRESS
#define PLAIN_ADDRESS(pointer)
#endif

// f32 and f16: 32 groups of [16 outputs] a block.
INLINE void micro_float(const place *at, const bool half, const int ROWS, const int TILES) {
  START_FLOATS
  const size_t group = half ? 32 : 64;
  for (int64_t block = 0; block < at->blocks; block++) {
    const float *x = (const float *)at->panel + (block * at->rows + at->row) * 32;
    const uint8_t *w = at->tiles + (size_t)block * 32 * group;
    for (int k = 0; k < 32; k++, w += group) {
      floats weights[TILES];
      UNROLL for (int t = 0; t < TILES; t++)
        weights[t] = half ? load_half(w + t * at->tile_bytes) : load((const float *)(w + t * at->tile_bytes));
      if (!half || k % 2 == 0) UNROLL for (int t = 0; t < TILES; t++) fetch_ahead(w + t * at->tile_bytes, 64);
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
    for (int k = 0; k < 16; k++, w += 64) {
      bytes64 weights[TILES];
      UNROLL for (int t = 0; t < TILES; t++) weights[t] = load_bytes(w + t * at->tile_bytes);
      UNROLL for (int t = 0; t < TILES; t++) fetch_ahead(w + t * at->tile_bytes, 64);
      UNROLL for (int r = 0; r < ROWS; r++)
        UNROLL for (int t = 0; t < TILES; t++) sums[t][r] = dot_bfloat(sums[t][r], weights[t], x + r * 32 + 2 * k);
    }
  }
  FINISH
}

// Weights of group g (0...7) of 32 inputs: nibbles in four vectors, then, in Q5_K and Q6_K, the bits above them (Pack_k.c).
INLINE bytes64 small_weights(const martlet_format format, const uint8_t *data, const bytes64 high, const int g) {
  const bytes64 both = load_bytes(data + g % 4 * 64);
  const bytes64 low = (g < 4 ? both : (bytes64)((ints)both >> 4)) & (bytes64)splat_int(0x0f0f0f0f);
  if (format != MARTLET_Q5_K && format != MARTLET_Q6_K) return low;
  const int shift = format == MARTLET_Q5_K ? g - 4 : g % 4 * 2 - 4;
  const ints moved = shift < 0 ? (ints)high << -shift : (ints)high >> shift;
  return low | (bytes64)(moved & splat_int(format == MARTLET_Q5_K ? 0x10101010 : 0x30303030));
}

#ifdef dot_pair
// Weights of groups g and g + 1; those of q8_0 as signed bytes.
typedef struct { bytes64 first, second; } two_groups;
INLINE two_groups groups_at(const martlet_format format, const bool is_expanded, const uint8_t *data, const bytes64 high, const int g) {
  if (format == MARTLET_Q8_0) {
    const bytes64 excess = (bytes64)splat_int((int32_t)0x80808080);
    return (two_groups){load_bytes(data + g * 64) ^ excess, load_bytes(data + g * 64 + 64) ^ excess};
  }
  if (is_expanded) return (two_groups){load_bytes(data + g * 64), load_bytes(data + g * 64 + 64)};
  return (two_groups){small_weights(format, data, high, g), small_weights(format, data, high, g + 1)};
}

// dot_groups for an even number of rows.
INLINE void dot_pairs(const martlet_format format, const bool is_expanded, const uint8_t *data, const bytes64 high, const int8_t *x,
                      const int begin, const int end, const int ROWS, ints *dots) {
  pair_sums pairs[LANE_ROWS_INTEGER / 2];
  UNROLL for (int r = 0; r < ROWS / 2; r++) memset(&pairs[r], 0, sizeof pairs[r]);
  UNROLL for (int i = begin; i < end; i += 2) {
    // Both nibbles of a vector come together.
    const int g = end - begin == 8 && !is_expanded && format != MARTLET_Q8_0 ? i / 2 % 2 * 4 + i / 4 * 2 : i;
    const two_groups weights = groups_at(format, is_expanded, data, high, g);
    UNROLL for (int r = 0; r < ROWS / 2; r++)
      pairs[r] = dot_pair(pairs[r], weights.first, weights.second, x + 2 * r * 32 + g * 4, x + (2 * r + 1) * 32 + g * 4);
  }
  UNROLL for (int r = 0; r < ROWS / 2; r++) pair_end(pairs[r], &dots[2 * r], &dots[2 * r + 1]);
}
#endif

// Groups in an order in which both nibbles of a vector come together: it need not be kept.
INLINE int paired_group(const int i) { return i % 2 * 4 + i / 2; }

// Adds the products of groups `begin..<end` (all eight, or one half) to the sums of every row. Expanded weights
// (Matmul_expanded.h) are read as they are.
INLINE void dot_groups(const martlet_format format, const bool is_expanded, const uint8_t *data, const int8_t *x,
                       const int begin, const int end, const int ROWS, ints *dots) {
  bytes64 high = (bytes64)splat_int(0);
  if (format == MARTLET_Q5_K && !is_expanded) high = load_bytes(data + 256);
  if (format == MARTLET_Q6_K && !is_expanded) high = load_bytes(data + 256 + begin / 4 * 64);
#ifdef dot_pair
  if (ROWS > 1) {
    const int even = ROWS / 2 * 2;
    dot_pairs(format, is_expanded, data, high, x, begin, end, even, dots);
    if (ROWS == even) return;
    x += even * 32;
    dots += even;
  }
  const int left = ROWS > 1 ? 1 : ROWS;
#else
  const int left = ROWS;
#endif
#ifdef dot_small
  const int most = format == MARTLET_Q5_K ? 31 : 15;  // Q6_K takes another way (add_halves)
  small_sums small[LANE_ROWS_INTEGER];
  UNROLL for (int i = begin; i < end; i++) {
    const int g = end - begin == 8 && !is_expanded ? paired_group(i) : i;
    const bytes64 weights = is_expanded ? load_bytes(data + g * 64) : small_weights(format, data, high, g);
    if (i % SMALL_GROUPS(most) == 0) UNROLL for (int r = 0; r < left; r++) small[r] = small_start();
    UNROLL for (int r = 0; r < left; r++) small[r] = dot_small(small[r], weights, x + r * 32 + g * 4);
    if ((i + 1) % SMALL_GROUPS(most) == 0)
      UNROLL for (int r = 0; r < left; r++) dots[r] = small_end(small[r], dots[r]);
  }
#else
  UNROLL for (int i = begin; i < end; i++) {
    const int g = end - begin == 8 && !is_expanded ? paired_group(i) : i;
    const bytes64 weights = is_expanded ? load_bytes(data + g * 64) : small_weights(format, data, high, g);
    UNROLL for (int r = 0; r < left; r++) dots[r] = dot_bytes(dots[r], weights, x + r * 32 + g * 4);
  }
#endif
}

#ifdef dot_signed
#define start_eight_bits(sums) splat_int(0)
#define dot_eight_bits(c, w, x) dot_signed(c, w, x)
#else
#define start_eight_bits(sums) splat_int((sums).by_128)
#define dot_eight_bits(c, w, x) dot_bytes(c, w, x)
#endif

// Adds the products of a block, times what scales them, and the minimum of its weights times the sum of a row's activations.
// `scales` and `offsets` are read before sums are written: they might be the same memory, for all that the compiler knows.
INLINE void add_products(const martlet_format format, const ints *dots, const floats factor, const floats minimum,
                         const float *scales, const float *offsets, const int ROWS, floats *sums) {
  UNROLL for (int r = 0; r < ROWS; r++) {
    const floats sum = fused(to_floats(dots[r]) * factor, splat(scales[r]), sums[r]);
    const bool has_minimum = format == MARTLET_Q4_1 || format == MARTLET_Q4_K || format == MARTLET_Q5_K;
    sums[r] = has_minimum ? fused(minimum, splat(offsets[r]), sum) : sum;
  }
}

// Eight- and four-bit blocks: half scales [16] (and half minima [16] in q4_1), then groups of
// [16 outputs][4 bytes]. Weights are unsigned (128 or 8 too large); the sums start at minus the excess.
INLINE void micro_integer(const place *at, const martlet_format format, const int ROWS, const int TILES) {
  START_FLOATS
  const int64_t block_bytes = format == MARTLET_Q8_0 ? 544 : format == MARTLET_Q4_0 ? 288 : 320;
  const float *scales = panel_scales(at->panel, at->blocks, at->rows) + at->row;
  const float *offsets = panel_offsets(at->panel, at->blocks, at->rows) + at->row;
  const martlet_panel_sums *excess = panel_sums(at->panel, at->blocks, at->rows) + at->row;
  const int8_t *x = (const int8_t *)at->panel + at->row * 32;
  const uint8_t *w = at->tiles;
  for (int64_t block = 0; block < at->blocks; block++) {
    UNROLL for (int t = 0; t < TILES; t++) {
      const uint8_t *tile = w + t * at->tile_bytes;
      fetch_ahead(tile, block_bytes);
      const uint8_t *data = tile + (format == MARTLET_Q4_1 ? 64 : 32);
      ints dots[LANE_ROWS_INTEGER];
      UNROLL for (int r = 0; r < ROWS; r++)
        dots[r] = format == MARTLET_Q8_0   ? start_eight_bits(excess[r])
                  : format == MARTLET_Q4_0 ? splat_int(excess[r].by_8)
                                           : splat_int(0);
      if (format == MARTLET_Q8_0) {
        int first = 0;
#ifdef dot_pair
        first = ROWS / 2 * 2;
        if (first > 0) dot_pairs(format, false, data, (bytes64)splat_int(0), x, 0, 8, first, dots);
#endif
        if (first < ROWS) UNROLL for (int g = 0; g < 8; g++) {
          const bytes64 weights = load_bytes(data + g * 64);
          UNROLL for (int r = first; r < ROWS; r++) dots[r] = dot_eight_bits(dots[r], weights, x + r * 32 + g * 4);
        }
      } else {
        dot_groups(format, false, data, x, 0, 8, ROWS, dots);
      }
      const floats minimum = format == MARTLET_Q4_1 ? load_half(tile + 32) : splat(0);
      add_products(format, dots, load_half(tile), minimum, scales, offsets, ROWS, sums[t]);
    }
    SUMS_WAIT
    w += block_bytes;
    x += at->rows * 32;
    scales += at->rows;
    offsets += at->rows;
    excess += at->rows;
    PLAIN_ADDRESS(x)
    PLAIN_ADDRESS(scales)
    PLAIN_ADDRESS(offsets)
    PLAIN_ADDRESS(excess)
  }
  FINISH
}

#include "Matmul_k.h"

INLINE void micro(const place *at, const martlet_format format, const int ROWS, const int TILES) {
  if (format == MARTLET_F32 || format == MARTLET_F16)
    micro_float(at, format == MARTLET_F16, ROWS, TILES);
  else if (format == MARTLET_BF16)
    micro_bfloat(at, ROWS, TILES);
  else if (is_k(format))
    micro_k(at, format, ROWS);
  else
    micro_integer(at, format, ROWS, TILES);
}

// The next rows that a micro-kernel of at most `most` rows takes together: `count` of `group`, from row `row`.
typedef struct { martlet_panel_group group; int64_t row, count; } row_step;
INLINE row_step row_step_at(int64_t row, int64_t rows, const int64_t most) {
  const martlet_panel_group group = panel_group_of(rows, row);
  const int64_t parts = (group.rows + most - 1) / most;
  const int64_t part = ((row - group.begin) * parts + group.rows - 1) / group.rows;
  return (row_step){.group = group, .row = row, .count = group.rows * (part + 1) / parts - (row - group.begin)};
}
// `at`, the place of the first row, moved to the rows of a step.
INLINE void move(place *at, const place *first, row_step step) {
  at->panel = (const uint8_t *)first->panel + (size_t)step.group.begin * at->row_bytes;
  at->rows = step.group.rows;
  at->row = step.row - step.group.begin;
  at->y = first->y + step.row * at->stride;
}

// SINGLE and WIDE are the tiles read at a time for one row and for more. One float row has one chain of
// additions a tile, so two or four tiles hide its latency; integer sums are independent from block to block, and
// a single sequential stream of weights is what memory delivers fastest.
#define DEFINE_MATMUL(NAME, FORMAT, MOST_ROWS, SINGLE, WIDE)                                                        \
  __attribute__((noinline)) static void NAME(const place first, int64_t tiles, int64_t rows) {                     \
    place at = first;                                                                                              \
    for (int64_t row = 0; row < rows;) {                                                                           \
      const row_step step = row_step_at(row, rows, MOST_ROWS);                                                     \
      move(&at, &first, step);                                                                                     \
      row += step.count;                                                                                           \
      for (int64_t tile = 0, width; tile < tiles; tile += width) {                                                 \
        at.tiles = first.tiles + tile * at.tile_bytes;                                                             \
        at.output = first.output + tile * 16;                                                                      \
        width = 1;                                                                                                 \
        if (step.count == 1 && SINGLE > 1 && tile + SINGLE <= tiles) {                                             \
          micro(&at, FORMAT, 1, SINGLE);                                                                           \
          width = SINGLE;                                                                                          \
        } else if (WIDE == 2 && tile + 2 <= tiles) {                                                               \
          width = 2;                                                                                               \
          switch (step.count) { CASES(FORMAT, 2, MOST_ROWS) }                                                      \
        } else {                                                                                                   \
          switch (step.count) { CASES(FORMAT, 1, MOST_ROWS) }                                                      \
        }                                                                                                          \
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
DEFINE_MATMUL(matmul_q4_k, MARTLET_Q4_K, LANE_ROWS_INTEGER, 1, 1)
DEFINE_MATMUL(matmul_q5_k, MARTLET_Q5_K, LANE_ROWS_INTEGER, 1, 1)
DEFINE_MATMUL(matmul_q6_k, MARTLET_Q6_K, LANE_ROWS_INTEGER, 1, 1)

#ifdef LANE_EXPANDS
#include "Matmul_expanded.h"
#define MATMUL(NAME) at.blocks > 0 && rows >= EXPANDED_LEAST_ROWS ? expanded_##NAME(at, count, rows) : matmul_##NAME(at, count, rows)
#else
#define MATMUL(NAME) matmul_##NAME(at, count, rows)
#endif

static void matmul(martlet_format format, const void *tiles, int64_t outputs, int64_t inputs, int64_t tile_begin,
                   int64_t tile_end, const void *panel, int64_t rows, float *y, int64_t y_stride, bool accumulate) {
  const int64_t tile_bytes = (int64_t)martlet_tile_bytes(format, inputs);
  const place at = {.tiles = (const uint8_t *)tiles + tile_begin * tile_bytes, .tile_bytes = tile_bytes,
                    .blocks = blocks_of(inputs), .panel = panel, .row_bytes = martlet_panel_bytes(format, 1, inputs),
                    .y = y, .stride = y_stride, .output = tile_begin * 16, .outputs = outputs, .accumulate = accumulate};
  const int64_t count = tile_end - tile_begin;
  switch (format) {
    case MARTLET_F32: matmul_f32(at, count, rows); break;
    case MARTLET_F16: matmul_f16(at, count, rows); break;
    case MARTLET_BF16: matmul_bf16(at, count, rows); break;
    case MARTLET_Q8_0: matmul_q8_0(at, count, rows); break;
    case MARTLET_Q4_0: matmul_q4_0(at, count, rows); break;
    case MARTLET_Q4_1: matmul_q4_1(at, count, rows); break;
    case MARTLET_Q4_K: MATMUL(q4_k); break;
    case MARTLET_Q5_K: MATMUL(q5_k); break;
    case MARTLET_Q6_K: MATMUL(q6_k); break;
  }
}
