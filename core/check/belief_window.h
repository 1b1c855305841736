/* belief_window.h - a session in mid-trial and the beliefs along its last window: what the laws of
 * inference look at. */
#ifndef HN_BELIEF_WINDOW_H
#define HN_BELIEF_WINDOW_H
#include "check_run.h"

/* A session after one update and another window, which begins within trials; NULL with the verdict.
 */
HnSession *hn_belief_session(const HnCell *cell, HnVerdict *verdict, GString *why);
/* Collects another window of the session. */
bool hn_belief_collect(HnSession *s, GString *why);

/* One call of infer on the whole window, with streams of its own where it samples. */
typedef struct HnBeliefs {
  int64_t samples;
  float *belief; /* [T+1, B, max(S, 1), D], NaN where not written */
  float *info;   /* [T+1, B, columns] */
} HnBeliefs;
/* False with what infer says. */
bool hn_beliefs_infer(HnSession *s, int64_t samples, HnBeliefs *out, GString *why);
void hn_beliefs_free(HnBeliefs *b);
/* Whether the point beliefs of row i at times up to `last` are the same bits; if not, where. */
bool hn_beliefs_same(const HnSession *s, const HnBeliefs *a, const HnBeliefs *b, int64_t i,
                     int64_t last, GString *why);
#endif
