// Distances between stored vectors and a query, for finding nearest keys. Plain loops: the compiler vectorises them
// once an instruction set.
#include <stdlib.h>

#include "CMartletKernels.h"

#pragma STDC FP_CONTRACT OFF

// (Sanitizers are not ready when the loader chooses between clones.)
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(SANITIZED)
#define FOR_EACH_SET __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_SET
#endif

FOR_EACH_SET
int32_t martlet_dot_int8(const int8_t *a, const int8_t *b, int64_t count) {
  int32_t sum = 0;
  for (int64_t i = 0; i < count; i++) sum += (int32_t)a[i] * (int32_t)b[i];
  return sum;
}

FOR_EACH_SET
float martlet_squared_distance(const float *a, const float *b, int64_t count) {
  // Eight sums of fixed order, so that every instruction set adds alike.
  float sums[16] = {0};
  int64_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (int64_t j = 0; j < 16; j++) {
      const float gap = a[i + j] - b[i + j];
      sums[j] += gap * gap;
    }
  for (int64_t j = 0; i < count; i++, j++) {
    const float gap = a[i] - b[i];
    sums[j] += gap * gap;
  }
  float total = 0;
  for (int64_t j = 0; j < 16; j++) total += sums[j];
  return total;
}

FOR_EACH_SET
float martlet_squared_distance_int8(const int8_t *a, float scale, const float *b, int64_t count) {
  float sums[16] = {0};
  int64_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (int64_t j = 0; j < 16; j++) {
      const float gap = scale * (float)a[i + j] - b[i + j];
      sums[j] += gap * gap;
    }
  for (int64_t j = 0; i < count; i++, j++) {
    const float gap = scale * (float)a[i] - b[i];
    sums[j] += gap * gap;
  }
  float total = 0;
  for (int64_t j = 0; j < 16; j++) total += sums[j];
  return total;
}

FOR_EACH_SET
int64_t martlet_sketch_scan(const int8_t *sketches, int64_t rows, int64_t width, const int8_t *query, int32_t limit,
                            int32_t *hits, int32_t *sums) {
  int64_t count = 0;
  for (int64_t row = 0; row < rows; row++) {
    const int8_t *sketch = sketches + row * width;
    int32_t sum = 0;
    for (int64_t i = 0; i < width; i++) {
      const int32_t gap = (int32_t)sketch[i] - (int32_t)query[i];
      sum += gap * gap;
    }
    hits[count] = (int32_t)row;
    sums[count] = sum;
    count += sum <= limit;
  }
  return count;
}
