/* protocol.h - evaluation protocols: how an evaluated task is acted in and what counts.
 *
 * Sources: Meta-World's metalearning_evaluation and evaluation (metaworld 3.1, commit 7ea2b501),
 * whose count upstream_biased repeats, and how metaworld-algorithms' RL2 acts in it: it samples to
 * adapt, takes the mode where it counts, and restores the adapted memory before every episode.  Two
 * things differ.  There a counted episode starts from a memory without the last step of adaptation,
 * which the environment's reset drops; here it has been taken in.  There goals beyond a multiple of
 * the meta-batch are left out (ML45: 180 of 200); here evaluation.tasks says how many there are.
 *
 * SDVT's evaluate_metaworld (Lee, Cho & Sung 2023, commit b2d87d0): all ten episodes of every goal
 * are sampled; success at any step, reported as the mean and for the last episode. */
#ifndef HN_PROTOCOL_H
#define HN_PROTOCOL_H
#include <stdbool.h>
#include <stdint.h>

/* What makes a protocol. */
enum {
  HN_AS_IN_TRAINING = 1,   /* trials as long as in training; evaluation.greedy, trial_steps apply */
  HN_ADAPTS = 2,           /* adapt_episodes sampled episodes come first; counted ones take the
                              policy's mode, each from the belief that adaptation left */
  HN_COUNTS_SUCCESS = 4,   /* success at any step, over as many rows of each task name */
  HN_COUNTS_LAST = 8,      /* the last counted episode's success is a column of its own */
  HN_ENDS_ON_SUCCESS = 16, /* success ends a counted episode */
  HN_SHARES_COUNT = 32,    /* of `parallel` goals of a task the first episodes to end count */
};

/* X(ID, name, flags, episodes that count by default, description) */
#define HN_PROTOCOLS(X)                                                                       \
  X(TRIAL, "trial", HN_AS_IN_TRAINING, 0, "whole trials, of which every episode counts")      \
  X(METAWORLD, "metaworld", HN_ADAPTS | HN_COUNTS_SUCCESS, 3,                                 \
    "sampled episodes to adapt, then greedy ones that count, from the adapted belief")        \
  X(SDVT, "sdvt", HN_COUNTS_SUCCESS | HN_COUNTS_LAST, 10,                                     \
    "sampled episodes that all count, with the belief carried on")                            \
  X(UPSTREAM_BIASED, "upstream_biased",                                                       \
    HN_ADAPTS | HN_COUNTS_SUCCESS | HN_ENDS_ON_SUCCESS | HN_SHARES_COUNT, 3,                  \
    "as metaworld, but success ends an episode and the first episodes to end count, so that " \
    "goals reached quickly count more often")

#define HN_PROTOCOL_ID(id, ...)                  HN_PROTOCOL_##id,
#define HN_PROTOCOL_CHOICE(id, name, ...)        "|" name
#define HN_PROTOCOL_DOC(id, name, flags, n, doc) " " name ": " doc "."
typedef enum HnProtocolKind { HN_PROTOCOLS(HN_PROTOCOL_ID) HN_PROTOCOL_COUNT } HnProtocolKind;
/* For the schema of evaluation.protocol: "trial|metaworld|..", " trial: whole trials, ..". */
#define HN_PROTOCOL_CHOICES (&(HN_PROTOCOLS(HN_PROTOCOL_CHOICE))[1])
#define HN_PROTOCOL_DOCS    HN_PROTOCOLS(HN_PROTOCOL_DOC)

/* A row of the table above. */
typedef struct HnProtocolRow {
  const char *name;
  int flags;
  int64_t episodes; /* that count by default; 0: as in training */
  const char *doc;
} HnProtocolRow;
/* All of them, up to one without a name. */
extern const HnProtocolRow hn_protocol_rows[HN_PROTOCOL_COUNT + 1];

typedef struct HnProtocol {
  int flags;
  int64_t adapt;        /* episodes of a row before those that count */
  int64_t episodes;     /* that count: of a row; where goals share a count, of all of them */
  int64_t parallel;     /* rows of one task name that share a count */
  int64_t row_episodes; /* that a row has time for */
  int64_t trial_steps;  /* that a row has time for, counted as one episode; 0: episodes decide */
  bool greedy;          /* the policy's mode where episodes count; never of HN_STOCHASTIC ones */
} HnProtocol;

typedef struct HnCell HnCell;
HnProtocol hn_protocol_of(const HnCell *cell);
/* One sentence that says how a result was counted; free with g_free. */
char *hn_protocol_text(const HnCell *cell);
#endif
