#version 460
#extension GL_GOOGLE_include_directive : require
#include "buffers.glsl"
// Joins what the parts of a row's pages have found (attention.comp), a workgroup a query head of a row. A part behind the row's position has
// found nothing: its sum of weights is 0.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint SIZE = 64;
layout(push_constant, scalar) uniform Arguments { Floats parts; Floats y; uint heads, count; };

void main() {
  uint head = gl_WorkGroupID.x, row = gl_WorkGroupID.y, distance = heads * (SIZE + 2);
  uint first = (row * count * heads + head) * (SIZE + 2);
  float largest = -3.4e38, total = 0;
  for (uint p = 0; p < count; p++)
    if (parts.v[first + p * distance + 1] > 0.0) largest = max(largest, parts.v[first + p * distance]);
  for (uint p = 0; p < count; p++) {
    uint place = first + p * distance;
    if (parts.v[place + 1] > 0.0) total += parts.v[place + 1] * exp(parts.v[place] - largest);
  }
  for (uint d = gl_LocalInvocationID.x; d < SIZE; d += gl_WorkGroupSize.x) {
    float sum = 0;
    for (uint p = 0; p < count; p++) {
      uint place = first + p * distance;
      if (parts.v[place + 1] > 0.0) sum += parts.v[place + 2 + d] * exp(parts.v[place] - largest);
    }
    y.v[(row * heads + head) * SIZE + d] = sum / total;
  }
}
