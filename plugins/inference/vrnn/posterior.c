/* posterior.c - see posterior.h. */
#include "posterior.h"

void vrnn_report(const Vrnn *m, const HnPrecisionStats *stats, const VrnnUpdate *u) {
  double half = 0.5 * (double)m->F; /* the trace term of a posterior that has not moved */
  for (int64_t i = 0; i < u->n; i++) {
    const HnPrecisionStats *f = &stats[i];
    float *info = u->info + i * m->info_count;
    info[vrnn_info_entropy] = (float)f->entropy;
    info[vrnn_info_marginal_entropy] = (float)f->marginal;
    if (u->masked[i]) continue;
    info[vrnn_info_kl] = (float)f->kl, info[vrnn_info_kl_trace] = (float)(f->trace - half);
    info[vrnn_info_kl_mahalanobis] = (float)f->mahalanobis;
    info[vrnn_info_kl_logdet] = (float)f->logdet;
  }
}
