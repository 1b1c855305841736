/* determinism.c - see determinism.h. */
#include "determinism.h"
#include "checksum.h"
#include "kit_library.h"
#include <gnu/libc-version.h>
#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#  include <sys/platform/x86.h> /* what glibc itself goes by, GLIBC_TUNABLES included */
#endif

const char *hn_portable_lacks(void) {
#if defined(__x86_64__)
  if (!CPU_FEATURE_ACTIVE(AVX2)) return "AVX2";
  if (!CPU_FEATURE_ACTIVE(FMA)) return "FMA";
  return NULL;
#else
  return "an x86-64 processor";
#endif
}

void hn_portable_hold(void) {
  g_setenv("OPENBLAS_CORETYPE", HN_PORTABLE_BLAS, TRUE);
  g_unsetenv("OPENBLAS_BLOCK_FACTOR");
  if (g_strcmp0(g_getenv("HUNCH_ISA"), "base") == 0) g_unsetenv("HUNCH_ISA"); /* has no FMA */
}

char *hn_portable_misses(void) {
  const char *isa = hn_kit_library_isa(), *blas = hn_kit_library_blas();
  if (isa && strcmp(isa, "base") == 0)
    return g_strdup("the kit's instruction set is base, which has no FMA");
  if (blas && strcmp(blas, HN_PORTABLE_BLAS) != 0)
    return g_strdup_printf("OpenBLAS's kernels are %s, not " HN_PORTABLE_BLAS, blas);
  return NULL;
}

/* ---- libm ---- */

/* X(function, argument): those that the host, the kit, plugins and MuJoCo call, at x in (0, 1). */
#define FUNCTIONS(X)     \
  X(exp, 20 * x - 10)    \
  X(log, 20 * x)         \
  X(log1p, 20 * x)       \
  X(tanh, 4 * x - 2)     \
  X(sin, 20 * x - 10)    \
  X(cos, 20 * x - 10)    \
  X(tan, 20 * x - 10)    \
  X(asin, 2 * x - 1)     \
  X(acos, 2 * x - 1)     \
  X(lgamma, 20 * x)      \
  X(raised, 20 * x)      \
  X(turned, 20 * x - 10) \
  X(expf, (float)(20 * x))

static double raised(double x) {
  return pow(x, 1.7);
}
static double turned(double x) {
  return atan2(x, 1.3);
}

static char *fingerprint(void) {
  enum { POINTS = 1024 };
  HnChecksum sum = hn_checksum_begin();
  for (int i = 1; i <= POINTS; i++) {
    const double turns = i * 0.6180339887498949, x = turns - floor(turns);
#define ADD(function, argument)                  \
  {                                              \
    const double y = (double)function(argument); \
    hn_checksum_add(&sum, &y, sizeof y);         \
  }
    FUNCTIONS(ADD)
#undef ADD
  }
  return g_strdup_printf("%016" G_GINT64_MODIFIER "x", hn_checksum_so_far(&sum));
}

const char *hn_libm_fingerprint(void) {
  static char *text;
  if (g_once_init_enter(&text)) g_once_init_leave(&text, fingerprint());
  return text;
}

const char *hn_libm_version(void) {
  static char *text;
  if (g_once_init_enter(&text))
    g_once_init_leave(&text, g_strconcat("glibc ", gnu_get_libc_version(), NULL));
  return text;
}
