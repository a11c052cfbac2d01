#version 460
#extension GL_GOOGLE_include_directive : require
#include "buffers.glsl"
// Attention of prompts: a workgroup is a key/value head of a tile, up to ROWS rows of one sequence, so that keys and values are read once for
// ROWS x GROUP queries. Sequence s has the tiles from first_rows[s] / ROWS + s on: enough for its rows, and the last may be empty.
//
// Query q is head q % GROUP of row q / GROUP; four queries are a vector. For each page a thread computes (1) the scores of one position with
// SCORE_QUADS vectors of queries, (2) the weights of some positions for one vector, by online softmax, each row up to its own position, and
// (3) one element of the weighted sums of values for VALUE_QUADS vectors. PARTED is as in attention.comp.
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint THREADS = 128;  // 256 where SIZE is above 128
layout(constant_id = 1) const uint SIZE = 64;      // at most 256
layout(constant_id = 2) const bool HALF = true;
layout(constant_id = 3) const uint GROUP = 1;
layout(constant_id = 4) const uint ROWS = 32;  // ROWS x GROUP is at most 32, and 16 where SIZE is above 128
layout(constant_id = 5) const bool PARTED = false;
#include "pages.glsl"
layout(push_constant, scalar) uniform Arguments {
  Floats products; Floats y; Addresses tables; Indices first_rows; Indices positions; Floats parts;
  uint heads, key_value_heads, table_stride, layer_offset, part_pages, sequences, first_tile; float scale;
};
// All are powers of two, so that what threads have divides evenly.
const uint QUADS = ROWS * GROUP <= 4 ? 1 : ROWS * GROUP <= 8 ? 2 : ROWS * GROUP <= 16 ? 4 : 8;
const uint COLUMNS = SIZE <= 16 ? 16 : SIZE <= 32 ? 32 : SIZE <= 64 ? 64 : SIZE <= 128 ? 128 : 256;
const uint SCORE_QUADS = (QUADS * PAGE + THREADS - 1) / THREADS, VALUE_QUADS = (QUADS * COLUMNS + THREADS - 1) / THREADS;
const uint LANES = THREADS / QUADS;  // threads that share the positions of one vector of queries
const uint STRIDE = QUADS | 1;       // odd, so that threads of neighbouring positions use different banks
shared vec4 query[SIZE * QUADS], scores[PAGE * STRIDE], found[THREADS], fades[QUADS];

float element(uvec2 page, uint place) { return HALF ? float(Halves(page).v[place]) : Floats(page).v[place]; }

void main() {
  uint thread = gl_LocalInvocationID.x, group = gl_WorkGroupID.x;
  // The last tiles see the most positions, and begin first.
  uint tile = first_tile + gl_NumWorkGroups.y - 1 - gl_WorkGroupID.y;
  uint sequence = 0, above_it = sequences;
  while (sequence + 1 < above_it) {
    uint middle = (sequence + above_it) / 2;
    if (first_rows.v[middle] / ROWS + middle <= tile) sequence = middle;
    else above_it = middle;
  }
  uint sequence_row = first_rows.v[sequence], sequence_end = first_rows.v[sequence + 1];
  uint row = sequence_row + (tile - sequence_row / ROWS - sequence) * ROWS;
  if (row >= sequence_end) return;
  uint queries = min(ROWS, sequence_end - row) * GROUP;

  for (uint i = thread; i < SIZE * QUADS; i += THREADS) {
    vec4 four = vec4(0);
    for (uint c = 0; c < 4; c++) {
      uint q = i / SIZE * 4 + c;
      if (q < queries)
        four[c] = products.v[((row + q / GROUP) * (heads + 2 * key_value_heads) + group * GROUP + q % GROUP) * SIZE + i % SIZE] * scale;
    }
    query[i % SIZE * QUADS + i / SIZE] = four;
  }
  uint position = thread % PAGE, score_quad = thread / PAGE * SCORE_QUADS;
  uint quad = thread % QUADS, lane = thread / QUADS;
  uint d = thread % COLUMNS, value_quad = thread / COLUMNS * VALUE_QUADS;
  uvec4 seen = uvec4(0);  // the number of positions that each query of `quad` sees
  for (uint c = 0; c < 4; c++)
    if (quad * 4 + c < queries) seen[c] = positions.v[row + (quad * 4 + c) / GROUP] + 1;
  vec4 sums[VALUE_QUADS], total = vec4(0), largest = vec4(-3.4e38);
  for (uint i = 0; i < VALUE_QUADS; i++) sums[i] = vec4(0);
  barrier();

  uint last = positions.v[row + queries / GROUP - 1];
  uint begin = PARTED ? gl_WorkGroupID.z * part_pages * PAGE : 0;
  uint end = PARTED ? min(last, begin + part_pages * PAGE - 1) : last;
  for (uint start = begin; start <= end; start += PAGE) {
    uvec2 page = tables.v[sequence * table_stride + start / PAGE];
    uint place = head_place(layer_offset, group), count = min(PAGE, last + 1 - start);
    if (position < count && score_quad * 4 < queries) {
      vec4 score[SCORE_QUADS];
      for (uint i = 0; i < SCORE_QUADS; i++) score[i] = vec4(0);
      for (uint e = 0; e < SIZE; e++) {
        float key = element(page, key_place(place, position, e));
        for (uint i = 0; i < SCORE_QUADS; i++) score[i] += query[e * QUADS + score_quad + i] * key;
      }
      for (uint i = 0; i < SCORE_QUADS; i++) scores[position * STRIDE + score_quad + i] = score[i];
    }
    barrier();
    vec4 above = largest;
    for (uint t = lane; t < count; t += LANES)
      above = max(above, mix(largest, scores[t * STRIDE + quad], lessThan(uvec4(start + t), seen)));
    found[thread] = above;
    barrier();
    for (uint l = 0; l < LANES; l++) above = max(above, found[l * QUADS + quad]);
    vec4 fade = exp(largest - above);
    if (lane == 0) fades[quad] = fade;
    total *= fade;
    largest = above;
    for (uint t = lane; t < count; t += LANES) {
      vec4 weight = mix(vec4(0), exp(scores[t * STRIDE + quad] - above), lessThan(uvec4(start + t), seen));
      scores[t * STRIDE + quad] = weight;
      total += weight;
    }
    barrier();
    if (d < SIZE && value_quad * 4 < queries) {
      for (uint i = 0; i < VALUE_QUADS; i++) sums[i] *= fades[value_quad + i];
      for (uint t = 0; t < count; t++) {
        float value = element(page, value_place(place, t, d));
        for (uint i = 0; i < VALUE_QUADS; i++) sums[i] += scores[t * STRIDE + value_quad + i] * value;
      }
    }
    barrier();
  }

  found[thread] = total;
  if (lane == 0) fades[quad] = largest;
  barrier();
  if (d >= SIZE || value_quad * 4 >= queries) return;
  for (uint i = 0; i < VALUE_QUADS; i++) {
    vec4 whole = vec4(0);
    for (uint l = 0; l < LANES; l++) whole += found[l * QUADS + value_quad + i];
    for (uint c = 0; c < 4; c++) {
      uint q = (value_quad + i) * 4 + c, its_row = row + q / GROUP, head = group * GROUP + q % GROUP;
      if (q >= queries) continue;
      if (PARTED) {
        uint to = ((its_row * gl_NumWorkGroups.z + gl_WorkGroupID.z) * heads + head) * (SIZE + 2);
        parts.v[to + 2 + d] = sums[i][c];
        if (d == 0) { parts.v[to] = fades[value_quad + i][c]; parts.v[to + 1] = whole[c]; }
      } else y.v[(its_row * heads + head) * SIZE + d] = sums[i][c] / whole[c];
    }
  }
}
