// Four floats at a time: NEON, the baseline of 64-bit Arm, with fused multiply-add.
#if defined(__aarch64__)
#define KERNELS unfold_kernels_neon
#define NAME "neon"
#define WIDTH 4
#define FUSED 1
#define HALF 1
#define TILE_ROWS 12  // 24 of 32 registers hold the tile
#define DEPTH_BLOCK 256
#include "kernels.h"
#endif
