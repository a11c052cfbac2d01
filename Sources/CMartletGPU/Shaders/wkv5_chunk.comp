#version 460
#extension GL_GOOGLE_include_directive : require
#include "buffers.glsl"
// The recurrence of wkv5.comp, with its group norm and gate, for prompts: CHUNK rows at a time. A column of the state is divided among PARTS
// threads, which go through the rows of a chunk without waiting for each other; what they have found is then added up, and all rows of the chunk
// are normalised together by SHARES threads each:
//
//     y_j = sum_i r_i S_ij + (sum_i r_i u_i k_i) v_j;  S_ij = w_i S_ij + k_i v_j
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint THREADS = 256;  // SIZE x PARTS; SIZE is a multiple of 4 x PARTS
layout(constant_id = 1) const uint SIZE = 64;
layout(constant_id = 2) const bool GATED = true;
layout(constant_id = 3) const uint CHUNK = 16;  // divides THREADS and is a multiple of PARTS; with SIZE above 64 at most 8
layout(push_constant, scalar) uniform Arguments {
  Floats products; Floats decay; Floats bonus; Floats weight; Floats bias; Floats y;
  Addresses states; Indices first_rows;
  uint heads, state_offset; float epsilon;
};
const uint PARTS = THREADS / SIZE, ROW_QUADS = SIZE / 4, QUADS = ROW_QUADS / PARTS;
const uint SHARES = THREADS / CHUNK, SHARE = CHUNK / PARTS;  // the threads of a row, and the columns of each of them
shared vec4 r[CHUNK * ROW_QUADS], k[CHUNK * ROW_QUADS];
shared float v[CHUNK * SIZE], bonuses[CHUNK * ROW_QUADS], found[PARTS * CHUNK * SIZE], shares[2][THREADS];

vec4 four(Floats from, uint place) { return vec4(from.v[place], from.v[place + 1], from.v[place + 2], from.v[place + 3]); }

// The sum over the threads of a row. All threads must call, each time with the other place.
float row_sum(float value, uint row, uint place) {
  shares[place][gl_LocalInvocationID.x] = value;
  barrier();
  float sum = 0;
  for (uint i = 0; i < SHARES; i++) sum += shares[place][row * SHARES + i];
  return sum;
}

void main() {
  uint thread = gl_LocalInvocationID.x, head = gl_WorkGroupID.x, sequence = gl_WorkGroupID.y;
  uint width = heads * SIZE, channel = head * SIZE, row_width = (GATED ? 4 : 3) * width;
  uint j = thread % SIZE, part = thread / SIZE, row = thread / SHARES, share = thread % SHARES;
  Floats state = Floats(states.v[sequence]);
  uint base = state_offset + (channel + part * QUADS * 4) * SIZE + j;
  vec4 S[QUADS], w[QUADS];
  for (uint q = 0; q < QUADS; q++) {
    for (uint c = 0; c < 4; c++) S[q][c] = state.v[base + (q * 4 + c) * SIZE];
    w[q] = four(decay, channel + (part * QUADS + q) * 4);
  }
  uint end = first_rows.v[sequence + 1];
  for (uint start = first_rows.v[sequence]; start < end; start += CHUNK) {
    uint count = min(CHUNK, end - start);
    for (uint i = thread; i < count * ROW_QUADS; i += THREADS) {
      uint column = channel + i % ROW_QUADS * 4, at = (start + i / ROW_QUADS) * row_width + column;
      r[i] = four(products, at);
      k[i] = four(products, at + width);
      bonuses[i] = dot(r[i] * four(bonus, column), k[i]);
    }
    for (uint i = thread; i < count * SIZE; i += THREADS)
      v[i] = products.v[(start + i / SIZE) * row_width + 2 * width + channel + i % SIZE];
    barrier();
    for (uint t = 0; t < count; t++) {
      vec4 sum = vec4(0);
      for (uint q = 0; q < QUADS; q++) {
        uint at = t * ROW_QUADS + part * QUADS + q;
        sum += r[at] * S[q];
        S[q] = w[q] * S[q] + k[at] * v[t * SIZE + j];
      }
      found[(part * CHUNK + t) * SIZE + j] = dot(sum, vec4(1));
    }
    barrier();
    // From here on a thread has every SHARES-th column of its row; what rows behind the last hold is not used.
    float bonus_sum = 0, values[SHARE], sum = 0, squares = 0;
    for (uint q = 0; q < ROW_QUADS; q++) bonus_sum += bonuses[row * ROW_QUADS + q];
    for (uint m = 0; m < SHARE; m++) {
      uint at = row * SIZE + share + m * SHARES;
      values[m] = bonus_sum * v[at];
      for (uint p = 0; p < PARTS; p++) values[m] += found[p * CHUNK * SIZE + at];
      sum += values[m];
    }
    float mean = row_sum(sum, row, 0) / float(SIZE);
    for (uint m = 0; m < SHARE; m++) squares += (values[m] - mean) * (values[m] - mean);
    float scale = 1.0 / sqrt(row_sum(squares, row, 1) / float(SIZE) + epsilon);
    if (row < count)
      for (uint m = 0; m < SHARE; m++) {
        uint column = channel + share + m * SHARES;
        float value = (values[m] - mean) * scale * weight.v[column] + bias.v[column];
        y.v[(start + row) * width + column] = GATED ? value * products.v[(start + row) * row_width + 3 * width + column] : value;
      }
  }
  for (uint q = 0; q < QUADS; q++)
    for (uint c = 0; c < 4; c++) state.v[base + (q * 4 + c) * SIZE] = S[q][c];
}
