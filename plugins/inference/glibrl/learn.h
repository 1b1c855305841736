/* learn.h - the parts of glibrl_learn. */
#ifndef HN_GLIBRL_LEARN_H
#define HN_GLIBRL_LEARN_H
#include "glibrl.h"

/* One Adam step on the evidence of a batch of remembered trials; reports it. */
HnStatus glibrl_update(Glibrl *g, HnRng *rng);

/* Adam steps of an iteration of learning, from 1. */
int64_t glibrl_planned_updates(const GlibrlParams *p, int64_t iteration);

/* Limits a learnt prior to where its factorisations are safe. */
void glibrl_confine_prior(const GlibrlModel *k);
#endif
