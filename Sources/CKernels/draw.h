// Drawing from a softmax without computing it: the largest of logits with Gumbel noise is a draw.
// See Sampling.swift for the equation, ReadoutSketch.swift for how most logits are passed over.

typedef uint32_t uvec __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
typedef uint64_t wide_vec __attribute__((vector_size(WIDTH * 4), aligned(8), may_alias));

/// The low halves of a·b; the high halves become `high`.
INLINE uvec multiply_wide(uvec a, uint32_t b, uvec *high) {
  const uint64_t low_half = 0xffffffff;
  wide_vec even = ((wide_vec)a & low_half) * b, odd = ((wide_vec)a >> 32) * b;
  *high = (uvec)(even >> 32 | (odd & ~low_half));
  return (uvec)((even & low_half) | odd << 32);
}

/// Philox-4x32-10 on WIDTH counters, as in Random.swift.
INLINE void philox(uvec counter[4], uint64_t key) {
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; round++) {
    uvec a_high, b_high;
    uvec a = multiply_wide(counter[0], 0xD2511F53, &a_high);
    uvec b = multiply_wide(counter[2], 0xCD9E8D57, &b_high);
    counter[0] = b_high ^ counter[1] ^ k0;
    counter[1] = b;
    counter[2] = a_high ^ counter[3] ^ k1;
    counter[3] = a;
    k0 += 0x9E3779B9, k1 += 0xBB67AE85;
  }
}

/// −ln(−ln u) with u = (n + ½)·2⁻³¹ uniform in (0, 1).
INLINE vec gumbel_of(uvec random) {
  ivec n = (ivec)(random >> 1);
  vec u = (__builtin_convertvector(n, vec) + 0.5f) * 0x1p-31f;
  vec rest = (__builtin_convertvector(n ^ 0x7fffffff, vec) + 0.5f) * 0x1p-31f;  // 1 − u
  // A number so near 1 has lost too much of the rest: it does with the first terms of −ln(1 − rest).
  vec series = fmadd(rest * rest, splat(0.5f), rest);
  return -log_of(choose(rest < splat(0x1p-9f), series, -log_of(u)));
}

/// Numbers i = 64·j + 16·c + k are from number c of the block `first + 16·j + k`.
static void gumbel(long n, uint64_t key, uint64_t stream, uint64_t first, float *out) {
  for (long start = 0; start < n; start += 64)
    for (int part = 0; part < 16; part += WIDTH) {
      uvec counter[4];
      for (int i = 0; i < WIDTH; i++) {
        uint64_t block = first + (uint64_t)(start / 4 + part + i);
        counter[0][i] = (uint32_t)block, counter[1][i] = (uint32_t)(block >> 32);
        counter[2][i] = (uint32_t)stream, counter[3][i] = (uint32_t)(stream >> 32);
      }
      philox(counter, key);
      for (int c = 0; c < 4; c++) {
        const long at = start + 16 * c + part;
        if (at >= n) break;
        float last[WIDTH];
        vec noise = gumbel_of(counter[c]);
        if (at + WIDTH <= n) {
          store(out + at, noise);
        } else {
          store(last, noise);
          for (long i = at; i < n; i++) out[i] = last[i - at];
        }
      }
    }
}

/// The place of the maximum, the first of equals.
static long largest(long n, const float *x) {
  const float top = maximum(n, x);
  long at = 0;
  for (; at + WIDTH <= n; at += WIDTH) {
    ivec same = load(x + at) == splat(top);
    int32_t any = 0;
    for (int i = 0; i < WIDTH; i++) any |= same[i];
    if (any) break;
  }
  for (; at < n; at++)
    if (x[at] == top) return at;
  return 0;
}

/// Places of what may be the largest of n numbers, each known up to an error of
/// slack + a·u[i] + b·v[i]: what isn't below another for certain. Returns how many.
static long contenders(long n, const float *x, float a, const float *u, float b, const float *v,
                       float slack, int32_t *found) {
  const long whole = n / WIDTH * WIDTH;
  vec most = splat(-__builtin_inff());
  for (long at = 0; at < whole; at += WIDTH) {
    vec error = fmadd(splat(a), load(u + at), fmadd(splat(b), load(v + at), splat(slack)));
    vec low = load(x + at) - error;
    most = choose(low > most, low, most);
  }
  float least = most[0];
  for (int i = 1; i < WIDTH; i++) least = most[i] > least ? most[i] : least;
  for (long at = whole; at < n; at++) {
    float low = x[at] - (slack + a * u[at] + b * v[at]);
    least = low > least ? low : least;
  }
  long count = 0;
  for (long at = 0; at < whole; at += WIDTH) {
    vec error = fmadd(splat(a), load(u + at), fmadd(splat(b), load(v + at), splat(slack)));
    ivec inside = load(x + at) + error >= splat(least);
    int32_t any = 0;
    for (int i = 0; i < WIDTH; i++) any |= inside[i];
    if (!any) continue;
    for (int i = 0; i < WIDTH; i++)
      if (inside[i]) found[count++] = (int32_t)(at + i);
  }
  for (long at = whole; at < n; at++)
    if (x[at] + (slack + a * u[at] + b * v[at]) >= least) found[count++] = (int32_t)at;
  return count;
}

/// y[i] = bias[r] + Σ_k w[r, k]·x[k] for r = rows[i], added up in the order of `product`: its numbers.
static void chosen_rows(long count, const int32_t *rows, long depth, const float *w, long stride,
                        const float *x, const float *bias, float *y) {
  for (long first = 0; first < count; first += WIDTH) {
    const int lanes = count - first < WIDTH ? (int)(count - first) : WIDTH;
    const float *from[WIDTH];
    vec sum;
    for (int i = 0; i < WIDTH; i++) {
      const long row = rows[first + (i < lanes ? i : 0)];
      from[i] = w + row * stride;
      sum[i] = bias[row];
    }
    for (long k = 0; k < depth; k++) {
      vec weights;
      for (int i = 0; i < WIDTH; i++) weights[i] = from[i][k];
      sum = fmadd(splat(x[k]), weights, sum);
    }
    for (int i = 0; i < lanes; i++) y[first + i] = sum[i];
  }
}
