/* recorder.h - the append-only tables of a run folder (record_columns.h), and the trace of its
 * weights. */
#ifndef HN_RECORDER_H
#define HN_RECORDER_H
#include "digest.h"
#include "record_columns.h"

typedef struct HnRecorder HnRecorder;

/* Opens the files of `dir`, first cut back to what checkpoint metadata `meta` says they held (empty
 * meta: begun anew).  A run that goes on beyond a former end loses what was recorded of that end
 * alone. */
HnRecorder *hn_recorder_open(const char *dir, const HnSession *s, GHashTable *meta, GError **error);
/* Whether the files of `dir` begin as a checkpoint's metadata say; HN_ERROR_FILE names the first
 * that does not.  ended: the run has no more to do. */
bool hn_recorder_check(const char *dir, GHashTable *meta, bool ended, GError **error);
void hn_recorder_close(HnRecorder *r);
/* Flushes to disk and notes in meta how long each file is, and its checksum. */
bool hn_recorder_sync(HnRecorder *r, GHashTable *meta, GError **error);

/* An episode that finished in an update; phase is "train", "eval" (it counts), "adapt" or
 * "uncounted". */
void hn_recorder_episode(HnRecorder *r, HnSession *s, int64_t update, const char *phase,
                         int64_t split, const HnEpisode *e);
/* One row of metrics.csv, from the training episodes, the plugins' metrics (then forgotten) and one
 * evaluation a split (NULL: none). */
void hn_recorder_update(HnRecorder *r, HnSession *s, const HnEpisodeMeans *train,
                        const HnEvaluation *eval);
/* The update's row of timing.csv, after which whoever watches the folder can read this row and that
 * of metrics.csv. */
void hn_recorder_timing(HnRecorder *r, HnSession *s, const double seconds[HN_TIMINGS]);
/* One hash of the weights for trace.bin. */
void hn_recorder_trace(HnRecorder *r, const uint8_t digest[HN_DIGEST_BYTES]);
void hn_recorder_steps(HnRecorder *r, HnSession *s, const HnEvaluation *eval);
/* The rows that an evaluation kept, observation by observation.  HN_E_..: the map failed. */
HnStatus hn_recorder_trial(HnRecorder *r, HnSession *s, int64_t split, const HnEvaluation *eval);
/* Of the same rows at the steps of hn_band_step: the points seen so far, then the grid.  Nothing
 * where there are no curves. */
void hn_recorder_predictions(HnRecorder *r, HnSession *s, int64_t split, const HnEvaluation *eval);
#endif
