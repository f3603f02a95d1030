// packed.h: products with packed weights of 16 and 8 bits, for one row or many, and the conversions
// that they rest on.
#include "test.h"

enum { LARGEST = 127 * 256 };  // of a rounded activation

static long panels_of(long columns) { return (columns + k->panel_width - 1) / k->panel_width; }
static long lesser(long a, long b) { return a < b ? a : b; }

// Half precision: 1 bit of sign, 5 of exponent, 10 of fraction.
static double plain_half(long pattern) {
  const long exponent = pattern >> 10 & 31, fraction = pattern & 0x3ff;
  double size = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, (int)exponent - 25);
  if (exponent == 31) size = fraction == 0 ? INFINITY : NAN;
  return pattern & 0x8000 ? -size : size;
}

// Every pattern, and halfway between two of them the even one.
static void test_halves(void) {
  enum { PATTERNS = 1 << 16, INFINITE = 0x7c00 };
  uint16_t *half = room(2 * PATTERNS), *back = room(2 * PATTERNS);
  float *wide = floats(PATTERNS), *between = floats(INFINITE);
  for (long i = 0; i < PATTERNS; i++) half[i] = (uint16_t)i;
  k->from_float16(PATTERNS, half, wide);
  k->to_float16(PATTERNS, wide, back);
  for (long i = 0; i < PATTERNS; i++) {
    const double expected = plain_half(i);
    if (isnan(expected) || isinf(expected)) {
      check_within("from_float16", i, isnan(wide[i]), isnan(expected), 0);
      check_within("from_float16", i, isinf(wide[i]), isinf(expected), 0);
      check_within("its sign", i, signbit(wide[i]) != 0, i >> 15, 0);
    } else {
      check_within("from_float16", i, wide[i], expected, 0);
    }
    if (!isnan(expected)) check_within("to_float16", i, back[i], i, 0);
  }
  for (long i = 0; i < INFINITE; i++) {
    const double next = i + 1 < INFINITE ? plain_half(i + 1) : 65536;
    between[i] = (float)((plain_half(i) + next) / 2);
  }
  k->to_float16(INFINITE, between, back);
  for (long i = 0; i < INFINITE; i++) check_within("a tie", i, back[i], i + i % 2, 0);
  end_test("beyond halves");
}

// c = a·w (+ bias): the plain sums over the widened weights, and the very numbers of `product`.
static void test_float16(long rows, long columns, long depth, int along_rows, int with_bias) {
  const long panel = k->panel_width, panels = panels_of(columns), width = panels * panel;
  const long stride = width + 3, w_stride = depth + 2;
  float *w = drawn_rows(columns, depth, w_stride, 1), *bias = with_bias ? drawn(width, 1) : 0;
  uint16_t *half = room(2 * columns * w_stride), *packed = room(2 * width * depth);
  for (long j = 0; j < columns; j++) {
    k->to_float16(depth, w + j * w_stride, half + j * w_stride);
    k->from_float16(depth, half + j * w_stride, w + j * w_stride);
  }
  for (long p = 0; p < panels; p++)
    k->pack_float16(lesser(panel, columns - p * panel), depth, half + p * panel * w_stride,
                    w_stride, packed + p * panel * depth);
  for (long j = 0; j < width; j++)
    for (long d = 0; d < depth; d++) {
      const long at = (j / panel * depth + d) * panel + j % panel;
      check_within("pack_float16", at, packed[at], j < columns ? half[j * w_stride + d] : 0, 0);
    }
  float *a = along_rows ? drawn_rows(rows, depth, depth + 1, 1)
                        : drawn_rows(depth, rows, rows + 1, 1);
  unfold_matrix left = {a, along_rows ? depth + 1 : 1, along_rows ? 1 : rows + 1};
  float *wide = floats(width * depth), *c = floats(rows * stride), *same = floats(rows * stride);
  k->product_float16(rows, panels, depth, left, packed, bias, c, stride);
  k->pack((unfold_matrix){w, 1, w_stride}, depth, columns, wide);
  k->product(rows, width, depth, left, wide, depth * panel, bias, 0, 1, same, stride);
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < width; j++) {
      double sum = bias ? bias[j] : 0, size = fabs(sum);
      for (long d = 0; d < depth && j < columns; d++) {
        const double term =
            (double)a[i * left.row_stride + d * left.column_stride] * w[j * w_stride + d];
        sum += term, size += fabs(term);
      }
      const long at = i * stride + j;
      check_within("product_float16", at, c[at], sum, (double)(2 * depth) * ROUNDOFF * size);
      check_within("product_float16 as product", at, c[at], same[at], 0);
    }
  check_gaps("beyond a product of float16", c, rows, width, stride);
  end_test("beyond a product of float16");
}

/// A matrix of 8 bits in panels, and what a product with it needs.
typedef struct {
  long columns, depth, panels, width, row_bytes;
  int8_t *w;  // [columns, depth + 2]
  uint8_t *packed;
  float *scales, *bias;
} int8_problem;

static int8_problem int8_matrix(long columns, long depth) {
  const long panel = k->panel_width, panels = panels_of(columns), width = panels * panel;
  const long stride = depth + 2, panel_bytes = (depth + 3) / 4 * 4 * panel;
  int8_problem m = {columns, depth, panels, width, 16 + 2 * ((depth + 15) / 16 * 16)};
  m.w = room(columns * stride), m.packed = room(panels * panel_bytes);
  m.scales = drawn(width, 1), m.bias = drawn(width, 1);
  for (long j = 0; j < columns; j++)
    for (long d = 0; d < depth; d++) m.w[j * stride + d] = (int8_t)lrintf(127 * draw());
  return m;
}

/// Returns what the rows of a were rounded to.
static char *int8_product(int8_problem m, long rows, const float *a, long a_stride, int with_bias,
                          float *c, long stride) {
  const long panel = k->panel_width, panel_bytes = (m.depth + 3) / 4 * 4 * panel;
  for (long p = 0; p < m.panels; p++)
    k->pack_int8(lesser(panel, m.columns - p * panel), m.depth, m.w + p * panel * (m.depth + 2),
                 m.depth + 2, m.packed + p * panel_bytes);
  char *prepared = room(rows * m.row_bytes);
  for (long i = 0; i < rows; i++)
    k->quantize_row(m.depth, a + i * a_stride, prepared + i * m.row_bytes);
  k->product_int8(rows, m.panels, m.depth, prepared, m.row_bytes, m.packed, m.scales,
                  with_bias ? m.bias : 0, c, stride);
  return prepared;
}

// c = bias + scale·Σ w·a. A number of a is rounded by half a step, 1/LARGEST of its row's largest,
// and 2⁻⁷ of one since the step itself is rounded. Where the step is 1 and the numbers are whole
// nothing is rounded but the sums, which are converted after every 512 numbers.
static void test_int8(long rows, long columns, long depth, int whole) {
  int8_problem m = int8_matrix(columns, depth);
  const long a_stride = depth + 1, stride = m.width + 3;
  const int with_bias = rows != 2;
  float *a = drawn_rows(rows, depth, a_stride, 3);
  for (long i = 0; whole && i < rows; i++) {
    for (long d = 0; d < depth; d++) a[i * a_stride + d] = rintf(LARGEST * draw());
    a[i * a_stride + (i + columns) % depth] = i % 2 ? -LARGEST : LARGEST;
  }
  float *c = floats(rows * stride);
  int8_product(m, rows, a, a_stride, with_bias, c, stride);
  for (long i = 0; i < rows; i++) {
    double most = 0;
    for (long d = 0; d < depth; d++) most = fmax(most, fabs(a[i * a_stride + d]));
    const double half_step = whole ? 0 : (0.5 + 0x1p-7) * most / LARGEST;
    const double roundings = (double)(8 + depth / 256) * ROUNDOFF;
    for (long j = 0; j < m.width; j++) {
      double sum = 0, size = 0;
      for (long d = 0; d < depth && j < columns; d++) {
        const double weight = m.w[j * (depth + 2) + d];
        sum += weight * a[i * a_stride + d], size += fabs(weight);
      }
      const double scale = m.scales[j], bias = with_bias ? m.bias[j] : 0;
      check_within(whole ? "product_int8 in whole numbers" : "product_int8", i * stride + j,
                   c[i * stride + j], bias + scale * sum,
                   fabs(scale) * size * (half_step + roundings * most) + roundings * fabs(bias));
    }
  }
  float *alone = floats(m.width);
  int8_product(m, 1, a, a_stride, with_bias, alone, m.width);
  for (long j = 0; j < m.width; j++) check_within("a row alone", j, c[j], alone[j], 0);
  check_gaps("beyond a product of int8", c, rows, m.width, stride);
  end_test("beyond a product of int8");
}

// With the rows that it takes instead, whose distances it tells: off by those times ‖w‖, and a few
// roundings of ‖w‖·‖a‖.
static void test_sketch(long rows, long columns, long depth) {
  int8_problem m = int8_matrix(columns, depth);
  const long a_stride = depth + 1, stride = m.width + 3;
  float *a = drawn_rows(rows, depth, a_stride, 3), *c = floats(rows * stride);
  char *prepared = int8_product(m, rows, a, a_stride, 1, c, stride);
  k->product_sketch(rows, m.panels, m.depth, prepared, m.row_bytes, m.packed, m.scales, m.bias, c,
                    stride);
  for (long i = 0; i < rows; i++) {
    float distance;
    memcpy(&distance, prepared + i * m.row_bytes + 12, sizeof distance);
    for (long j = 0; j < columns; j++) {
      double sum = 0, length = 0, squares = 0;
      for (long d = 0; d < depth; d++) {
        const double weight = m.w[j * (depth + 2) + d], number = a[i * a_stride + d];
        sum += weight * number, squares += weight * weight, length += number * number;
      }
      const double size = fabs(m.scales[j]) * sqrt(squares);
      check_within("product_sketch", i * stride + j, c[i * stride + j],
                   m.bias[j] + m.scales[j] * sum,
                   size * (1.001 * distance + 8 * ROUNDOFF * sqrt(length)) + 8 * ROUNDOFF);
    }
  }
  check_gaps("beyond a sketch", c, rows, m.width, stride);
  end_test("beyond a sketch");
}

// The largest sums that there are: nothing overflows.
static void test_largest_int8(float sign) {
  int8_problem m = int8_matrix(2, 40001);
  float *a = floats(m.depth), *c = floats(m.width);
  for (long d = 0; d < m.depth; d++) {
    a[d] = sign;
    m.w[d] = 127, m.w[m.depth + 2 + d] = -127;
  }
  int8_product(m, 1, a, 0, 0, c, m.width);
  for (long j = 0; j < 2; j++) {
    const double expected = (j == 0 ? 127.0 : -127.0) * sign * (double)m.depth * m.scales[j];
    check_within("the largest sums of int8", j, c[j], expected, 1e-5 * fabs(expected));
  }
  end_test("beyond the largest sums of int8");
}

// A row of zeros gives the bias; one that holds NaN, in its tail too, or infinity gives NaN.
static void test_odd_int8(void) {
  enum { DEPTH = 21, ROWS = 3 };
  int8_problem m = int8_matrix(5, DEPTH);
  float *a = drawn(ROWS * DEPTH, 0), *c = floats(ROWS * m.width);
  a[DEPTH + DEPTH - 1] = NAN, a[2 * DEPTH] = INFINITY;
  int8_product(m, ROWS, a, DEPTH, 1, c, m.width);
  for (long i = 0; i < ROWS; i++)
    for (long j = 0; j < m.columns; j++)
      check_within("odd rows of int8", i * m.width + j, c[i * m.width + j], i ? NAN : m.bias[j], 0);
  end_test("beyond odd rows of int8");
}

void test_packed(void) {
  test_halves();
  const long depths[] = {1, 3, 4, 5, 18, 127, 128, 129, 300, 511, 512, 513, 1030};
  const long panel = k->panel_width, heights[] = {1, 2, 4, 5, 9, k->tile_rows + 1};
  const long widths[] = {1, panel, 3 * panel + 1, 5 * panel - 1};
  for (unsigned d = 0; d < sizeof depths / sizeof *depths; d++)
    for (unsigned w = 0; w < sizeof widths / sizeof *widths; w++)
      for (unsigned h = 0; h < sizeof heights / sizeof *heights; h++) {
        test_float16(heights[h], widths[w], depths[d], 1, h % 2);
        test_float16(heights[h], widths[w], depths[d], 0, (h + 1) % 2);
        test_int8(heights[h], widths[w], depths[d], 0);
        test_int8(heights[h], widths[w], depths[d], 1);
        test_sketch(heights[h], widths[w], depths[d]);
      }
  test_largest_int8(1), test_largest_int8(-1);
  test_odd_int8();
}
