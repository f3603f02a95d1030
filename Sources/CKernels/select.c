// Chooses among the instruction sets that this machine can run.
#include "CKernels.h"
#include <string.h>

extern const unfold_kernels unfold_kernels_portable;
#if defined(__x86_64__)
extern const unfold_kernels unfold_kernels_avx2, unfold_kernels_avx2vnni, unfold_kernels_avx512,
    unfold_kernels_avx512vnni;

static int has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

static int has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("f16c");
}
#elif defined(__aarch64__)
extern const unfold_kernels unfold_kernels_neon;
#endif

const unfold_kernels *unfold_kernels_named(const char *name) {
#if defined(__x86_64__)
  if (!strcmp(name, "avx512vnni") && has_avx512() && __builtin_cpu_supports("avx512vnni"))
    return &unfold_kernels_avx512vnni;
  if (!strcmp(name, "avx512") && has_avx512()) return &unfold_kernels_avx512;
  if (!strcmp(name, "avx2vnni") && has_avx2() && __builtin_cpu_supports("avxvnni"))
    return &unfold_kernels_avx2vnni;
  if (!strcmp(name, "avx2") && has_avx2()) return &unfold_kernels_avx2;
#elif defined(__aarch64__)
  if (!strcmp(name, "neon")) return &unfold_kernels_neon;
#endif
  return strcmp(name, "portable") ? 0 : &unfold_kernels_portable;
}

const unfold_kernels *unfold_kernels_best(void) {
  static const char *const names[] = {"avx512vnni", "avx512", "avx2vnni", "avx2", "neon"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    const unfold_kernels *found = unfold_kernels_named(names[i]);
    if (found) return found;
  }
  return &unfold_kernels_portable;
}
