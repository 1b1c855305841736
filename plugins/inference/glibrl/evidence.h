/* evidence.h - what one trial teaches: the evidence of both models and its gradient.
 *
 *   loss = -(ln p(Y_T | C_T) + ln p(y_R | C_R)) / N + lambda ||C||^2 / N    over a batch of N steps
 *
 * Every trial of a batch is a task of its own with its own posterior, hence a shard. */
#ifndef HN_GLIBRL_EVIDENCE_H
#define HN_GLIBRL_EVIDENCE_H
#include "glibrl.h"

/* Sums over the steps of one trial: two of each, transition then reward; retries of both. */
enum {
  GLIBRL_STAT_EVIDENCE = 0,
  GLIBRL_STAT_SQUARES = 2,
  GLIBRL_STAT_SATURATED = 4,
  GLIBRL_STAT_RETRIES = 6,
  GLIBRL_STATS = 7
};

/* Steps that share a tape: their activations stay in the second-level cache. */
enum { GLIBRL_TAPE_ROWS = 256 };

/* Inputs and scaled targets of a trial. */
typedef struct GlibrlTrial {
  int64_t n;        /* steps */
  float *x;         /* [n, reward.inputs] */
  double *y;        /* [n, live columns] */
  double *reward_y; /* [n] */
} GlibrlTrial;

/* Loads the trial of a replay slot into scratch. */
GlibrlTrial glibrl_load_trial(const Glibrl *g, int64_t slot);

typedef struct GlibrlBatch {
  Glibrl *g;
  int64_t steps; /* N, of all trials */
} GlibrlBatch;

/* Puts the gradient of trial i of a GlibrlBatch into g->flat, its sums into g->stats; an HnTask. */
HnStatus glibrl_train_trial(void *batch, int64_t i);
#endif
