// Packing of K-quants (ggml's blocks of 256 inputs) into tiles, and back. The kernels are in Templates/Matmul_k.h.
//
// A block of a tile has exactly the bytes of the 16 outputs' blocks in the file:
//   Q4_K   d [16] halves, least [16] halves, packed scales and minima [12][16] bytes, eight parts of 256 bytes
//   Q5_K   the same, eight parts of 320 bytes
//   Q6_K   d [16] halves, scales [16][16] signed bytes, eight parts of 384 bytes
// A part is 32 inputs: four vectors `[16 outputs][4 bytes]` of nibbles, where vector g has inputs 4g...4g+3 in its low and
// 16 + 4g...16 + 4g+3 in its high nibbles; then the bits above. With groups of four inputs numbered 0...7, bit g of the
// one vector of Q5_K belongs to group g, and the two bits 2f of vector v of Q6_K to group 4v + f.
#include "KernelTable.h"

// The same word (four bytes) of 16 rows.
typedef struct { uint32_t lane[16]; } words;

#define LANES for (int i = 0; i < 16; i++)

static void gather(const uint8_t *source, size_t row_bytes, int rows, int count, words *out) {
  for (int row = 0; row < rows; row++)
    for (int k = 0; k < count; k++) memcpy(&out[k].lane[row], source + (size_t)row * row_bytes + k * 4, 4);
}

// Exchanges bit `width` of the numbers of words with bit `width` of the places of bits in each byte.
static void exchange(words *w, int count, int step, int width, uint32_t mask) {
  for (int k = 0; k < count; k++) {
    if (k & step) continue;
    LANES {
      const uint32_t a = w[k].lane[i], b = w[k + step].lane[i];
      w[k].lane[i] = (a & mask) | (b & mask) << width;
      w[k + step].lane[i] = (a >> width & mask) | (b & (mask << width));
    }
  }
}

// Nibbles of eight words of the file: the low (high) ones, those of words 4...7 above those of words 0...3.
static void put_nibbles(const words *w, bool high, uint8_t *out) {
  for (int g = 0; g < 4; g++) {
    words both;
    LANES {
      const uint32_t a = w[g].lane[i], b = w[g + 4].lane[i];
      both.lane[i] = high ? (a >> 4 & 0x0f0f0f0fu) | (b & 0xf0f0f0f0u) : (a & 0x0f0f0f0fu) | (b & 0x0f0f0f0fu) << 4;
    }
    memcpy(out + g * 64, &both, 64);
  }
}

// Q4_K and Q5_K.
static void pack_scales_and_minima(const words *w, uint8_t *out) {
  LANES {
    memcpy(out + i * 2, &w[0].lane[i], 2);
    memcpy(out + 32 + i * 2, (const uint8_t *)&w[0].lane[i] + 2, 2);
    for (int byte = 0; byte < 12; byte++) out[64 + byte * 16 + i] = (uint8_t)(w[1 + byte / 4].lane[i] >> (byte % 4 * 8));
  }
}

static void pack_block(martlet_format format, const uint8_t *source, size_t row_bytes, int rows, uint8_t *out) {
  words w[48];
  if (rows < 16) memset(w, 0, sizeof w);
  if (format == MARTLET_Q4_K) {
    gather(source, row_bytes, rows, 36, w);
    pack_scales_and_minima(w, out);
    for (int part = 0; part < 8; part++) put_nibbles(w + 4 + part / 2 * 8, part % 2, out + 256 + part * 256);
  } else if (format == MARTLET_Q5_K) {
    gather(source, row_bytes, rows, 44, w);
    pack_scales_and_minima(w, out);
    words *high = w + 4;  // bit `part` of word `group` in the file, bit `group` of word `part` here
    exchange(high, 8, 4, 4, 0x0f0f0f0fu);
    exchange(high, 8, 2, 2, 0x33333333u);
    exchange(high, 8, 1, 1, 0x55555555u);
    for (int part = 0; part < 8; part++) {
      put_nibbles(w + 12 + part / 2 * 8, part % 2, out + 256 + part * 320);
      memcpy(out + 256 + part * 320 + 256, &high[part], 64);
    }
  } else {
    gather(source, row_bytes, rows, 48, w);
    memset(out, 0, 288);
    for (int i = 0; i < rows; i++) {
      const uint8_t *row = source + (size_t)i * row_bytes;
      memcpy(out + i * 2, row + 208, 2);
      for (int s = 0; s < 16; s++) out[32 + s * 16 + i] = row[192 + s];
    }
    for (int half = 0; half < 2; half++) {
      words *high = w + 32 + half * 8;  // the bits 2 * part of word `group`, and here the other way round
      for (int four = 0; four < 8; four += 4) {
        exchange(high + four, 4, 2, 4, 0x0f0f0f0fu);
        exchange(high + four, 4, 1, 2, 0x33333333u);
      }
      for (int part = 0; part < 4; part++) {
        uint8_t *to = out + 288 + (half * 4 + part) * 384;
        put_nibbles(w + half * 16 + part % 2 * 8, part >= 2, to);
        memcpy(to + 256, &high[part], 64);
        memcpy(to + 320, &high[4 + part], 64);
      }
    }
  }
}

void martlet_pack_tile_k(martlet_format format, const uint8_t *source, size_t row_bytes, int rows, int64_t inputs,
                         uint8_t *tile) {
  const size_t block_bytes = martlet_tile_block_bytes(format);
  for (int64_t start = 0; start < inputs; start += 256, source += block_bytes / 16, tile += block_bytes)
    pack_block(format, source, row_bytes, rows, tile);
}

void martlet_unpack_row_k(martlet_format format, const uint8_t *tile, int row, int64_t inputs, float *values) {
  const size_t block_bytes = martlet_tile_block_bytes(format), head = format == MARTLET_Q6_K ? 288 : 256;
  const size_t part_bytes = (block_bytes - head) / 8;
  for (int64_t k = 0; k < inputs; k++) {
    const uint8_t *block = tile + (size_t)(k / 256) * block_bytes;
    const int part = (int)(k % 256 / 32), group = (int)(k % 32 / 4), byte = row * 4 + (int)(k % 4);
    const uint8_t *data = block + head + (size_t)part * part_bytes;
    uint16_t bits;
    memcpy(&bits, block + row * 2, 2);
    const float d = half_to_float(bits);
    int code = data[group % 4 * 64 + byte] >> (group < 4 ? 0 : 4) & 15;
    if (format == MARTLET_Q6_K) {
      code |= (data[256 + group / 4 * 64 + byte] >> (group % 4 * 2) & 3) << 4;
      values[k] = d * (float)(int8_t)block[32 + (part * 2 + group / 4) * 16 + row] * (float)(code - 32);
    } else {
      if (format == MARTLET_Q5_K) code |= (data[256 + byte] >> group & 1) << 4;
      uint8_t packed[12];
      for (int i = 0; i < 12; i++) packed[i] = block[64 + i * 16 + row];
      int scale, minimum;
      scale_and_minimum(part, packed, &scale, &minimum);
      memcpy(&bits, block + 32 + row * 2, 2);
      values[k] = d * (float)scale * (float)code - half_to_float(bits) * (float)minimum;
    }
  }
}
