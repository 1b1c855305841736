/* evidence.c - the evidence of a trial and its gradient through the feature networks. */
#include "evidence.h"
#include "model.h"
#include <math.h>
#include <string.h>

GlibrlTrial glibrl_load_trial(const Glibrl *g, int64_t slot) {
  const HnHost *host = g->host;
  const HnTrialReplay *r = &g->replay;
  int64_t n = r->steps[slot], o = g->obs_dim, first = slot * r->shape.length,
          live = glibrl_live_columns(g);
  float *next = host->scratch(host, n * o, sizeof *next);
  hn_trial_replay_next_all(r, slot, n, next);
  float *delta = host->scratch(host, n * o, sizeof *delta);
  GlibrlTrial trial = {.n = n};
  trial.x = host->scratch(host, n * g->reward.inputs, sizeof *trial.x);
  trial.y = host->scratch(host, n * live, sizeof *trial.y);
  trial.reward_y = host->scratch(host, n, sizeof *trial.reward_y);
  glibrl_make_inputs(g, n, r->obs + first * o, r->action + first * g->action_dim, next, delta,
                     trial.x);
  const float *raw = g->p->transition_target == GLIBRL_TARGET_DELTA ? delta : next;
  for (int64_t t = 0; t < n; t++) {
    glibrl_make_target(g, raw + t * o, trial.y + t * live);
    trial.reward_y[t] = glibrl_make_reward_target(g, r->reward[first + t]);
  }
  return trial;
}

/* One model on one trial. */
typedef struct Job {
  const GlibrlBatch *batch;
  const GlibrlModel *model;
  int which;       /* 0 transition, 1 reward */
  int64_t n, m;    /* steps, targets */
  const float *x;  /* [n, model inputs] */
  const double *y; /* [n, m] */
  float *flat;     /* gradient of the trial */
  double *stats;
} Job;

/* The network on GLIBRL_TAPE_ROWS steps. */
typedef struct Chunk {
  HnTape tape;
  HnVar *phi;
} Chunk;

/* Backward through the network, a chunk at a time: d/dphi of (penalty - evidence) from features c
 * and d evidence/dC, both [n, D]. */
static void backward_chunks(const Job *j, const float *c, const float *dc, Chunk *chunk) {
  const GlibrlModel *k = j->model;
  const Glibrl *g = j->batch->g;
  float *seed = g->host->scratch(g->host, GLIBRL_TAPE_ROWS * k->learnt, sizeof *seed);
  double divisor = (double)j->batch->steps, lambda = k->regulariser;
  if (g->p->regulariser_per_step) lambda /= divisor;
  const float penalty = (float)(2 * lambda * (double)k->gain);
  const float evidence = (float)((double)k->gain / divisor);
  for (int64_t from = 0; from < j->n; from += GLIBRL_TAPE_ROWS, chunk++) {
    for (int64_t i = 0; i < chunk->phi->rows; i++) {
      const float *x = c + (from + i) * k->d, *d = dc + (from + i) * k->d;
      float *to = seed + i * k->learnt;
      for (int64_t l = 0; l < k->learnt; l++) to[l] = penalty * x[l] - evidence * d[l];
    }
    hn_tape_backward_from(&chunk->tape, chunk->phi, seed);
  }
}

/* Adds network outputs to the sums of the trial. */
static void count_features(const Job *j, const HnVar *phi) {
  const GlibrlModel *k = j->model;
  const int64_t count = phi->rows * k->learnt;
  int32_t saturated = 0;
  for (int64_t i = 0; i < count; i++) saturated += fabsf(phi->data[i]) > 0.99f;
  j->stats[GLIBRL_STAT_SQUARES + j->which] +=
      (double)k->gain * (double)k->gain * hn_vec_norm2(count, phi->data);
  j->stats[GLIBRL_STAT_SATURATED + j->which] += (double)saturated / (double)k->learnt;
}

/* Features c [n, D] on tapes. */
static Chunk *forward_chunks(const Job *j, float *c) {
  const GlibrlModel *k = j->model;
  const HnHost *host = j->batch->g->host;
  const int64_t count = (j->n + GLIBRL_TAPE_ROWS - 1) / GLIBRL_TAPE_ROWS;
  Chunk *chunk = host->scratch(host, count, sizeof *chunk);
  for (int64_t i = 0; i < count; i++) {
    const int64_t from = i * GLIBRL_TAPE_ROWS, left = j->n - from;
    const int64_t rows = left < GLIBRL_TAPE_ROWS ? left : GLIBRL_TAPE_ROWS;
    HnTape *tape = &chunk[i].tape;
    *tape = hn_tape_begin(host, true);
    HnVar *x = hn_constant(tape, rows, k->inputs, j->x + from * k->inputs);
    chunk[i].phi = hn_mlp(tape, &k->net, x, j->flat);
    glibrl_finish_features(k, rows, chunk[i].phi->data, c + from * k->d);
    count_features(j, chunk[i].phi);
  }
  return chunk;
}

static HnStatus train_model(const Job *j) {
  const GlibrlModel *k = j->model;
  const Glibrl *g = j->batch->g;
  const HnHost *host = g->host;
  float *c = host->scratch(host, j->n * k->d, sizeof *c);
  float *dc = host->scratch(host, j->n * k->d, sizeof *dc);
  Chunk *chunk = forward_chunks(j, c);

  HnMnwPrior prior = glibrl_prior(g, k, j->m);
  HnMnwTrial trial = {
      .n = j->n, .d = k->d, .m = j->m, .c = c, .ldc = k->d, .y64 = j->y, .ldy = j->m};
  HnMnwEvidence result = {.dc = dc, .lddc = k->d};
  void *work = host->scratch(host, (int64_t)hn_mnw_train_size(j->n, k->d, j->m), 1);
  HnStatus status = hn_mnw_train(&prior, &trial, &result, work);
  if (status) return host->fail(host, status, "evidence of a trial of %d steps", (int)j->n);

  backward_chunks(j, c, dc, chunk);
  if (g->p->learn_prior) {
    j->flat[k->prior->offset] -= (float)(result.d_log_xi / (double)j->batch->steps);
    j->flat[k->prior->offset + 1] -= (float)(result.d_log_psi / (double)j->batch->steps);
  }
  j->stats[GLIBRL_STAT_EVIDENCE + j->which] = result.evidence;
  j->stats[GLIBRL_STAT_RETRIES] += (double)result.jitter_retries;
  return HN_OK;
}

HnStatus glibrl_train_trial(void *batch, int64_t i) {
  const GlibrlBatch *b = batch;
  Glibrl *g = b->g;
  const HnHost *host = g->host;
  const GlibrlTrial trial = glibrl_load_trial(g, g->slot[i]);
  int64_t n = trial.n, wide = g->reward.inputs, narrow = g->transition.inputs,
          live = glibrl_live_columns(g);
  Job reward = {.batch = b,
                .model = &g->reward,
                .which = 1,
                .n = n,
                .m = 1,
                .x = trial.x,
                .y = trial.reward_y,
                .flat = g->flat + i * g->store.size,
                .stats = g->stats + i * GLIBRL_STATS};
  memset(reward.flat, 0, (size_t)g->store.size * sizeof *reward.flat);
  memset(reward.stats, 0, GLIBRL_STATS * sizeof *reward.stats);
  if (live) {
    float *x = host->scratch(host, n * narrow, sizeof *x);
    for (int64_t t = 0; t < n; t++)
      memcpy(x + t * narrow, trial.x + t * wide, (size_t)narrow * sizeof *x);
    Job transition = reward;
    transition.model = &g->transition, transition.which = 0, transition.m = live;
    transition.x = x, transition.y = trial.y;
    HnStatus status = train_model(&transition);
    if (status) return status;
  }
  return train_model(&reward);
}
