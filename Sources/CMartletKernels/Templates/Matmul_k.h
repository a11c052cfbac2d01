// Products with tiles of K-quants, in blocks of 256 inputs (Pack_k.c has the layout). Codes are unsigned. Scales
// are those of the file, as floats or, in Q6_K with sums of 16 bits, as integers: all products of a code, its scale and
// the block's scale are exact, as in the file's own definition.

// The eight scales and the eight minima of 16 outputs, out of their 12 bytes: scale_and_minimum in vectors.
INLINE void unpack_scales(const uint8_t *packed, uint8_t scales[8][16], uint8_t minima[8][16]) {
  const bytes64 a = load_bytes(packed), b = load_bytes(packed + 64), c = load_bytes(packed + 128);
  const bytes64 low = (bytes64)splat_int(0x0f0f0f0f), six = (bytes64)splat_int(0x3f3f3f3f);
  const bytes64 top = (bytes64)splat_int(0x30303030);
  const bytes64 parts[4] = {a & six, (c & low) | ((bytes64)((ints)a >> 2) & top), b & six,
                            ((bytes64)((ints)c >> 4) & low) | ((bytes64)((ints)b >> 2) & top)};
  memcpy(scales[0], &parts[0], 64);
  memcpy(scales[4], &parts[1], 64);
  memcpy(minima[0], &parts[2], 64);
  memcpy(minima[4], &parts[3], 64);
}

typedef uint8_t unsigned_bytes16 __attribute__((vector_size(16)));
INLINE floats floats_of(const uint8_t *bytes) {
  unsigned_bytes16 v;
  memcpy(&v, bytes, 16);
  return to_floats(__builtin_convertvector(v, ints));
}
INLINE ints ints_of_signed(const uint8_t *bytes) {
  bytes16 v;
  memcpy(&v, bytes, 16);
  return __builtin_convertvector(v, ints);
}

// Bytes of a block before its parts, and of a part of 32 inputs.
INLINE int head_bytes(const martlet_format format) { return format == MARTLET_Q6_K ? 288 : 256; }
INLINE int part_bytes_of(const martlet_format format) {
  return format == MARTLET_Q4_K ? 256 : format == MARTLET_Q5_K ? 320 : 384;
}

// Q6_K has scales of 16 inputs each. With sums of 16 bits, the offset of 32 is taken off as their start, so that a half's sum
// fits (32 x 127 x 8), and the scale, a signed byte, is applied as it is widened; both halves are then one sum (32 x 127 x 16 x 128 x 2,
// which a float holds exactly). Otherwise each half has a factor.
#ifdef dot_small
INLINE ints half_scale(floats scale, const uint8_t *bytes) {
  (void)scale;
  const ints factor = ints_of_signed(bytes);
  return (factor & splat_int(0xffff)) | factor << 16;
}
#else
INLINE ints half_scale(floats scale, const uint8_t *bytes) { return (ints)(scale * to_floats(ints_of_signed(bytes))); }
#endif

INLINE void add_halves(const bool is_expanded, const uint8_t *data, const int8_t *x, const martlet_panel_sums *excess,
                       const float *scales, const floats scale, const ints *halves, const int ROWS, floats *sums) {
  ints dots[LANE_ROWS_INTEGER];
#ifdef dot_small
  small_sums small[LANE_ROWS_INTEGER];
  UNROLL for (int half = 0; half < 2; half++) {
    bytes64 high = (bytes64)splat_int(0);
    if (!is_expanded) high = load_bytes(data + 256 + half * 64);
    UNROLL for (int r = 0; r < ROWS; r++) small[r] = small_from(excess[r].pairs_by_32[half]);
    UNROLL for (int g = half * 4; g < half * 4 + 4; g++) {
      const bytes64 weights = is_expanded ? load_bytes(data + g * 64) : small_weights(MARTLET_Q6_K, data, high, g);
      UNROLL for (int r = 0; r < ROWS; r++) small[r] = dot_small(small[r], weights, x + r * 32 + g * 4);
    }
    UNROLL for (int r = 0; r < ROWS; r++)
      dots[r] = small_scaled(small[r], halves[half], half ? dots[r] : splat_int(0));
  }
  add_products(MARTLET_Q6_K, dots, scale, splat(0), scales, scales, ROWS, sums);
#else
  (void)scale;
  UNROLL for (int half = 0; half < 2; half++) {
    UNROLL for (int r = 0; r < ROWS; r++) dots[r] = splat_int(excess[r].by_32[half]);
    dot_groups(MARTLET_Q6_K, is_expanded, data, x, half * 4, half * 4 + 4, ROWS, dots);
    add_products(MARTLET_Q6_K, dots, (floats)halves[half], splat(0), scales, scales, ROWS, sums);
  }
#endif
}

INLINE void micro_k(const place *at, const martlet_format format, const int ROWS) {
  const int TILES = 1;
  START_FLOATS
  const int head = head_bytes(format), part_bytes = part_bytes_of(format);
  const float *scales = panel_scales(at->panel, at->blocks, at->rows) + at->row;
  const float *offsets = panel_offsets(at->panel, at->blocks, at->rows) + at->row;
  const martlet_panel_sums *excess = panel_sums(at->panel, at->blocks, at->rows) + at->row;
  const int8_t *x = (const int8_t *)at->panel + at->row * 32;
  const uint8_t *w = at->tiles;
  for (int64_t block = 0; block < at->blocks; block += 8) {
    const floats scale = load_half(w), least = format == MARTLET_Q6_K ? splat(0) : -load_half(w + 32);
    uint8_t part_scales[8][16], part_minima[8][16];
    if (format != MARTLET_Q6_K) unpack_scales(w + 64, part_scales, part_minima);
    const uint8_t *data = w + head;
    const int64_t parts = at->blocks - block < 8 ? at->blocks - block : 8;
    for (int64_t part = 0; part < parts; part++, data += part_bytes) {
      fetch_ahead(data, part_bytes);
      if (format == MARTLET_Q6_K) {
        const uint8_t *const bytes = w + 32 + part * 32;
        const ints halves[2] = {half_scale(scale, bytes), half_scale(scale, bytes + 16)};
        add_halves(false, data, x, excess, scales, scale, halves, ROWS, sums[0]);
      } else {
        ints dots[LANE_ROWS_INTEGER];
        UNROLL for (int r = 0; r < ROWS; r++) dots[r] = splat_int(0);
        dot_groups(format, false, data, x, 0, 8, ROWS, dots);
        const floats factor = scale * floats_of(part_scales[part]), minimum = least * floats_of(part_minima[part]);
        add_products(format, dots, factor, minimum, scales, offsets, ROWS, sums[0]);
      }
      SUMS_WAIT
      x += at->rows * 32;
      scales += at->rows;
      offsets += at->rows;
      excess += at->rows;
      PLAIN_ADDRESS(x)
      PLAIN_ADDRESS(scales)
      PLAIN_ADDRESS(offsets)
      PLAIN_ADDRESS(excess)
    }
    w += (head + 8 * part_bytes);
  }
  FINISH
}
