/* vrnn_facts.h - what is reported of a Gaussian posterior and the one before it. */
#ifndef VRNN_FACTS_H
#define VRNN_FACTS_H
#include "vrnn_posterior.h"
#include <hunch/kit/gaussian.h>

/* Fills in the columns of VRNN_BAYES_INFO; nothing has moved where it is dark. */
static void put_facts(const Vrnn *m, const HnPrecisionFacts *facts, const Moment *k) {
  double half = 0.5 * (double)m->F; /* the trace of a posterior that has not moved */
  for (int64_t i = 0; i < k->n; i++) {
    const HnPrecisionFacts *f = &facts[i];
    float *info = k->info + i * info_count;
    info[info_entropy] = (float)f->entropy, info[info_marginal_entropy] = (float)f->marginal;
    if (k->dark[i]) continue;
    info[info_kl] = (float)f->kl, info[info_kl_trace] = (float)(f->trace - half);
    info[info_kl_mahalanobis] = (float)f->mahalanobis, info[info_kl_logdet] = (float)f->logdet;
  }
}
#endif
