#include "CMartletSystem.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
_Bool martlet_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t r[4]) {
  // Hypervisor leaves have a range of their own; the highest one stands in leaf 0x40000000.
  uint32_t highest;
  if (leaf >> 16 == 0x4000) {
    __cpuid(0x40000000, highest, r[1], r[2], r[3]);
  } else {
    highest = __get_cpuid_max(leaf & 0x80000000u, NULL);
  }
  if (highest < leaf) return 0;
  __cpuid_count(leaf, subleaf, r[0], r[1], r[2], r[3]);
  return 1;
}
#else
_Bool martlet_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t registers[4]) {
  (void)leaf, (void)subleaf, (void)registers;
  return 0;
}
#endif

#ifdef __linux__
#include <sys/klog.h>
long martlet_kernel_log(char *buffer, int size) {
  return klogctl(3 /* SYSLOG_ACTION_READ_ALL */, buffer, size);
}
#else
long martlet_kernel_log(char *buffer, int size) {
  (void)buffer, (void)size;
  return -1;
}
#endif
