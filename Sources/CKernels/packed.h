// Products with packed weights of 16 and 8 bits, for one row or many. Panels have PANEL columns, as in
// product.h; c gets whole panels.

// MARK: Half precision: widened in registers, the arithmetic is that of product.h, number for number.

ROW_PRODUCT(half_row_product, uint16_t, widen_half)

static void pack_float16(long columns, long depth, const uint16_t *w, long stride, uint16_t *packed) {
  for (long k = 0; k < depth; k++)
    for (long j = 0; j < PANEL; j++) packed[k * PANEL + j] = j < columns ? w[j * stride + k] : 0;
}

static void product_float16(long rows, long panels, long depth, unfold_matrix a,
                            const uint16_t *packed, const float *bias, float *c, long c_stride) {
  if (rows == 1 && a.column_stride == 1)
    return half_row_product(panels, depth, a.base, packed, depth * PANEL, bias, c);
  // For many rows a part of a panel is widened once, small enough for the nearest cache.
  enum { BLOCK = 128 };
  float panel[BLOCK * PANEL];
  for (long p = 0; p < panels; p++) {
    for (long k = 0; k < depth || k == 0; k += BLOCK) {
      const long block = depth - k < BLOCK ? depth - k : BLOCK;
      const uint16_t *from = packed + (p * depth + k) * PANEL;
      for (long i = 0; i < block * PANEL; i += WIDTH) store(panel + i, widen_half(from + i));
      unfold_matrix part = {a.base + k * a.column_stride, a.row_stride, a.column_stride};
      product(rows, PANEL, block, part, panel, 0, bias ? bias + p * PANEL : 0, k > 0, 1,
              c + p * PANEL, c_stride);
    }
  }
}

// MARK: 8 bits: weights and activations are integers, and so are their products and sums.
//
//   y[n] = bias[n] + scale[n]·s·Σ_k q[n, k]·a[k],   x[k] ≈ s·a[k],   |a[k]| ≤ 127·256
//
// An activation has 16 bits, so that its rounding is lost beside that of the weights. Four products
// along the depth, a quad, are summed in one 32-bit lane: a packed panel has, for each quad of its
// depth, the four weights of each column side by side.

// A sketch of such a product leaves out half of an activation, where that makes it faster: with VNNI.

enum {
  QUAD = 4,
  MOST = 127 * 256,
  INT8_TILE = VNNI && WIDTH == 8 ? 2 : 4,
  SKETCH_TILE = VNNI ? (WIDTH == 8 ? 6 : 12) : INT8_TILE,
};

/// A row of activations: this, then numbers of 16 bits, as many as `int8_room`; with VNNI their high
/// bytes, then their low bytes.
typedef struct {
  float scale;
  int32_t high_sum, low_sum;
  float sketch_error;  ///< At least the distance of the row from what a sketch takes for it.
} int8_row;

typedef int8_t narrow_vec __attribute__((vector_size(WIDTH), aligned(1), may_alias));
typedef int16_t short_vec __attribute__((vector_size(WIDTH * 2), aligned(2), may_alias));
typedef int16_t pair_vec __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));

INLINE long int8_room(long depth) { return (depth + 15) / 16 * 16; }
INLINE ivec load_int(const void *p) { return *(const ivec *)p; }
INLINE ivec splat_int(int x) { return x - (ivec){}; }
INLINE ivec broadcast_quad(const void *p) {
  int quad;
  __builtin_memcpy(&quad, p, sizeof quad);
  return splat_int(quad);
}

/// Rounds a row, to nearest, with the step at which the largest number just fits.
static void quantize_row(long depth, const float *x, void *row) {
  vec largest = {}, check = {};  // `check` is NaN if a number is no number, and so will be the scale
  float last[WIDTH] = {};
  const long whole = depth / WIDTH * WIDTH;
  for (long k = whole; k < depth; k++) last[k - whole] = x[k];
  for (long k = 0; k < depth; k += WIDTH) {
    vec v = load(k < whole ? x + k : last);
    largest = choose(largest < v, v, choose(largest < -v, -v, largest));
    check = fmadd(v, splat(0), check);
  }
  float most = 0;
  for (int i = 0; i < WIDTH; i++) most = most < largest[i] ? largest[i] : most;
  const int is_zero = !(most > 1e-30f);
  const float factor = is_zero ? 0 : MOST / most;
  const float step = most / MOST;
  vec squares = {};
  ivec highs = {}, lows = {};
  int8_t *bytes = (int8_t *)row + sizeof(int8_row);
  for (long k = 0; k < depth; k += WIDTH) {
    const float magic = 12582912.0f;  // as in exp_of
    vec exact = load(k < whole ? x + k : last);
    vec scaled = exact * factor;
    ivec a = (ivec)(scaled + magic) - (ivec)splat(magic);
#if VNNI
    ivec high = (a + 128) >> 8, low = a - (high << 8);
    *(narrow_vec *)(bytes + k) = __builtin_convertvector(high, narrow_vec);
    *(narrow_vec *)(bytes + int8_room(depth) + k) = __builtin_convertvector(low, narrow_vec);
    highs += high;
    lows += low;
    vec error = scaled - __builtin_convertvector(high << 8, vec);
#else
    *(short_vec *)(bytes + 2 * k) = __builtin_convertvector(a, short_vec);
    vec error = scaled - __builtin_convertvector(a, vec);
#endif
    squares = fmadd(error, error, squares);
  }
  int8_row head = {.scale = step + horizontal_sum(check)};
  // A number was scaled with an error of 2⁻²³ of MOST at most.
  const float errors = sqrtf(horizontal_sum(squares)) + 0.004f * sqrtf((float)depth);
  head.sketch_error = is_zero ? most * sqrtf((float)depth) : errors * step;
  for (int i = 0; i < WIDTH; i++) head.high_sum += highs[i], head.low_sum += lows[i];
  *(int8_row *)row = head;
}

#if VNNI
// One instruction multiplies unsigned bytes by signed ones and sums a quad. The weights are made
// unsigned by adding 128; an activation is two signed bytes, a = 256·high + low. The sums begin at
// what the 128 is going to add too much.

INLINE uint32_t packed_quad(uint32_t weights) { return weights ^ 0x80808080; }

INLINE ivec dot(ivec sum, ivec weights, ivec activations) {
#if WIDTH == 16
  return (ivec)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)weights, (__m512i)activations);
#else
  return (ivec)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)weights, (__m256i)activations);
#endif
}

INLINE void int8_sums(const int rows, const int panels, long depth, const uint8_t *w, const void *a,
                      long a_stride, vec *sums) {
  ivec high[2 * INT8_TILE], low[2 * INT8_TILE];
  for (int r = 0; r < rows; r++) {
    const int8_row *row = (const int8_row *)((const char *)a + r * a_stride);
    for (int i = 0; i < 2 * panels; i++) {
      high[r * 2 * panels + i] = splat_int(-128 * row->high_sum);
      low[r * 2 * panels + i] = splat_int(-128 * row->low_sum);
    }
  }
  const long quads = (depth + QUAD - 1) / QUAD;
  for (long q = 0; q < quads; q++)
    for (int r = 0; r < rows; r++) {
      const char *bytes = (const char *)a + r * a_stride + sizeof(int8_row) + q * QUAD;
      ivec high_x = broadcast_quad(bytes), low_x = broadcast_quad(bytes + int8_room(depth));
#pragma clang loop unroll(full)
      for (int i = 0; i < 2 * panels; i++) {
        const uint8_t *from = w + (i / 2) * quads * QUAD * PANEL;
        ivec weights = load_int(from + (q * PANEL + i % 2 * WIDTH) * QUAD);
        high[r * 2 * panels + i] = dot(high[r * 2 * panels + i], weights, high_x);
        low[r * 2 * panels + i] = dot(low[r * 2 * panels + i], weights, low_x);
      }
    }
  for (int i = 0; i < 2 * panels * rows; i++)
    sums[i] = fmadd(__builtin_convertvector(high[i], vec), splat(256),
                    __builtin_convertvector(low[i], vec));
}

INLINE void sketch_sums(const int rows, const int panels, long depth, const uint8_t *w,
                        const void *a, long a_stride, vec *sums) {
  ivec high[2 * SKETCH_TILE];
  const char *from[SKETCH_TILE];
  for (int r = 0; r < rows; r++) {
    from[r] = (const char *)a + r * a_stride;
    for (int i = 0; i < 2 * panels; i++)
      high[r * 2 * panels + i] = splat_int(-128 * ((const int8_row *)from[r])->high_sum);
    from[r] += sizeof(int8_row);
  }
  const long quads = (depth + QUAD - 1) / QUAD;
  for (long q = 0; q < quads; q++) {
    ivec weights[2 * INT8_TILE];
#pragma clang loop unroll(full)
    for (int i = 0; i < 2 * panels; i++)
      weights[i] = load_int(w + (i / 2 * quads * PANEL + q * PANEL + i % 2 * WIDTH) * QUAD);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      ivec x = broadcast_quad(from[r] + q * QUAD);
#pragma clang loop unroll(full)
      for (int i = 0; i < 2 * panels; i++)
        high[r * 2 * panels + i] = dot(high[r * 2 * panels + i], weights[i], x);
    }
  }
  for (int i = 0; i < 2 * panels * rows; i++)
    sums[i] = __builtin_convertvector(high[i], vec) * 256.0f;
}
#else
// Products of pairs of 16-bit numbers, summed in 32 bits as long as that has room, then in float.
// The weights of a quad are packed in the order 0, 2, 1, 3: the even bytes are its first pair.

INLINE uint32_t packed_quad(uint32_t weights) {
  return (weights & 0xff0000ff) | (weights & 0xff00) << 8 | (weights & 0xff0000) >> 8;
}

/// For each lane, the sum of the products of its two pairs.
INLINE ivec dot_pair(ivec a, ivec b) {
#if !defined(__x86_64__)
  return (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16);
#elif WIDTH == 16
  return (ivec)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif WIDTH == 8
  return (ivec)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#else
  return (ivec)_mm_madd_epi16((__m128i)a, (__m128i)b);
#endif
}

INLINE void int8_sums(const int rows, const int panels, long depth, const uint8_t *w, const void *a,
                      long a_stride, vec *sums) {
  enum { QUADS = 128 };  // 4·128·127·MOST < 2³¹
  for (int i = 0; i < 2 * panels * rows; i++) sums[i] = splat(0);
  const long quads = (depth + QUAD - 1) / QUAD;
  for (long start = 0; start < quads; start += QUADS) {
    const long end = quads < start + QUADS ? quads : start + QUADS;
    ivec exact[2 * INT8_TILE] = {};
    for (long q = start; q < end; q++)
      for (int r = 0; r < rows; r++) {
        const char *numbers = (const char *)a + r * a_stride + sizeof(int8_row) + q * QUAD * 2;
        ivec first = broadcast_quad(numbers), second = broadcast_quad(numbers + QUAD);
#pragma clang loop unroll(full)
        for (int i = 0; i < 2 * panels; i++) {
          const uint8_t *from = w + (i / 2) * quads * QUAD * PANEL;
          pair_vec weights = (pair_vec)load_int(from + (q * PANEL + i % 2 * WIDTH) * QUAD);
          exact[r * 2 * panels + i] += dot_pair((ivec)((pair_vec)(weights << 8) >> 8), first) +
                                       dot_pair((ivec)(weights >> 8), second);
        }
      }
    for (int i = 0; i < 2 * panels * rows; i++)
      sums[i] += __builtin_convertvector(exact[i], vec);
  }
}
#define sketch_sums int8_sums
#endif

INLINE void int8_tile(const int is_sketch, const int rows, const int panels, long depth,
                      const uint8_t *w, const float *scales, const void *a, long a_stride,
                      const float *bias, float *c, long c_stride) {
  vec sums[2 * SKETCH_TILE];
  if (is_sketch)
    sketch_sums(rows, panels, depth, w, a, a_stride, sums);
  else
    int8_sums(rows, panels, depth, w, a, a_stride, sums);
  for (int r = 0; r < rows; r++) {
    const float step = ((const int8_row *)((const char *)a + r * a_stride))->scale;
    for (int i = 0; i < 2 * panels; i++) {
      vec start = bias ? load(bias + i * WIDTH) : splat(0);
      store(c + r * c_stride + i * WIDTH,
            fmadd(sums[r * 2 * panels + i], load(scales + i * WIDTH) * step, start));
    }
  }
}

INLINE void int8_product(const int is_sketch, long rows, long panels, long depth, const void *a,
                         long a_stride, const uint8_t *packed, const float *scales,
                         const float *bias, float *c, long c_stride) {
  const int most = is_sketch ? SKETCH_TILE : INT8_TILE;
  const long panel_bytes = (depth + QUAD - 1) / QUAD * QUAD * PANEL;
  for (long p = 0; p < panels;) {
    const uint8_t *w = packed + p * panel_bytes;
    const float *scale = scales + p * PANEL, *start = bias ? bias + p * PANEL : 0;
    float *to = c + p * PANEL;
    if (rows == 1 && panels - p >= INT8_TILE) {
      int8_tile(is_sketch, 1, INT8_TILE, depth, w, scale, a, a_stride, start, to, c_stride);
      p += INT8_TILE;
      continue;
    }
    long r = 0;
#define INT8_TILE_OF(count)                                                                     \
  int8_tile(is_sketch, count, 1, depth, w, scale, (const char *)a + r * a_stride, a_stride, start, \
            to + r * c_stride, c_stride)
    for (; r + most <= rows; r += most) INT8_TILE_OF(most);
    for (; most > 4 && r + 4 <= rows; r += 4) INT8_TILE_OF(4);
    for (; r < rows; r++) INT8_TILE_OF(1);
#undef INT8_TILE_OF
    p++;
  }
}

static void product_int8(long rows, long panels, long depth, const void *a, long a_stride,
                         const uint8_t *packed, const float *scales, const float *bias, float *c,
                         long c_stride) {
  int8_product(0, rows, panels, depth, a, a_stride, packed, scales, bias, c, c_stride);
}

static void product_sketch(long rows, long panels, long depth, const void *a, long a_stride,
                           const uint8_t *packed, const float *scales, const float *bias, float *c,
                           long c_stride) {
  int8_product(1, rows, panels, depth, a, a_stride, packed, scales, bias, c, c_stride);
}

static void pack_int8(long columns, long depth, const int8_t *w, long stride, uint8_t *packed) {
  for (long k = 0; k < depth; k += QUAD)
    for (long j = 0; j < PANEL; j++, packed += QUAD) {
      uint32_t quad = 0;
      if (j < columns) __builtin_memcpy(&quad, w + j * stride + k, depth - k < QUAD ? depth - k : QUAD);
      quad = packed_quad(quad);
      __builtin_memcpy(packed, &quad, QUAD);
    }
}
