// Elementwise functions, reductions, softmax and optimiser updates over contiguous floats.

// Applies `expression` to vectors and, for the tail, to one vector on a padded copy.
#define ELEMENTWISE_1(n, a, out, expression)                    \
  long at = 0;                                                  \
  for (; at + WIDTH <= (n); at += WIDTH) {                      \
    vec x = load((a) + at);                                     \
    store((out) + at, expression);                              \
  }                                                             \
  if (at < (n)) {                                               \
    vec x = {}, y;                                              \
    for (long j = at; j < (n); j++) x[j - at] = (a)[j];         \
    y = expression;                                             \
    for (long j = at; j < (n); j++) (out)[j] = y[j - at];       \
  }

#define ELEMENTWISE_2(n, a, b, out, expression)                 \
  long at = 0;                                                  \
  for (; at + WIDTH <= (n); at += WIDTH) {                      \
    vec x = load((a) + at), y = load((b) + at);                 \
    store((out) + at, expression);                              \
  }                                                             \
  if (at < (n)) {                                               \
    vec x = {}, y = {}, z;                                      \
    for (long j = at; j < (n); j++) {                           \
      x[j - at] = (a)[j];                                       \
      y[j - at] = (b)[j];                                       \
    }                                                           \
    z = expression;                                             \
    for (long j = at; j < (n); j++) (out)[j] = z[j - at];       \
  }

static void add(long n, const float *a, const float *b, float *out) {
  ELEMENTWISE_2(n, a, b, out, x + y)
}
// Some columns at a time, whose sums stay in registers.
INLINE void add_rows_of(const int vectors, long rows, const float *a, long stride, float *sum) {
  vec sums[8];
  for (int j = 0; j < vectors; j++) sums[j] = load(sum + j * WIDTH);
  for (long i = 0; i < rows; i++)
    for (int j = 0; j < vectors; j++) sums[j] += load(a + i * stride + j * WIDTH);
  for (int j = 0; j < vectors; j++) store(sum + j * WIDTH, sums[j]);
}
static void add_rows(long rows, long columns, const float *a, long stride, float *sum) {
  long at = 0;
  for (; at + 8 * WIDTH <= columns; at += 8 * WIDTH) add_rows_of(8, rows, a + at, stride, sum + at);
  for (; at + WIDTH <= columns; at += WIDTH) add_rows_of(1, rows, a + at, stride, sum + at);
  for (; at < columns; at++)
    for (long i = 0; i < rows; i++) sum[at] += a[i * stride + at];
}
static void subtract(long n, const float *a, const float *b, float *out) {
  ELEMENTWISE_2(n, a, b, out, x - y)
}
static void multiply(long n, const float *a, const float *b, float *out) {
  ELEMENTWISE_2(n, a, b, out, x * y)
}
static void multiply_add(long n, const float *a, const float *b, float *sum) {
  long at = 0;
  for (; at + WIDTH <= n; at += WIDTH)
    store(sum + at, fmadd(load(a + at), load(b + at), load(sum + at)));
  for (; at < n; at++) sum[at] += a[at] * b[at];
}
static void scale_add(long n, float factor, const float *a, float *sum) {
  ELEMENTWISE_2(n, a, sum, sum, fmadd(splat(factor), x, y))
}
static void affine(long n, float factor, float offset, const float *a, float *out) {
  ELEMENTWISE_1(n, a, out, fmadd(x, splat(factor), splat(offset)))
}
static void tanh_all(long n, const float *a, float *out) { ELEMENTWISE_1(n, a, out, tanh_of(x)) }
static void sigmoid_all(long n, const float *a, float *out) {
  ELEMENTWISE_1(n, a, out, sigmoid_of(x))
}
static void exp_all(long n, const float *a, float *out) { ELEMENTWISE_1(n, a, out, exp_of(x)) }
static void tanh_backward(long n, const float *y_, const float *dy, float *dx) {
  ELEMENTWISE_2(n, y_, dy, dx, y * (1.0f - x * x))
}
static void sigmoid_backward(long n, const float *y_, const float *dy, float *dx) {
  ELEMENTWISE_2(n, y_, dy, dx, y * x * (1.0f - x))
}

// Sums are kept in vectors over runs of 4096 floats and added up in double between runs.
#define SUM(n, a, term)                                                  \
  double total = 0;                                                      \
  for (long run = 0; run < (n); run += 4096) {                           \
    const long end = run + 4096 < (n) ? run + 4096 : (n);                \
    vec sums[4] = {};                                                    \
    long at = run;                                                       \
    for (; at + 4 * WIDTH <= end; at += 4 * WIDTH)                       \
      for (int j = 0; j < 4; j++) {                                      \
        vec x = load((a) + at + j * WIDTH);                              \
        sums[j] += term;                                                 \
      }                                                                  \
    total += horizontal_sum((sums[0] + sums[1]) + (sums[2] + sums[3]));  \
    for (; at < end; at++) {                                             \
      float x = (a)[at];                                                 \
      total += term;                                                     \
    }                                                                    \
  }                                                                      \
  return total;

static double sum_of_squares(long n, const float *a) { SUM(n, a, x * x) }
static double sum_all(long n, const float *a) { SUM(n, a, x) }

/// The largest of n numbers; NaN isn't larger than anything.
INLINE float maximum(long n, const float *row) {
  vec largest = splat(-__builtin_inff());
  long at = 0;
  for (; at + WIDTH <= n; at += WIDTH) {
    vec x = load(row + at);
    largest = choose(x > largest, x, largest);
  }
  float top = largest[0];
  for (int j = 1; j < WIDTH; j++) top = largest[j] > top ? largest[j] : top;
  for (; at < n; at++) top = row[at] > top ? row[at] : top;
  return top;
}

/// Replaces a row by exp(x − max) and returns their sum; `max` gets the largest.
static double exponentials(long n, float *row, float *max) {
  const float top = maximum(n, row);
  *max = top;
  const vec shift = splat(top);
  vec sums = {};
  long at = 0;
  for (; at + WIDTH <= n; at += WIDTH) {
    vec e = exp_of(load(row + at) - shift);
    sums += e;
    store(row + at, e);
  }
  double total = horizontal_sum(sums);
  if (at < n) {
    vec x = {};
    for (long j = at; j < n; j++) x[j - at] = row[j] - top;
    x = exp_of(x);
    for (long j = at; j < n; j++) total += (row[j] = x[j - at]);
  }
  return total;
}

static double softmax(long n, float *row) {
  float max;
  const double total = exponentials(n, row, &max);
  affine(n, (float)(1 / total), 0, row, row);
  return max + log(total);
}

static double cross_entropy(long n, float *logits, long target, float scale) {
  const float chosen = logits[target];
  float max;
  const double total = exponentials(n, logits, &max);
  if (scale != 0) {
    affine(n, (float)(scale / total), 0, logits, logits);
    logits[target] -= scale;
  }
  return max + log(total) - chosen;
}

// Runs `UPDATE_VECTOR` on vectors, and on the tail through padded copies of the parameters' values.
// An update with one state gives it twice and changes the first: that copy goes back last.
#define UPDATE(n, w, g, s1, s2)                                                      \
  long at = 0;                                                                       \
  for (; at + WIDTH <= (n); at += WIDTH) UPDATE_VECTOR((w) + at, (g) + at, (s1) + at, (s2) + at) \
  if (at < (n)) {                                                                    \
    float tw[WIDTH] = {}, tg[WIDTH] = {}, t1[WIDTH] = {}, t2[WIDTH] = {};            \
    for (long j = at; j < (n); j++) {                                                \
      tw[j - at] = (w)[j], tg[j - at] = (g)[j];                                      \
      t1[j - at] = (s1)[j], t2[j - at] = (s2)[j];                                    \
    }                                                                                \
    UPDATE_VECTOR(tw, tg, t1, t2)                                                    \
    for (long j = at; j < (n); j++)                                                  \
      (w)[j] = tw[j - at], (s2)[j] = t2[j - at], (s1)[j] = t1[j - at];               \
  }

// new = 1 − β; step = rate / (1 − β₁ᵗ); weight_factor = 1 − rate·decay (AdamW), l2 = decay (Adam).
static void adam(long n, float *w, const float *g, float *m, float *v, float new1, float beta2,
                 float new2, float step, float correction2_root, float epsilon,
                 float gradient_scale, float l2, float weight_factor) {
#define UPDATE_VECTOR(w, g, m, v)                                                    \
  {                                                                                  \
    vec weight = load(w);                                                            \
    vec d = fmadd(splat(l2), weight, load(g) * gradient_scale);                        \
    vec first = fmadd(splat(new1), d - load(m), load(m));                              \
    vec second = fmadd(splat(new2), d * d, load(v) * beta2);                           \
    store(m, first);                                                                 \
    store(v, second);                                                                \
    vec root = __builtin_elementwise_sqrt(second) / correction2_root + epsilon;      \
    store(w, weight * weight_factor - step * first / root);                          \
  }
  UPDATE(n, w, g, m, v)
#undef UPDATE_VECTOR
}

static void sgd(long n, float *w, const float *g, float *velocity, float rate, float momentum,
                int nesterov, int first, float gradient_scale, float l2) {
  if (!velocity) {
#define UPDATE_VECTOR(w, g, s1, s2)                                                  \
  {                                                                                  \
    vec weight = load(w);                                                            \
    vec d = fmadd(splat(l2), weight, load(g) * gradient_scale);                        \
    store(w, weight - rate * d);                                                     \
  }
    float *unused = w;
    long at = 0;
    for (; at + WIDTH <= n; at += WIDTH) UPDATE_VECTOR(w + at, g + at, unused, unused)
    for (; at < n; at++) w[at] -= rate * (g[at] * gradient_scale + l2 * w[at]);
#undef UPDATE_VECTOR
    return;
  }
#define UPDATE_VECTOR(w, g, s1, s2)                                                  \
  {                                                                                  \
    vec weight = load(w);                                                            \
    vec d = fmadd(splat(l2), weight, load(g) * gradient_scale);                        \
    vec speed = first ? d : fmadd(splat(momentum), load(s1), d);                       \
    store(s1, speed);                                                                \
    store(w, weight - rate * (nesterov ? fmadd(splat(momentum), speed, d) : speed));   \
  }
  UPDATE(n, w, g, velocity, velocity)
#undef UPDATE_VECTOR
}

static void rmsprop(long n, float *w, const float *g, float *v, float rate, float alpha,
                    float newest, float epsilon, float gradient_scale, float l2) {
#define UPDATE_VECTOR(w, g, s1, s2)                                                  \
  {                                                                                  \
    vec weight = load(w);                                                            \
    vec d = fmadd(splat(l2), weight, load(g) * gradient_scale);                        \
    vec mean = fmadd(splat(newest), d * d, load(s1) * alpha);                          \
    store(s1, mean);                                                                 \
    store(w, weight - rate * d / (__builtin_elementwise_sqrt(mean) + epsilon));      \
  }
  UPDATE(n, w, g, v, v)
#undef UPDATE_VECTOR
}

static void adagrad(long n, float *w, const float *g, float *sum, float rate, float epsilon,
                    float gradient_scale, float l2) {
#define UPDATE_VECTOR(w, g, s1, s2)                                                  \
  {                                                                                  \
    vec weight = load(w);                                                            \
    vec d = fmadd(splat(l2), weight, load(g) * gradient_scale);                        \
    vec total = fmadd(d, d, load(s1));                                                 \
    store(s1, total);                                                                \
    store(w, weight - rate * d / (__builtin_elementwise_sqrt(total) + epsilon));     \
  }
  UPDATE(n, w, g, sum, sum)
#undef UPDATE_VECTOR
}
