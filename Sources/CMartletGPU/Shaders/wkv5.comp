#version 460
#extension GL_GOOGLE_include_directive : require
#include "buffers.glsl"
#include "reduce.glsl"
// The recurrence of RWKV-5 for one head of one sequence, its group norm and its gate; thread j holds column j of the state:
//
//     y_j = sum_i r_i (u_i k_i v_j + S_ij);  S_ij = w_i S_ij + k_i v_j
//
// `products`: rows of r, k, v and, where GATED, silu(g), each `heads` x SIZE.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint SIZE = 64;  // the size of the workgroup
layout(constant_id = 2) const bool GATED = true;
layout(push_constant, scalar) uniform Arguments {
  Floats products; Floats decay; Floats bonus; Floats weight; Floats bias; Floats y;
  Addresses states; Indices first_rows;
  uint heads, state_offset; float epsilon;
};
shared float r[SIZE], k[SIZE], w[SIZE], u[SIZE];

void main() {
  uint j = gl_LocalInvocationID.x, head = gl_WorkGroupID.x, sequence = gl_WorkGroupID.y;
  uint width = heads * SIZE, channel = head * SIZE + j, row_width = (GATED ? 4 : 3) * width;
  Floats state = Floats(states.v[sequence]);
  uint base = state_offset + head * SIZE * SIZE;
  float S[SIZE];
  for (uint i = 0; i < SIZE; i++) S[i] = state.v[base + i * SIZE + j];
  w[j] = decay.v[channel];
  u[j] = bonus.v[channel];
  uint end = first_rows.v[sequence + 1];
  for (uint t = first_rows.v[sequence]; t < end; t++) {
    uint at = t * row_width + channel;
    r[j] = products.v[at];
    k[j] = products.v[at + width];
    float v = products.v[at + 2 * width];
    barrier();
    float sum = 0;
    for (uint i = 0; i < SIZE; i++) {
      float kv = k[i] * v;
      sum += r[i] * (u[i] * kv + S[i]);
      S[i] = w[i] * S[i] + kv;
    }
    float mean = workgroup_sum(sum, 0) / float(SIZE);
    float d = sum - mean;
    float scale = 1.0 / sqrt(workgroup_sum(d * d, 1) / float(SIZE) + epsilon);
    float value = d * scale * weight.v[channel] + bias.v[channel];
    y.v[t * width + channel] = GATED ? value * products.v[at + 3 * width] : value;
  }
  for (uint i = 0; i < SIZE; i++) state.v[base + i * SIZE + j] = S[i];
}
