/* protocol.h - how an evaluation is lived and counted: named choices and the numbers they set.
 *
 * trial: whole trials, every episode of them counts.
 *
 * metaworld: adapt_episodes sampled episodes, then `episodes` of the policy's mode, each from the
 * belief that adaptation left; every one counts.
 *
 * sdvt: `episodes` sampled episodes with the belief carried on, every one counts.
 *
 * upstream_biased: as metaworld, but success ends an episode, and of `parallel` goals of one task
 * side by side the first `episodes` to end count, wherever they were lived: goals that are reached
 * quickly are counted more often.
 *
 * Sources: Meta-World's metalearning_evaluation and evaluation (metaworld 3.1, commit 7ea2b501),
 * whose count upstream_biased repeats, and how metaworld-algorithms' RL2 acts in it: draws to
 * adapt, the mode where it counts, the adapted memory put back before every episode.  Two things
 * differ. There a counted episode starts from a memory without the last step of adaptation, which
 * the environment's reset drops; here it has been taken in.  There goals beyond a multiple of the
 * meta-batch are left out (ML45: 180 of 200); here evaluation.tasks says how many there are.
 *
 * SDVT's evaluate_metaworld (Lee, Cho & Sung 2023, commit b2d87d0): all ten episodes of every goal
 * are sampled; success at any step, reported as the mean and for the last episode. */
#ifndef HN_PROTOCOL_H
#define HN_PROTOCOL_H
#include "cell.h"

/* In the order of evaluation.protocol's choices. */
typedef enum HnProtocolKind {
  HN_PROTOCOL_TRIAL,
  HN_PROTOCOL_METAWORLD,
  HN_PROTOCOL_SDVT,
  HN_PROTOCOL_UPSTREAM_BIASED
} HnProtocolKind;

typedef struct HnProtocol {
  HnProtocolKind kind;
  int64_t adapt;    /* episodes of a row before those that count */
  int64_t episodes; /* that count: of a row; where goals share a count, of all of them */
  int64_t parallel; /* rows of one task name that share a count; 0: each has its own */
  int64_t life;     /* episodes that a row has time for */
  int64_t steps;    /* that a row has time for, counted as one episode; 0: life decides */
  bool greedy;      /* the policy's mode where episodes count */
  bool restore;     /* episodes that count begin with the belief that adaptation left */
} HnProtocol;

HnProtocol hn_protocol_of(const HnCell *cell);
/* One sentence that says how a result was counted; free with g_free. */
char *hn_protocol_text(const HnCell *cell);
#endif
