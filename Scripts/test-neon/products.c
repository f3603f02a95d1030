// product.h, row.h and quantized.h: products of matrices, and of a matrix with a vector. The sums
// of up to 600 random numbers in ±1 are of size 10 on their way: their roundings, random too, add
// up to some 3·10⁻⁶.
#include "test.h"

static const double tolerance = 2e-5;

// c = a·b (+ bias, or + c), for both layouts of a.
static void test_product(long rows, long columns, long depth, int along_rows, int accumulate) {
  const long panel = k->panel_width, width = (columns + panel - 1) / panel * panel;
  const long stride = columns + 3;
  float *a = drawn(rows * depth, 1), *b = drawn(depth * columns, 1), *bias = drawn(width, 1);
  unfold_matrix left = {a, along_rows ? depth : 1, along_rows ? 1 : rows};
  float *c = drawn_rows(rows, columns, stride, 1), *before = copied(c, rows * stride);
  float *packed = floats(width * depth);
  k->pack((unfold_matrix){b, columns, 1}, depth, columns, packed);
  k->product(rows, columns, depth, left, packed, depth * panel, accumulate ? 0 : bias, accumulate,
             0, c, stride);
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) {
      double sum = accumulate ? before[i * stride + j] : bias[j];
      for (long d = 0; d < depth; d++)
        sum += (double)a[i * left.row_stride + d * left.column_stride] * b[d * columns + j];
      check("product", i * stride + j, c[i * stride + j], sum, tolerance);
    }
  check_gaps("beyond a product", c, rows, columns, stride);
  end_test("beyond a product");
}

static void test_matrix_vector(long rows, long depth) {
  const long stride = depth + 2;
  float *w = drawn_rows(rows, depth, stride, 1), *x = drawn(depth, 1), *bias = drawn(rows, 1);
  float *y = floats(rows), *without = floats(rows);
  k->matrix_vector(rows, depth, w, stride, x, bias, y);
  k->matrix_vector(rows, depth, w, stride, x, 0, without);
  for (long n = 0; n < rows; n++) {
    double sum = 0;
    for (long d = 0; d < depth; d++) sum += (double)w[n * stride + d] * x[d];
    check("matrix_vector", n, y[n], sum + bias[n], tolerance);
    check("matrix_vector", n, without[n], sum, tolerance);
  }
  end_test("beyond a matrix-vector product");
}

static void test_matrix_vector_float16(long rows, long depth) {
  float *w = drawn(rows * depth, 1), *x = drawn(depth, 1), *y = floats(rows);
  float *wide = floats(rows * depth);
  uint16_t *half = room(2 * rows * depth);
  k->to_float16(rows * depth, w, half);
  k->from_float16(rows * depth, half, wide);
  k->matrix_vector_float16(rows, depth, half, x, y);
  for (long n = 0; n < rows; n++) {
    double sum = 0;
    for (long d = 0; d < depth; d++) {
      const long at = n * depth + d;
      check_within("float16", at, wide[at], w[at], fabs(w[at]) * 0x1p-11 + 0x1p-25);
      sum += (double)wide[at] * x[d];
    }
    check("matrix_vector_float16", n, y[n], sum, tolerance);
  }
  end_test("beyond a matrix-vector product of float16");
}

static void test_matrix_vector_int8(long rows, long depth) {
  float *scales = drawn(rows, 1), *x = drawn(depth, 1), *y = floats(rows);
  int8_t *w = room(rows * depth);
  for (long i = 0; i < rows * depth; i++) w[i] = (int8_t)lrintf(127 * draw());
  k->matrix_vector_int8(rows, depth, w, scales, x, y);
  for (long n = 0; n < rows; n++) {
    double sum = 0;
    for (long d = 0; d < depth; d++) sum += (double)w[n * depth + d] * x[d];
    check("matrix_vector_int8", n, y[n], sum * scales[n], tolerance);
  }
  end_test("beyond a matrix-vector product of int8");
}

void test_products(void) {
  const long sizes[] = {1, 2, 3, 5, 7, 8, 11, 12, 13, 24, 25, 31, 33};
  const int count = sizeof sizes / sizeof *sizes;
  for (int i = 0; i < count; i++)
    for (int j = 0; j < count; j++) {
      test_product(sizes[i], sizes[j], sizes[(i + j) % count] * 9, (i + j) % 2, i % 2);
      test_matrix_vector(sizes[i], sizes[j]);
      test_matrix_vector_float16(sizes[i], sizes[j]);
      test_matrix_vector_int8(sizes[i], sizes[j]);
    }
  test_product(15, 40, 600, 1, 0), test_product(15, 40, 600, 0, 1);  // several blocks of depth
}
