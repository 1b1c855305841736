/* vrnn_posterior.h - what a posterior is asked, percept by percept.
 *
 * The plugin's own posterior (vrnn_dirac.h, laplace_posterior.h, vrnn_gaussian.h) defines these,
 * and what it keeps of a row, between vrnn_pass.h and vrnn_stream.h. */
#ifndef VRNN_POSTERIOR_H
#define VRNN_POSTERIOR_H
#include "vrnn_pass.h"

/* One percept of n rows. */
typedef struct Moment {
  int64_t n;
  char *rows;             /* [n] row memory, of which the age and the posterior move on */
  const uint8_t *dark;    /* [n] where nothing is taken in: the prior */
  const float *h, *cells; /* [n, H] */
  const float *gates;     /* [n, gates] */
  const float *spread;    /* [n, W] */
  const float *before;    /* [n, F] the mean before */
  float *mean;            /* [n, F] in: as read out; out: of the posterior */
  bool idle;              /* nobody asks for anything but the mean */
  /* asked for, or NULL */
  float *pull; /* [n, F + W] gradient of the KL (or its part that is minimised) in mean, spread */
  double *kl;  /* [n] */
  float *info; /* [n, info_count] the posterior's own columns */
} Moment;

/* What a posterior works with during one call or task. */
typedef struct Tools Tools;
static Tools *take_tools(const Vrnn *m, int64_t rows);
/* Sets a row's memory, whose age and mean are 0, to the prior. */
static void take_prior(const Vrnn *m, char *row);
/* From the posterior before to this one. */
static HnStatus move_on(const Vrnn *m, Tools *w, const Moment *k);
/* offset [n, draws, F]: what `draws` of z differ from their mean by, for noise of that shape. */
static HnStatus draw_offsets(const Vrnn *m, Tools *w, int64_t n, char *rows, int64_t draws,
                             const float *noise, float *offset);
/* Adds to d_spread, W numbers a row at d_row from row to row, what draws [n, draws, F] whose
 * gradients are d_z owe to spreads [n, W]. */
static void offsets_back(const Vrnn *m, Tools *w, int64_t n, const float *spread, int64_t draws,
                         const float *noise, const float *d_z, float *d_spread, int64_t d_row);
#endif
