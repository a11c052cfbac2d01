// Kernels for AVX-512 with VNNI and BF16 (Zen 4, Sapphire Rapids onward).
#if defined(__x86_64__)
#include <immintrin.h>

#include "KernelTable.h"

#define TABLE martlet_table_avx512bf16
#pragma clang attribute push(                                                                            \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16"))), \
    apply_to = function)
#include "Templates/AVX512VNNI.h"

INLINE floats avx512_dot_bfloat(floats c, bytes64 w, const uint16_t *x) {
  int32_t pair;
  memcpy(&pair, x, 4);
  return (floats)_mm512_dpbf16_ps((__m512)c, (__m512bh)w, (__m512bh)_mm512_set1_epi32(pair));
}

#include "Templates/Kernels.h"
#pragma clang attribute pop
#endif
