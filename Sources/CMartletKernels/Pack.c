// Packing of weight rows into tiles, and back. See include/CMartletKernels.h for the layout.
#include "KernelTable.h"

size_t martlet_tile_block_bytes(martlet_format format) {
  switch (format) {
    case MARTLET_F32: return 16 * 32 * 4;
    case MARTLET_F16:
    case MARTLET_BF16: return 16 * 32 * 2;
    case MARTLET_Q8_0: return 16 * (2 + 32);
    case MARTLET_Q4_0: return 16 * (2 + 16);
    case MARTLET_Q4_1: return 16 * (4 + 16);
    case MARTLET_Q4_K: return 16 * 144;
    case MARTLET_Q5_K: return 16 * 176;
    case MARTLET_Q6_K: return 16 * 210;
  }
  return 0;
}

int64_t martlet_block_inputs(martlet_format format) { return is_k(format) ? 256 : MARTLET_BLOCK; }

static inline int64_t format_blocks(martlet_format format, int64_t inputs) {
  return is_k(format) ? (inputs + 255) / 256 : blocks_of(inputs);
}

size_t martlet_tile_bytes(martlet_format format, int64_t inputs) {
  return (size_t)format_blocks(format, inputs) * martlet_tile_block_bytes(format);
}

size_t martlet_row_bytes(martlet_format format, int64_t inputs) {
  switch (format) {
    case MARTLET_F32: return (size_t)inputs * 4;
    case MARTLET_F16:
    case MARTLET_BF16: return (size_t)inputs * 2;
    default: return martlet_tile_bytes(format, inputs) / 16;
  }
}

size_t martlet_panel_bytes(martlet_format format, int64_t rows, int64_t inputs) {
  const size_t blocks = (size_t)(blocks_of(inputs) * rows);
  switch (format) {
    case MARTLET_F32:
    case MARTLET_F16: return blocks * 32 * 4;
    case MARTLET_BF16: return blocks * 32 * 2;
    default: return blocks * (32 + 4 + 4 + sizeof(martlet_panel_sums));
  }
}

// Halves and words of a block: where value k of output i lies in the tile block.
static inline size_t half_place(martlet_format format, int i, int k) {
  return format == MARTLET_BF16 ? (size_t)(k / 2 * 32 + i * 2 + k % 2) : (size_t)(k * 16 + i);
}

typedef uint16_t halves __attribute__((vector_size(16)));

// [16 rows][32 halves] into [32][16], by squares of 8 x 8. Zipping each row with that four below it turns the six bits of a place in the
// square, row and column, by one; three times exchange row and column.
static void pack_halves(const uint8_t *source, size_t row_bytes, uint8_t *out) {
  for (int row = 0; row < 16; row += 8) {
    for (int k = 0; k < 32; k += 8) {
      halves v[8], turned[8];
      for (int i = 0; i < 8; i++) memcpy(&v[i], source + (size_t)(row + i) * row_bytes + k * 2, 16);
      for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) {
          turned[2 * i] = __builtin_shufflevector(v[i], v[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
          turned[2 * i + 1] = __builtin_shufflevector(v[i], v[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
        }
        memcpy(v, turned, sizeof v);
      }
      for (int i = 0; i < 8; i++) memcpy(out + ((k + i) * 16 + row) * 2, &v[i], 16);
    }
  }
}

void martlet_pack_tile(martlet_format format, const void *source, size_t row_bytes, int rows, int64_t inputs,
                       void *tile) {
  if (is_k(format)) {
    martlet_pack_tile_k(format, source, row_bytes, rows, inputs, tile);
    return;
  }
  const int64_t blocks = blocks_of(inputs);
  const size_t block_bytes = martlet_tile_block_bytes(format);
  uint8_t *out = tile;
  if (rows < 16 || inputs % 32 != 0) memset(tile, 0, (size_t)blocks * block_bytes);
  for (int64_t block = 0; block < blocks; block++, out += block_bytes) {
    const int64_t count = inputs - block * 32 < 32 ? inputs - block * 32 : 32;
    if (format == MARTLET_F32) {
      for (int i = 0; i < rows; i++) {
        const uint8_t *row = (const uint8_t *)source + (size_t)i * row_bytes + (size_t)block * 128;
        for (int64_t k = 0; k < count; k++) memcpy(out + (k * 16 + i) * 4, row + k * 4, 4);
      }
    } else if (format == MARTLET_F16 && rows == 16 && count == 32) {
      pack_halves((const uint8_t *)source + (size_t)block * 64, row_bytes, out);
    } else if (format == MARTLET_F16) {
      for (int i = 0; i < rows; i++) {
        const uint8_t *row = (const uint8_t *)source + (size_t)i * row_bytes + (size_t)block * 64;
        for (int64_t k = 0; k < count; k++) memcpy(out + (k * 16 + i) * 2, row + k * 2, 2);
      }
    } else if (format == MARTLET_BF16) {
      for (int i = 0; i < rows; i++) {
        const uint8_t *row = (const uint8_t *)source + (size_t)i * row_bytes + (size_t)block * 64;
        for (int64_t k = 0; k + 1 < count; k += 2) memcpy(out + k * 32 + i * 4, row + k * 2, 4);
        if (count % 2) memcpy(out + (count - 1) * 32 + i * 4, row + (count - 1) * 2, 2);
      }
    } else {
      const size_t in_block = block_bytes / 16;
      const int heads = format == MARTLET_Q4_1 ? 2 : 1;  // scale, and minimum
      const int words = format == MARTLET_Q8_0 ? 8 : 4;
      const uint32_t flip = format == MARTLET_Q8_0 ? 0x80808080u : 0;  // signed to unsigned
      for (int i = 0; i < rows; i++) {
        const uint8_t *row = (const uint8_t *)source + (size_t)i * row_bytes + (size_t)block * in_block;
        for (int h = 0; h < heads; h++) memcpy(out + h * 32 + i * 2, row + h * 2, 2);
        for (int g = 0; g < words; g++) {
          uint32_t word;
          memcpy(&word, row + heads * 2 + g * 4, 4);
          word ^= flip;
          memcpy(out + heads * 32 + g * 64 + i * 4, &word, 4);
        }
      }
    }
  }
}

// The 32 values of output `row` in a block of a tile. What an output has once a block (its scale) is read once.
static void unpack_block(martlet_format format, const uint8_t *block, int row, float *values) {
  uint16_t bits;
  switch (format) {
    case MARTLET_F32:
      for (int k = 0; k < 32; k++) memcpy(values + k, block + (k * 16 + row) * 4, 4);
      return;
    case MARTLET_F16:
    case MARTLET_BF16:
      for (int k = 0; k < 32; k++) {
        memcpy(&bits, block + half_place(format, row, k) * 2, 2);
        values[k] = format == MARTLET_F16 ? half_to_float(bits) : bfloat_to_float(bits);
      }
      return;
    default: break;
  }
  memcpy(&bits, block + row * 2, 2);
  const float scale = half_to_float(bits);
  if (format == MARTLET_Q8_0) {
    for (int g = 0; g < 8; g++)
      for (int b = 0; b < 4; b++) values[g * 4 + b] = scale * (float)((int)block[32 + g * 64 + row * 4 + b] - 128);
    return;
  }
  const uint8_t *codes = block + (format == MARTLET_Q4_1 ? 64 : 32) + row * 4;
  for (int g = 0; g < 4; g++)
    for (int b = 0; b < 4; b++) {
      const int both = codes[g * 64 + b];
      values[g * 4 + b] = scale * (float)((both & 15) - (format == MARTLET_Q4_0 ? 8 : 0));
      values[16 + g * 4 + b] = scale * (float)((both >> 4) - (format == MARTLET_Q4_0 ? 8 : 0));
    }
  if (format == MARTLET_Q4_1) {
    memcpy(&bits, block + 32 + row * 2, 2);
    const float minimum = half_to_float(bits);
    for (int k = 0; k < 32; k++) values[k] += minimum;
  }
}

void martlet_unpack_row(martlet_format format, const void *tile, int row, int64_t inputs, float *values) {
  if (is_k(format)) {
    martlet_unpack_row_k(format, tile, row, inputs, values);
    return;
  }
  const size_t block_bytes = martlet_tile_block_bytes(format);
  const uint8_t *block = tile;
  for (int64_t start = 0; start < inputs; start += 32, block += block_bytes) {
    if (inputs - start >= 32) {
      unpack_block(format, block, row, values + start);
    } else {
      float last[32];
      unpack_block(format, block, row, last);
      memcpy(values + start, last, (size_t)(inputs - start) * sizeof(float));
    }
  }
}
