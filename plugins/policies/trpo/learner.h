/* learner.h - what learners of this library do alike: act, and read windows of experience. */
#ifndef TRPO_LEARNER_H
#define TRPO_LEARNER_H
#include "actor.h"

#define RETURN_PARAMS(X, lambda)                                                                  \
  X(real, gamma, "", "Discount factor per step; 0: only a step's own reward counts.", 0.99, 0, 1) \
  X(real, gae_lambda, "", "Lambda of generalised advantage estimation.", lambda, 0, 1)            \
  X(choice, advantages, "",                                                                       \
    "What centred advantages are divided by; variance: as published in garage, where it is "      \
    "called "                                                                                     \
    "a standard deviation; raw: neither centred nor divided.",                                    \
    "stddev", "stddev|variance|raw")

/* In aux: steps since the return began, then the draw before tanh if squash is sample. */
enum { AUX_TIME, AUX_RAW };

typedef struct Learner {
  const HnHost *host;
  ActorCritic net; /* an actor alone */
  int64_t obs_dim, aux_dim;
  bool trials; /* returns run over a whole trial, not over an episode */
} Learner;

/* Checks and makes the actor, and fills in spec's outputs for a policy of one phase without row
 * memory.  Errors: HN_E_PARAM, HN_E_SHAPE; HN_E_UNSUPPORTED, also where the inference would be
 * trained through the policy, which these learners do not.  [create] */
HnStatus learner_create(Learner *m, const HnHost *host, const ActorCriticParams *p,
                        HnPolicySpec *spec);

/* Rows first .. of the batch act by `net`, the learner's own or a view of it; memory is reset.
 * [rows] */
void learner_act(const Learner *m, HnReuse *memory, const ActorCritic *net, HnActBatch *a,
                 int64_t first, int64_t rows);

/* Elements of a window: all of it, or a row's. */
typedef struct Elements {
  const HnHistory *h;
  int64_t row;         /* -1: all rows, time-major */
  int64_t from, steps; /* of each row */
} Elements;
static inline int64_t elements_count(const Elements *e) {
  return e->row < 0 ? e->steps * e->h->rows : e->steps;
}

/* Copies the elements into s, which has room for them; not their advantages.  [any] */
void learner_read(const Learner *m, const Elements *e, Sample *s);
/* Advantages of the elements by a linear baseline of observation, belief and time that is fitted to
 * them; coef as in linear_baseline_advantages.  Fills s->advantage, divided as `by` says; value
 * [count] gets what the baseline predicts.  The end of the window ends no return of its own, but
 * what is left there is only what `coef` says.  Scratch is the given host's.  [any] */
Moments learner_advantages(const Learner *m, const HnHost *host, const ReturnRule *rule, int by,
                           const Elements *e, double *coef, float *value, Sample *s);
static inline int64_t learner_inputs(const Learner *m) {
  return m->obs_dim + m->net.D;
}
/* Input statistics take the windows of the batch in, for what is acted from now on. [instance] */
void learner_take_in(Learner *m, const HnTrainBatch *l);
#endif
