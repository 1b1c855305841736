/* ecet.h - ECET as a library: a transformer over steps for each episode, and one over episodes.
 *
 * Each episode becomes a vector: the current one that of its last steps, a past one that of a few
 * steps drawn from it.  The second transformer is causal over these vectors: a past episode's sees
 * those before it, the current one's all of them; what it says is the belief.  So a past episode's
 * keys and values never change while weights stand still, and are kept.
 *   episodes.c  from steps to windows: which tokens are read, what a row remembers of them
 *   across.c    the transformer over episodes, and the plugin's methods
 * Source: arXiv 2402.06402; see docs/methods/ecet.md for what is known of it and what is ours. */
#ifndef HN_ECET_H
#define HN_ECET_H
#include "transformer.h"

typedef struct Ecet Ecet;

/* A row's memory; behind it lie the floats that the functions below return. */
typedef struct EcetRow {
  int64_t past;     /* episodes of the trial that have ended */
  int64_t steps;    /* tokens of the current one so far */
  int64_t step[64]; /* of each sampled token, which of these it was */
} EcetRow;

/* A window of experience as both transformers read it.  Windows are in order of rows, and of time
 * within a row; the window of an episode that has ended stands before that of the next one's first
 * step. */
typedef struct EcetPlan {
  Windows windows;
  int64_t *first;   /* [B+1] the first window of each row */
  int64_t *time;    /* [n] the time step whose belief it is; -1: of an ended episode */
  int64_t *episode; /* [n] which of the trial's it is of, from 0 */
  /* [n, episodes] who is attended to, itself last: windows count from B kept, those of row memory
   * from 0: kept of each row, episode e at e mod kept; -1: nobody */
  int32_t *key;
  float *start;  /* [B, episode_layers, kept, 2 width] keys and values before time 0 */
  float *vector; /* [n, width] what the windows say */
} EcetPlan;

enum { ECET_POSITIONS = 64 };
struct Ecet {
  Transformer net;
  const HnEncoder *across;
  int64_t episodes, kept; /* attended to; of the past */
  float *position;        /* [ECET_POSITIONS, width] of the first episodes of a trial */
  size_t row_size;
  EcetPlan plan; /* of the last forward, until its backward */
};

/* Row i's memory, and in it: [memory, in] the newest tokens and those sampled, 0 beyond those that
 * there are; [episode_layers, kept, 2 width]. */
EcetRow *ecet_row(const Ecet *m, const HnBeliefUpdate *q, int64_t i);
float *ecet_recent(const Ecet *m, EcetRow *row);
float *ecet_sampled(const Ecet *m, EcetRow *row);
float *ecet_keys(const Ecet *m, EcetRow *row);
size_t ecet_row_size(const Ecet *m);

/* Reads a window, all but `vector`, in scratch; rows then remember its tokens, and of earlier
 * tasks nothing. */
EcetPlan ecet_plan(const Ecet *m, const HnBeliefUpdate *q);

/* The plugin's methods, as in hunch/inference.h. */
HnStatus ecet_create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec);
HnStatus ecet_infer(void *self, HnBeliefUpdate *q);
HnStatus ecet_forward(void *self, HnBeliefUpdate *q);
HnStatus ecet_backward(void *self, const HnBeliefUpdate *q, const float *d_belief, double *norm2);
#endif
