// Products of one row with packed panels: what generating a stream of text consists of. All weights are
// read once, so these walk four panels at a time, which makes enough independent sums to keep the
// arithmetic out of the way. Each sum runs along the depth in order, as in product.h: a row alone gets
// the same numbers as among others.

#define ROW_PRODUCT(name, type, widen)                                                           \
  INLINE void name##_group(const int panels, long depth, const float *x, const type *packed,     \
                           long panel_stride, const float *start, float *out) {                  \
    vec sums[8];                                                                                 \
    for (int i = 0; i < 2 * panels; i++) sums[i] = start ? load(start + i * WIDTH) : splat(0);   \
    _Pragma("clang loop unroll_count(2)") for (long k = 0; k < depth; k++) {                     \
      vec factor = splat(x[k]);                                                                  \
      _Pragma("clang loop unroll(full)") for (int p = 0; p < panels; p++) {                      \
        const type *w = packed + p * panel_stride + k * PANEL;                                   \
        sums[2 * p] = fmadd(factor, widen(w), sums[2 * p]);                                      \
        sums[2 * p + 1] = fmadd(factor, widen(w + WIDTH), sums[2 * p + 1]);                      \
      }                                                                                          \
    }                                                                                            \
    for (int i = 0; i < 2 * panels; i++) store(out + i * WIDTH, sums[i]);                        \
  }                                                                                              \
  /* out = start + x·packed for whole panels; start may be null, or out. */                      \
  static void name(long panels, long depth, const float *x, const type *packed,                  \
                   long panel_stride, const float *start, float *out) {                          \
    while (panels > 0) {                                                                         \
      switch (panels) {                                                                          \
        case 1: name##_group(1, depth, x, packed, panel_stride, start, out); break;              \
        case 2: name##_group(2, depth, x, packed, panel_stride, start, out); break;              \
        case 3: name##_group(3, depth, x, packed, panel_stride, start, out); break;              \
        default: name##_group(4, depth, x, packed, panel_stride, start, out);                    \
      }                                                                                          \
      panels -= 4, packed += 4 * panel_stride, out += 4 * PANEL;                                 \
      if (start) start += 4 * PANEL;                                                             \
    }                                                                                            \
  }
ROW_PRODUCT(row_product, float, load)
