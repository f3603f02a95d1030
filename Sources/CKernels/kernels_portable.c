// Four floats at a time, with nothing that a machine might lack: SSE2 is the baseline of x86-64.
#define KERNELS unfold_kernels_portable
#define NAME "portable"
#define WIDTH 4
#define FUSED 0
#define HALF 0
#define TILE_ROWS 6
#define DEPTH_BLOCK 256
#include "kernels.h"
