// Kernels for 64-bit Arm with dot products of bytes (ARMv8.2 and later: Cortex-A76, Graviton 2, Apple M1 onward).
#if defined(__aarch64__)
#include <arm_neon.h>

#include "KernelTable.h"

#define TABLE martlet_table_neondot
#define LANE_ROWS_INTEGER 4
#define NEON_DOT_PRODUCTS
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#include "Templates/NEON.h"

#include "Templates/Kernels.h"
#pragma clang attribute pop
#endif
