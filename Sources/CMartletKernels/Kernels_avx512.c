// Kernels for AVX-512 with VNNI but without BF16 (Cascade Lake, Ice Lake).
#if defined(__x86_64__)
#include <immintrin.h>

#include "KernelTable.h"

#define TABLE martlet_table_avx512
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)
#include "Templates/AVX512.h"

INLINE floats avx512_dot_bfloat(floats c, bytes64 w, const uint16_t *x) {
  const floats even = (floats)((ints)w << 16), odd = (floats)((ints)w & splat_int((int32_t)0xffff0000));
  return fused(odd, splat(bfloat_to_float(x[1])), fused(even, splat(bfloat_to_float(x[0])), c));
}

#include "Templates/Kernels.h"
#pragma clang attribute pop
#endif
