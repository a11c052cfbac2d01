#version 460
#extension GL_GOOGLE_include_directive : require
#include "buffers.glsl"
#include "reduce.glsl"
// What RWKV-5 does before its products, a workgroup a row: a = layer norm of x, previous = that of the row before (of the state for a
// sequence's first row), y[j] = previous + (a - previous) mix_j. The workgroup of a sequence's first row alone reads and then replaces
// the state, so no other can come between.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint MIXES = 4;
layout(push_constant, scalar) uniform Arguments {
  Floats x; Floats y; Floats weight; Floats bias; Floats mix_weights;
  Addresses states; Indices first_rows; Indices sequence_of_row;
  uint width, rows, state_offset;
};

// The mean and the scale of a row.
vec2 moments(uint from) {
  float sum = 0, square = 0;
  for (uint i = gl_LocalInvocationID.x; i < width; i += gl_WorkGroupSize.x) sum += x.v[from + i];
  float mean = workgroup_sum(sum, 0) / float(width);
  for (uint i = gl_LocalInvocationID.x; i < width; i += gl_WorkGroupSize.x) { float d = x.v[from + i] - mean; square += d * d; }
  return vec2(mean, 1.0 / sqrt(workgroup_sum(square, 1) / float(width) + 1e-5));
}

void main() {
  uint row = gl_WorkGroupID.x, sequence = sequence_of_row.v[row];
  uint first = first_rows.v[sequence], last = first_rows.v[sequence + 1] - 1;
  bool begins = row == first;
  // The other row that this workgroup needs: the one before, or the sequence's last for its state.
  uint other = begins ? last : row - 1;
  vec2 own = moments(row * width);
  vec2 others = moments(other * width);
  Floats state = Floats(states.v[sequence]);
  for (uint i = gl_LocalInvocationID.x; i < width; i += gl_WorkGroupSize.x) {
    float a = (x.v[row * width + i] - own.x) * own.y * weight.v[i] + bias.v[i];
    float b = (x.v[other * width + i] - others.x) * others.y * weight.v[i] + bias.v[i];
    float previous = begins ? state.v[state_offset + i] : b;
    for (uint j = 0; j < MIXES; j++) y.v[(j * rows + row) * width + i] = previous + (a - previous) * mix_weights.v[j * width + i];
    if (begins) state.v[state_offset + i] = b;
  }
}
