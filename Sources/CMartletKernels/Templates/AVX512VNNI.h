// The primitives that both AVX-512 tables with VNNI share.
#define LANE_ROWS_INTEGER 12
// Keeps a pointer in a register of its own. Otherwise several become one register plus an index, and Intel's processors split an
// instruction with three operands and an indexed address in two, which costs a tenth to a fifth of the products' speed.
#define PLAIN_ADDRESS(pointer) __asm__("" : "+r"(pointer));
#include "AVX512.h"

INLINE ints avx512_dot_bytes(ints c, bytes64 w, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  return (ints)_mm512_dpbusd_epi32((__m512i)c, (__m512i)w, _mm512_set1_epi32(four));
}
