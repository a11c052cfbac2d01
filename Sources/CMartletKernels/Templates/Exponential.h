// e^x to about 2 units in the last place; 0 below -87.3, infinity above 88.7, NaN for NaN
// (range reduction by ln 2 and the polynomial of Cephes' expf).
INLINE floats exponential(floats x) {
  const floats clamped = smaller(larger(x, splat(-87.3f)), splat(88.0f));
  const floats n = __builtin_elementwise_roundeven(clamped * splat(1.44269504f));
  floats r = fused(n, splat(-0.693359375f), clamped);
  r = fused(n, splat(2.12194440e-4f), r);
  floats p = splat(1.9875691500e-4f);
  p = fused(p, r, splat(1.3981999507e-3f));
  p = fused(p, r, splat(8.3334519073e-3f));
  p = fused(p, r, splat(4.1665795894e-2f));
  p = fused(p, r, splat(1.6666665459e-1f));
  p = fused(p, r, splat(5.0000001201e-1f));
  p = fused(p * r, r, r) + splat(1.0f);
  const ints power = (__builtin_convertvector(n, ints) + splat_int(127)) << 23;
  floats y = p * (floats)power;
  y = choose(x < splat(-87.3f), splat(0.0f), y);
  y = choose(x > splat(88.7f), splat(__builtin_inff()), y);
  return choose(x != x, x, y);
}
INLINE floats logistic(floats x) { return splat(1.0f) / (splat(1.0f) + exponential(-x)); }
