// What the tests of the kernels share: the kernels under test, room for numbers, and checks.
#include "CKernels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const unfold_kernels *k;  ///< The kernels under test.

/// Half the distance from 1 to the next float: the largest relative error of one rounding.
#define ROUNDOFF 0x1p-24

/// Room for some bytes until the test ends. It holds canaries, and more of them lie behind it: they
/// are numbers so large that a kernel that reads them, or leaves a result out, is seen to.
void *room(long bytes);
float *floats(long n);
/// Checks that the canaries behind everything that the test had room for are there, and frees it.
void end_test(const char *what);

float draw(void);  ///< Uniform in [−1, 1).
/// Room for n numbers, drawn and multiplied by `size`.
float *drawn(long n, float size);
/// The same for rows of `width` numbers, `stride` apart, with canaries between them.
float *drawn_rows(long rows, long width, long stride, float size);
/// Room for a copy of the n floats at a.
float *copied(const float *a, long n);

/// Counts a failure unless |found − expected| ≤ bound; both may be NaN.
void check_within(const char *what, long at, double found, double expected, double bound);
/// The same with the bound tolerance·(1 + |expected|).
void check(const char *what, long at, double found, double expected, double tolerance);
/// Checks the canaries between rows.
void check_gaps(const char *what, const float *a, long rows, long width, long stride);

void test_products(void);
void test_packed(void);
void test_cells(void);
void test_elementwise(void);
void test_updates(void);
void test_draw(void);
