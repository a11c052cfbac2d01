// Kernels that run along a sequence: the WKV5 recurrence and attention over a paged cache.

// One head of WKV5 with VECTORS x 16 values: v and y stay in registers, each state row is read and
// written once a token.
INLINE void wkv5_vectors(const float *r, const float *k, const float *v, const float *w, const float *u, float *y,
                         float *state, int64_t rows, int64_t stride, const int VECTORS) {
  const int64_t size = VECTORS * 16;
  for (int64_t t = 0; t < rows; t++, r += stride, k += stride, v += stride, y += stride) {
    floats values[VECTORS], sums[VECTORS];
    UNROLL for (int j = 0; j < VECTORS; j++) {
      values[j] = load(v + j * 16);
      sums[j] = splat(0);
    }
    for (int64_t i = 0; i < size; i++) {
      float *s = state + i * size;
      const floats ri = splat(r[i]), ki = splat(k[i]), wi = splat(w[i]), ui = splat(u[i]);
      UNROLL for (int j = 0; j < VECTORS; j++) {
        const floats kv = ki * values[j], before = load(s + j * 16);
        sums[j] = fused(ri, fused(ui, kv, before), sums[j]);
        store(s + j * 16, fused(wi, before, kv));
      }
    }
    UNROLL for (int j = 0; j < VECTORS; j++) store(y + j * 16, sums[j]);
  }
}

static void wkv5(const float *r, const float *k, const float *v, const float *w, const float *u, float *y,
                 float *state, int64_t rows, int64_t stride, int64_t size) {
  switch (size) {
    case 16: wkv5_vectors(r, k, v, w, u, y, state, rows, stride, 1); return;
    case 32: wkv5_vectors(r, k, v, w, u, y, state, rows, stride, 2); return;
    case 64: wkv5_vectors(r, k, v, w, u, y, state, rows, stride, 4); return;
    default: break;
  }
  for (int64_t t = 0; t < rows; t++, r += stride, k += stride, v += stride, y += stride) {
    for (int64_t j = 0; j < size; j++) y[j] = 0;
    for (int64_t i = 0; i < size; i++) {
      float *s = state + i * size;
      for (int64_t j = 0; j < size; j++) {
        const float kv = k[i] * v[j];
        y[j] += r[i] * (u[i] * kv + s[j]);
        s[j] = w[i] * s[j] + kv;
      }
    }
  }
}

static void cache_store(martlet_cache_type type, void *page, int64_t slot, const float *key, const float *value,
                        int64_t size) {
  const int64_t first = slot / 16 * 16 * size + slot % 16, row = MARTLET_PAGE * size + slot * size;
  if (type == MARTLET_CACHE_F32) {
    float *p = page;
    for (int64_t i = 0; i < size; i++) p[first + i * 16] = key[i];
    memcpy(p + row, value, (size_t)size * sizeof(float));
  } else {
    uint16_t *p = page;
    for (int64_t i = 0; i < size; i += 16) {
      uint16_t halves[16];
      store_half(halves, load(key + i));
      for (int64_t lane = 0; lane < 16; lane++) p[first + (i + lane) * 16] = halves[lane];
      store_half(p + row + i, load(value + i));
    }
  }
}

// Head sizes are multiples of 16 here; the caller pads others with zeros.
// Queries that share the loads of a key or value: as many as have sums in registers.
#define QUERIES LANE_QUERIES
#define MOST_HEAD_SIZE 256

INLINE floats cache_load(const void *page, int64_t index, const bool half) {
  return half ? load_half((const uint16_t *)page + index) : load((const float *)page + index);
}

// Sums that are added up side by side: enough chains to hide the latency of an addition where queries are few, and fewer
// loads a product where they are many. As many as fit in registers.
#define SIDE_BY_SIDE(COUNT) ((COUNT) * 4 <= LANE_SUMS ? 4 : (COUNT) * 2 <= LANE_SUMS ? 2 : 1)

// Asks for 16 numbers that come later: the values while keys are multiplied, the next page's keys while values are. The processor
// itself fetches ahead only within 4 KiB; where the cache lies in memory, attention is up to 1.7 times as fast this way.
INLINE void cache_fetch(const void *page, int64_t index, const bool half) {
  __builtin_prefetch((const void *)((uintptr_t)page + (size_t)index * (half ? 2 : 4)));
}

// Products of COUNT queries with GROUPS groups of 16 keys from group `g` on, before the mask.
INLINE void score(const bool half, const float *const *query, const int COUNT, const int GROUPS, const void *page,
                  int64_t g, int64_t size, float factor, float weights[QUERIES][MARTLET_PAGE]) {
  floats scores[QUERIES][4];
  UNROLL for (int q = 0; q < COUNT; q++) UNROLL for (int j = 0; j < GROUPS; j++) scores[q][j] = splat(0);
  for (int64_t i = 0; i < size; i++) {
    floats keys[4];
    UNROLL for (int j = 0; j < GROUPS; j++) keys[j] = cache_load(page, ((g + j) * size + i) * 16, half);
    if (!half || i % 2 == 0)
      UNROLL for (int j = 0; j < GROUPS; j++) cache_fetch(page, (MARTLET_PAGE + (g + j) * 16) * size + i * 16, half);
    UNROLL for (int q = 0; q < COUNT; q++) {
      const floats x = splat(query[q][i]);
      UNROLL for (int j = 0; j < GROUPS; j++) scores[q][j] = fused(x, keys[j], scores[q][j]);
    }
  }
  UNROLL for (int q = 0; q < COUNT; q++)
    UNROLL for (int j = 0; j < GROUPS; j++) store(weights[q] + (g + j) * 16, scores[q][j] * splat(factor));
}

// Adds `used` values, each times its weight, to PARTS vectors of every query's sum from value `i` on.
INLINE void mix(const bool half, const int COUNT, const int PARTS, const void *page, const void *next, int64_t i, int64_t used,
                int64_t size, float weights[QUERIES][MARTLET_PAGE], float sums[QUERIES][MOST_HEAD_SIZE]) {
  floats mixed[QUERIES][4];
  UNROLL for (int q = 0; q < COUNT; q++)
    UNROLL for (int j = 0; j < PARTS; j++) mixed[q][j] = load(sums[q] + i + j * 16);
  for (int64_t p = 0; p < used; p++) {
    floats values[4];
    UNROLL for (int j = 0; j < PARTS; j++) values[j] = cache_load(page, (MARTLET_PAGE + p) * size + i + j * 16, half);
    UNROLL for (int j = 0; j < PARTS; j += half ? 2 : 1) cache_fetch(next, p * size + i + j * 16, half);
    UNROLL for (int q = 0; q < COUNT; q++) {
      const floats weight = splat(weights[q][p]);
      UNROLL for (int j = 0; j < PARTS; j++) mixed[q][j] = fused(weight, values[j], mixed[q][j]);
    }
  }
  UNROLL for (int q = 0; q < COUNT; q++)
    UNROLL for (int j = 0; j < PARTS; j++) store(sums[q] + i + j * 16, mixed[q][j]);
}

// Up to QUERIES queries, page by page, with the running maximum and sum of online softmax
// (Milakov and Gimelshein, 2018).
INLINE void attend(const bool half, const float *const *query, float *const *output, const int64_t *limit,
                   const int COUNT, const void *const *pages, size_t offset, int64_t size, float factor) {
  float sums[QUERIES][MOST_HEAD_SIZE], weights[QUERIES][MARTLET_PAGE], peak[QUERIES];
  floats total[QUERIES];
  for (int q = 0; q < COUNT; q++) {
    peak[q] = -__builtin_inff();
    total[q] = splat(0);
    memset(sums[q], 0, (size_t)size * sizeof(float));
  }
  const int64_t last = limit[COUNT - 1];
  for (int64_t start = 0; start < last; start += MARTLET_PAGE) {
    const void *page = (const uint8_t *)pages[start / MARTLET_PAGE] + offset;
    const void *next = (const uint8_t *)pages[start / MARTLET_PAGE + (last - start > MARTLET_PAGE)] + offset;
    const int64_t used = last - start < MARTLET_PAGE ? last - start : MARTLET_PAGE;
    const int64_t groups = (used + 15) / 16;
    const int TOGETHER = SIDE_BY_SIDE(COUNT);
    int64_t g = 0;
    for (; g + TOGETHER <= groups; g += TOGETHER) score(half, query, COUNT, TOGETHER, page, g, size, factor, weights);
    for (; g < groups; g++) score(half, query, COUNT, 1, page, g, size, factor, weights);
    UNROLL for (int q = 0; q < COUNT; q++)
      for (int64_t hidden = limit[q] - start < 0 ? 0 : limit[q] - start; hidden < groups * 16; hidden++)
        weights[q][hidden] = -__builtin_inff();
    UNROLL for (int q = 0; q < COUNT; q++) {
      floats top = splat(peak[q]);
      for (int64_t g = 0; g < groups; g++) top = larger(top, load(weights[q] + g * 16));
      const float now = largest_of(top);
      if (now > peak[q]) {
        const floats shrink = exponential(splat(peak[q] - now));
        total[q] *= shrink;
        for (int64_t i = 0; i < size; i += 16) store(sums[q] + i, load(sums[q] + i) * shrink);
        peak[q] = now;
      }
      for (int64_t g = 0; g < groups; g++) {
        const floats e = exponential(load(weights[q] + g * 16) - splat(now));
        store(weights[q] + g * 16, e);
        total[q] += e;
      }
    }
    int64_t i = 0;
    for (; i + TOGETHER * 16 <= size; i += TOGETHER * 16)
      mix(half, COUNT, TOGETHER, page, next, i, used, size, weights, sums);
    for (; i < size; i += 16) mix(half, COUNT, 1, page, next, i, used, size, weights, sums);
  }
  for (int q = 0; q < COUNT; q++) scale(sums[q], 1.0f / sum_of(total[q]), output[q], size);
}

#define ATTEND(HALF, N) \
  case N: if (N <= QUERIES) attend(HALF, q, o, limit, N <= QUERIES ? N : 1, pages, offset, size, factor); break;
#define DEFINE_ATTEND(NAME, HALF)                                                                                  \
  __attribute__((noinline)) static void NAME(const float *const *q, float *const *o, const int64_t *limit,         \
                                             int64_t count, const void *const *pages, size_t offset, int64_t size, \
                                             float factor) {                                                       \
    switch (count) {                                                                                               \
      ATTEND(HALF, 1) ATTEND(HALF, 2) ATTEND(HALF, 3) ATTEND(HALF, 4) ATTEND(HALF, 5) ATTEND(HALF, 6)              \
      ATTEND(HALF, 7) ATTEND(HALF, 8)                                                                              \
    }                                                                                                              \
  }
DEFINE_ATTEND(attend_float, false)
DEFINE_ATTEND(attend_half, true)

// The share of a page that a query sees must not change with its neighbours: a block of queries reads
// up to the limit of its last one, and masked weights add exact zeros.
static void attention(martlet_cache_type type, const float *const *query, float *const *output, const int64_t *limit,
                      int64_t queries, const void *const *pages, size_t offset, int64_t size, float factor) {
  for (int64_t first = 0; first < queries; first += QUERIES) {
    const int64_t count = queries - first < QUERIES ? queries - first : QUERIES;
    (type == MARTLET_CACHE_F16 ? attend_half : attend_float)(query + first, output + first, limit + first, count,
                                                             pages, offset, size, factor);
  }
}
