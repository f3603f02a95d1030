// As kernels_avx512.c, with products of bytes: AVX-512 VNNI.
#if defined(__x86_64__)
#define KERNELS unfold_kernels_avx512vnni
#define NAME "avx512vnni"
#define TARGET "avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx2,fma,f16c"
#define WIDTH 16
#define FUSED 1
#define HALF 1
#define VNNI 1
#define TILE_ROWS 14
#define DEPTH_BLOCK (1l << 20)  // no blocks: measured, they cost up to a fifth and gain nothing
#include "kernels.h"
#endif
