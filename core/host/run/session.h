/* session.h - a cell at work: its plugins, its workers, the rows that train and those that are
 * evaluated.  Split over session.c (making), collect.c (acting), lesson.c (learning), evaluate.c.
 */
#ifndef HN_SESSION_H
#define HN_SESSION_H
#include "experience.h"
#include "predictive_check.h"
#include "protocol.h"

enum { HN_BLOCK = 16 }; /* rows that act together, at most; no result depends on how many do */
enum { HN_PHASES_MAX = 16 };

/* What each stream of random numbers is for.  A stream is (cell seed, purpose, row), without the
 * arm, so arms stay paired. */
typedef enum HnPurpose {
  HN_FOR_INFERENCE_WEIGHTS = 1,
  HN_FOR_POLICY_WEIGHTS,
  HN_FOR_POLICY_LEARNING,
  HN_FOR_INFERENCE_LEARNING,
  HN_FOR_ENV,
  HN_FOR_BELIEF,
  HN_FOR_POLICY,
  HN_FOR_EVALUATION = 16, /* added to the last three */
  HN_FOR_QUESTIONS = 32
} HnPurpose;
HnRng hn_stream(uint64_t seed, int purpose, int64_t row);

/* What a percept means for a row whose counted episodes all begin with the same belief. */
enum { HN_GO_ON = 0, HN_KEEP_BELIEF = 1, HN_RESTORE_BELIEF = 2 };

/* What a watcher returns who has seen enough, and collecting ends with. */
enum { HN_ENOUGH = -1 };
typedef struct HnRollouts HnRollouts;
/* A crew of one row is at percept t of a window and about to act; or (over) step t ended an episode
 * and nothing has begun yet.  [instance] */
typedef HnStatus HnWatcher(void *arg, const HnRollouts *c, const HnExperience *w, int64_t t,
                           bool over);

/* B rows that act, and all they remember between windows. */
struct HnRollouts {
  int64_t rows, split, samples;
  int64_t episodes, lifetime; /* a trial ends after as many of either, where the other is endless */
  bool train;
  char *env, *belief, *policy; /* [B] row memory */
  HnRng *env_rng, *belief_rng, *policy_rng;
  int64_t *age, *lived, *episode;  /* [B] steps in this episode; steps, episodes in this trial */
  int64_t *wanted;                 /* [B] task asked for at the next HN_NEW_TASK, or -1: draw */
  HnExperience tail;               /* T = 0: the percept to go on from, and the step before it */
  uint8_t *resume;                 /* [B] HN_GO_ON, .. at the percept to come */
  char *kept_belief, *kept_policy; /* [B] row memory with which counted episodes begin */
  HnExperience kept;               /* T = 0: the step that this belief has yet to take in */
  HnPredictiveCheck *ask;          /* what predictions come to, or NULL: not asked */
  HnWatcher *watch;                /* or NULL; only of crews of one row */
  void *watch_arg;
};

/* How long a trial is. */
typedef struct HnTrialLength {
  int64_t episodes; /* that count, each by itself; 1 where steps decide */
  int64_t lifetime; /* steps at most */
  bool by_steps;    /* exactly lifetime steps, whatever episodes they hold */
} HnTrialLength;

struct HnSession {
  const HnCell *cell;
  FILE *log;
  HnPool *pool;
  HnArena main, lesson; /* scratch of this thread; what an inference's forward leaves behind */
  HnInstance *env, *inference, *policy;
  bool env_created, inference_created, policy_created;
  HnEnvSpec es;
  HnBeliefSpec bs;
  HnPolicySpec ps;
  HnShape shape;
  char **splits;
  int64_t phases, steps;
  HnProtocol protocol;             /* of evaluations */
  HnTrialLength trial, eval_trial; /* in training and in evaluation */
  int64_t eval_samples;            /* acted on in evaluation; in training run.samples */
  int64_t *eval_split;             /* [eval_split_count] indices, the one that decides first */
  guint eval_split_count;
  int success; /* the environment's column of that name, or -1 */
  HnRollouts crew;
  HnExperience phase[HN_PHASES_MAX], gather;
  HnHistory gathered; /* gather, as its reader may see it */
  HnExperience life;  /* where inference asks for refresh: [lifetime] steps of each running life */
  int64_t *life_at;   /* [B] steps in it */
  HnRng policy_learning, inference_learning;
  int64_t update, frames;
  HnBeliefUpdate thought; /* of the last believe of a lesson, for its backward */
  HnHistory thought_history;
};

#define HN_ENV(s)       ((const HnEnv *)(s)->env->plugin->methods)
#define HN_INFERENCE(s) ((const HnInference *)(s)->inference->plugin->methods)
#define HN_POLICY(s)    ((const HnPolicy *)(s)->policy->plugin->methods)

/* Creates the plugins and begins the first trials.  NULL with the plugin's reason. */
HnSession *hn_session_new(const HnCell *cell, FILE *log, GError **error);
void hn_session_free(HnSession *s);
/* Puts a plugin's failure, with its reason, into error; returns FALSE. */
gboolean hn_session_failed(const HnSession *s, const char *doing, HnStatus status, GError **error);

/* crew: rows that begin their first trial.  evaluation: streams of their own. */
HnStatus hn_rollouts_make(HnSession *s, HnRollouts *c, int64_t rows, int64_t split,
                          const HnTrialLength *trial, bool train);
void hn_rollouts_free(HnRollouts *c);
/* Begins a crew of one row anew, with the random streams of row `stream` of an evaluation and with
 * that numbered task, or (-1) one that is drawn. */
HnStatus hn_rollouts_begin(HnSession *s, HnRollouts *c, int64_t stream, int64_t task);
/* One iteration of every phase: steps, and adaptation in between. */
HnStatus hn_rollouts_collect(HnSession *s, HnRollouts *c, HnExperience *phase, int64_t phases);

/* Both learn from the windows just collected; then running lives are replayed where asked. */
HnStatus hn_session_learn_policy(HnSession *s);
HnStatus hn_session_learn_inference(HnSession *s);
HnStatus hn_session_refresh(HnSession *s);
#endif
