// The arguments and the epilogues that products of few and of many rows share.
//
//     y[m, o] = E(sum_i W[o, i] x[part(o)][m, i] + bias[o])
//
// Matrices with the same inputs are stacked: output o belongs to part o / part_outputs (at most parts - 1), and each part has rows x of its own.
#define STORE 0u          // y = t
#define ADD 1u            // y += t
#define SILU_LAST 2u      // y = t, silu(t) in the last part (receptance, key, value, gate of RWKV-5)
#define SQUARE_SIGMOID 3u // y = max(t, 0)^2, sigmoid(t) in the last part (key and receptance of the channel mix)
#define ADD_GATED 4u      // y += t * gate[m, o]
#define SWIGLU 5u         // outputs 2j and 2j + 1 are gate and up: y[m, j] = silu(t_2j) t_2j+1

layout(push_constant, scalar) uniform Arguments {
  Words weights;
  Halves scales;
  Vectors x;
  Floats y;
  Floats gate;
  Floats bias;
  uint k, outputs, rows, part_outputs, parts;
  uint x_part, x_row, y_row, gate_row;  // distances in floats
};

float silu(float t) { return t / (1.0 + exp(-t)); }

uint part_of(uint row) { return min(row / part_outputs, parts - 1); }

void finish(uint epilogue, bool has_bias, uint m, uint row, float t) {
  if (has_bias) t += bias.v[row];
  bool last = part_of(row) == parts - 1;
  if (epilogue == SILU_LAST && last) t = silu(t);
  if (epilogue == SQUARE_SIGMOID) t = last ? 1.0 / (1.0 + exp(-t)) : max(t, 0.0) * max(t, 0.0);
  if (epilogue == ADD_GATED) t *= gate.v[m * gate_row + row];
  if (epilogue == ADD || epilogue == ADD_GATED) y.v[m * y_row + row] += t;
  else y.v[m * y_row + row] = t;
}

void finish_pair(bool has_bias, uint m, uint row, float gate_sum, float up_sum) {
  if (has_bias) { gate_sum += bias.v[row]; up_sum += bias.v[row + 1]; }
  y.v[m * y_row + row / 2] = silu(gate_sum) * up_sum;
}
