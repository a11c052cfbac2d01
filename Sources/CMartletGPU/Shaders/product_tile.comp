#version 460
#extension GL_GOOGLE_include_directive : require
#include "buffers.glsl"
#include "weights.glsl"
#include "product.glsl"
// Products with many rows: a workgroup makes 64 outputs of 64 rows, each of 256 threads four of either; 32 inputs at a time go through
// shared memory. A part of stacked matrices must begin at a multiple of 64 outputs, or have the rows of its neighbour.
layout(local_size_x = 256) in;
layout(constant_id = 3) const uint EPILOGUE = 0;
layout(constant_id = 4) const bool HAS_BIAS = false;
const uint TILE = 64, DEPTH = 32, STRIDE = TILE + 4;
shared float w_tile[DEPTH * STRIDE], x_tile[DEPTH * STRIDE];

void main() {
  uint thread = gl_LocalInvocationID.x, first_output = gl_WorkGroupID.x * TILE, first_row = gl_WorkGroupID.y * TILE;
  uint outer = thread % 16 * 4, inner = thread / 16 * 4;
  uint fill = thread / 4, place = thread % 4 * 8;
  uint row = min(first_output + fill, outputs - 1), m = min(first_row + fill, rows - 1);
  uint source = part_of(first_output) * x_part + m * x_row;
  vec4 sums[4];
  for (uint i = 0; i < 4; i++) sums[i] = vec4(0);
  for (uint first = 0; first < k; first += DEPTH) {
    vec4 a = vec4(0), b = vec4(0), c = vec4(0), d = vec4(0);
    if (first + place < k) {
      read_eight(weights, scales, row, k, first + place, a, b);
      uint at = (source + first + place) / 4;
      c = x.v[at];
      d = x.v[at + 1];
    }
    for (uint j = 0; j < 4; j++) {
      w_tile[(place + j) * STRIDE + fill] = a[j];
      w_tile[(place + 4 + j) * STRIDE + fill] = b[j];
      x_tile[(place + j) * STRIDE + fill] = c[j];
      x_tile[(place + 4 + j) * STRIDE + fill] = d[j];
    }
    barrier();
    for (uint i = 0; i < DEPTH; i++) {
      vec4 wv, xv;
      for (uint j = 0; j < 4; j++) { wv[j] = w_tile[i * STRIDE + outer + j]; xv[j] = x_tile[i * STRIDE + inner + j]; }
      for (uint j = 0; j < 4; j++) sums[j] += wv * xv[j];
    }
    barrier();
  }
  for (uint j = 0; j < 4; j++) {
    uint target = first_row + inner + j;
    if (target >= rows) continue;
    for (uint i = 0; i < 4; i++) {
      uint o = first_output + outer + i;
      if (o >= outputs) continue;
      if (EPILOGUE == SWIGLU) {
        if (i % 2 == 0) finish_pair(HAS_BIAS, target, o, sums[j][i], sums[j][i + 1]);
      } else {
        finish(EPILOGUE, HAS_BIAS, target, o, sums[j][i]);
      }
    }
  }
}
