// cells.h against the cells' equations in double precision: forward by value, back by central
// differences of the same equations.
//
// An activation errs by at most 8 roundoffs of 1; a step puts two in a row and combines values of
// size 2 in some ten roundings: 64 roundoffs. Differences of width 2·10⁻⁴ add 10⁻⁸ of their own.
#include "test.h"

static const double tolerance = 64 * ROUNDOFF, gradient_tolerance = 64 * ROUNDOFF + 1e-8;

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/// A number that depends on z, with d the gradients by the outputs.
typedef double (*loss_function)(const double *z, const double *d);

static double derivative(loss_function loss, const double *z, int by, const double *d) {
  const double h = 1e-4;
  double above[5], below[5];
  memcpy(above, z, sizeof above), memcpy(below, z, sizeof below);
  above[by] += h, below[by] -= h;
  return (loss(above, d) - loss(below, d)) / (2 * h);
}

// z: preactivations of i, f, g, o, then c;  c′ = f ⊙ c + i ⊙ g,  h′ = o ⊙ tanh(c′).
static double lstm_memory(const double *z) {
  return sigmoid(z[1]) * z[4] + sigmoid(z[0]) * tanh(z[2]);
}
static double lstm_output(const double *z) { return sigmoid(z[3]) * tanh(lstm_memory(z)); }
static double lstm_loss(const double *z, const double *d) {
  return d[0] * lstm_output(z) + d[1] * lstm_memory(z);
}

static void test_lstm(int rows) {
  const long p = k->panel_width, gates_stride = 4 * p + 5, stride = p + 3;
  float *z = drawn_rows(rows, 4 * p, gates_stride, 3), *gates = copied(z, rows * gates_stride);
  float *c = drawn_rows(rows, p, stride, 1), *dh = drawn(rows * p, 1);
  float *next = floats(rows * stride), *h = floats(rows * stride);
  float *dc_next = drawn_rows(rows, p, stride, 1), *dc = copied(dc_next, rows * stride);
  unfold_block block = {rows, gates, gates_stride, stride};
  k->lstm_forward(block, c, next, h);
  float *activations = copied(gates, rows * gates_stride);
  k->lstm_backward(block, c, next, dh, dc);
  for (long r = 0; r < rows; r++)
    for (long u = 0; u < p; u++) {
      const long at = r * gates_stride + u, state = r * stride + u;
      const double x[5] = {z[at], z[at + p], z[at + 2 * p], z[at + 3 * p], c[state]};
      const double d[2] = {dh[r * p + u], dc_next[state]};
      check("lstm c", state, next[state], lstm_memory(x), tolerance);
      check("lstm h", state, h[state], lstm_output(x), tolerance);
      for (int g = 0; g < 4; g++) {
        check("lstm gates", at + g * p, activations[at + g * p],
              g == 2 ? tanh(x[g]) : sigmoid(x[g]), tolerance);
        check("lstm d gates", at + g * p, gates[at + g * p], derivative(lstm_loss, x, g, d),
              gradient_tolerance);
      }
      check("lstm dc", state, dc[state], derivative(lstm_loss, x, 4, d), gradient_tolerance);
    }
  check_gaps("between an lstm's gates", gates, rows, 4 * p, gates_stride);
  check_gaps("between an lstm's c", next, rows, p, stride);
  check_gaps("between an lstm's h", h, rows, p, stride);
  check_gaps("between an lstm's dc", dc, rows, p, stride);
  end_test("beyond an lstm");
}

// z: preactivations of r, z, and n without its hidden part q, then q, then h;
// n = tanh(x_n + r ⊙ q),  h′ = (1 − z) ⊙ n + z ⊙ h.
static double gru_output(const double *z) {
  const double n = tanh(z[2] + sigmoid(z[0]) * z[3]);
  return (1 - sigmoid(z[1])) * n + sigmoid(z[1]) * z[4];
}
static double gru_loss(const double *z, const double *d) { return d[0] * gru_output(z); }

static void test_gru(int rows) {
  const long p = k->panel_width, gates_stride = 3 * p + 5, stride = p + 3;
  float *z = drawn_rows(rows, 3 * p, gates_stride, 3), *gates = copied(z, rows * gates_stride);
  float *product = drawn_rows(rows, p, stride, 1), *hidden = copied(product, rows * stride);
  float *h = drawn_rows(rows, p, stride, 1), *bias = drawn(p, 1), *next = floats(rows * stride);
  float *dh = drawn(rows * p, 1), *carry = floats(rows * stride);
  float *dhidden = floats(rows * gates_stride);
  unfold_block block = {rows, gates, gates_stride, stride};
  k->gru_forward(block, hidden, bias, h, next);
  float *activations = copied(gates, rows * gates_stride);
  k->gru_backward(block, hidden, h, dh, carry, dhidden);
  for (long r = 0; r < rows; r++)
    for (long u = 0; u < p; u++) {
      const long at = r * gates_stride + u, state = r * stride + u;
      const double q = (double)product[state] + bias[u], d[1] = {dh[r * p + u]};
      const double x[5] = {z[at], z[at + p], z[at + 2 * p], q, h[state]};
      check("gru h", state, next[state], gru_output(x), tolerance);
      check("gru hidden", state, hidden[state], q, tolerance);
      for (int g = 0; g < 3; g++) {
        check("gru gates", at + g * p, activations[at + g * p],
              g == 2 ? tanh(x[2] + sigmoid(x[0]) * q) : sigmoid(x[g]), tolerance);
        check("gru d gates", at + g * p, gates[at + g * p], derivative(gru_loss, x, g, d),
              gradient_tolerance);
        // The product with h that n has in it gets the gradient of q.
        check("gru d hidden", at + g * p, dhidden[at + g * p],
              derivative(gru_loss, x, g == 2 ? 3 : g, d), gradient_tolerance);
      }
      check("gru dh carry", state, carry[state], derivative(gru_loss, x, 4, d),
            gradient_tolerance);
    }
  check_gaps("between a gru's gates", gates, rows, 3 * p, gates_stride);
  check_gaps("between a gru's d hidden", dhidden, rows, 3 * p, gates_stride);
  check_gaps("between a gru's hidden", hidden, rows, p, stride);
  check_gaps("between a gru's h", next, rows, p, stride);
  check_gaps("between a gru's dh carry", carry, rows, p, stride);
  end_test("beyond a gru");
}

// h′ = tanh(z), or max(z, 0), which has no gradient at 0 and lets NaN through.
static double elman_loss(const double *z, const double *d) { return d[0] * tanh(z[0]); }

static void test_elman(int rows, int relu) {
  const long p = k->panel_width, gates_stride = p + 5, stride = p + 3;
  float *z = drawn_rows(rows, p, gates_stride, 3), *h = floats(rows * stride);
  if (relu) z[0] = 0, z[1] = NAN;
  float *gates = copied(z, rows * gates_stride), *dh = drawn(rows * p, 1);
  unfold_block block = {rows, gates, gates_stride, stride};
  k->elman_forward(block, relu, h);
  float *activations = copied(gates, rows * gates_stride);
  k->elman_backward(block, relu, dh);
  for (long r = 0; r < rows; r++)
    for (long u = 0; u < p; u++) {
      const long at = r * gates_stride + u;
      const double x[5] = {z[at]}, d[1] = {dh[r * p + u]};
      const double expected = relu ? (x[0] < 0 ? 0 : x[0]) : tanh(x[0]);
      check("elman h", r * stride + u, h[r * stride + u], expected, relu ? 0 : tolerance);
      check("elman gates", at, activations[at], expected, relu ? 0 : tolerance);
      if (!relu)
        check("elman dz", at, gates[at], derivative(elman_loss, x, 0, d), gradient_tolerance);
      else if (!isnan(x[0]))
        check("elman dz", at, gates[at], x[0] > 0 ? d[0] : 0, 0);
    }
  check_gaps("between an elman's gates", gates, rows, p, gates_stride);
  check_gaps("between an elman's h", h, rows, p, stride);
  end_test("beyond an elman");
}

void test_cells(void) {
  for (int rows = 1; rows < 9; rows++)
    test_lstm(rows), test_gru(rows), test_elman(rows, 0), test_elman(rows, 1);
}
