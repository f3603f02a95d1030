// All kernels for one instruction set. The including file sets, before this:
//   KERNELS    the name of the table, and NAME its text
//   WIDTH      floats in a vector
//   TILE_ROWS  rows of the innermost product: 2·TILE_ROWS + 3 vectors must fit the registers
//   VNNI       1 where the instruction set sums the products of quads of bytes; may be left out
//   HALF       1 where the instruction set converts half-precision numbers
//   DEPTH_BLOCK  depth that a product walks down at once: how much of a panel should stay in the
//              nearest cache, against writing the result once for each block
//   FUSED      1 where the instruction set has fused multiply-add
#include "CKernels.h"
#include <limits.h>
#include <math.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if !defined(VNNI)
#define VNNI 0
#endif

#if defined(TARGET)
#define ATTRIBUTES(target_text) _ATTRIBUTES(clang attribute push(__attribute__((target(target_text))), apply_to = function))
#define _ATTRIBUTES(text) _Pragma(#text)
ATTRIBUTES(TARGET)
#endif

#include "vector.h"
#include "product.h"
#include "quantized.h"
#include "packed.h"
#include "cells.h"
#include "elementwise.h"
#include "draw.h"
#include "peak.h"

#if defined(TARGET)
#pragma clang attribute pop
#endif

const unfold_kernels KERNELS = {
    .name = NAME,
    .panel_width = PANEL,
    .tile_rows = TILE_ROWS,
    .pack = pack,
    .product = product,
    .matrix_vector = matrix_vector,
    .matrix_vector_int8 = matrix_vector_int8,
    .matrix_vector_float16 = matrix_vector_float16,
    .pack_float16 = pack_float16,
    .product_float16 = product_float16,
    .pack_int8 = pack_int8,
    .quantize_row = quantize_row,
    .product_int8 = product_int8,
    .product_sketch = product_sketch,
    .sketch_rows = VNNI ? LONG_MAX : WIDTH >= 8 ? 7 : 0,
    .to_float16 = to_float16,
    .from_float16 = from_float16,
    .lstm_forward = lstm_forward,
    .lstm_backward = lstm_backward,
    .gru_forward = gru_forward,
    .gru_backward = gru_backward,
    .elman_forward = elman_forward,
    .elman_backward = elman_backward,
    .add = add,
    .add_rows = add_rows,
    .subtract = subtract,
    .multiply = multiply,
    .multiply_add = multiply_add,
    .scale_add = scale_add,
    .affine = affine,
    .tanh = tanh_all,
    .sigmoid = sigmoid_all,
    .exp = exp_all,
    .tanh_backward = tanh_backward,
    .sigmoid_backward = sigmoid_backward,
    .sum_of_squares = sum_of_squares,
    .sum = sum_all,
    .cross_entropy = cross_entropy,
    .softmax = softmax,
    .gumbel = gumbel,
    .largest = largest,
    .contenders = contenders,
    .chosen_rows = chosen_rows,
    .adam = adam,
    .sgd = sgd,
    .rmsprop = rmsprop,
    .adagrad = adagrad,
    .peak = peak,
};
