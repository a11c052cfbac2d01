// Kernels for AVX-512 with VNNI but without BF16 (Cascade Lake, Ice Lake).
#if defined(__x86_64__)
#include <immintrin.h>

#include "KernelTable.h"

#define TABLE martlet_table_avx512
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)
#include "Templates/AVX512VNNI.h"

#include "Templates/AVX512Bfloat.h"

#include "Templates/Kernels.h"
#pragma clang attribute pop
#endif
