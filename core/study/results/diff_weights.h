/* diff_weights.h - where the weights of two runs part: in which update, by the hashes in trace.bin,
 * and in which tensors, by the checkpoints that both have. */
#ifndef HN_DIFF_WEIGHTS_H
#define HN_DIFF_WEIGHTS_H
#include "results.h"

/* A run's folder, and the updates that its hashes are of. */
typedef struct HnTraced {
  const char *dir; /* borrowed */
  int64_t every;   /* run.trace_every */
  int64_t last;    /* the last update, which has a hash as well; INT64_MAX: not known */
} HnTraced;
/* Of a cell; of one that is not done, the last update is not known. */
HnTraced hn_traced(const HnResult *c);

typedef struct HnTraceDiff {
  int64_t hashes;  /* that were compared, of updates of which both have one */
  int64_t updates; /* the last of these; 0: none */
  int64_t first;   /* the first of these whose weights differ; -1: none */
} HnTraceDiff;
HnTraceDiff hn_diff_traces(const HnTraced *a, const HnTraced *b);

/* A weight that is not the same in both. */
typedef struct HnTensorDiff {
  char *name;
  char *a, *b;               /* "F32 [128, 64]"; NULL: that side has no such weight */
  int64_t elements, differ;  /* differ: elements of other bits; 0 where the shapes differ */
  double absolute, relative; /* the largest difference, also over the larger of the two; infinite
                                where one is not finite; NaN where the shapes differ */
} HnTensorDiff;

/* Two checkpoints of one update. */
typedef struct HnWeightsDiff {
  int64_t update;
  char *damaged;      /* why one of them cannot be read, or NULL */
  int64_t same;       /* weights with the same bits */
  GPtrArray *tensors; /* HnTensorDiff *, in the order in which a lists them, then b's alone */
} HnWeightsDiff;
void hn_weights_diff_free(HnWeightsDiff *w);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnWeightsDiff, hn_weights_diff_free)
/* Of the oldest checkpoints of one update that can be read and differ; NULL: there are none. */
HnWeightsDiff *hn_diff_first_weights(const char *dir_a, const char *dir_b);
/* Of the newest checkpoints of one update; NULL: there are none. */
HnWeightsDiff *hn_diff_last_weights(const char *dir_a, const char *dir_b);
#endif
