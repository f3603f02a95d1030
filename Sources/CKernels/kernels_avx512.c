// Sixteen floats at a time: AVX-512.
#if defined(__x86_64__)
#define KERNELS unfold_kernels_avx512
#define NAME "avx512"
#define TARGET "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,f16c"
#define WIDTH 16
#define FUSED 1
#define HALF 1
#define TILE_ROWS 14
#define DEPTH_BLOCK (1l << 20)  // no blocks: measured, they cost up to a fifth and gain nothing
#include "kernels.h"
#endif
