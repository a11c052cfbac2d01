// What Swift cannot ask the processor and the kernel itself: CPUID, files at an offset, the kernel's log.
#ifndef C_MARTLET_SYSTEM_H
#define C_MARTLET_SYSTEM_H
#include <stddef.h>
#include <stdint.h>

/// EAX, EBX, ECX, EDX of CPUID `leaf`, `subleaf` of the processor this thread runs on; false where there is no CPUID
/// instruction (not x86) or the leaf is above the highest one.
_Bool martlet_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t registers[4]);

/// Up to `size` bytes of a file from `offset` on, to its end or until `buffer` is full; -errno where it cannot be read.
/// For /proc, /sys and device files, whose sizes no one knows before.
long martlet_read_file(const char *path, void *buffer, size_t size, int64_t offset);

/// The kernel's log into `buffer`; bytes written, or -1 where this user may not read it.
long martlet_kernel_log(char *buffer, int size);
#endif
