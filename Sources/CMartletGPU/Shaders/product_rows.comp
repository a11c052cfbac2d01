#version 460
#extension GL_GOOGLE_include_directive : require
#include "buffers.glsl"
#include "weights.glsl"
#include "product.glsl"
// Products with few rows: a workgroup makes OUTPUTS outputs of ROWS rows. Lanes read chunks of 16 bytes side by side; each weight is read
// once for all rows.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint OUTPUTS = 2;
layout(constant_id = 2) const uint ROWS = 1;
layout(constant_id = 3) const uint EPILOGUE = 0;
layout(constant_id = 4) const bool HAS_BIAS = false;
shared float partial[OUTPUTS * ROWS * MOST_SUBGROUPS];

void main() {
  uint lane = gl_LocalInvocationID.x, chunks = k / CHUNK;
  uint first_output = gl_WorkGroupID.x * OUTPUTS, first_row = gl_WorkGroupID.y * ROWS;
  float sums[OUTPUTS * ROWS];
  for (uint i = 0; i < OUTPUTS * ROWS; i++) sums[i] = 0;
  for (uint c = lane; c < chunks; c += gl_WorkGroupSize.x) {
    for (uint o = 0; o < OUTPUTS; o++) {
      uint row = min(first_output + o, outputs - 1);
      vec4 w[CHUNK / 4];
      read_chunk(weights, scales, row * chunks + c, w);
      uint part = part_of(row) * x_part;
      for (uint r = 0; r < ROWS; r++) {
        uint at = (part + min(first_row + r, rows - 1) * x_row) / 4 + c * (CHUNK / 4);
        vec4 sum = w[0] * x.v[at];
        for (uint i = 1; i < CHUNK / 4; i++) sum += w[i] * x.v[at + i];
        sums[o * ROWS + r] += (sum.x + sum.y) + (sum.z + sum.w);
      }
    }
  }
  for (uint i = 0; i < OUTPUTS * ROWS; i++) {
    float sum = subgroupAdd(sums[i]);
    if (subgroupElect()) partial[i * MOST_SUBGROUPS + gl_SubgroupID] = sum;
  }
  barrier();
  uint results = EPILOGUE == SWIGLU ? OUTPUTS / 2 * ROWS : OUTPUTS * ROWS;
  for (uint i = lane; i < results; i += gl_WorkGroupSize.x) {
    uint o = EPILOGUE == SWIGLU ? i / ROWS * 2 : i / ROWS, r = i % ROWS;
    if (first_output + o >= outputs || first_row + r >= rows) continue;
    float total = 0, second = 0;
    for (uint s = 0; s < gl_NumSubgroups; s++) total += partial[(o * ROWS + r) * MOST_SUBGROUPS + s];
    if (EPILOGUE == SWIGLU) {
      for (uint s = 0; s < gl_NumSubgroups; s++) second += partial[((o + 1) * ROWS + r) * MOST_SUBGROUPS + s];
      finish_pair(HAS_BIAS, first_row + r, first_output + o, total, second);
    } else {
      finish(EPILOGUE, HAS_BIAS, first_row + r, first_output + o, total);
    }
  }
}
