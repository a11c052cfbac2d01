#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#include "buffers.glsl"
#include "weights.glsl"
#include "product.glsl"
// Products with many rows on matrix cores: a workgroup makes 64 outputs of 64 rows from tiles of M x N x K, whose sizes are the device's.
// Operands are rounded to halves in shared memory, sums stay in single precision. What is beyond the range of halves is cut.
layout(local_size_x_id = 0) in;  // SUBGROUPS whole subgroups
layout(constant_id = 1) const uint M = 16;
layout(constant_id = 2) const uint N = 16;
layout(constant_id = 3) const uint EPILOGUE = 0;
layout(constant_id = 4) const bool HAS_BIAS = false;
layout(constant_id = 5) const uint K = 16;
layout(constant_id = 6) const uint SUBGROUPS = 4;
const uint TILE = 64, DEPTH = 32, STRIDE = 40;  // rows of 32 halves, padded against bank conflicts
const uint ACROSS = TILE / N, TILES = TILE / M * ACROSS, EACH = (TILES + SUBGROUPS - 1) / SUBGROUPS;
shared float16_t x_tile[TILE * STRIDE], w_tile[TILE * STRIDE];
shared float results[TILE * TILE];

void main() {
  uint thread = gl_LocalInvocationID.x, threads = gl_WorkGroupSize.x;
  uint first_output = gl_WorkGroupID.x * TILE, first_row = gl_WorkGroupID.y * TILE, part = part_of(first_output) * x_part;
  coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> sums[EACH];
  for (uint i = 0; i < EACH; i++) sums[i] = coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>(0.0);
  for (uint first = 0; first < k; first += DEPTH) {
    for (uint e = thread; e < TILE * DEPTH / 8; e += threads) {
      uint line = e / 4, place = e % 4 * 8;
      vec4 a = vec4(0), b = vec4(0), c = vec4(0), d = vec4(0);
      if (first + place < k) {
        read_eight(weights, scales, min(first_output + line, outputs - 1), k, first + place, a, b);
        a = clamp(a, -65504.0, 65504.0);
        b = clamp(b, -65504.0, 65504.0);
        uint at = (part + min(first_row + line, rows - 1) * x_row + first + place) / 4;
        c = clamp(x.v[at], -65504.0, 65504.0);
        d = clamp(x.v[at + 1], -65504.0, 65504.0);
      }
      for (uint j = 0; j < 4; j++) {
        w_tile[line * STRIDE + place + j] = float16_t(a[j]);
        w_tile[line * STRIDE + place + 4 + j] = float16_t(b[j]);
        x_tile[line * STRIDE + place + j] = float16_t(c[j]);
        x_tile[line * STRIDE + place + 4 + j] = float16_t(d[j]);
      }
    }
    barrier();
    for (uint depth = 0; depth < DEPTH; depth += K) {
      for (uint i = 0; i < EACH; i++) {
        uint tile = i * SUBGROUPS + gl_SubgroupID;
        if (tile < TILES) {
          coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA> a;
          coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB> b;
          coopMatLoad(a, x_tile, tile / ACROSS * M * STRIDE + depth, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
          coopMatLoad(b, w_tile, tile % ACROSS * N * STRIDE + depth, STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
          sums[i] = coopMatMulAdd(a, b, sums[i]);
        }
      }
    }
    barrier();
  }
  for (uint i = 0; i < EACH; i++) {
    uint tile = i * SUBGROUPS + gl_SubgroupID;
    if (tile < TILES)
      coopMatStore(sums[i], results, tile / ACROSS * M * TILE + tile % ACROSS * N, TILE, gl_CooperativeMatrixLayoutRowMajor);
  }
  barrier();
  for (uint e = thread; e < TILE * TILE; e += threads) {
    uint row = first_row + e / TILE, o = first_output + e % TILE;
    if (row >= rows || o >= outputs) continue;
    if (EPILOGUE == SWIGLU) {
      if (o % 2 == 0) finish_pair(HAS_BIAS, row, o, results[e], results[e + 1]);
    } else {
      finish(EPILOGUE, HAS_BIAS, row, o, results[e]);
    }
  }
}
