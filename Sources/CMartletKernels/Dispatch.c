// Chooses the kernel table and forwards every public function to it.
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif
#include <stdatomic.h>
#include <stdlib.h>

#include "KernelTable.h"

static const martlet_kernel_table *table_of(martlet_simd simd) {
  switch (simd) {
    case MARTLET_SIMD_PORTABLE: return &martlet_table_portable;
#if defined(__x86_64__)
    case MARTLET_SIMD_AVX2: return &martlet_table_avx2;
    case MARTLET_SIMD_AVXVNNI: return &martlet_table_avxvnni;
    case MARTLET_SIMD_AVX512BW: return &martlet_table_avx512bw;
    case MARTLET_SIMD_AVX512: return &martlet_table_avx512;
    case MARTLET_SIMD_AVX512BF16: return &martlet_table_avx512bf16;
#elif defined(__aarch64__)
    case MARTLET_SIMD_NEON: return &martlet_table_neon;
    case MARTLET_SIMD_NEONDOT: return &martlet_table_neondot;
    case MARTLET_SIMD_NEONI8MM: return &martlet_table_neoni8mm;
#endif
    default: return NULL;
  }
}

#if defined(__x86_64__)
// Leaf 7.1, EAX bit 4; compilers' own name for it is too new.
static bool has_avx_vnni(void) {
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 4 & 1;
}
#elif defined(__aarch64__)
#if defined(__APPLE__)
static bool has_feature(const char *name) {
  int found = 0;
  size_t size = sizeof found;
  return sysctlbyname(name, &found, &size, NULL, 0) == 0 && found;
}
static bool has_dot_products(void) { return has_feature("hw.optional.arm.FEAT_DotProd"); }
static bool has_matrix_products(void) { return has_feature("hw.optional.arm.FEAT_I8MM"); }
#elif defined(__linux__)
static bool has_dot_products(void) { return getauxval(AT_HWCAP) >> 20 & 1; }      // HWCAP_ASIMDDP
static bool has_matrix_products(void) { return getauxval(AT_HWCAP2) >> 13 & 1; }  // HWCAP2_I8MM
#else
static bool has_dot_products(void) { return false; }
static bool has_matrix_products(void) { return false; }
#endif
#endif

bool martlet_simd_supported(martlet_simd simd) {
  switch (simd) {
    case MARTLET_SIMD_PORTABLE: return true;
#if defined(__x86_64__)
    case MARTLET_SIMD_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case MARTLET_SIMD_AVXVNNI: return martlet_simd_supported(MARTLET_SIMD_AVX2) && has_avx_vnni();
    case MARTLET_SIMD_AVX512BW:
      return martlet_simd_supported(MARTLET_SIMD_AVX2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
    case MARTLET_SIMD_AVX512:
      return martlet_simd_supported(MARTLET_SIMD_AVX512BW) && __builtin_cpu_supports("avx512vnni");
    case MARTLET_SIMD_AVX512BF16:
      return martlet_simd_supported(MARTLET_SIMD_AVX512) && __builtin_cpu_supports("avx512bf16");
#elif defined(__aarch64__)
    case MARTLET_SIMD_NEON: return true;
    case MARTLET_SIMD_NEONDOT: return has_dot_products();
    case MARTLET_SIMD_NEONI8MM: return has_dot_products() && has_matrix_products();
#endif
    default: return false;
  }
}

const char *martlet_simd_name(martlet_simd simd) {
  static const char *const names[] = {"portable", "neon",     "neondot", "neoni8mm",  "avx2",
                                      "avxvnni",  "avx512bw", "avx512",  "avx512bf16"};
  return simd <= MARTLET_SIMD_AVX512BF16 ? names[simd] : "unknown";
}

static _Atomic(int) best = -1;
static _Thread_local int chosen = -1;  // by martlet_simd_select

// The best table of this machine, or a lower one that MARTLET_SIMD names.
static martlet_simd choose_simd(void) {
  martlet_simd highest = MARTLET_SIMD_PORTABLE;
  for (int i = 0; i <= MARTLET_SIMD_AVX512BF16; i++)
    if (martlet_simd_supported((martlet_simd)i)) highest = (martlet_simd)i;
  const char *wanted = getenv("MARTLET_SIMD");
  for (int i = 0; wanted && i <= (int)highest; i++)
    if (strcmp(wanted, martlet_simd_name((martlet_simd)i)) == 0 && martlet_simd_supported((martlet_simd)i))
      return (martlet_simd)i;
  return highest;
}

martlet_simd martlet_simd_current(void) {
  if (chosen >= 0) return (martlet_simd)chosen;
  int simd = atomic_load_explicit(&best, memory_order_relaxed);
  if (simd < 0) {
    simd = (int)choose_simd();
    atomic_store_explicit(&best, simd, memory_order_relaxed);
  }
  return (martlet_simd)simd;
}

bool martlet_simd_select(martlet_simd simd) {
  if (!martlet_simd_supported(simd)) return false;
  chosen = (int)simd;
  return true;
}

static inline const martlet_kernel_table *table(void) { return table_of(martlet_simd_current()); }

#define KERNEL(result, name, parameters, arguments) \
  result martlet_##name parameters { return table()->name arguments; }
#include "KernelList.h"
#undef KERNEL
