/* kernels_fixture.h - what an environment can ask of OpenBLAS, the kit and libm. */
#ifndef HN_KERNELS_FIXTURE_H
#define HN_KERNELS_FIXTURE_H
#include <glib.h>
#include <stdbool.h>

#define NO_AVX512 "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512DQ,-AVX512BW,-AVX512CD"

/* Settings that a portable run must not notice. */
typedef struct Setting {
  const char *name, *variable, *value;
  const char *isa; /* what the kit then takes, as run.json has it; NULL: its best */
  bool wide;       /* needs AVX-512 */
} Setting;

static const Setting settings[] = {{"haswell", "OPENBLAS_CORETYPE", "Haswell", NULL, false},
                                   {"zen", "OPENBLAS_CORETYPE", "Zen", NULL, false},
                                   {"sandybridge", "OPENBLAS_CORETYPE", "Sandybridge", NULL, false},
                                   {"skylakex", "OPENBLAS_CORETYPE", "SkylakeX", NULL, true},
                                   {"cooperlake", "OPENBLAS_CORETYPE", "Cooperlake", NULL, true},
                                   {"blocks", "OPENBLAS_BLOCK_FACTOR", "50", NULL, false},
                                   {"base", "HUNCH_ISA", "base", NULL, false},
                                   {"v3", "HUNCH_ISA", "v3", "\"v3\"", false},
                                   {"v4", "HUNCH_ISA", "v4", "\"v4\"", true},
                                   {"narrow", "GLIBC_TUNABLES", NO_AVX512, NULL, false}};

/* Sets a variable, or takes it away. */
static inline void set(const char *name, const char *value) {
  if (value)
    g_setenv(name, value, TRUE);
  else
    g_unsetenv(name);
}

static inline void set_nothing(void) {
  for (guint i = 0; i < G_N_ELEMENTS(settings); i++) set(settings[i].variable, NULL);
}

static inline bool has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd");
}

/* Whether this processor can be asked for that. */
static inline bool can_be_set(const Setting *s) {
  return !s->wide || has_avx512();
}

static inline bool has_portable_kernels(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static inline void skip_other_cpu(void) {
  g_test_skip("portable runs need a CPU with AVX2 and FMA, which this one does not have");
}
#endif
