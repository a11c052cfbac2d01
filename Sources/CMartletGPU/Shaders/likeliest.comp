#version 460
#extension GL_GOOGLE_include_directive : require
#include "buffers.glsl"
// What drawing a token needs of a row of logits, so that the host need not read all of them; a workgroup a row:
//
//     greatest = max_i l_i;  sums of exp(l_i - greatest) and of exp((l_i - greatest) * scale), where scale is 1 / temperature;
//     the tokens whose logits are above the greatest threshold that leaves MOST of them at most, in no order.
//
// Of the tokens that are as likely as the threshold none is among them. `found`, for each row: greatest, both sums, the number of logits that are
// not finite, the number of tokens, and then for each its number and the bits of its logit.
layout(local_size_x_id = 0) in;  // a power of two, 256 at least
layout(constant_id = 1) const uint MOST = 256;
// Words rather than floats, as whole numbers would be denormal floats, which a device may round to zero.
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Found { uint v[]; };
layout(push_constant, scalar) uniform Arguments { Floats logits; Floats scales; Found found; uint vocabulary; };
const uint HEAD = 8, ROW = HEAD + 2 * MOST;
shared float sums[2][1024];
shared uint bins[256], groups[16];
shared uint greatest_key, infinities, prefix, wanted, count;

// Rises with the logit.
uint key_of(float logit) {
  uint bits = floatBitsToUint(logit);
  if (bits == 0x80000000u) bits = 0u;  // minus zero is zero
  return (bits >> 31) == 1u ? ~bits : bits | 0x80000000u;
}
float logit_of(uint key) { return uintBitsToFloat((key >> 31) == 1u ? key & 0x7fffffffu : ~key); }
bool is_finite(float logit) { return (floatBitsToUint(logit) & 0x7f800000u) != 0x7f800000u; }

void main() {
  uint thread = gl_LocalInvocationID.x, threads = gl_WorkGroupSize.x, row = gl_WorkGroupID.x, first = row * vocabulary;
  if (thread == 0) { greatest_key = 0; infinities = 0; prefix = 0; wanted = MOST + 1; count = 0; }
  barrier();
  uint top = 0, strange = 0;
  for (uint i = thread; i < vocabulary; i += threads) {
    float logit = logits.v[first + i];
    if (is_finite(logit)) top = max(top, key_of(logit)); else strange++;
  }
  atomicMax(greatest_key, top);
  if (strange > 0) atomicAdd(infinities, strange);
  barrier();

  float greatest = logit_of(greatest_key), scale = scales.v[row], plain = 0, scaled = 0;
  for (uint i = thread; i < vocabulary; i += threads) {
    float below = logits.v[first + i] - greatest;
    plain += exp(below);
    scaled += exp(below * scale);
  }
  sums[0][thread] = plain;
  sums[1][thread] = scaled;
  barrier();
  for (uint half_count = threads / 2; half_count > 0; half_count /= 2) {
    if (thread < half_count) {
      sums[0][thread] += sums[0][thread + half_count];
      sums[1][thread] += sums[1][thread + half_count];
    }
    barrier();
  }

  // The key of the token at place MOST + 1, eight bits at a time from the highest: a radix select.
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (thread < 256) bins[thread] = 0;
    barrier();
    uint fixed_bits = shift == 24 ? 0u : 0xffffffffu << (shift + 8), so_far = prefix;
    for (uint i = thread; i < vocabulary; i += threads) {
      uint key = key_of(logits.v[first + i]);
      if ((key & fixed_bits) == so_far) atomicAdd(bins[(key >> shift) & 255u], 1);
    }
    barrier();
    if (thread < 16) {
      uint sum = 0;
      for (uint i = 0; i < 16; i++) sum += bins[thread * 16 + i];
      groups[thread] = sum;
    }
    barrier();
    if (thread == 0) {
      int group = 15;
      while (group > 0 && groups[group] < wanted) { wanted -= groups[group]; group--; }
      int bin = group * 16 + 15;
      while (bin > group * 16 && bins[bin] < wanted) { wanted -= bins[bin]; bin--; }
      prefix |= uint(bin) << shift;
    }
    barrier();
  }

  // With fewer tokens than that, all of them.
  uint threshold = prefix, place = row * ROW;
  for (uint i = thread; i < vocabulary; i += threads) {
    float logit = logits.v[first + i];
    if (key_of(logit) > threshold || vocabulary <= MOST) {
      uint at = place + HEAD + 2 * atomicAdd(count, 1);
      found.v[at] = i;
      found.v[at + 1] = floatBitsToUint(logit);
    }
  }
  barrier();
  if (thread == 0) {
    found.v[place] = floatBitsToUint(greatest);
    found.v[place + 1] = floatBitsToUint(sums[0][0]);
    found.v[place + 2] = floatBitsToUint(sums[1][0]);
    found.v[place + 3] = infinities;
    found.v[place + 4] = count;
  }
}
