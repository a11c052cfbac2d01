#version 460
#extension GL_GOOGLE_include_directive : require
#include "buffers.glsl"
// Attention of one row to all positions up to its own: a workgroup a key/value head of a row, which reads keys and values once for the GROUP
// query heads that share them. Online softmax (Milakov and Gimelshein, 2018) page by page; thread d holds element d of the sums.
// Where PARTED, a row's pages are divided among several workgroups, and `parts` receives what each has found, for attention_join: for each row,
// part and query head the largest score, the sum of weights, and the weighted sums of SIZE values.
layout(local_size_x_id = 0) in;  // at least 64 and at least SIZE
layout(constant_id = 1) const uint SIZE = 64;
layout(constant_id = 2) const bool HALF = true;
layout(constant_id = 3) const uint GROUP = 1;
layout(constant_id = 4) const bool PARTED = false;
#include "pages.glsl"
layout(push_constant, scalar) uniform Arguments {
  Floats products; Floats y; Addresses tables; Indices sequence_of_row; Indices positions; Floats parts;
  uint heads, key_value_heads, table_stride, layer_offset, part_pages; float scale;
};
shared float query[GROUP * SIZE], scores[GROUP * PAGE], weights[GROUP * PAGE];

float element(uvec2 page, uint place) { return HALF ? float(Halves(page).v[place]) : Floats(page).v[place]; }

void main() {
  uint thread = gl_LocalInvocationID.x, group = gl_WorkGroupID.x, row = gl_WorkGroupID.y;
  uint from = row * (heads + 2 * key_value_heads) * SIZE + group * GROUP * SIZE;
  for (uint i = thread; i < GROUP * SIZE; i += gl_WorkGroupSize.x) query[i] = products.v[from + i] * scale;
  uint position = positions.v[row], table = sequence_of_row.v[row] * table_stride;
  float sums[GROUP], totals[GROUP], largest[GROUP];
  for (uint h = 0; h < GROUP; h++) { sums[h] = 0; totals[h] = 0; largest[h] = -3.4e38; }
  barrier();
  uint begin = PARTED ? gl_WorkGroupID.z * part_pages * PAGE : 0;
  uint end = PARTED ? min(position, begin + part_pages * PAGE - 1) : position;
  for (uint start = begin; start <= end; start += PAGE) {
    uvec2 page = tables.v[table + start / PAGE];
    uint place = head_place(layer_offset, group);
    uint count = min(PAGE, position + 1 - start);
    for (uint i = thread; i < GROUP * PAGE; i += gl_WorkGroupSize.x) {
      uint h = i / PAGE, t = i % PAGE;
      if (t < count) {
        float score = 0;
        for (uint d = 0; d < SIZE; d++) score += query[h * SIZE + d] * element(page, key_place(place, t, d));
        scores[i] = score;
      }
    }
    barrier();
    float above[GROUP];
    for (uint h = 0; h < GROUP; h++) {
      above[h] = largest[h];
      for (uint t = 0; t < count; t++) above[h] = max(above[h], scores[h * PAGE + t]);
    }
    for (uint i = thread; i < GROUP * PAGE; i += gl_WorkGroupSize.x)
      if (i % PAGE < count) weights[i] = exp(scores[i] - above[i / PAGE]);
    barrier();
    for (uint h = 0; h < GROUP; h++) {
      float fade = exp(largest[h] - above[h]);
      sums[h] *= fade;
      totals[h] *= fade;
      largest[h] = above[h];
    }
    if (thread < SIZE) {
      for (uint t = 0; t < count; t++) {
        float value = element(page, value_place(place, t, thread));
        for (uint h = 0; h < GROUP; h++) { sums[h] += weights[h * PAGE + t] * value; totals[h] += weights[h * PAGE + t]; }
      }
    }
    barrier();
  }
  if (thread < SIZE)
    for (uint h = 0; h < GROUP; h++) {
      if (PARTED) {
        uint place = ((row * gl_NumWorkGroups.z + gl_WorkGroupID.z) * heads + group * GROUP + h) * (SIZE + 2);
        parts.v[place + 2 + thread] = sums[h];
        if (thread == 0) { parts.v[place] = largest[h]; parts.v[place + 1] = totals[h]; }
      } else y.v[(row * heads + group * GROUP + h) * SIZE + thread] = sums[h] / totals[h];
    }
}
