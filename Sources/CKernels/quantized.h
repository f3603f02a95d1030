// Matrix-vector products with weights of 8 or 16 bits. Generating one stream of text reads every weight
// once a token, so smaller weights are faster ones; the arithmetic stays in float.

typedef int8_t bytes_vec __attribute__((vector_size(WIDTH), aligned(1), may_alias));
typedef _Float16 half_vec __attribute__((vector_size(WIDTH * 2), aligned(2), may_alias));

INLINE vec widen_int8(const int8_t *p) {
  return __builtin_convertvector(*(const bytes_vec *)p, vec);
}

INLINE vec widen_half(const uint16_t *p) {
#if HALF
  return __builtin_convertvector(*(const half_vec *)p, vec);
#else
  // Without an instruction: shift exponent and fraction into place and add 112 to the exponent;
  // infinity and NaN get the exponent of theirs. What is below the normal numbers has its fraction
  // after a 1 that is taken away again, never as a denormal, which may count as zero.
  ivec x;
  for (int i = 0; i < WIDTH; i++) x[i] = p[i];
  ivec magnitude = (x & 0x7fff) << 13;
  ivec special = magnitude >= 0x7c00 << 13;
  ivec small = magnitude < 1 << 23;
  vec below = bits(magnitude + (113 << 23)) - 0x1p-14f;
  ivec result = ((magnitude + (112 << 23)) & ~(special | small)) | ((ivec)below & small) |
                ((magnitude | 0x7f800000) & special);
  return bits(result | ((x & 0x8000) << 16));
#endif
}

#define QUANTIZED_ROWS(name, type, widen)                                                        \
  INLINE void name(const int rows, long depth, const type *w, const float *x, float *y) {        \
    vec even[4] = {}, odd[4] = {};                                                               \
    long k = 0;                                                                                  \
    for (; k + PANEL <= depth; k += PANEL) {                                                     \
      vec x0 = load(x + k), x1 = load(x + k + WIDTH);                                            \
      for (int i = 0; i < rows; i++) {                                                           \
        even[i] = fmadd(widen(w + i * depth + k), x0, even[i]);                                  \
        odd[i] = fmadd(widen(w + i * depth + k + WIDTH), x1, odd[i]);                            \
      }                                                                                          \
    }                                                                                            \
    if (k < depth) {                                                                             \
      float xs[PANEL] = {};                                                                      \
      for (long j = k; j < depth; j++) xs[j - k] = x[j];                                         \
      for (int i = 0; i < rows; i++) {                                                           \
        type ws[PANEL] = {};                                                                     \
        for (long j = k; j < depth; j++) ws[j - k] = w[i * depth + j];                           \
        even[i] = fmadd(widen(ws), load(xs), even[i]);                                           \
        odd[i] = fmadd(widen(ws + WIDTH), load(xs + WIDTH), odd[i]);                             \
      }                                                                                          \
    }                                                                                            \
    for (int i = 0; i < rows; i++) y[i] = horizontal_sum(even[i] + odd[i]);                      \
  }
QUANTIZED_ROWS(int8_rows, int8_t, widen_int8)
QUANTIZED_ROWS(half_rows, uint16_t, widen_half)
#undef QUANTIZED_ROWS

static void matrix_vector_int8(long rows, long depth, const int8_t *w, const float *scales,
                               const float *x, float *y) {
  long n = 0;
  for (; n + 4 <= rows; n += 4) int8_rows(4, depth, w + n * depth, x, y + n);
  for (; n < rows; n++) int8_rows(1, depth, w + n * depth, x, y + n);
  for (n = 0; n < rows; n++) y[n] *= scales[n];
}

static void matrix_vector_float16(long rows, long depth, const uint16_t *w, const float *x, float *y) {
  long n = 0;
  for (; n + 4 <= rows; n += 4) half_rows(4, depth, w + n * depth, x, y + n);
  for (; n < rows; n++) half_rows(1, depth, w + n * depth, x, y + n);
}

static void to_float16(long n, const float *from, uint16_t *to) {
  for (long i = 0; i < n; i++) {
    _Float16 half = (_Float16)from[i];
    __builtin_memcpy(to + i, &half, sizeof half);
  }
}

static void from_float16(long n, const uint16_t *from, float *to) {
  for (long i = 0; i < n; i++) {
    uint16_t padded[WIDTH] = {from[i]};
    to[i] = widen_half(padded)[0];
  }
}
