/* session.h - a running cell: its plugins, its worker threads, its rollouts and their experience.
 */
#ifndef HN_SESSION_H
#define HN_SESSION_H
#include "protocol.h"
#include "rollout.h"
#include "task_list.h"
#include <hunch/policy.h>

enum { HN_PHASES_MAX = 16 };

/* A split that evaluations act in, and how. */
typedef struct HnEvaluationPass {
  int64_t split;
  bool drawn;       /* every action is sampled, whatever the protocol says */
  bool shuffled;    /* rows act on each other's beliefs */
  const char *name; /* that its columns have behind "eval."; the deciding one's have none */
} HnEvaluationPass;

struct HnSession {
  const HnCell *cell;
  FILE *log;
  HnPool *pool;
  HnArena main;    /* scratch of this thread */
  HnArena forward; /* what an inference's forward leaves for its backward */
  HnInstance *env, *inference, *policy;
  bool inference_created, policy_created;
  HnEnvSpec es;
  HnBeliefSpec bs;
  HnPolicySpec ps;
  HnShape shape;
  char **splits;
  HnTaskList *tasks; /* of each split */
  int64_t phases, steps;
  HnProtocol protocol;             /* of evaluations */
  HnTrialLength trial, eval_trial; /* in training and in evaluation */
  int64_t eval_samples;            /* acted on in evaluation; in training run.samples */
  HnEvaluationPass *pass;          /* [passes] that make an evaluation, the deciding one first */
  guint passes;
  int success; /* the environment's column of that name, or -1 */
  HnRollouts rollouts;
  HnExperience phase[HN_PHASES_MAX], gather;
  HnHistory gathered; /* gather, as the learner may see it */
  const HnInstance *learner;
  HnExperience history;   /* where inference asks for refresh: each unfinished trial's steps */
  int64_t *history_steps; /* [B] */
  HnRng policy_learning, inference_learning;
  int64_t update, frames;
  /* By the learning of this update, see belief_diagnostics.h; NaN: not asked, or nothing to say. */
  double belief_drift, belief_policy_kl;
  const char *scheduled;        /* plugin that asked how long the run is, or NULL */
  HnBeliefUpdate belief_update; /* the last one that a learner asked for; backward reads it */
  HnHistory belief_history;
};

#define HN_INFERENCE(s) ((const HnInference *)(s)->inference->plugin->methods)
#define HN_POLICY(s)    ((const HnPolicy *)(s)->policy->plugin->methods)

/* Creates the plugins and begins the first trials.  NULL with the plugin's reason. */
HnSession *hn_session_new(const HnCell *cell, FILE *log, GError **error);
void hn_session_free(HnSession *s);
/* Whether the policy's learning is lent a backward, which trains the inference. */
static inline bool hn_session_trains_through_policy(const HnSession *s) {
  return HN_CAN(HN_INFERENCE(s), backward) && !s->cell->run.stop_gradient;
}
/* Frames that an update collects. */
static inline int64_t hn_session_frames(const HnSession *s) {
  return s->phases * s->rollouts.rows * s->steps;
}
/* Index of the split of that name; false with HN_ERROR_REFUSED if the environment has none. */
bool hn_session_find_split(const HnSession *s, const char *name, int64_t *split, GError **error);
/* Puts a plugin's failure, with its reason, into error; returns false.  doing: what, in words;
 * NULL: beginning, where what does not fit is a refusal. */
bool hn_session_failed(const HnSession *s, const char *doing, HnStatus status, GError **error);
#endif
