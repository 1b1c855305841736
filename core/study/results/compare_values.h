/* compare_values.h - a comparison by the values of parameters: what the arms that share them
 * reached together, and which of them reached most.  Arms of a sweep, or any that differ in a key.
 */
#ifndef HN_COMPARE_VALUES_H
#define HN_COMPARE_VALUES_H
#include "compare.h"

/* The arms of one value of each key. */
typedef struct HnValueRow {
  GPtrArray *values; /* char *, one for each key, as hn_result_shown shows it */
  GArray *arms;      /* int64_t: those that have them and a done cell */
  /* of the arms' mean, made seed by seed over the seeds that all of them have */
  HnEstimate mean;
  int64_t best; /* the arm whose own value is best, the highest where no better is known */
} HnValueRow;

typedef struct HnValueComparison {
  const HnCompared *metric; /* borrowed: the deciding column */
  GPtrArray *keys;          /* char *: paths, "policy.lr" */
  GPtrArray *rows;          /* HnValueRow *, ordered by their values, numbers as such */
  GPtrArray *without;       /* char *: arms that lack a key, or that are not swept */
  GPtrArray *other_task;    /* char *: arms that cannot be set against the baseline, .. */
  GPtrArray *why;           /* char *: .. and for each the key that keeps it from that */
  bool lengths;             /* arms trained for different numbers of frames */
} HnValueComparison;

/* Arms that measure something else than the baseline (where it has no done cell, than the first arm
 * that has) are left out, but for what `keys` change: those name what is to be compared.
 *
 * keys: paths or the last words of such, "lr,inference.noise".  Where the study's sweep names all
 * of them, the arms that it made are compared.  NULL: HN_ERROR_MISSING, of a key that no done cell
 * has, that is in several blocks, or that has one value alone; or of a comparison without a column.
 */
HnValueComparison *hn_compare_values(const HnComparison *c, const char *keys, GError **error);
/* The parameters of the study's sweep, whose keys are paths: a part of *study, which is freed with
 * hn_node_free; NULL: it has none. */
const HnNode *hn_swept_parameters(const HnResults *r, HnNode **study);
void hn_value_comparison_free(HnValueComparison *v);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnValueComparison, hn_value_comparison_free)
#endif
