/* vrnn_dirac.h - no posterior: z is its mean, and so is every draw. */
#ifndef VRNN_DIRAC_H
#define VRNN_DIRAC_H
#include "vrnn_posterior.h"

struct Tools {
  char unused;
};
static Tools *take_tools(const Vrnn *m, int64_t rows) {
  (void)m, (void)rows;
  return NULL;
}
static void take_prior(const Vrnn *m, char *row) {
  (void)m, (void)row;
}
static HnStatus move_on(const Vrnn *m, Tools *w, const Moment *k) {
  (void)m, (void)w, (void)k;
  return HN_OK;
}
static HnStatus draw_offsets(const Vrnn *m, Tools *w, int64_t n, char *rows, int64_t draws,
                             const float *noise, float *offset) {
  (void)w, (void)rows, (void)noise;
  memset(offset, 0, (size_t)(n * draws * m->F) * sizeof *offset);
  return HN_OK;
}
static void offsets_back(const Vrnn *m, Tools *w, int64_t n, const float *spread, int64_t draws,
                         const float *noise, const float *d_z, float *d_spread, int64_t d_row) {
  (void)m, (void)w, (void)n, (void)spread, (void)draws, (void)noise, (void)d_z, (void)d_spread;
  (void)d_row;
}
#endif
