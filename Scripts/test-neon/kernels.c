// Holds the kernels of the best instruction set of the machine that runs this, and the portable ones,
// to plain loops in double precision, on ragged sizes. For machines that Swift's tests don't run on;
// where they run, they test the same and more.
#include "CKernels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 17, CANARY = -77 };

static const unfold_kernels *k;
static int failures;
static unsigned long seed = 1;

static float drawn(void) {  // uniform in [−1, 1)
  seed = seed * 6364136223846793005ul + 1442695040888963407ul;
  return (float)((double)(seed >> 33) / 1073741824.0 - 1);
}
static void fill(float *a, long n) {
  for (long i = 0; i < n; i++) a[i] = drawn();
}

/// Counts a failure unless |found − expected| ≤ tolerance·(1 + |expected|).
static void check(const char *what, long at, double found, double expected, double tolerance) {
  if (fabs(found - expected) <= tolerance * (1 + fabs(expected))) return;
  if (failures++ < 20)
    printf("%s: %s[%ld] is %.9g, not %.9g\n", k->name, what, at, found, expected);
}

static float a[MOST], b[MOST], c[MOST], packed[MOST], y[MOST];
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

// c = a·b (+ bias, or + c), for both layouts of a.
static void test_product(long rows, long columns, long depth, int along_rows, int accumulate) {
  const long panels = (columns + k->panel_width - 1) / k->panel_width, stride = columns + 3;
  unfold_matrix left = {a, along_rows ? depth : 1, along_rows ? 1 : rows};
  fill(a, rows * depth), fill(b, depth * columns), fill(y, panels * k->panel_width);
  fill(c, rows * stride);
  for (long i = 0; i < rows; i++)
    for (long j = columns; j < stride; j++) c[i * stride + j] = CANARY;
  float *before = malloc(sizeof(float) * (size_t)(rows * stride));
  memcpy(before, c, sizeof(float) * (size_t)(rows * stride));
  k->pack((unfold_matrix){b, columns, 1}, depth, columns, packed);
  k->product(rows, columns, depth, left, packed, depth * k->panel_width, accumulate ? 0 : y,
             accumulate, 0, c, stride);
  for (long i = 0; i < rows; i++) {
    for (long j = 0; j < columns; j++) {
      double sum = accumulate ? before[i * stride + j] : y[j];
      for (long d = 0; d < depth; d++)
        sum += (double)a[i * left.row_stride + d * left.column_stride] * b[d * columns + j];
      check("product", i * stride + j, c[i * stride + j], sum, 2e-5);
    }
    for (long j = columns; j < stride; j++) check("beyond", j, c[i * stride + j], CANARY, 0);
  }
  free(before);
}

static void test_matrix_vectors(long rows, long depth) {
  fill(a, rows * depth), fill(b, depth);
  k->matrix_vector(rows, depth, a, depth, b, 0, y);
  for (long n = 0; n < rows; n++) {
    double sum = 0;
    for (long d = 0; d < depth; d++) sum += (double)a[n * depth + d] * b[d];
    check("matrix_vector", n, y[n], sum, 2e-5);
  }
  uint16_t *half = malloc(2 * (size_t)(rows * depth));
  k->to_float16(rows * depth, a, half);
  k->from_float16(rows * depth, half, c);
  for (long i = 0; i < rows * depth; i++) check("float16", i, c[i], a[i], 0x1p-11);
  k->matrix_vector_float16(rows, depth, half, b, y);
  for (long n = 0; n < rows; n++) {
    double sum = 0;
    for (long d = 0; d < depth; d++) sum += (double)c[n * depth + d] * b[d];
    check("matrix_vector_float16", n, y[n], sum, 2e-5);
  }
  free(half);
  int8_t *small = malloc((size_t)(rows * depth));
  for (long i = 0; i < rows * depth; i++) small[i] = (int8_t)(127 * a[i]);
  fill(c, rows);
  k->matrix_vector_int8(rows, depth, small, c, b, y);
  for (long n = 0; n < rows; n++) {
    double sum = 0;
    for (long d = 0; d < depth; d++) sum += (double)small[n * depth + d] * b[d];
    check("matrix_vector_int8", n, y[n], sum * c[n], 2e-5);
  }
  free(small);
}

static void test_elementwise(long n) {
  fill(a, n), fill(b, n);
  for (long i = 0; i < n; i++) a[i] *= 9;
  const struct { const char *name; void (*run)(long, const float *, float *); double (*plain)(double); }
  functions[] = {{"tanh", k->tanh, tanh}, {"sigmoid", k->sigmoid, sigmoid}, {"exp", k->exp, exp}};
  for (int f = 0; f < 3; f++) {
    functions[f].run(n, a, y);
    for (long i = 0; i < n; i++)
      check(functions[f].name, i, y[i], functions[f].plain(a[i]), 1e-6);
  }
  k->multiply(n, a, b, y);
  for (long i = 0; i < n; i++) check("multiply", i, y[i], (double)a[i] * b[i], 1e-6);
  double sum = 0, squares = 0;
  for (long i = 0; i < n; i++) sum += a[i], squares += (double)a[i] * a[i];
  check("sum", 0, k->sum(n, a), sum, 1e-5);
  check("sum_of_squares", 0, k->sum_of_squares(n, a), squares, 1e-5);
  if (n == 0) return;
  double total = 0;
  for (long i = 0; i < n; i++) total += exp(a[i]);
  memcpy(c, a, sizeof(float) * (size_t)n);
  check("cross_entropy", 0, k->cross_entropy(n, c, n / 2, 0.5f), log(total) - a[n / 2], 2e-6);
  for (long i = 0; i < n; i++)
    check("its gradient", i, c[i], 0.5 * (exp(a[i]) / total - (i == n / 2)), 2e-6);
}

// c′ = f ⊙ c + i ⊙ g,  h′ = o ⊙ tanh(c′), and a GRU's step, for one block of units.
static void test_cells(int rows) {
  const int p = k->panel_width, stride = 4 * p + 5, state = p + 3;
  float *gates = a, *previous = b, *next = c, *h = y;
  unfold_block block = {rows, gates, stride, state};
  fill(a, rows * stride), fill(b, rows * state);
  float *z = malloc(sizeof(float) * (size_t)(rows * stride));
  memcpy(z, gates, sizeof(float) * (size_t)(rows * stride));
  k->lstm_forward(block, previous, next, h);
  for (int r = 0; r < rows; r++)
    for (int u = 0; u < p; u++) {
      const float *x = z + r * stride + u;
      double memory = sigmoid(x[p]) * previous[r * state + u] + sigmoid(x[0]) * tanh(x[2 * p]);
      check("lstm c", u, next[r * state + u], memory, 2e-6);
      check("lstm h", u, h[r * state + u], sigmoid(x[3 * p]) * tanh(memory), 2e-6);
    }
  memcpy(gates, z, sizeof(float) * (size_t)(rows * stride));
  fill(packed, rows * state + p);
  float *hidden = packed, *bias = packed + rows * state;
  float *q = malloc(sizeof(float) * (size_t)(rows * state));
  memcpy(q, hidden, sizeof(float) * (size_t)(rows * state));
  k->gru_forward(block, hidden, bias, previous, h);
  for (int r = 0; r < rows; r++)
    for (int u = 0; u < p; u++) {
      const float *x = z + r * stride + u;
      double update = sigmoid(x[p]), inner = (double)q[r * state + u] + bias[u];
      double n = tanh(x[2 * p] + sigmoid(x[0]) * inner);
      check("gru h", u, h[r * state + u],
            (1 - update) * n + update * previous[r * state + u], 2e-6);
    }
  free(z), free(q);
}

static void test_adam(long n) {
  float *w = a, *g = b, *m = c, *v = y;
  fill(w, n), fill(g, n), fill(m, n), fill(v, n);
  float *old = malloc(sizeof(float) * (size_t)(3 * n + 1));
  for (long i = 0; i < n; i++) v[i] = fabsf(v[i]), old[i] = w[i], old[n + i] = m[i], old[2 * n + i] = v[i];
  k->adam(n, w, g, m, v, 0.1f, 0.999f, 0.001f, 0.01f, 0.5f, 1e-8f, 0.7f, 0, 1);
  for (long i = 0; i < n; i++) {
    double d = 0.7f * (double)g[i], first = old[n + i] + 0.1f * (d - old[n + i]);
    double second = 0.999f * (double)old[2 * n + i] + 0.001f * d * d;
    check("adam", i, w[i], old[i] - 0.01f * first / (sqrt(second) / 0.5 + 1e-8), 2e-5);
  }
  free(old);
}

static void add_item(void *context, long step, long item) {
  ((long *)context)[item] += step + 1;
}

static void test_team(void) {
  enum { ITEMS = 13, STEPS = 50 };
  long done[ITEMS] = {0}, claims[8 * ITEMS];
  unfold_team *team = unfold_team_create(3);
  if (!team || !unfold_team_run(team, STEPS, ITEMS, claims, add_item, done)) failures++;
  for (long i = 0; i < ITEMS; i++) check("team", i, done[i], STEPS * (STEPS + 1) / 2, 0);
  if (team) unfold_team_destroy(team);
}

static void test_all(const unfold_kernels *kernels) {
  k = kernels;
  const long sizes[] = {1, 2, 3, 5, 7, 8, 11, 12, 13, 24, 25, 31, 33};
  const int count = sizeof sizes / sizeof *sizes;
  for (int i = 0; i < count; i++)
    for (int j = 0; j < count; j++) {
      test_product(sizes[i], sizes[j], sizes[(i + j) % count] * 9, (i + j) % 2, i % 2);
      test_matrix_vectors(sizes[i], sizes[j]);
    }
  test_product(15, 40, 600, 1, 0), test_product(15, 40, 600, 0, 1);  // several blocks of depth
  for (long n = 0; n < 70; n++) test_elementwise(n), test_adam(n);
  for (int rows = 1; rows < 9; rows++) test_cells(rows);
  printf("%s: panels of %d, tiles of %d rows\n", k->name, k->panel_width, k->tile_rows);
}

int main(void) {
  test_all(unfold_kernels_best());
  test_all(unfold_kernels_named("portable"));
  test_team();
  printf(failures ? "%d numbers are wrong\n" : "all are right\n", failures);
  return failures != 0;
}
