// Matrix products on packed panels. The innermost function holds a tile of ROWS × 2 vectors of the
// result in registers and walks down the depth; everything else feeds it from the near caches. Where
// the last panel has columns for one vector only, a tile is one vector wide.

enum { PANEL = 2 * WIDTH };

#include "row.h"

/// Keeps the compiler from working out where `pointer` points to: from giving every row of a tile a
/// pointer of its own, for which there are too few registers (measured: a quarter of the speed).
#define OPAQUE(pointer) __asm__("" : "+r"(pointer))
/// Rows of a that share a pointer: their addresses are pointer, pointer + stride, pointer + 2·stride.
#define ROWS_A_POINTER 3

/// What is going to be read from far away soon: a step of the depth asks for the cache line at `next`.
typedef struct {
  const char *next;
  long step;
} unfold_ahead;

INLINE void tile(const int rows, const int is_wide, const int along_rows, long depth, const float *a,
                 long stride, const float *panel, unfold_ahead ahead, const float *bias,
                 int accumulate, float *c, long c_stride) {
  const long row_stride = along_rows ? stride : 1, column_stride = along_rows ? 1 : stride;
  const int rows_a_pointer = along_rows ? ROWS_A_POINTER : rows;
  const int pointers = (rows + rows_a_pointer - 1) / rows_a_pointer;
  const float *from[TILE_ROWS];
  vec left[TILE_ROWS], right[TILE_ROWS];
#pragma clang loop unroll(full)
  for (int i = 0; i < pointers; i++) from[i] = a + i * rows_a_pointer * row_stride;
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
    const float *start = accumulate ? c + i * c_stride : bias;
    left[i] = start ? load(start) : splat(0);
    if (is_wide) right[i] = start ? load(start + WIDTH) : splat(0);
  }
#pragma clang loop unroll_count(4)
  for (long k = 0; k < depth; k++) {
    vec b0 = load(panel), b1 = is_wide ? load(panel + WIDTH) : b0;
    panel += PANEL;
    __builtin_prefetch(ahead.next, 0, 2);
    ahead.next += ahead.step;
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      vec x = splat(from[i / rows_a_pointer][i % rows_a_pointer * row_stride]);
      left[i] = fmadd(x, b0, left[i]);
      if (is_wide) right[i] = fmadd(x, b1, right[i]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < pointers; i++) {
      from[i] += column_stride;
      OPAQUE(from[i]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
    store(c + i * c_stride, left[i]);
    if (is_wide) store(c + i * c_stride + WIDTH, right[i]);
  }
}

// Every height of tile, for the two layouts of a that occur, rows contiguous and columns contiguous,
// and the two widths.
typedef void (*tile_function)(long depth, const float *a, long stride, const float *panel,
                              unfold_ahead ahead, const float *bias, int accumulate, float *c,
                              long c_stride);
#define TILE_OF(name, is_wide, along_rows, n)                                                     \
  static void name##_##n(long depth, const float *a, long stride, const float *panel,             \
                         unfold_ahead ahead, const float *bias, int accumulate, float *c,         \
                         long c_stride) {                                                         \
    tile(n, is_wide, along_rows, depth, a, stride, panel, ahead, bias, accumulate, c, c_stride);  \
  }
#define TILE(n)                                                                                   \
  TILE_OF(tile_along_rows, 1, 1, n) TILE_OF(tile_along_columns, 1, 0, n)                          \
  TILE_OF(narrow_along_rows, 0, 1, n) TILE_OF(narrow_along_columns, 0, 0, n)
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
#if TILE_ROWS > 6
TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)
#endif
#if TILE_ROWS > 12
TILE(13) TILE(14)
#endif
#undef TILE
#undef TILE_OF
#define UP_TO_6(f) 0, f##_1, f##_2, f##_3, f##_4, f##_5, f##_6
#define UP_TO_12(f) UP_TO_6(f), f##_7, f##_8, f##_9, f##_10, f##_11, f##_12
#define UP_TO_14(f) UP_TO_12(f), f##_13, f##_14
#if TILE_ROWS == 14
#define UP_TO_TILE_ROWS UP_TO_14
#elif TILE_ROWS == 12
#define UP_TO_TILE_ROWS UP_TO_12
#else
#define UP_TO_TILE_ROWS UP_TO_6
#endif
static const tile_function tiles_along_rows[] = {UP_TO_TILE_ROWS(tile_along_rows)};
static const tile_function tiles_along_columns[] = {UP_TO_TILE_ROWS(tile_along_columns)};
static const tile_function narrow_along_rows[] = {UP_TO_TILE_ROWS(narrow_along_rows)};
static const tile_function narrow_along_columns[] = {UP_TO_TILE_ROWS(narrow_along_columns)};

/// The rows of tile number `index` when `rows` are shared as evenly as can be.
INLINE int tile_height(long rows, long tiles, long index) {
  return (int)(rows / tiles + (index < rows % tiles));
}

static void product(long rows, long columns, long depth, unfold_matrix a, const float *packed,
                    long panel_stride, const float *bias, int accumulate, int padded, float *c,
                    long c_stride) {
  const int along_rows = a.column_stride == 1;
  if (rows == 1 && along_rows && (padded || columns % PANEL == 0))
    return row_product((columns + PANEL - 1) / PANEL, depth, a.base, packed, panel_stride,
                       accumulate ? c : bias, c);
  const tile_function *heights = along_rows ? tiles_along_rows : tiles_along_columns;
  const tile_function *narrow = along_rows ? narrow_along_rows : narrow_along_columns;
  const long stride = along_rows ? a.row_stride : a.column_stride;
  const long panels = (columns + PANEL - 1) / PANEL, row_tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
  const long ahead_step = PANEL * sizeof(float) / row_tiles;
  float edge[TILE_ROWS * PANEL];

  for (long k = 0; k < depth || k == 0; k += DEPTH_BLOCK) {
    const long block = depth - k < DEPTH_BLOCK ? depth - k : DEPTH_BLOCK;
    const int add = accumulate || k > 0;
    for (long p = 0; p < panels; p++) {
      const float *panel = packed + p * panel_stride + k * PANEL;
      const float *panel_bias = bias ? bias + p * PANEL : 0;
      const long width = columns - p * PANEL;
      unfold_ahead ahead = {(const char *)(p + 1 < panels ? panel + panel_stride : panel), ahead_step};
      long row = 0;
      for (long t = 0; t < row_tiles; t++, ahead.next += block * ahead_step) {
        const int height = tile_height(rows, row_tiles, t);
        const float *from = a.base + row * a.row_stride + k * a.column_stride;
        float *to = c + row * c_stride + p * PANEL;
        if (width >= PANEL || padded) {
          heights[height](block, from, stride, panel, ahead, panel_bias, add, to, c_stride);
        } else {
          // The right edge: compute a whole tile aside, then copy the columns that exist.
          for (int i = 0; add && i < height; i++)
            for (long j = 0; j < width; j++) edge[i * PANEL + j] = to[i * c_stride + j];
          float edge_bias[PANEL];
          for (long j = 0; panel_bias && j < PANEL; j++) edge_bias[j] = j < width ? panel_bias[j] : 0;
          (width > WIDTH ? heights : narrow)[height](block, from, stride, panel, ahead,
                                                     panel_bias ? edge_bias : 0, add, edge, PANEL);
          for (int i = 0; i < height; i++)
            for (long j = 0; j < width; j++) to[i * c_stride + j] = edge[i * PANEL + j];
        }
        row += height;
      }
    }
  }
}

typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));

/// Transposes 4 columns of the source, each contiguous along the depth, into 4 columns of a panel.
INLINE void pack_four_columns(const float *source, long stride, long depth, float *panel) {
  long k = 0;
  for (; k + 4 <= depth; k += 4) {
    quad r0 = *(const quad *)(source + k), r1 = *(const quad *)(source + stride + k);
    quad r2 = *(const quad *)(source + 2 * stride + k), r3 = *(const quad *)(source + 3 * stride + k);
    quad t0 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), t1 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
    quad t2 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7), t3 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
    *(quad *)(panel + k * PANEL) = __builtin_shufflevector(t0, t1, 0, 1, 4, 5);
    *(quad *)(panel + (k + 1) * PANEL) = __builtin_shufflevector(t0, t1, 2, 3, 6, 7);
    *(quad *)(panel + (k + 2) * PANEL) = __builtin_shufflevector(t2, t3, 0, 1, 4, 5);
    *(quad *)(panel + (k + 3) * PANEL) = __builtin_shufflevector(t2, t3, 2, 3, 6, 7);
  }
  for (; k < depth; k++)
    for (int j = 0; j < 4; j++) panel[k * PANEL + j] = source[j * stride + k];
}

/// Packs columns that are contiguous along the depth. A cache line of each at a time: what is written
/// of the panel meanwhile stays in the nearest cache.
static void pack_transposed(const float *source, long stride, long depth, long width, float *panel) {
  enum { LINE = 16 };
  for (long k = 0; k < depth; k += LINE, panel += LINE * PANEL) {
    const long lines = depth - k < LINE ? depth - k : LINE;
    long j = 0;
    for (; j + 4 <= width; j += 4) pack_four_columns(source + j * stride + k, stride, lines, panel + j);
    for (; j < PANEL; j++)
      for (long i = 0; i < lines; i++)
        panel[i * PANEL + j] = j < width ? source[j * stride + k + i] : 0;
  }
}

static void pack(unfold_matrix source, long depth, long columns, float *packed) {
  for (long column = 0; column < columns; column += PANEL, packed += depth * PANEL) {
    const long width = columns - column < PANEL ? columns - column : PANEL;
    const float *from = source.base + column * source.column_stride;
    if (source.row_stride == 1) {
      pack_transposed(from, source.column_stride, depth, width, packed);
      continue;
    }
    for (long k = 0; k < depth; k++) {
      const float *row = from + k * source.row_stride;
      if (width == PANEL && source.column_stride == 1) {
        store(packed + k * PANEL, load(row));
        store(packed + k * PANEL + WIDTH, load(row + WIDTH));
      } else {
        for (long j = 0; j < PANEL; j++)
          packed[k * PANEL + j] = j < width ? row[j * source.column_stride] : 0;
      }
    }
  }
}

/// Four rows of w at once against x.
INLINE void four_rows(const int rows, long depth, const float *w, long stride, const float *x,
                      float *y) {
  vec even[4] = {}, odd[4] = {};
  long k = 0;
  for (; k + PANEL <= depth; k += PANEL) {
    vec x0 = load(x + k), x1 = load(x + k + WIDTH);
    for (int i = 0; i < rows; i++) {
      even[i] = fmadd(load(w + i * stride + k), x0, even[i]);
      odd[i] = fmadd(load(w + i * stride + k + WIDTH), x1, odd[i]);
    }
  }
  for (int i = 0; i < rows; i++) {
    float sum = horizontal_sum(even[i] + odd[i]);
    for (long j = k; j < depth; j++) sum += w[i * stride + j] * x[j];
    y[i] = sum;
  }
}

static void matrix_vector(long rows, long depth, const float *w, long stride, const float *x,
                          const float *bias, float *y) {
  long n = 0;
  for (; n + 4 <= rows; n += 4) four_rows(4, depth, w + n * stride, stride, x, y + n);
  for (; n < rows; n++) four_rows(1, depth, w + n * stride, stride, x, y + n);
  for (n = 0; bias && n < rows; n++) y[n] += bias[n];
}
