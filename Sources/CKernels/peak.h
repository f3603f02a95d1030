// How many operations a second the arithmetic units can do at most: what speeds are compared with.

/// Multiplies and adds `rounds` times over in CHAINS independent chains of vectors, enough of them
/// to cover the latency of the units and few enough to stay in registers.
/// Returns the number of operations: 2 for each multiplication and addition of two numbers.
static long peak(long rounds) {
  enum { CHAINS = 12 };
  vec sums[CHAINS];
#pragma clang loop unroll(full)
  for (int i = 0; i < CHAINS; i++) sums[i] = splat((float)i);
  // Opaque, so that nothing is computed beforehand; and so that no number grows or vanishes.
  float almost_one = 0.999f, little = 1e-3f;
  __asm__ volatile("" : "+m"(almost_one), "+m"(little));
  const vec factor = splat(almost_one), term = splat(little);
  for (long round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; i++) sums[i] = fmadd(sums[i], factor, term);
  }
  float kept[WIDTH];
  vec total = sums[0];
  for (int i = 1; i < CHAINS; i++) total += sums[i];
  store(kept, total);
  __asm__ volatile("" : : "m"(kept));
  return rounds * CHAINS * WIDTH * 2;
}
