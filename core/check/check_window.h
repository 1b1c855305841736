/* check_window.h - the window law of HnInference.infer: how experience is cut into calls changes
 * nothing. */
#ifndef HN_CHECK_WINDOW_H
#define HN_CHECK_WINDOW_H
#include <glib.h>
#include <hunch/inference.h>

typedef HnStatus HnInferMethod(void *self, HnBeliefUpdate *q);

typedef struct HnWindowCheck {
  const HnInference *methods;
  void *self;
  const HnBeliefSpec *spec;
  HnHistory whole;             /* the experience: its steps, rows, stride and arrays */
  const void *state;           /* [rows] row memory before it; NULL: zeros */
  int64_t samples, info_count; /* S; columns of info, 0: not asked */
  bool forward_leaves_state;   /* forward leaves row memory as infer does, though no one reads it */
  /* Calls the method and gives its scratch back.  The text of a failure, or NULL. */
  const char *(*call)(void *arg, HnInferMethod *method, void *self, HnBeliefUpdate *q);
  void *arg;
} HnWindowCheck;

/* Whether one call, one call a time step, two calls cut anywhere, a call for each row alone, and
 * forward where there is one give the same bits of beliefs, info and row memory; if not, `why` says
 * what differs.  [instance] */
bool hn_check_window(const HnWindowCheck *w, GString *why);
#endif
