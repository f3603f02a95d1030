// The arithmetic of Unfold that Swift can't yet express: one source, compiled for several
// instruction sets, chosen at run time. See README.md for what may live here.
//
// Matrices are row-major Float32. Dimension letters: M rows, N columns, K depth, H units, B batch.
#ifndef UNFOLD_CKERNELS_H
#define UNFOLD_CKERNELS_H

#include <stdint.h>

#pragma clang assume_nonnull begin

/// One operand of a product: element (i, j) is at `base[i * row_stride + j * column_stride]`.
typedef struct {
  const float *base;
  long row_stride;
  long column_stride;
} unfold_matrix;

/// Where the rows of a batch for one step and one block of units are, for the cells' gate kernels.
/// A block holds `panel_width` units; its gates stand side by side, a gate a panel.
typedef struct {
  int rows;           ///< Batch rows.
  float *gates;       ///< Gate values of the block, `[rows, gates × panel_width]`, in place.
  long gates_stride;  ///< Floats from one row of `gates` to the next.
  long state_stride;  ///< Floats from one row of a state buffer to the next.
} unfold_block;

/// The functions of one instruction set.
typedef struct __attribute__((swift_attr("@Sendable"))) {
  const char *name;
  int panel_width;  ///< Columns of a packed panel, and units of a block.
  int tile_rows;    ///< Most rows that the innermost product takes at once.

  /// Packs columns `[0, columns)` of `source` `[depth, columns]` into panels of
  /// `panel_width` columns, `[panels][depth][panel_width]`, zero-filled at the right edge.
  void (*pack)(unfold_matrix source, long depth, long columns, float *packed);

  /// c = a·packed (+ c if `accumulate`, else + bias if not null).
  /// a is [rows, depth], and one of its strides is 1; `packed` starts at the first of the panels
  /// that hold `columns` columns, `panel_stride` floats apart; c has `c_stride` floats a row.
  /// Only `columns` columns of c are written, unless `padded`: then the last panel's padding too,
  /// for which `bias` must have values as well.
  void (*product)(long rows, long columns, long depth, unfold_matrix a, const float *packed,
                  long panel_stride, const float *_Nullable bias, int accumulate, int padded,
                  float *c, long c_stride);

  /// y[n] = Σ_k w[n, k]·x[k] + (bias[n] if not null), for `rows` rows of w of `stride` floats.
  void (*matrix_vector)(long rows, long depth, const float *w, long stride, const float *x,
                        const float *_Nullable bias, float *y);

  /// As `matrix_vector`, for weights of 8 bits: w[n, k] = scales[n]·quantized[n, k].
  void (*matrix_vector_int8)(long rows, long depth, const int8_t *quantized, const float *scales,
                             const float *x, float *y);
  /// As `matrix_vector`, for weights in half precision (IEEE binary16).
  void (*matrix_vector_float16)(long rows, long depth, const uint16_t *w, const float *x, float *y);

  // Products with packed weights of fewer bits, for generating text. `panels` panels of
  // `panel_width` columns, one after the other; whole panels of c are written.

  /// Packs `columns` rows of w, `stride` numbers apart, as a panel `[depth][panel_width]`.
  void (*pack_float16)(long columns, long depth, const uint16_t *w, long stride, uint16_t *packed);
  /// c = a·packed (+ bias if not null); the numbers of `product` on the same weights in float.
  void (*product_float16)(long rows, long panels, long depth, unfold_matrix a,
                          const uint16_t *packed, const float *_Nullable bias, float *c,
                          long c_stride);
  /// Packs `columns` rows of w, `stride` numbers apart, as a panel of
  /// `[depth rounded up to 4][panel_width]` bytes, in an order of the instruction set's own.
  void (*pack_int8)(long columns, long depth, const int8_t *w, long stride, uint8_t *packed);
  /// Rounds x to 16 bits a number, with a scale; `row` has 16 bytes, and 2 for each of `depth`
  /// rounded up to 16. Of the 16 bytes the last four are a float: at least the distance of x from
  /// what `product_sketch` takes for it.
  void (*quantize_row)(long depth, const float *x, void *row);
  /// As `product_float16`, for rows of `quantize_row`, `a_stride` bytes apart, and a scale a column.
  void (*product_int8)(long rows, long panels, long depth, const void *a, long a_stride,
                       const uint8_t *packed, const float *scales, const float *_Nullable bias,
                       float *c, long c_stride);

  /// As `product_int8`, but with rows rounded to 8 bits where that makes it faster.
  void (*product_sketch)(long rows, long panels, long depth, const void *a, long a_stride,
                         const uint8_t *packed, const float *scales, const float *_Nullable bias,
                         float *c, long c_stride);
  /// The most rows for which `product_sketch` has been seen to take less time than `product` of a
  /// matrix that no cache holds.
  long sketch_rows;

  /// n numbers of half precision from floats, rounded to nearest even, and back.
  void (*to_float16)(long n, const float *from, uint16_t *to);
  void (*from_float16)(long n, const uint16_t *from, float *to);

  // One step of a cell for a block, after its products; equations in the Swift file of the cell.
  void (*lstm_forward)(unfold_block block, const float *c_previous, float *c_next, float *h_next);
  void (*lstm_backward)(unfold_block block, const float *c_previous, const float *c_next,
                        const float *dh, float *dc);
  void (*gru_forward)(unfold_block block, float *hidden, const float *hidden_bias,
                      const float *h_previous, float *h_next);
  void (*gru_backward)(unfold_block block, const float *hidden, const float *h_previous,
                       const float *dh, float *dh_carry, float *dhidden);
  void (*elman_forward)(unfold_block block, int relu, float *h_next);
  void (*elman_backward)(unfold_block block, int relu, const float *dh);

  // Elementwise, over n floats. `out` may be one of the inputs.
  void (*add)(long n, const float *a, const float *b, float *out);
  /// sum[j] += Σ_i a[i, j], for `rows` rows of a, `stride` floats apart.
  void (*add_rows)(long rows, long columns, const float *a, long stride, float *sum);
  void (*subtract)(long n, const float *a, const float *b, float *out);
  void (*multiply)(long n, const float *a, const float *b, float *out);
  void (*multiply_add)(long n, const float *a, const float *b, float *sum);  ///< sum += a·b
  void (*scale_add)(long n, float factor, const float *a, float *sum);       ///< sum += factor·a
  void (*affine)(long n, float factor, float offset, const float *a, float *out);
  void (*tanh)(long n, const float *a, float *out);
  void (*sigmoid)(long n, const float *a, float *out);
  void (*exp)(long n, const float *a, float *out);
  void (*tanh_backward)(long n, const float *y, const float *dy, float *dx);     ///< dy·(1 − y²)
  void (*sigmoid_backward)(long n, const float *y, const float *dy, float *dx);  ///< dy·y·(1 − y)
  double (*sum_of_squares)(long n, const float *a);
  double (*sum)(long n, const float *a);

  /// Softmax cross-entropy of one row of logits, in nats: log Σ exp(x) − x[target].
  /// With `scale` ≠ 0 the row becomes its gradient, (softmax(x) − one-hot(target))·scale.
  double (*cross_entropy)(long n, float *logits, long target, float scale);
  /// Replaces a row by its softmax and returns log Σ exp(x).
  double (*softmax)(long n, float *row);

  // Drawing a token.

  /// n numbers −ln(−ln u), u uniform in (0, 1), from Philox's blocks `first`, `first` + 1, …: 16 blocks
  /// for 64 numbers.
  void (*gumbel)(long n, uint64_t key, uint64_t stream, uint64_t first, float *out);
  /// The place of the largest number, the first of equals.
  long (*largest)(long n, const float *x);
  /// Places of what may be the largest of n numbers, each known up to an error of
  /// slack + a·u[i] + b·v[i]; `found` has room for n. Returns how many; 0 if there is NaN in all.
  long (*contenders)(long n, const float *x, float a, const float *u, float b, const float *v,
                     float slack, int32_t *found);
  /// y[i] = bias[r] + Σ_k w[r, k]·x[k] for r = rows[i]: what `product` gets.
  void (*chosen_rows)(long count, const int32_t *rows, long depth, const float *w, long stride,
                      const float *x, const float *bias, float *y);

  // Optimiser updates, over n parameters w with gradients g (PyTorch's semantics). The share of
  // the newest gradient in a mean, 1 − β, is given beside β: Float's 1 − 0.999 is off by 2e-6.
  void (*adam)(long n, float *w, const float *g, float *m, float *v, float new1, float beta2,
               float new2, float step, float correction2_root, float epsilon,
               float gradient_scale, float l2, float weight_factor);
  void (*sgd)(long n, float *w, const float *g, float *_Nullable velocity, float rate,
              float momentum, int nesterov, int first, float gradient_scale, float l2);
  void (*rmsprop)(long n, float *w, const float *g, float *v, float rate, float alpha,
                  float newest, float epsilon, float gradient_scale, float l2);
  void (*adagrad)(long n, float *w, const float *g, float *sum, float rate, float epsilon,
                  float gradient_scale, float l2);

  /// Multiplies and adds in registers only, as fast as can be; returns the number of operations.
  long (*peak)(long rounds);
} unfold_kernels;

/// The kernels named `avx512vnni`, `avx512`, `avx2vnni`, `avx2`, `neon` or `portable`, or null if
/// this machine can't run them.
const unfold_kernels *_Nullable unfold_kernels_named(const char *name);
/// The fastest kernels that this machine can run.
const unfold_kernels *unfold_kernels_best(void);

// A persistent team of threads: the caller and `threads − 1` workers.
typedef struct unfold_team unfold_team;
typedef void (*unfold_work)(void *context, long step, long item);

/// Starts a team; null if its memory can't be had.
unfold_team *_Nullable unfold_team_create(int threads);
void unfold_team_destroy(unfold_team *team);
/// Does `work` for all items of step 0, then for all of step 1, and so on. A thread has a share of
/// the items, the same in each step; it takes others' when their threads lag behind.
/// `claims` is room for 8 numbers an item: a cache line, so that claims don't disturb each other.
/// Returns 0, having done nothing, when the team is busy with another caller's job.
int unfold_team_run(unfold_team *team, long steps, long items, long *claims, unfold_work work,
                    void *context);
/// The same on the caller's thread alone, with the same treatment of denormals.
void unfold_run_alone(long steps, long items, unfold_work work, void *context);

#pragma clang assume_nonnull end
#endif
