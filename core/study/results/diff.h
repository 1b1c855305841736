/* diff.h - where two results part: two cells, or two studies cell by cell. */
#ifndef HN_DIFF_H
#define HN_DIFF_H
#include "diff_table.h"
#include "diff_weights.h"

/* A key, and what each side says of it; NULL: nothing. */
typedef struct HnFactDiff {
  char *key, *a, *b;
} HnFactDiff;

/* Only what differs, each a list of HnFactDiff *: */
#define HN_DIFF_CAUSES(X)                                                    \
  X(configuration, "keys of the resolved configuration")                     \
  X(plugins, "of each plugin its name, version and the SHA-256 of its file") \
  X(program, "version and commit of hunch")                                  \
  X(machine, "what run.json records of the processor and of what computed")
#define HN_DIFF_CAUSE_FIELD(name, doc) GPtrArray *name; /* doc */
typedef struct HnCellDiff {
  const HnResult *a, *b;
  HN_DIFF_CAUSES(HN_DIFF_CAUSE_FIELD)
  GPtrArray *progress; /* HnFactDiff *: status, updates and frames */
  HnTraceDiff trace;
  HnWeightsDiff *first, *last; /* of the oldest that differ, of the newest checkpoints; or NULL */
  GPtrArray *tables;           /* HnTableDiff *, metrics.csv first */
  bool differs; /* some result does: all but the causes, which may differ without consequence */
} HnCellDiff;

typedef struct HnDiff {
  const HnResults *a, *b;     /* borrowed */
  GPtrArray *cells;           /* HnCellDiff *, of cells that both have */
  GPtrArray *only_a, *only_b; /* const HnResult * */
  bool differs;               /* a cell does, or one side alone has it */
} HnDiff;

/* Cells of the same arm and seed, or, where both are single cells, these.  With `cells`, one or two
 * names "ARM/SEED", that of a and that of b alone.  A cell of which there is no run.json does not
 * count as one.  Seconds, dates, messages and the name of the machine are not looked at.  NULL with
 * HN_ERROR_MISSING: there is no such cell, or nothing to compare. */
HnDiff *hn_diff(const HnResults *a, const HnResults *b, const char *const *cells, GError **error);
void hn_diff_free(HnDiff *d);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnDiff, hn_diff_free)
/* Whether some cause differs. */
bool hn_cell_diff_has_cause(const HnCellDiff *d);
#endif
