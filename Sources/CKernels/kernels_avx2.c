// Eight floats at a time: AVX2 with fused multiply-add.
#if defined(__x86_64__)
#define KERNELS unfold_kernels_avx2
#define NAME "avx2"
#define TARGET "avx2,fma,f16c"
#define WIDTH 8
#define FUSED 1
#define HALF 1
#define TILE_ROWS 6
#define DEPTH_BLOCK 256
#include "kernels.h"
#endif
