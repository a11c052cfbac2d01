#version 460
#extension GL_GOOGLE_include_directive : require
#include "buffers.glsl"
#include "reduce.glsl"
// The layer norm or the RMS norm of rows, a workgroup a row: y[r] = norm(x[source[r]]), or of x[r] itself.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool IS_RMS = false;
layout(constant_id = 2) const bool GATHERS = false;
layout(push_constant, scalar) uniform Arguments { Floats x; Floats y; Floats weight; Floats bias; Indices source; uint width; float epsilon; };

void main() {
  uint thread = gl_LocalInvocationID.x, row = gl_WorkGroupID.x, from = (GATHERS ? source.v[row] : row) * width;
  float mean = 0;
  if (!IS_RMS) {
    float sum = 0;
    for (uint i = thread; i < width; i += gl_WorkGroupSize.x) sum += x.v[from + i];
    mean = workgroup_sum(sum, 0) / float(width);
  }
  float square = 0;
  for (uint i = thread; i < width; i += gl_WorkGroupSize.x) { float d = x.v[from + i] - mean; square += d * d; }
  float scale = 1.0 / sqrt(workgroup_sum(square, 1) / float(width) + epsilon);
  for (uint i = thread; i < width; i += gl_WorkGroupSize.x) {
    float value = (x.v[from + i] - mean) * scale * weight.v[i];
    y.v[row * width + i] = IS_RMS ? value : value + bias.v[i];
  }
}
