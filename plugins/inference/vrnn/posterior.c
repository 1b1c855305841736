/* posterior.c - see posterior.h. */
#include "posterior.h"

void vrnn_report(const Vrnn *m, const HnPrecisionStats *stats, const VrnnUpdate *u) {
  for (int64_t i = 0; i < u->n; i++)
    laplace_report(&stats[i], m->F, !u->masked[i], u->info + i * m->info_count + vrnn_info_entropy);
}
