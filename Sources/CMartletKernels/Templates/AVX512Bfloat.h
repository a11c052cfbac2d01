// Products of bfloats where AVX-512 has no instruction for them.
INLINE floats avx512_dot_bfloat(floats c, bytes64 w, const uint16_t *x) {
  const floats even = (floats)((ints)w << 16), odd = (floats)((ints)w & splat_int((int32_t)0xffff0000));
  return fused(odd, splat(bfloat_to_float(x[1])), fused(even, splat(bfloat_to_float(x[0])), c));
}
