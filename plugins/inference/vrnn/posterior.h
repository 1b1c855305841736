/* posterior.h - what a kind of posterior does, observation by observation.  A new one is a file
 * posterior_NAME.c with a VrnnPosterior, and its parameters in params.h. */
#ifndef VRNN_POSTERIOR_H
#define VRNN_POSTERIOR_H
#include "vrnn.h"
#include <hunch/kit/gaussian.h>

/* One observation of n rows. */
typedef struct VrnnUpdate {
  int64_t first, n;         /* first: of the call's rows */
  char *rows;               /* [n] row memory; the posterior updates its part */
  const uint8_t *masked;    /* [n] nothing is observed: the posterior is the prior */
  const float *h, *cells;   /* [n, H] of the cell, after the observation */
  const float *gates;       /* [n, gates] the input's share of the gates' sums */
  const float *cov_params;  /* [n, W] */
  const float *mean_before; /* [n, F] of the posterior before */
  float *mean;              /* [n, F] in: as read out; out: of the posterior */
  bool mean_only;           /* nothing but the mean will be asked for */
  /* asked for, or NULL */
  float *d_kl; /* [n, F + W] gradient in mean, cov_params of the KL, or its part to minimise */
  double *kl;  /* [n] */
  float *info; /* [n, info_count]; the posterior's own columns */
} VrnnUpdate;

/* Work memory is scratch of the running call or task. */
struct VrnnPosterior {
  bool reads_gates; /* VrnnUpdate.gates */
  /* Makes what it keeps of the instance and says how many bytes it keeps of a row.  May be NULL. */
  HnStatus (*create)(Vrnn *m, HnRng *rng, size_t *row_bytes);
  /* Brings what it derives from the weights up to them.  May be NULL. [instance] */
  void (*refresh)(const Vrnn *m);
  /* Work memory for up to so many rows.  May be NULL. */
  void *(*workspace)(const Vrnn *m, int64_t rows);
  /* Sets a row, whose memory is 0, to the prior.  May be NULL. */
  void (*set_prior)(const Vrnn *m, char *row);
  HnStatus (*update)(const Vrnn *m, void *work, const VrnnUpdate *u);
  /* offset [n, samples, F] = z - mean for samples with standard normal noise of that shape, of n
   * rows from the call's row `first`. */
  HnStatus (*sample)(const Vrnn *m, void *work, int64_t first, int64_t n, char *rows,
                     int64_t samples, const float *noise, float *offset);
  /* Adds to d_cov, W numbers a row at d_row from row to row, what samples with gradients d_z
   * [n, samples, F] owe to cov_params [n, W].  NULL if W = 0. */
  void (*sample_backward)(const Vrnn *m, void *work, int64_t n, const float *cov_params,
                          int64_t samples, const float *noise, const float *d_z, float *d_cov,
                          int64_t d_row);
};

/* z is its mean, and so is every sample. */
extern const VrnnPosterior vrnn_posterior_point;
extern const VrnnPosterior vrnn_posterior_gaussian, vrnn_posterior_laplace;

/* Of a Laplace row's memory: its precision, packed as kit/gaussian.h has it. */
double *vrnn_laplace_precision(const Vrnn *m, char *row);

/* Writes the columns of VRNN_BAYES_INFO; those of the KL stay where the row is masked. */
void vrnn_report(const Vrnn *m, const HnPrecisionStats *stats, const VrnnUpdate *u);
#endif
