/* check_run.h - the laws of plugins of every kind, on short runs of the whole loop. */
#ifndef HN_CHECK_RUN_H
#define HN_CHECK_RUN_H
#include "check.h"
#include "session.h"

#define HN_CHECK_RUN_LAWS                                                                      \
  {"repeats",                                                                                  \
   "The same seed gives the same bits in another process, later and in another environment.",  \
   hn_check_repeats},                                                                          \
      {"workers", "Results do not depend on the number of workers.", hn_check_workers}, {      \
    "resumes", "What is kept, and row memory, is all that there is to save.", hn_check_resumes \
  }
HnVerdict hn_check_repeats(const HnCell *cell, GString *why);
HnVerdict hn_check_workers(const HnCell *cell, GString *why);
HnVerdict hn_check_resumes(const HnCell *cell, GString *why);

/* A session of the cell, or NULL with the verdict: parameters, files and shapes that a plugin
 * refuses are no fault of its own.  It is to be freed before another is made. */
HnSession *hn_check_session(const HnCell *cell, HnVerdict *verdict, GString *why);
/* One iteration: collecting, then learning. */
bool hn_check_update(HnSession *s, GString *why);
#endif
