#ifndef MARTLET_VECTOR_H
#define MARTLET_VECTOR_H
// Sixteen-lane vectors. Each instruction set file defines, before it includes the templates:
//   TABLE                the name of its kernel table
//   LANE_SUMS            vectors of sums that fit in registers beside what they are made of
//   LANE_ROWS_FLOAT      rows x tiles a float micro-kernel may hold: most rows with two tiles
//   LANE_ROWS_INTEGER    most rows of an 8-bit micro-kernel with one tile
//   LANE_EXPANDS         K-quants are expanded for many rows (Matmul_expanded.h)
// and these primitives:
//   fused(a, b, c)       a * b + c
//   load_half(p)         16 halves -> floats
//   store_half(p, v)     floats -> 16 halves, to nearest even
//   dot_bytes(c, w, x)   c + per lane: 4 unsigned bytes of w (below 128, where there is dot_signed) times 4 signed bytes at x
//   dot_bfloat(c, w, x)  c + per lane: 2 bfloats of w times the 2 bfloats at x
// Everything else is written once, on the compiler's portable vectors.
// Vectors wider than the machine's registers cross no function boundary: everything here is inlined.
#pragma clang diagnostic ignored "-Wpsabi"
typedef float floats __attribute__((vector_size(64)));
typedef int32_t ints __attribute__((vector_size(64)));
typedef uint8_t bytes64 __attribute__((vector_size(64)));
typedef int8_t bytes16 __attribute__((vector_size(16)));
typedef float floats_unaligned __attribute__((vector_size(64), aligned(4)));
typedef uint8_t bytes_unaligned __attribute__((vector_size(64), aligned(1)));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

INLINE floats load(const float *p) { return *(const floats_unaligned *)p; }
INLINE void store(float *p, floats v) { *(floats_unaligned *)p = v; }
INLINE bytes64 load_bytes(const void *p) { return *(const bytes_unaligned *)p; }
INLINE floats splat(float x) { return (floats){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE ints splat_int(int32_t x) { return (ints){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE floats to_floats(ints v) { return __builtin_convertvector(v, floats); }
INLINE floats larger(floats a, floats b) { return __builtin_elementwise_max(a, b); }
INLINE floats smaller(floats a, floats b) { return __builtin_elementwise_min(a, b); }
INLINE floats choose(ints mask, floats yes, floats no) { return (floats)((mask & (ints)yes) | (~mask & (ints)no)); }

// Asks for what lies 4 KiB behind `bytes` that are in use. The processor itself fetches no further than the end of a page of 4 KiB, and
// too late: a product of one row reads its weights up to a third faster this way, and one of many rows, whose weights come from
// the second-level cache, is a few percent faster. An address past the end is harmless.
INLINE void fetch_ahead(const void *data, const int64_t bytes) {
  UNROLL for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch((const void *)((uintptr_t)data + 4096 + i));
}

INLINE float sum_of(floats v) {
  typedef float half8 __attribute__((vector_size(32)));
  typedef float quad __attribute__((vector_size(16)));
  half8 a = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
            __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  quad b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
  return (b[0] + b[2]) + (b[1] + b[3]);
}
INLINE float largest_of(floats v) {
  typedef float half8 __attribute__((vector_size(32)));
  typedef float quad __attribute__((vector_size(16)));
  half8 a = __builtin_elementwise_max((half8)__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7),
                                      (half8)__builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
  quad b = __builtin_elementwise_max((quad)__builtin_shufflevector(a, a, 0, 1, 2, 3),
                                     (quad)__builtin_shufflevector(a, a, 4, 5, 6, 7));
  float c = b[0] > b[2] ? b[0] : b[2], d = b[1] > b[3] ? b[1] : b[3];
  return c > d ? c : d;
}

#endif
