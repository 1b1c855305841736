/* trial_replay.h - a replay buffer of whole trials.
 *
 * A step is written once: a row's unfinished trial already lies in the slot where it will stay, so
 * windows may cut a trial anywhere.  There are buffer + rows slots: at most `buffer` finished
 * trials, the oldest of which is overwritten, and an unfinished one for each row.
 *
 * Memory, all of it kept as HN_REPLAY, of which the slots in use are saved:
 *   (buffer + rows) (length (4 (obs_dim + action_dim + belief_dim + 1) + 2)
 *                    + 4 (episodes obs_dim + task_dim) + 16) + 16
 * bytes, where an observation is kept once although steps have two ends: it is the next step's
 * too, unless an episode ends in between.  E.g. 10,000 trials of two episodes and 400 steps in an
 * environment of 20 observations and 6 actions take 442 MB.
 *
 * A learner of whole trials draws slots with hn_trial_replay_draw or _draw_distinct and reads the
 * arrays.  An off-policy learner draws transitions, which are those of finished trials, and asks
 * for the beliefs that go with them:
 *
 *   transition[i] = hn_trial_replay_draw_transition(r, rng);               a slot and a step t
 *   slot[i] = transition[i].slot, steps[i] = transition[i].step + 1;
 *   HnHistory h = hn_trial_replay_window(r, host, n, slot, steps);
 *   batch->infer(batch, &h, samples, belief);    row i: before step t at t, after it at t + 1 */
#ifndef HN_TRIAL_REPLAY_H
#define HN_TRIAL_REPLAY_H
#include <hunch/encode.h>
#include <string.h>

/* What is kept of a step.  A width of 0 leaves that array out. */
typedef struct HnTrialReplayShape {
  int64_t buffer, rows, length;  /* finished trials, rows, steps of the longest trial */
  int64_t episodes;              /* of a trial at most */
  int64_t obs_dim, next_obs_dim; /* of the observation before and after a step */
  int64_t action_dim;            /* of the action as networks read it */
  int64_t task_dim;              /* of the true task, one a trial */
  int64_t belief_dim;            /* of the beliefs acted on, all samples */
  bool discrete;                 /* actions have an index, and are kept one-hot */
  bool forgets;                  /* some windows will be passed over */
} HnTrialReplayShape;

typedef struct HnTrialReplay {
  const HnHost *host;
  HnTrialReplayShape shape;
  int64_t used; /* slots ever written */
  /* [buffer + rows, length, ..] */
  float *obs, *action, *reward, *belief;
  /* Where steps led: of every step, unless obs is kept, which has it; then of those that end an
   * episode [buffer + rows, episodes, ..], in their order. */
  float *next_obs, *end_obs;
  uint8_t *ended, *terminated; /* whether the step ended an episode, and in a terminal state */
  float *task;                 /* [buffer + rows, task_dim] */
  int64_t *steps;              /* [buffer + rows] length of the trial so far */
  int64_t *finished;           /* [buffer] slots of finished trials, a ring */
  int64_t *running;            /* [rows] slot of each row's unfinished trial */
  int64_t *count;              /* [1] of finished trials */
  int64_t *oldest;             /* [1] where in the ring it is once the ring is full */
  uint8_t *forgotten;          /* [rows] whether the row's unfinished trial will not be kept */
} HnTrialReplay;

/* Keeps the arrays replay.obs, replay.end, replay.next, replay.act, replay.belief, replay.reward,
 * replay.ended, replay.terminated, replay.task, replay.steps, replay.finished, replay.running,
 * replay.count, replay.oldest and, if it forgets, replay.forgotten. [create] */
void hn_trial_replay_create(HnTrialReplay *r, const HnHost *host, const HnTrialReplayShape *shape);

/* Appends a window whose rows continue those of the last one.  Errors: HN_E_SHAPE if it has other
 * rows, or a trial is longer than shape.length or has more than shape.episodes.  [instance] */
HnStatus hn_trial_replay_append(HnTrialReplay *r, const HnHistory *h);

/* Passes over a window whose rows continue those of the last one: no trial that has a step in it
 * will be among the finished ones.  shape.forgets must be set.  [instance] */
void hn_trial_replay_pass_over(HnTrialReplay *r, const HnHistory *h);

/* Where a step of a finished trial led [next_obs_dim], before any reset; or where the first n did
 * [n, next_obs_dim].  next_obs_dim must not be 0.  [any] */
const float *hn_trial_replay_next_obs(const HnTrialReplay *r, int64_t slot, int64_t step);
void hn_trial_replay_next_all(const HnTrialReplay *r, int64_t slot, int64_t n, float *next);

/* Finished trials. */
static inline int64_t hn_trial_replay_count(const HnTrialReplay *r) {
  return *r->count;
}

/* The slot of a finished trial, each as likely as any other.  There must be one.  [any] */
int64_t hn_trial_replay_draw(const HnTrialReplay *r, HnRng *rng);

/* Slots of `count` different finished trials out of the first `among` to finish, among <=
 * hn_trial_replay_count; all of them for a ring that is full.  Floyd's algorithm.  [any] */
void hn_trial_replay_draw_distinct(const HnTrialReplay *r, HnRng *rng, int64_t among, int64_t count,
                                   int64_t *slot);

/* Step `step` of the trial in slot `slot`; its numbers are at slot * shape.length + step. */
typedef struct HnTransition {
  int64_t slot, step;
} HnTransition;
/* A step of the finished trials, each as likely as any other, however long its trial.  Takes
 * longest / mean length tries.  There must be one.  [any] */
HnTransition hn_trial_replay_draw_transition(const HnTrialReplay *r, HnRng *rng);

/* The first steps[i] steps of the trials in slot[i], i < n, as one dense window in host->scratch.
 * Every row begins with a new task.  Observation `steps` is that of the next step, at a trial's end
 * next_obs of its last.  A row that is shorter than the longest goes on with zeros, which its
 * length, `steps` itself, leaves out of losses.  Arrays that are not kept are NULL.  [any] */
HnHistory hn_trial_replay_window(const HnTrialReplay *r, const HnHost *host, int64_t n,
                                 const int64_t *slot, const int64_t *steps);
/* `steps` steps of the trial in slot[i], i < n, as a window in which each is an episode of its own:
 * step t of row i is step pick[t n + i] of the trial, and repeats are allowed.  For methods whose
 * belief does not depend on the order of steps; that of time t is the belief of the first t of
 * them.  Observation `steps` is where the last one led.  [any] */
HnHistory hn_trial_replay_context(const HnTrialReplay *r, const HnHost *host, int64_t n,
                                  const int64_t *slot, int64_t steps, const int64_t *pick);
#endif
