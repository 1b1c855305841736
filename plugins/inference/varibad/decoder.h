/* decoder.h - the losses of what is decoded from latents, and their gradients.
 *
 * A batch has n trials and K latents for each, z [K n, d] or what a dispersion makes of them:
 * latent k of trial j at k n + j.  Steps [T n, ..] are time-major.  Every loss is unweighted, and
 * its gradient, which is weighted, is added to that of z and to the decoders' flat gradient.
 *
 * Exact shortcuts: where a decoder reads the latent alone, each latent is decoded once and its
 * steps are counted; else what a latent and what a step add to the first layer are computed once
 * each, and pairs start from their sum.  With dropout a pair has embeddings of its own, so only
 * what the latent adds, and embeddings before it, are computed once. */
#ifndef HN_VARIBAD_DECODER_H
#define HN_VARIBAD_DECODER_H
#include "encoder.h"

/* What the latents of a batch are to explain. */
typedef struct VaribadTerms {
  const Varibad *v;
  int64_t n, K, T;    /* trials, latents of each, steps of the longest */
  int64_t *time;      /* [K n] steps that each latent has seen */
  int64_t *length;    /* [n] steps of each trial; a latent with time > length is left out */
  int64_t picks;      /* steps that each latent decodes; 0: all of them */
  int64_t *pick;      /* [K n, picks] which they are */
  double *weight;     /* [n] weight of one latent of each trial */
  VaribadSteps steps; /* [T n] */
  float *before;      /* [T n, state_dim] the state that each step left; NULL: nothing reads it */
  const float *task;  /* [n, task_dim] */
  HnRng *rng;         /* [n] for dropout */
} VaribadTerms;

/* 0 if nothing of the kind is decoded. */
double varibad_decode_reward(const VaribadTerms *s, HnVar *z, float *flat);
double varibad_decode_state(const VaribadTerms *s, HnVar *z, float *flat);
double varibad_decode_task(const VaribadTerms *s, HnVar *z, float *flat);

/* Rewards [n] of n steps decoded from code [n, d->code of the reward decoder]; before NULL: nothing
 * reads it.  rng [n]: for dropout; NULL: none. */
void varibad_predict_reward(const Varibad *v, int64_t n, const float *code, const VaribadSteps *s,
                            const float *before, HnRng *rng, float *reward);
#endif
