#version 460
#extension GL_GOOGLE_include_directive : require
#include "buffers.glsl"
#include "reduce.glsl"
// A workgroup a head of a row: queries are normalised where NORMED (Qwen3), turned by their position and written back; keys likewise, into
// the sequence's page; values go to the page as they are. Rows of `products` are queries, keys, values.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint SIZE = 64;
layout(constant_id = 2) const bool HALF = true;
layout(constant_id = 3) const bool NORMED = false;
layout(constant_id = 4) const bool INTERLEAVED = false;
#include "pages.glsl"
layout(push_constant, scalar) uniform Arguments {
  Floats products; Floats cosines; Floats sines; Floats query_norm; Floats key_norm;
  Addresses tables; Indices sequence_of_row; Indices positions;
  uint heads, key_value_heads, pairs, table_stride, layer_offset; float epsilon;
};
shared float values[SIZE];

void main() {
  uint thread = gl_LocalInvocationID.x, head = gl_WorkGroupID.x, row = gl_WorkGroupID.y;
  uint from = row * (heads + 2 * key_value_heads) * SIZE + head * SIZE;
  bool is_query = head < heads, is_key = !is_query && head < heads + key_value_heads;
  float scale = 1;
  if (NORMED && (is_query || is_key)) {
    float square = 0;
    for (uint i = thread; i < SIZE; i += gl_WorkGroupSize.x) square += products.v[from + i] * products.v[from + i];
    scale = 1.0 / sqrt(workgroup_sum(square, 0) / float(SIZE) + epsilon);
  }
  for (uint i = thread; i < SIZE; i += gl_WorkGroupSize.x) {
    float value = products.v[from + i];
    if (NORMED && is_query) value *= scale * query_norm.v[i];
    if (NORMED && is_key) value *= scale * key_norm.v[i];
    values[i] = value;
  }
  barrier();
  uint position = positions.v[row], group = head - heads - (is_key ? 0 : key_value_heads), place = head_place(layer_offset, group);
  uvec2 page = is_query ? uvec2(0) : tables.v[sequence_of_row.v[row] * table_stride + position / PAGE];
  for (uint i = thread; i < PADDED; i += gl_WorkGroupSize.x) {
    float value = i < SIZE ? values[i] : 0.0;
    if ((is_query || is_key) && i < 2 * pairs) {
      uint pair = INTERLEAVED ? i / 2 : i % pairs;
      bool second = INTERLEAVED ? i % 2 == 1 : i >= pairs;
      float other = values[INTERLEAVED ? i ^ 1u : second ? i - pairs : i + pairs];
      float c = cosines.v[row * pairs + pair], s = sines.v[row * pairs + pair];
      value = second ? value * c + other * s : value * c - other * s;
    }
    if (is_query) {
      if (i < SIZE) products.v[from + i] = value;
    } else {
      uint at = is_key ? key_place(place, position % PAGE, i) : value_place(place, position % PAGE, i);
      if (HALF) Halves(page).v[at] = float16_t(value);
      else Floats(page).v[at] = value;
    }
  }
}
