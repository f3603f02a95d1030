// Four floats at a time: SSE2, the baseline of x86-64, and NEON on 64-bit Arm.
#define KERNELS unfold_kernels_portable
#define NAME "portable"
#define WIDTH 4
#if defined(__aarch64__)
#define FUSED 1
#define HALF 1
#define TILE_ROWS 12
#else
#define FUSED 0
#define HALF 0
#define TILE_ROWS 6
#endif
#define DEPTH_BLOCK 256
#include "kernels.h"
