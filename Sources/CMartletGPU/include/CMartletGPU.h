// A graphics card as Martlet uses it: memory with 64-bit addresses, compute shaders with push constants, lists of commands, one queue.
// Everything that knows Vulkan lies behind these functions; libvulkan is opened when the first of them is called.
#ifndef C_MARTLET_GPU_H
#define C_MARTLET_GPU_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Results of functions: 0 is success, the others are Vulkan's own.
enum { MARTLET_GPU_OUT_OF_MEMORY = -2, MARTLET_GPU_LOST = -4, MARTLET_GPU_TOO_MANY_OBJECTS = -10, MARTLET_GPU_TIMEOUT = 2 };

typedef enum { MARTLET_GPU_OTHER, MARTLET_GPU_INTEGRATED, MARTLET_GPU_DISCRETE, MARTLET_GPU_VIRTUAL, MARTLET_GPU_CPU } martlet_gpu_kind;

/// What a device is.
typedef struct {
  char name[256], driver[256], driver_info[256];
  martlet_gpu_kind kind;
  uint32_t vendor, device, driver_version, api_version, subgroup_size;
  uint8_t uuid[16];
  uint64_t memory, free_memory;  // bytes of its largest local heap, and what of it the driver says may be taken
  uint32_t shared_memory, workgroup_size, workgroups, push_bytes;
  uint32_t matrix_m, matrix_n, matrix_k;  // tiles of its matrix cores (halves, sums in single precision); 0 without
  bool has_addresses, has_halves, has_half_storage, has_scalar_layout, has_subgroup_sums;
} martlet_gpu_facts;

typedef struct martlet_gpu martlet_gpu;
typedef struct martlet_gpu_commands martlet_gpu_commands;

/// Where memory lies: on the device; in the host's memory for writing; in the host's memory for reading.
typedef enum { MARTLET_GPU_LOCAL, MARTLET_GPU_UPLOAD, MARTLET_GPU_DOWNLOAD } martlet_gpu_place;

typedef struct {
  void *buffer, *memory;
  void *host;  // NULL for memory of the device
  uint64_t address, bytes;
} martlet_gpu_memory;

/// The number of devices; -1 without libvulkan or a driver, with the reason in `problem`.
int martlet_gpu_count(char *problem, size_t size);
/// The facts of a device.
bool martlet_gpu_describe(int index, martlet_gpu_facts *facts);

/// Opens a device; NULL with the reason in `problem`.
martlet_gpu *martlet_gpu_open(int index, char *problem, size_t size);
void martlet_gpu_close(martlet_gpu *gpu);
/// Whether the driver has enabled the matrix cores of the facts.
bool martlet_gpu_has_matrices(const martlet_gpu *gpu);

int martlet_gpu_allocate(martlet_gpu *gpu, uint64_t bytes, martlet_gpu_place place, martlet_gpu_memory *memory);
void martlet_gpu_free(martlet_gpu *gpu, martlet_gpu_memory *memory);

/// Compiles the shader of this name with constants 0, 1, 2, ...; it lives as long as the device. NULL if there is none or the driver refuses.
void *martlet_gpu_pipeline(martlet_gpu *gpu, const char *name, const uint32_t *constants, int count);

/// A list of commands to record, which can be submitted many times.
martlet_gpu_commands *martlet_gpu_begin(martlet_gpu *gpu);
void martlet_gpu_dispatch(martlet_gpu_commands *commands, void *pipeline, const void *push, uint32_t bytes, uint32_t x, uint32_t y, uint32_t z);
/// What was recorded before is finished, and seen, before what is recorded after.
void martlet_gpu_barrier(martlet_gpu_commands *commands);
void martlet_gpu_copy(martlet_gpu_commands *commands, const martlet_gpu_memory *from, uint64_t from_offset, const martlet_gpu_memory *to, uint64_t to_offset, uint64_t bytes);
/// Fills bytes with a repeated word. Offset and count are multiples of 4.
void martlet_gpu_fill(martlet_gpu_commands *commands, const martlet_gpu_memory *memory, uint64_t offset, uint64_t bytes, uint32_t word);
int martlet_gpu_end(martlet_gpu_commands *commands);
void martlet_gpu_discard(martlet_gpu_commands *commands);

/// Hands lists to the device one after the other, each as work of its own, and waits until the last has finished.
int martlet_gpu_run(martlet_gpu *gpu, martlet_gpu_commands *const *commands, int count, uint64_t nanoseconds);

/// The shaders that are built in.
typedef struct {
  const char *name;
  const unsigned char *bytes;
  size_t count;
} martlet_gpu_shader;
const martlet_gpu_shader *martlet_gpu_shaders(int *count);
#endif
