/* posterior_gaussian.c - q_t = N(mean_t, Sigma_t) with a covariance read out of the recurrent
 * state.
 *
 *   diagonal  F log-variances l:                              Sigma = diag(exp l)
 *   full      F log-eigenvalues l, then F (F - 1) / 2 angles: Sigma = Q exp(L) Q', Q = Cayley's
 *             rotation of the angles (hn_cayley)
 *
 * Gradients reach the covariance through samples and through the KL, and do not reach the posterior
 * before.  A row keeps its covariance parameters as they were read out; with no input it has the
 * prior N(0, I). */
#include "posterior.h"
#include <hunch/kit/scratch.h>
#include <math.h>

enum { ROTATED_TOGETHER = 16 }; /* rows of a tape of sample_backward */

/* Covariances of some rows. */
typedef struct Covariances {
  float *logvar, *q; /* [n, F], [n, F F]; q: of full ones */
} Covariances;

typedef struct Work {
  HnReuse reuse;
  Covariances now, before; /* of all rows; now is what row memory says, if `valid` */
  bool valid;
  double *p, *p_before; /* [rows, count] precisions, to be reported */
  HnPrecisionStats *stats;
  void *gaussian;
} Work;

static bool is_full(const Vrnn *m) {
  return m->p->covariance == COVARIANCE_FULL;
}
static float *row_params(const Vrnn *m, char *rows, int64_t i) {
  return vrnn_row_floats(rows + (size_t)i * m->row.size, m->row.posterior);
}
static int64_t inputs_of(const Vrnn *m, char *rows, int64_t i) {
  return vrnn_row(rows + (size_t)i * m->row.size)->inputs;
}

static HnStatus create(Vrnn *m, HnRng *rng, size_t *row_bytes) {
  const VrnnParams *p = m->p;
  if (p->logvar_low > p->logvar_high)
    return m->host->fail(m->host, HN_E_PARAM, "logvar_low (%g) must not be above logvar_high (%g)",
                         p->logvar_low, p->logvar_high);
  m->W = is_full(m) ? m->F * (m->F + 1) / 2 : m->F;
  m->cov = vrnn_make_readout(m, "spread", m->W, rng);
  *row_bytes = (size_t)m->W * sizeof(float);
  return HN_OK;
}

static Covariances take_covariances(const Vrnn *m, int64_t rows) {
  return (Covariances){.logvar = vrnn_floats(m, rows * m->F),
                       .q = is_full(m) ? vrnn_floats(m, rows * m->F * m->F) : NULL};
}

static void *workspace(const Vrnn *m, int64_t rows) {
  const HnHost *host = m->host;
  int64_t count = hn_precision_count(m->F, !is_full(m));
  Work *w = host->scratch(host, 1, sizeof *w);
  *w = (Work){.now = take_covariances(m, rows),
              .before = take_covariances(m, rows),
              .p = host->scratch(host, rows * count, sizeof(double)),
              .p_before = host->scratch(host, rows * count, sizeof(double)),
              .stats = host->scratch(host, rows, sizeof(HnPrecisionStats)),
              .gaussian = host->scratch(host, 1, hn_precision_work_size(m->F))};
  hn_reuse_begin(&w->reuse, host, NULL, 0);
  return w;
}

/* ---- covariances ---- */

static void set_unit(const Vrnn *m, const Covariances *c, int64_t i) {
  int64_t F = m->F;
  memset(c->logvar + i * F, 0, (size_t)F * sizeof(float));
  for (int64_t k = 0; c->q && k < F * F; k++) c->q[i * F * F + k] = k % (F + 1) == 0;
}

/* Covariances on a tape: log-variances [n, F] and rotation [n, F F] (NULL: diagonal). */
typedef struct CovarianceVars {
  HnVar *logvar, *q;
} CovarianceVars;

static CovarianceVars covariances_of(const Vrnn *m, HnTape *t, HnVar *params) {
  float low = (float)m->p->logvar_low, high = (float)m->p->logvar_high;
  if (!is_full(m)) return (CovarianceVars){.logvar = hn_clamp(t, params, low, high)};
  return (CovarianceVars){.logvar = hn_clamp(t, hn_columns(t, params, 0, m->F), low, high),
                          .q = hn_cayley(t, hn_columns(t, params, m->F, m->W - m->F), m->F)};
}

static void copy_covariances(const Vrnn *m, const CovarianceVars *from, const Covariances *to) {
  int64_t n = from->logvar->rows, F = m->F;
  memcpy(to->logvar, from->logvar->data, (size_t)(n * F) * sizeof(float));
  if (from->q) memcpy(to->q, from->q->data, (size_t)(n * F * F) * sizeof(float));
}

/* Brings `now` up to what row memory says. */
static void read_rows(const Vrnn *m, Work *w, int64_t n, char *rows) {
  if (!w->valid) {
    HnTape t = hn_tape_begin(&w->reuse.host, false);
    float *params = hn_tape_room(&t, n * m->W, sizeof *params);
    for (int64_t i = 0; i < n; i++)
      memcpy(params + i * m->W, row_params(m, rows, i), (size_t)m->W * sizeof *params);
    CovarianceVars c = covariances_of(m, &t, hn_constant(&t, n, m->W, params));
    copy_covariances(m, &c, &w->now);
    hn_reuse_reset(&w->reuse);
  }
  w->valid = true;
  for (int64_t i = 0; i < n; i++)
    if (inputs_of(m, rows, i) == 0) set_unit(m, &w->now, i);
}

/* ---- the KL from the posterior before ---- */

static HnVar *divergence(const Vrnn *m, const Work *w, HnTape *t, HnVar *mean,
                         const CovarianceVars *c, const float *mean_before) {
  int64_t n = mean->rows, F = m->F;
  HnVar *mean0 = hn_constant(t, n, F, mean_before);
  HnVar *logvar0 = hn_constant(t, n, F, w->before.logvar);
  if (is_full(m))
    return hn_rotated_kl(t, mean, c->logvar, c->q, mean0, logvar0,
                         hn_constant(t, n, F * F, w->before.q));
  return hn_normal_kl(t, mean, hn_affine(t, c->logvar, 0.5f, 0), mean0,
                      hn_affine(t, logvar0, 0.5f, 0));
}

static HnPrecision precisions(const Vrnn *m, int64_t n, const Covariances *c, double *p) {
  int64_t F = m->F, count = hn_precision_count(F, !is_full(m));
  for (int64_t i = 0; i < n; i++) {
    if (c->q) hn_precision_rotated(F, c->logvar + i * F, c->q + i * F * F, p + i * count);
    for (int64_t j = 0; !c->q && j < F; j++) p[i * F + j] = exp(-(double)c->logvar[i * F + j]);
  }
  return (HnPrecision){.rows = n, .dim = F, .diagonal = !c->q, .p = p, .p_row = count};
}

static HnStatus report(const Vrnn *m, Work *w, const VrnnUpdate *u) {
  HnPrecision now = precisions(m, u->n, &w->now, w->p);
  HnPrecision before = precisions(m, u->n, &w->before, w->p_before);
  HnStatus status = hn_precision_stats(&now, u->mean, m->F, &before, u->mean_before, m->F, w->stats,
                                       NULL, w->gaussian);
  if (status) return m->host->fail(m->host, status, "a covariance has no factor");
  vrnn_report(m, w->stats, u);
  return HN_OK;
}

/* Gradient of the Mahalanobis term alone, which is 0 in the covariance. */
static void mahalanobis_backward(const Vrnn *m, Work *w, const VrnnUpdate *u) {
  int64_t moments = m->F + m->W;
  HnPrecision before = precisions(m, u->n, &w->before, w->p_before);
  float *d_mean = w->reuse.host.scratch(&w->reuse.host, u->n * m->F, sizeof *d_mean);
  hn_precision_mahalanobis(&before, u->mean, m->F, u->mean_before, m->F, d_mean, u->kl);
  memset(u->d_kl, 0, (size_t)(u->n * moments) * sizeof *d_mean);
  for (int64_t i = 0; i < u->n; i++)
    memcpy(u->d_kl + i * moments, d_mean + i * m->F, (size_t)m->F * sizeof *d_mean);
}

static void kl_backward(const Vrnn *m, const VrnnUpdate *u, HnTape *t, const HnVar *mean,
                        const HnVar *params, HnVar *kl) {
  float *seed = hn_tape_room(t, u->n, sizeof *seed);
  for (int64_t i = 0; i < u->n; i++) seed[i] = u->masked[i] ? 0 : 1;
  hn_tape_backward_from(t, kl, seed);
  for (int64_t i = 0; i < u->n; i++) {
    float *to = u->d_kl + i * (m->F + m->W);
    memcpy(to, mean->grad + i * m->F, (size_t)m->F * sizeof *to);
    memcpy(to + m->F, params->grad + i * m->W, (size_t)m->W * sizeof *to);
    u->kl[i] = u->masked[i] ? 0 : (double)kl->data[i];
  }
}

/* ---- one observation ---- */

/* Makes the new covariances of all rows, with the KL's gradient if asked for. */
static void update_covariances(const Vrnn *m, Work *w, const VrnnUpdate *u) {
  HnTape t = hn_tape_begin(&w->reuse.host, u->d_kl != NULL);
  int64_t n = u->n;
  float *d_mean = hn_tape_room(&t, n * m->F, sizeof *d_mean);
  float *d_params = hn_tape_room(&t, n * m->W, sizeof *d_params);
  HnVar *mean = hn_leaf(&t, n, m->F, u->mean, d_mean);
  HnVar *params = hn_leaf(&t, n, m->W, u->cov_params, d_params);
  CovarianceVars c = covariances_of(m, &t, params);
  copy_covariances(m, &c, &w->now);
  if (u->d_kl && !m->p->simplify)
    kl_backward(m, u, &t, mean, params, divergence(m, w, &t, mean, &c, u->mean_before));
  for (int64_t i = 0; i < n; i++)
    if (u->masked[i]) set_unit(m, &w->now, i);
  if (u->d_kl && m->p->simplify) mahalanobis_backward(m, w, u);
  hn_reuse_reset(&w->reuse);
}

static HnStatus update(const Vrnn *m, void *work, const VrnnUpdate *u) {
  Work *w = work;
  if (!u->mean_only) {
    read_rows(m, w, u->n, u->rows);
    Covariances spare = w->before;
    w->before = w->now, w->now = spare;
    for (int64_t i = 0; i < u->n; i++) /* the count includes this input */
      if (inputs_of(m, u->rows, i) == !u->masked[i]) set_unit(m, &w->before, i);
    update_covariances(m, w, u);
  }
  w->valid = !u->mean_only;
  for (int64_t i = 0; i < u->n; i++)
    memcpy(row_params(m, u->rows, i), u->cov_params + i * m->W, (size_t)m->W * sizeof(float));
  return u->info ? report(m, w, u) : HN_OK;
}

/* ---- samples ---- */

/* z - mean of sample s for noise [n, samples, F]: [n, F]. */
static HnVar *offset_of(const Vrnn *m, HnTape *t, const CovarianceVars *c, int64_t s,
                        int64_t samples, const float *noise) {
  int64_t n = c->logvar->rows, F = m->F;
  float *eps = hn_tape_room(t, n * F, sizeof *eps);
  for (int64_t i = 0; i < n; i++)
    memcpy(eps + i * F, noise + (i * samples + s) * F, (size_t)F * sizeof *eps);
  HnVar *stddev = hn_exp(t, hn_affine(t, c->logvar, 0.5f, 0));
  HnVar *x = hn_mul(t, stddev, hn_constant(t, n, F, eps));
  return c->q ? hn_rotate(t, c->q, x, false) : x;
}

static HnStatus sample(const Vrnn *m, void *work, int64_t n, char *rows, int64_t samples,
                       const float *noise, float *offset) {
  Work *w = work;
  int64_t F = m->F;
  read_rows(m, w, n, rows);
  HnTape t = hn_tape_begin(&w->reuse.host, false);
  CovarianceVars c = {.logvar = hn_constant(&t, n, F, w->now.logvar)};
  if (is_full(m)) c.q = hn_constant(&t, n, F * F, w->now.q);
  for (int64_t s = 0; s < samples; s++) {
    const float *from = offset_of(m, &t, &c, s, samples, noise)->data;
    for (int64_t i = 0; i < n; i++)
      memcpy(offset + (i * samples + s) * F, from + i * F, (size_t)F * sizeof *offset);
  }
  hn_reuse_reset(&w->reuse);
  return HN_OK;
}

static void sample_backward(const Vrnn *m, void *work, int64_t n, const float *cov_params,
                            int64_t samples, const float *noise, const float *d_z, float *d_cov,
                            int64_t d_row) {
  Work *w = work;
  for (int64_t from = 0; from < n; from += ROTATED_TOGETHER) {
    int64_t rows = n - from < ROTATED_TOGETHER ? n - from : ROTATED_TOGETHER;
    int64_t size = samples * m->F;
    HnTape t = hn_tape_begin(&w->reuse.host, true);
    float *grad = hn_tape_room(&t, rows * m->W, sizeof *grad);
    HnVar *params = hn_leaf(&t, rows, m->W, cov_params + from * m->W, grad);
    CovarianceVars c = covariances_of(m, &t, params);
    HnVar **part = hn_tape_room(&t, samples, sizeof *part);
    for (int64_t s = 0; s < samples; s++)
      part[s] = offset_of(m, &t, &c, s, samples, noise + from * size);
    hn_tape_backward_from(&t, hn_concat(&t, samples, part), d_z + from * size);
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < m->W; j++) d_cov[(from + i) * d_row + j] += grad[i * m->W + j];
    hn_reuse_reset(&w->reuse);
  }
}

const VrnnPosterior vrnn_posterior_gaussian = {.create = create,
                                               .workspace = workspace,
                                               .update = update,
                                               .sample = sample,
                                               .sample_backward = sample_backward};
