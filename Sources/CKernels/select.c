// Chooses among the instruction sets that this machine can run.
#include "CKernels.h"
#include <string.h>

extern const unfold_kernels unfold_kernels_portable;
#if defined(__x86_64__)
extern const unfold_kernels unfold_kernels_avx2, unfold_kernels_avx512;
#elif defined(__aarch64__)
extern const unfold_kernels unfold_kernels_neon;
#endif

const unfold_kernels *unfold_kernels_named(const char *name) {
#if defined(__x86_64__)
  if (!strcmp(name, "avx512") && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("f16c"))
    return &unfold_kernels_avx512;
  if (!strcmp(name, "avx2") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("f16c"))
    return &unfold_kernels_avx2;
#elif defined(__aarch64__)
  if (!strcmp(name, "neon")) return &unfold_kernels_neon;
#endif
  return strcmp(name, "portable") ? 0 : &unfold_kernels_portable;
}

const unfold_kernels *unfold_kernels_best(void) {
  const unfold_kernels *found = unfold_kernels_named("avx512");
  if (!found) found = unfold_kernels_named("avx2");
  if (!found) found = unfold_kernels_named("neon");
  return found ? found : &unfold_kernels_portable;
}
