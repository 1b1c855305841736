/* run_kernels.h - what computed a run, as run.json records it beside the machine. */
#ifndef HN_RUN_KERNELS_H
#define HN_RUN_KERNELS_H
#include <json-glib/json-glib.h>
#include <stdbool.h>

/* X(member, what it is, now): members of run.json on which a run's bits depend, and functions that
 * say what they are in this process, NULL where it has not loaded such a thing. */
#define HN_KERNEL_FACTS(X)                                           \
  X(isa, "the kit's instruction set", hn_kit_library_isa)            \
  X(blas, "OpenBLAS's kernels", hn_kit_library_blas)                 \
  X(blas_version, "OpenBLAS's version", hn_kit_library_blas_version) \
  X(libm, "libm's fingerprint", hn_libm_fingerprint)                 \
  X(simulator_sha256, "the simulator's file", hn_run_simulator_sha256)

/* Whether two values of a member compute alike: equal ones do, and so do the kit's instruction sets
 * but base; what is not known (NULL) is no difference. */
bool hn_run_kernels_alike(const char *member, const char *a, const char *b);
/* How this process differs from one that left `facts`, its run.json: "OpenBLAS's kernels were
 * Cooperlake and are Haswell"; NULL: it does not, or that one had done no update; g_free. */
char *hn_run_kernels_changed(JsonObject *facts);
/* Adds the members, with libm_version, the simulator and its file's hash, and kernels_changed:
 * what was otherwise in earlier parts of the run, as `facts`, its run.json so far (or NULL), says.
 */
void hn_run_kernels_add(JsonBuilder *b, JsonObject *facts);
/* SHA-256 of the simulator's library that plugins loaded, in hex, or NULL.  [any] */
const char *hn_run_simulator_sha256(void);
#endif
