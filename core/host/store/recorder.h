/* recorder.h - the append-only tables of a run folder, and the trace of its weights. */
#ifndef HN_RECORDER_H
#define HN_RECORDER_H
#include "evaluate.h"

typedef struct HnRecorder HnRecorder;

/* Opens the tables of `dir`, first cut back to what checkpoint metadata `meta` says they held
 * (empty meta: begun anew). */
HnRecorder *hn_recorder_open(const char *dir, const HnSession *s, GHashTable *meta, GError **error);
void hn_recorder_close(HnRecorder *r);
/* Flushes to disk and notes in meta how long each table is. */
gboolean hn_recorder_sync(HnRecorder *r, GHashTable *meta, GError **error);

/* A finished episode; phase is "train", "eval" (it counts), "adapt" or "uncounted". */
void hn_recorder_episode(HnRecorder *r, const HnSession *s, const char *phase, int64_t split,
                         const HnEpisode *e);
/* One row of metrics.csv, from the training episodes, the plugins' metrics (then forgotten) and one
 * evaluation a split (NULL: none); and of trace.bin. */
void hn_recorder_update(HnRecorder *r, HnSession *s, const HnEpisodeMeans *train,
                        const HnEvaluation *eval, const guint8 digest[32]);
void hn_recorder_steps(HnRecorder *r, const HnSession *s, const HnEvaluation *eval);
/* trial.csv: the rows that an evaluation kept, observation by observation, with what was done there
 * and paid for it (empty at the last observation), where the step ended, the belief (of draws the
 * first) and its map.  HN_E_..: map failed. */
HnStatus hn_recorder_trial(HnRecorder *r, HnSession *s, int64_t split, const HnEvaluation *eval);
/* predictions.csv, where hn_predictive_has_curves: of the same rows at steps 0, 1, 3, 5, 10, 30 and
 * 100 of the trial, seen 1  the points seen so far: x asked, truth = what was observed, the rest
 * empty seen 0  a grid of 101 x in [-1, 1]: truth without noise, the predictive's mean and stddev,
 * and member_1 .. member_m, the means under the first m = min(samples, 10) samples */
void hn_recorder_predictions(HnRecorder *r, const HnSession *s, int64_t split,
                             const HnEvaluation *eval);
/* Seconds of this update by what they went into. */
typedef enum HnTiming {
  HN_COLLECTING,
  HN_LEARNING_POLICY,
  HN_LEARNING_INFERENCE,
  HN_EVALUATING,
  HN_SAVING,
  HN_TIMINGS
} HnTiming;
void hn_recorder_timing(HnRecorder *r, const HnSession *s, const double seconds[HN_TIMINGS]);

#endif
