/* process_state.h - what a call of a plugin may not leave changed of the process that it runs in.
 */
#ifndef HN_PROCESS_STATE_H
#define HN_PROCESS_STATE_H
#include <glib.h>
#include <stdbool.h>

enum { HN_STATE_FILES = 256, HN_STATE_SIGNALS = 65 };

typedef struct HnProcessState {
  guint64 floating_point; /* rounding, flushing of denormals, traps */
  guint threads, umask;
  bool children;
  bool open[HN_STATE_FILES];
  void *handler[HN_STATE_SIGNALS];
  guint64 blocked; /* signals of this thread */
  guint environment, locale, folder, limits;
  char drawn[128];           /* state of rand() and random() */
  unsigned short drawn48[3]; /* of drand48() */
} HnProcessState;

/* Must be called once before any state is read: gives rand() a state that can be looked at, and
 * makes this process the parent of what its children leave. */
void hn_process_state_begin(void);
/* Makes floating point, signals and umask what they are in a new process. */
void hn_process_state_reset(void);
HnProcessState hn_process_state(void);
/* Takes over how much has been drawn from rand(). */
void hn_process_state_ignore_draws(HnProcessState *s);
/* What of `before` is no longer so, in words, or NULL; sets floating point back to it. */
const char *hn_process_state_change(const HnProcessState *before);
#endif
