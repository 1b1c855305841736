/* rollout.h - rows that act in an environment: B trials side by side, in training or evaluation. */
#ifndef HN_ROLLOUT_H
#define HN_ROLLOUT_H
#include "env_layers.h"
#include "experience.h"
#include "predictive_check.h"
#include <hunch/rng.h>

/* What each random stream is for.  A stream is (cell seed, purpose, row), without the arm, so that
 * arms stay paired. */
typedef enum HnPurpose {
  HN_FOR_INFERENCE_WEIGHTS = 1,
  HN_FOR_POLICY_WEIGHTS,
  HN_FOR_POLICY_LEARNING,
  HN_FOR_INFERENCE_LEARNING,
  HN_FOR_ENV,
  HN_FOR_BELIEF,
  HN_FOR_POLICY,
  HN_FOR_EVALUATION = 16, /* added to the last three */
  HN_FOR_QUERIES = 32,
  HN_FOR_WRAPPER = 64 /* added to HN_FOR_ENV once for each environment that a wrapper holds */
} HnPurpose;
HnRng hn_stream(uint64_t seed, int purpose, int64_t row);

/* How long a trial is. */
typedef struct HnTrialLength {
  int64_t episodes; /* that count, each by itself; 1 where steps decide */
  int64_t lifetime; /* steps at most */
  bool by_steps;    /* exactly `lifetime` steps, however many episodes they hold */
} HnTrialLength;

/* What happens to a row's belief at the next observation, where all counted episodes are to begin
 * with the belief that adaptation left. */
enum { HN_BELIEF_CONTINUE = 0, HN_BELIEF_SAVE = 1, HN_BELIEF_RESTORE = 2 };

typedef struct HnRollouts HnRollouts;
/* Called for rollouts of one row, at observation t of a window before the row acts; or (over) after
 * step t has ended an episode and before the next one begins.  Returning HN_ENOUGH ends collecting.
 * [instance] */
enum { HN_ENOUGH = -1 };
typedef HnStatus HnWatcher(void *arg, const HnRollouts *r, const HnExperience *w, int64_t t,
                           bool over);

/* B rows and everything that they carry from window to window. */
struct HnRollouts {
  int64_t rows, split, samples;
  int64_t episodes, lifetime; /* a trial ends after as many of either; INT64_MAX: never */
  bool train, drawn;          /* drawn: actions are sampled, whatever the protocol says */
  bool shuffled;              /* a row acts on the belief of the next row, in blocks of up to 16 */
  HnEnvMemory env;
  char *belief, *policy; /* [B] row memory */
  HnRng *belief_rng, *policy_rng;
  HnRng *task_rng; /* [B] belief_rng as the row's task began, where inference asks for refresh */
  int64_t *episode_step; /* [B] steps taken in the current episode */
  int64_t *trial_step;   /* [B] steps taken in the current trial */
  int64_t *episode;      /* [B] episodes finished in the current trial */
  int64_t *ended;        /* [B] steps of an evaluated trial by which it had all its episodes and
                            so was over, though the row acts on; INT64_MAX: not yet */
  int64_t *next_task;    /* [B] task of the next HN_NEW_TASK, or -1: drawn */
  HnExperience tail;     /* T = 0: the observation to act on next, and the step before it */
  uint8_t *next_belief;  /* [B] HN_BELIEF_CONTINUE .. at the next observation */
  char *saved_belief, *saved_policy; /* [B] row memory with which counted episodes begin */
  HnExperience saved;                /* T = 0: the step that a saved belief has yet to take in */
  HnPredictiveCheck *predictive;     /* scores predictions, or NULL */
  HnWatcher *watch;                  /* or NULL */
  void *watch_arg;
};

/* Rows that begin their first trial.  train false: an evaluation's, with random streams of their
 * own and the tasks that the protocol asks for. */
HnStatus hn_rollouts_make(HnSession *s, HnRollouts *r, int64_t rows, int64_t split,
                          const HnTrialLength *trial, bool train);
void hn_rollouts_free(HnRollouts *r);
/* Begins rollouts of one row anew with the random streams of an evaluation's row `stream`, in that
 * task (-1: a drawn one). */
HnStatus hn_rollouts_begin(HnSession *s, HnRollouts *r, int64_t stream, int64_t task);
/* Collects one iteration: the steps of every phase's window, and adaptation in between. */
HnStatus hn_rollouts_collect(HnSession *s, HnRollouts *r, HnExperience *phase, int64_t phases);
#endif
