/* progress.h - how far a study is, on stderr: a bar on a terminal, else a line a minute. */
#ifndef HN_PROGRESS_H
#define HN_PROGRESS_H
#include "jobs.h"

typedef struct HnProgress {
  const GPtrArray *jobs; /* HnJob *, borrowed */
  const char *metric;    /* column of metrics.csv that decides, borrowed */
  bool terminal;
  int64_t started; /* microseconds, monotonic */
  double before;   /* frames that were done when this process began */
  bool drawn;
} HnProgress;

void hn_progress_start(HnProgress *p, const GPtrArray *jobs, const char *metric);
/* Draws the bar anew (terminal only). */
void hn_progress_draw(HnProgress *p);
/* One line for logs: what the bar says. */
void hn_progress_heartbeat(HnProgress *p);
/* Removes the bar, so that a line can be written. */
void hn_progress_clear(HnProgress *p);
/* The text of both, what matters most first: "43%  2m00s left  2 running, 1 done of 4 cells
 * eval.return a/0 0.431, b/0 -0.2  1.75M/4.00M frames".  elapsed in seconds.  Free with g_free. */
char *hn_progress_words(const HnProgress *p, double elapsed);
/* The same behind a bar, at most `width` characters. */
char *hn_progress_bar(const HnProgress *p, double elapsed, int width);
#endif
