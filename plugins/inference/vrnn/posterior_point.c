/* posterior_point.c - no posterior: z is its mean, and so is every sample. */
#include "posterior.h"

static HnStatus update(const Vrnn *m, void *work, const VrnnUpdate *u) {
  (void)m, (void)work, (void)u;
  return HN_OK;
}

static HnStatus sample(const Vrnn *m, void *work, int64_t first, int64_t n, char *rows,
                       int64_t samples, const float *noise, float *offset) {
  (void)work, (void)first, (void)rows, (void)noise;
  memset(offset, 0, (size_t)(n * samples * m->F) * sizeof *offset);
  return HN_OK;
}

const VrnnPosterior vrnn_posterior_point = {.update = update, .sample = sample};
