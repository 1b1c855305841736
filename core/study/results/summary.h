/* summary.h - the studies below a folder, each in a few words. */
#ifndef HN_SUMMARY_H
#define HN_SUMMARY_H
#include "live.h"

typedef struct HnSummary {
  char *dir;   /* of the study */
  char *error; /* why its plan cannot be read; nothing below is then known */
  HnLive *live;
  char *written;     /* when one of its cells last wrote run.json, ISO 8601 in UTC, or NULL */
  HnLiveState state; /* of the whole: what someone is at work on, else what is left to do */
  /* arms, by the deciding metric; the best one is of the baseline's task (where no cell of that is
   * done, of the first such arm's) and sees no true task; -1: none can be told */
  int64_t baseline, best;
  /* of done cells, aggregated as the study says; NaN: none is done */
  double baseline_value, best_value;
} HnSummary;

/* HnSummary *, those with the latest work first: `dir` itself if it is a study's folder, else those
 * below it, at most three folders down and not within another study.  HN_ERROR_MISSING where there
 * is no such folder.  Free with g_ptr_array_unref. */
GPtrArray *hn_summaries(const char *dir, GError **error);
#endif
