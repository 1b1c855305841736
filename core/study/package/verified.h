/* verified.h - what verifying a package came to, as a verdict and by facts of machines. */
#ifndef HN_VERIFIED_H
#define HN_VERIFIED_H
#include "again.h"

typedef struct HnVerified {
  const char *file;          /* as it was named */
  const char *sha256;        /* of the file */
  const HnIntact *intact;    /* the first rung */
  const char *signature;     /* "good", "bad", "unchecked" or "none" */
  const GPtrArray *outcomes; /* HnOutcome *, of the rungs that ran again; may be empty */
} HnVerified;

/* The weakest agreement of the outcomes; BITWISE where there is none. */
HnAgreement hn_verified_worst(const HnVerified *v);
/* "intact", the name of an agreement, or "differs" for a package that is not as it was packed. */
const char *hn_verified_verdict(const HnVerified *v);
/* The same with the word's meaning, as one sentence. */
const char *hn_verified_meaning(const HnVerified *v);

/* What bits hang on, X(member, what it is): members of run.json that tell two machines apart. */
#define HN_MACHINE_FACTS(X)                \
  X(cpu, "processor")                      \
  X(determinism, "run.determinism")        \
  X(isa, "the kit's instruction set")      \
  X(blas, "OpenBLAS's kernels")            \
  X(blas_version, "OpenBLAS")              \
  X(libm_version, "libm")                  \
  X(libm, "libm's fingerprint")            \
  X(simulator, "simulator")                \
  X(simulator_sha256, "simulator, sha256") \
  X(hunch, "hunch")                        \
  X(commit, "commit")                      \
  X(kernel, "operating system")

/* The distinct values of such a member in the run.json of all outcomes, of those in the package or
 * of those that ran here, "v3, v4"; NULL: none has it; g_free. */
char *hn_verified_fact(const HnVerified *v, const char *member, bool here);
/* Those of them that fit into a line, "Intel(R) Xeon(R), kit v4, kernels Haswell, ..", or NULL;
 * g_free. */
char *hn_verified_machine(const HnVerified *v, bool here);
#endif
