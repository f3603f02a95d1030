// elementwise.h without the optimisers: every length, with its tail.
#include "test.h"

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static void test_functions(long n) {
  const struct {
    const char *name;
    void (*run)(long, const float *, float *);
    double (*plain)(double);
  } functions[] = {{"tanh", k->tanh, tanh}, {"sigmoid", k->sigmoid, sigmoid}, {"exp", k->exp, exp}};
  float *a = drawn(n, 9), *y = floats(n);
  for (unsigned f = 0; f < sizeof functions / sizeof *functions; f++) {
    functions[f].run(n, a, y);
    for (long i = 0; i < n; i++)
      check(functions[f].name, i, y[i], functions[f].plain(a[i]), 1e-6);
  }
  end_test("beyond a function");
}

// Of numbers of size 1 at most: a rounding each, or two or three.
static void test_arithmetic(long n) {
  float *a = drawn(n, 1), *b = drawn(n, 1), *start = drawn(n, 1), *y = floats(n);
  float *sum = copied(start, n), *scaled = copied(start, n);
  k->add(n, a, b, y);
  for (long i = 0; i < n; i++) check("add", i, y[i], (double)a[i] + b[i], ROUNDOFF);
  k->subtract(n, a, b, y);
  for (long i = 0; i < n; i++) check("subtract", i, y[i], (double)a[i] - b[i], ROUNDOFF);
  k->multiply(n, a, b, y);
  for (long i = 0; i < n; i++) check("multiply", i, y[i], (double)a[i] * b[i], ROUNDOFF);
  k->affine(n, 0.375f, -0.75f, a, y);
  for (long i = 0; i < n; i++) check("affine", i, y[i], 0.375 * a[i] - 0.75, 2 * ROUNDOFF);
  k->multiply_add(n, a, b, sum);
  k->scale_add(n, 0.375f, a, scaled);
  for (long i = 0; i < n; i++) {
    check("multiply_add", i, sum[i], (double)a[i] * b[i] + start[i], 2 * ROUNDOFF);
    check("scale_add", i, scaled[i], 0.375 * a[i] + start[i], 2 * ROUNDOFF);
  }
  k->tanh_backward(n, a, b, y);
  for (long i = 0; i < n; i++)
    check("tanh_backward", i, y[i], b[i] * (1 - (double)a[i] * a[i]), 3 * ROUNDOFF);
  k->sigmoid_backward(n, a, b, y);
  for (long i = 0; i < n; i++)
    check("sigmoid_backward", i, y[i], (double)b[i] * a[i] * (1 - (double)a[i]), 4 * ROUNDOFF);
  end_test("beyond arithmetic");
}

// A run of 4096 is kept in four vectors of sums, which are added up pairwise and then one by one:
// no number goes through more additions than these, one more for its square among them.
static void test_sums(long n) {
  const long rows = 5, stride = n + 3, vector = k->panel_width / 2;
  const double bound = (double)(4096 / (4 * vector) + vector + 3) * ROUNDOFF;
  float *a = drawn(n, 9);
  double sum = 0, size = 0, squares = 0;
  for (long i = 0; i < n; i++) sum += a[i], size += fabs(a[i]), squares += (double)a[i] * a[i];
  check_within("sum", n, k->sum(n, a), sum, bound * size);
  check_within("sum_of_squares", n, k->sum_of_squares(n, a), squares, bound * squares);
  float *matrix = drawn_rows(rows, n, stride, 1), *start = drawn(n, 1), *sums = copied(start, n);
  k->add_rows(rows, n, matrix, stride, sums);
  for (long j = 0; j < n; j++) {
    double expected = start[j];
    for (long i = 0; i < rows; i++) expected += matrix[i * stride + j];
    check("add_rows", j, sums[j], expected, 5 * rows * ROUNDOFF);
  }
  end_test("beyond sums");
}

static void test_softmax(long n) {
  float *x = drawn(n, 9), *row = copied(x, n), *gradient = copied(x, n);
  const long target = n / 2;
  double total = 0;
  for (long i = 0; i < n; i++) total += exp(x[i]);
  check("softmax's sum", n, k->softmax(n, row), log(total), 2e-6);
  check("cross_entropy", n, k->cross_entropy(n, gradient, target, 0.5f), log(total) - x[target],
        2e-6);
  for (long i = 0; i < n; i++) {
    check("softmax", i, row[i], exp(x[i]) / total, 2e-6);
    check("its gradient", i, gradient[i], 0.5 * (exp(x[i]) / total - (i == target)), 2e-6);
  }
  end_test("beyond a softmax");
}

void test_elementwise(void) {
  for (long n = 0; n < 70; n++) {
    test_functions(n), test_arithmetic(n), test_sums(n);
    if (n > 0) test_softmax(n);
  }
  // Runs of sums, and columns of rows by the eight.
  test_arithmetic(1000), test_sums(1000), test_sums(4097), test_sums(9001), test_softmax(1000);
}
