/* again.h - computes parts of a package again, on this machine, by the plugins in the package: its
 * cells' first updates against trace.bin, and the evaluation of its last weights.  This executes
 * what the package holds, in processes of their own, in a folder that is removed afterwards. */
#ifndef HN_AGAIN_H
#define HN_AGAIN_H
#include "intact.h"
#include "results.h"

/* From the strongest on. */
#define HN_AGREEMENTS(X)                                                               \
  X(BITWISE, "bitwise", "nothing that was compared differs")                           \
  X(NUMERIC, "numeric", "bits differ, but no number by more than the tolerance")       \
  X(STATISTICAL, "statistical", "within the study's margin, by two one-sided t tests") \
  X(DIFFERS, "differs",                                                                \
    "a number differs by more than the tolerance, and nothing shows that it may")      \
  X(FAILED, "failed", "it could not be computed here")
#define HN_AGREEMENT_ID(id, name, doc) HN_AGREES_##id,
typedef enum HnAgreement { HN_AGREEMENTS(HN_AGREEMENT_ID) } HnAgreement;
const char *hn_agreement_name(HnAgreement a);
const char *hn_agreement_doc(HnAgreement a);

/* What became of one cell on one rung. */
typedef struct HnOutcome {
  char *cell;       /* "ARM/SEED"; of rerun "ARM" */
  const char *rung; /* "replay", "prefix" or "rerun" */
  HnAgreement agreement;
  int64_t updates;         /* of prefix and rerun: compared, of the shortest cell */
  int64_t first;           /* of both: the first update whose weights differ, or -1 */
  char *column;            /* the number that differs most, or NULL where none does */
  double most;             /* by how much: absolutely below 1, else relatively */
  char *reason;            /* of failed; or where a tensor differs, how the test went; or NULL */
  JsonObject *said, *here; /* run.json of the cell, of rerun the first, and of what ran here; NULL:
                              there is none */
} HnOutcome;
void hn_outcome_free(HnOutcome *o);

typedef struct HnAgainOptions {
  bool sandbox;     /* by bubblewrap: no network, nothing to write but the folder */
  int64_t updates;  /* of prefix; 0: all */
  double tolerance; /* of numeric */
} HnAgainOptions;

typedef struct HnAgain {
  char *folder;       /* where the package is unpacked */
  HnResults *results; /* of the study in it */
  HnAgainOptions options;
} HnAgain;

/* Unpacks an intact package into a new folder.  HN_ERROR_MISSING: no bubblewrap; HN_ERROR_REFUSED:
 * its study cannot be read; HN_ERROR_FILE. */
HnAgain *hn_again_new(const HnIntact *x, const HnAgainOptions *options, GError **error);
/* Removes the folder. */
void hn_again_free(HnAgain *a);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnAgain, hn_again_free)
/* The binaries of a package that computing again executes; NULL-terminated, g_strfreev. */
char **hn_again_binaries(const HnIntact *x);

/* Runs a done cell, or so many updates of it, in a folder of the rung's, *dir (g_free); why it
 * could not, or NULL (g_free). */
char *hn_again_train(const HnAgain *a, const HnResult *c, const char *rung, int64_t updates,
                     char **dir);
/* Notes on which machine a cell was run, and on which it ran again, in `dir`. */
void hn_again_note_machines(HnOutcome *o, const HnResult *c, const char *dir);
/* Runs the first updates of a done cell again; evaluates its weights again.  hn_outcome_free. */
HnOutcome *hn_again_prefix(const HnAgain *a, const HnResult *c);
HnOutcome *hn_again_replay(const HnAgain *a, const HnResult *c);
#endif
