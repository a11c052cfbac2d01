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
// tanh x to about 2 units in the last place, NaN for NaN: below 0.625 an odd polynomial that was fitted at Chebyshev nodes,
// above it 1 - 2 / (e^2x + 1).
INLINE floats hyperbolic_tangent(floats x) {
  const floats size = larger(x, -x), z = x * x;
  floats p = splat(2.2958184e-3f);
  p = fused(p, z, splat(-8.3469562e-3f));
  p = fused(p, z, splat(2.1769952e-2f));
  p = fused(p, z, splat(-5.3959403e-2f));
  p = fused(p, z, splat(1.33333042e-1f));
  p = fused(p, z, splat(-3.33333343e-1f));
  const floats small = fused(p * z, x, x);
  const floats large = splat(1.0f) - splat(2.0f) / (exponential(size + size) + splat(1.0f));
  const floats y = choose(size < splat(0.625f), small, choose(x < splat(0.0f), -large, large));
  return choose(x != x, x, y);
}
