/* isa.c - chooses the instruction set once and names it; holds BLAS to one thread. */
#include "isa.h"
#include "hunch/kit/gemm.h"
#include <cblas.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"base", "v3", "v4"};

static int best_level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return HN_ISA_V4;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
    return HN_ISA_V3;
#endif
  return HN_ISA_BASE;
}

int hn_isa_level(void) {
  static atomic_int chosen = -1;
  int level = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (level >= 0) return level;
  /* Racing first calls agree, because the environment and the processor do. */
  level = best_level();
  const char *wish = getenv("HUNCH_ISA");
  for (int i = 0; wish && i < level; i++)
    if (strcmp(wish, names[i]) == 0) level = i;
  atomic_store_explicit(&chosen, level, memory_order_relaxed);
  return level;
}

uint64_t hn_kit_layout(void) {
  return HN_KIT_LAYOUT;
}

const char *hn_kit_isa(void) {
  return names[hn_isa_level()];
}

const char *hn_kit_blas(void) {
  openblas_set_num_threads(1);
  return openblas_get_corename();
}
