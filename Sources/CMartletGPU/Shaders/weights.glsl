// Weights of one format, a row of `k` inputs an output. FORMAT is given when the shader is compiled: 0 f32, 1 f16, 2 bf16, 3 q8_0, 4 q4_0,
// 5 q4_1. A lane reads 16 bytes at a time: CHUNK weights. Quantised rows have their integers together and their scales apart, so that both
// are read in words: [output][block of 32][32 or 16 bytes], and [output][block] halves (q4_1: scale and minimum in turn). Byte i of a
// block of four bits holds weight i in its low half and weight i + 16 in its high half.
#if FORMAT == 0
#define CHUNK 4
#elif FORMAT <= 2
#define CHUNK 8
#elif FORMAT == 3
#define CHUNK 16
#else
#define CHUNK 32
#endif

vec4 bytes_of(uint word) {
  return vec4(bitfieldExtract(int(word), 0, 8), bitfieldExtract(int(word), 8, 8), bitfieldExtract(int(word), 16, 8), bitfieldExtract(int(word), 24, 8));
}
vec4 low_nibbles(uint word) { return vec4(word & 15u, (word >> 8) & 15u, (word >> 16) & 15u, (word >> 24) & 15u); }
vec4 from_halves(uint a, uint b) { return vec4(unpackHalf2x16(a), unpackHalf2x16(b)); }
vec4 from_bfloats(uint a, uint b) {
  return vec4(uintBitsToFloat(a << 16), uintBitsToFloat(a & 0xffff0000u), uintBitsToFloat(b << 16), uintBitsToFloat(b & 0xffff0000u));
}

// The scale and the minimum of a block of 32.
vec2 scale_of(Halves scales, uint block) {
#if FORMAT == 3
  return vec2(float(scales.v[block]), 0.0);
#elif FORMAT == 4
  float scale = float(scales.v[block]);
  return vec2(scale, -8.0 * scale);
#elif FORMAT == 5
  return vec2(float(scales.v[2 * block]), float(scales.v[2 * block + 1]));
#else
  return vec2(1.0, 0.0);
#endif
}

// The weights of chunk `index`, counted from the beginning of the matrix.
void read_chunk(Words weights, Halves scales, uint index, out vec4 w[CHUNK / 4]) {
  uvec4 bits = weights.v[index];
#if FORMAT == 0
  w[0] = uintBitsToFloat(bits);
#elif FORMAT == 1
  w[0] = from_halves(bits.x, bits.y);
  w[1] = from_halves(bits.z, bits.w);
#elif FORMAT == 2
  w[0] = from_bfloats(bits.x, bits.y);
  w[1] = from_bfloats(bits.z, bits.w);
#elif FORMAT == 3
  float scale = scale_of(scales, index / 2).x;
  for (uint i = 0; i < 4; i++) w[i] = bytes_of(bits[i]) * scale;
#else
  vec2 scale = scale_of(scales, index);
  for (uint i = 0; i < 4; i++) {
    w[i] = low_nibbles(bits[i]) * scale.x + scale.y;
    w[4 + i] = low_nibbles(bits[i] >> 4) * scale.x + scale.y;
  }
#endif
}

// Eight weights from input `first` (a multiple of 8) of an output on.
void read_eight(Words weights, Halves scales, uint output_row, uint k, uint first, out vec4 a, out vec4 b) {
#if FORMAT == 0
  uint at = (output_row * k + first) / 4;
  a = uintBitsToFloat(weights.v[at]);
  b = uintBitsToFloat(weights.v[at + 1]);
#elif FORMAT == 1
  uvec4 bits = weights.v[(output_row * k + first) / 8];
  a = from_halves(bits.x, bits.y);
  b = from_halves(bits.z, bits.w);
#elif FORMAT == 2
  uvec4 bits = weights.v[(output_row * k + first) / 8];
  a = from_bfloats(bits.x, bits.y);
  b = from_bfloats(bits.z, bits.w);
#elif FORMAT == 3
  uint at = output_row * k + first;
  uvec4 bits = weights.v[at / 16];
  float scale = scale_of(scales, at / 32).x;
  bool second = (at & 8u) != 0u;
  a = bytes_of(second ? bits.z : bits.x) * scale;
  b = bytes_of(second ? bits.w : bits.y) * scale;
#else
  uint block = (output_row * k + first) / 32, place = first % 32;
  uvec4 bits = weights.v[block];
  vec2 scale = scale_of(scales, block);
  uint shift = place < 16 ? 0 : 4;
  bool second = (place & 8u) != 0u;
  a = low_nibbles((second ? bits.z : bits.x) >> shift) * scale.x + scale.y;
  b = low_nibbles((second ? bits.w : bits.y) >> shift) * scale.x + scale.y;
#endif
}
