// draw.h: noise, and the choice of the largest.
#include "test.h"

/// Number `word` of a block of Philox-4x32-10.
static uint32_t philox(uint64_t key, uint64_t block, uint64_t stream, int word) {
  uint32_t c[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream,
                   (uint32_t)(stream >> 32)};
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int i = 0; i < 10; i++) {
    const uint64_t a = c[0] * 0xD2511F53ull, b = c[2] * 0xCD9E8D57ull;
    const uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b,
                              (uint32_t)(a >> 32) ^ c[3] ^ k1, (uint32_t)a};
    memcpy(c, next, sizeof c);
    k0 += 0x9E3779B9, k1 += 0xBB67AE85;
  }
  return c[word];
}

static void test_gumbel(long n) {
  const uint64_t key = 0x123456789abcdefull * (uint64_t)(n + 1), stream = 1ull << 40, first = ~2ull;
  float *noise = floats(n);
  k->gumbel(n, key, stream, first, noise);
  for (long i = 0; i < n; i++) {
    const uint64_t block = first + (uint64_t)(16 * (i / 64) + i % 16);
    const double u = ((philox(key, block, stream, (int)(i % 64 / 16)) >> 1) + 0.5) * 0x1p-31;
    check_within("gumbel", i, noise[i], -log(-log(u)), 0x1p-14);
  }
  end_test("beyond noise");
}

static void test_choice(long n) {
  float *x = drawn(n, 1), *u = drawn(n, 1), *v = drawn(n, 1);
  long expected = 0;
  for (long i = 0; i < n; i++) {
    u[i] = fabsf(u[i]), v[i] = fabsf(v[i]);
    if (x[i] > x[expected]) expected = i;
  }
  check_within("largest", n, (double)k->largest(n, x), (double)expected, 0);
  int32_t *found = room(n * (long)sizeof *found);
  const long count = k->contenders(n, x, 0.02f, u, 0.05f, v, 0.001f, found);
  double least = -INFINITY;
  for (long i = 0; i < n; i++) least = fmax(least, x[i] - 0.02 * u[i] - 0.05 * v[i] - 0.001);
  long at = 0;
  for (long i = 0; i < n; i++) {
    const double over = x[i] + 0.02 * u[i] + 0.05 * v[i] + 0.001 - least;
    const int is_found = at < count && found[at] == i;
    if (fabs(over) > 1e-6) check_within("contenders", i, is_found, over > 0, 0);
    at += is_found;
  }
  check_within("contenders", n, (double)at, (double)count, 0);
  x[n / 2] = x[n - 1] = 2;
  check_within("the first of equals", n, (double)k->largest(n, x), (double)(n / 2), 0);
  end_test("beyond a choice");
}

static void test_chosen_rows(long depth) {
  const long panel = k->panel_width, rows = 2 * panel + 3, width = 3 * panel, stride = depth + 2;
  float *w = drawn_rows(rows, depth, stride, 1), *x = drawn(depth, 1), *bias = drawn(width, 1);
  float *packed = floats(width * depth), *all = floats(width), *y = floats(rows);
  int32_t *chosen = room(rows * (long)sizeof *chosen);
  for (long i = 0; i < rows; i++) chosen[i] = (int32_t)((i * 7 + 3) % rows);
  k->pack((unfold_matrix){w, 1, stride}, depth, rows, packed);
  k->product(1, width, depth, (unfold_matrix){x, depth, 1}, packed, depth * panel, bias, 0, 1, all,
             width);
  k->chosen_rows(rows, chosen, depth, w, stride, x, bias, y);
  for (long i = 0; i < rows; i++) check_within("chosen_rows", i, y[i], all[chosen[i]], 0);
  end_test("beyond chosen rows");
}

void test_draw(void) {
  for (long n = 0; n < 140; n++) test_gumbel(n);
  for (long n = 1; n < 70; n++) test_choice(n), test_chosen_rows(n);
  test_gumbel(4097), test_choice(4097), test_chosen_rows(1000);
}
