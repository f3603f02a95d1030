// As kernels_avx2.c, with products of bytes: AVX-VNNI.
#if defined(__x86_64__)
#define KERNELS unfold_kernels_avx2vnni
#define NAME "avx2vnni"
#define TARGET "avx2,avxvnni,fma,f16c"
#define WIDTH 8
#define FUSED 1
#define HALF 1
#define VNNI 1
#define TILE_ROWS 6
#define DEPTH_BLOCK 256
#include "kernels.h"
#endif
