// Vectors of WIDTH floats and the elementary functions on them. Included once per instruction set.
// Comparisons and selections let NaN through, so that a diverged training is seen, not hidden.

typedef float vec __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float *p) { return *(const vec *)p; }
INLINE void store(float *p, vec x) { *(vec *)p = x; }
INLINE vec splat(float x) { return x - (vec){}; }
INLINE vec bits(ivec x) { return (vec)x; }
INLINE vec choose(ivec mask, vec yes, vec no) {
  return bits((mask & (ivec)yes) | (~mask & (ivec)no));
}
INLINE vec at_least(vec x, float low) { return choose(x < splat(low), splat(low), x); }
INLINE vec at_most(vec x, float high) { return choose(x > splat(high), splat(high), x); }

#if FUSED
INLINE vec fmadd(vec a, vec b, vec c) { return __builtin_elementwise_fma(a, b, c); }
#else
INLINE vec fmadd(vec a, vec b, vec c) { return a * b + c; }
#endif

INLINE float horizontal_sum(vec x) {
  float sum = 0;
  for (int i = 0; i < WIDTH; i++) sum += x[i];
  return sum;
}

/// e^x by Cody–Waite reduction and the polynomial of Cephes' expf; relative error below 2 ulp.
/// Infinity above ln of the largest number, 0 below ln of the smallest normal one.
INLINE vec exp_of(vec x) {
  const float magic = 12582912.0f;  // 1.5·2²³: adding it rounds to the nearest integer
  vec shifted = fmadd(x, splat(1.44269504f), splat(magic));
  ivec exponent = ((ivec)shifted - (ivec)splat(magic)) << 23;
  vec n = shifted - magic;
  vec r = fmadd(n, splat(-0.693359375f), x);
  r = fmadd(n, splat(2.12194440e-4f), r);
  vec p = splat(1.9875691500e-4f);
  p = fmadd(p, r, splat(1.3981999507e-3f));
  p = fmadd(p, r, splat(8.3334519073e-3f));
  p = fmadd(p, r, splat(4.1665795894e-2f));
  p = fmadd(p, r, splat(1.6666665459e-1f));
  p = fmadd(p, r, splat(5.0000001201e-1f));
  p = fmadd(r * r, p, r + 1.0f);
  vec result = bits((ivec)p + exponent);
  result = choose(x > splat(88.72283f), splat(__builtin_inff()), result);
  result = choose(x < splat(-87.33654f), splat(0), result);
  return choose(x == x, result, x);
}

/// ln x for positive normal numbers, by the polynomial of Cephes' logf; relative error below 2 ulp, and
/// near 1 an absolute one below 2⁻²⁴.
INLINE vec log_of(vec x) {
  // x = m·2^e with m in [√½, √2)
  ivec above = (ivec)x - 0x3f3504f3;
  ivec exponent = above >> 23;
  vec m = bits((ivec)x - (exponent << 23));
  vec e = __builtin_convertvector(exponent, vec);
  vec r = m - 1.0f, z = r * r;
  vec p = splat(7.0376836292e-2f);
  p = fmadd(p, r, splat(-1.1514610310e-1f));
  p = fmadd(p, r, splat(1.1676998740e-1f));
  p = fmadd(p, r, splat(-1.2420140846e-1f));
  p = fmadd(p, r, splat(1.4249322787e-1f));
  p = fmadd(p, r, splat(-1.6668057665e-1f));
  p = fmadd(p, r, splat(2.0000714765e-1f));
  p = fmadd(p, r, splat(-2.4999993993e-1f));
  p = fmadd(p, r, splat(3.3333331174e-1f));
  vec y = fmadd(z * r, p, e * -2.12194440e-4f);
  y = fmadd(z, splat(-0.5f), y);
  return fmadd(e, splat(0.693359375f), r + y);
}

/// 1 / (1 + e^−x).
INLINE vec sigmoid_of(vec x) { return 1.0f / (1.0f + exp_of(-x)); }

/// tanh by a rational minimax approximation of degree 13/6 (coefficients as in Eigen). Beyond the
/// limit it is 1: that is where the approximation reaches 1, which depends on the roundings.
INLINE vec tanh_of(vec x) {
  const float limit = FUSED ? 7.99881172180175781f : 7.90531110763549805f;
  x = at_most(at_least(x, -limit), limit);
  vec u = x * x;
  vec p = splat(-2.76076847742355e-16f);
  p = fmadd(p, u, splat(2.00018790482477e-13f));
  p = fmadd(p, u, splat(-8.60467152213735e-11f));
  p = fmadd(p, u, splat(5.12229709037114e-08f));
  p = fmadd(p, u, splat(1.48572235717979e-05f));
  p = fmadd(p, u, splat(6.37261928875436e-04f));
  p = fmadd(p, u, splat(4.89352455891786e-03f));
  vec q = splat(1.19825839466702e-06f);
  q = fmadd(q, u, splat(1.18534705686654e-04f));
  q = fmadd(q, u, splat(2.26843463243900e-03f));
  q = fmadd(q, u, splat(4.89352518554385e-03f));
  return x * p / q;
}
