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

enum { ROWS_TOGETHER = 16 }; /* of a tape of sample_backward */

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
  void *gaussian, *rotated; /* rotated: of full ones */
  Covariances row;          /* one */
  float *d_row;             /* [F] */
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

/* A row's log-variances are its first F parameters, within bounds. */
static void read_logvar(const Vrnn *m, const float *params, float *logvar) {
  float low = (float)m->p->logvar_low, high = (float)m->p->logvar_high;
  for (int64_t j = 0; j < m->F; j++) {
    float above = params[j] < low ? low : params[j];
    logvar[j] = above > high ? high : above;
  }
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
  if (is_full(m)) {
    w->rotated = host->scratch(host, 1, hn_rotated_work_size(m->F));
    w->row = take_covariances(m, 1), w->d_row = vrnn_floats(m, m->F);
  }
  hn_reuse_begin(&w->reuse, host, NULL, 0);
  return w;
}

/* ---- covariances ---- */

static void set_unit(const Vrnn *m, const Covariances *c, int64_t i) {
  int64_t F = m->F;
  memset(c->logvar + i * F, 0, (size_t)F * sizeof(float));
  for (int64_t k = 0; c->q && k < F * F; k++) c->q[i * F * F + k] = k % (F + 1) == 0;
}

/* Row i as cov_params [W] say. */
static void read_params(const Vrnn *m, const Work *w, const float *params, const Covariances *c,
                        int64_t i) {
  read_logvar(m, params, c->logvar + i * m->F);
  if (c->q) hn_rotated_axes(m->F, params + m->F, c->q + i * m->F * m->F, w->rotated);
}

/* Brings `now` up to what row memory says. */
static void read_rows(const Vrnn *m, Work *w, int64_t n, char *rows) {
  for (int64_t i = 0; i < n; i++) {
    if (inputs_of(m, rows, i) == 0)
      set_unit(m, &w->now, i);
    else if (!w->valid)
      read_params(m, w, row_params(m, rows, i), &w->now, i);
  }
  w->valid = true;
}

/* ---- the KL from the posterior before ---- */

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
  hn_reuse_reset(&w->reuse);
}

/* Where a log-variance is outside of its bounds it has no gradient. */
static void bound_gradient(const Vrnn *m, const float *params, float *d_logvar) {
  float low = (float)m->p->logvar_low, high = (float)m->p->logvar_high;
  for (int64_t j = 0; j < m->F; j++)
    if (!(params[j] >= low && params[j] <= high)) d_logvar[j] = 0;
}

/* Row i's divergence and its gradient. */
static void full_backward(const Vrnn *m, const Work *w, const VrnnUpdate *u, int64_t i) {
  int64_t F = m->F;
  float *d_mean = u->d_kl + i * (F + m->W), *d_params = d_mean + F, *shift = w->d_row;
  const Covariances *now = &w->now, *before = &w->before;
  for (int64_t j = 0; j < F; j++) shift[j] = u->mean[i * F + j] - u->mean_before[i * F + j];
  u->kl[i] = hn_rotated_divergence(F, shift, now->logvar + i * F, now->q + i * F * F,
                                   before->logvar + i * F, before->q + i * F * F, d_mean, d_params,
                                   d_params + F, w->rotated);
  bound_gradient(m, u->cov_params + i * m->W, d_params);
}

/* The same of all rows with diagonal covariances. */
static void diagonal_backward(const Vrnn *m, Work *w, const VrnnUpdate *u) {
  HnTape t = hn_tape_begin(&w->reuse.host, true);
  int64_t n = u->n, F = m->F;
  float *seed = hn_tape_room(&t, n, sizeof *seed), *d_mean = hn_tape_room(&t, n * F, sizeof *seed);
  float *d_logvar = hn_tape_room(&t, n * F, sizeof *seed);
  HnVar *mean = hn_leaf(&t, n, F, u->mean, d_mean), *mean0 = hn_constant(&t, n, F, u->mean_before);
  HnVar *logvar = hn_leaf(&t, n, F, w->now.logvar, d_logvar);
  HnVar *logvar0 = hn_constant(&t, n, F, w->before.logvar);
  HnVar *kl = hn_normal_kl(&t, mean, hn_affine(&t, logvar, 0.5f, 0), mean0,
                           hn_affine(&t, logvar0, 0.5f, 0));
  for (int64_t i = 0; i < n; i++) seed[i] = u->masked[i] ? 0 : 1;
  hn_tape_backward_from(&t, kl, seed);
  for (int64_t i = 0; i < n; i++) {
    float *to = u->d_kl + i * 2 * F;
    memcpy(to, d_mean + i * F, (size_t)F * sizeof *to);
    memcpy(to + F, d_logvar + i * F, (size_t)F * sizeof *to);
    bound_gradient(m, u->cov_params + i * F, to + F);
    u->kl[i] = u->masked[i] ? 0 : (double)kl->data[i];
  }
  hn_reuse_reset(&w->reuse);
}

/* ---- one observation ---- */

/* Makes the new covariances of all rows, with the KL's gradient if asked for. */
static void update_covariances(const Vrnn *m, Work *w, const VrnnUpdate *u) {
  int64_t moments = m->F + m->W;
  bool learns = u->d_kl && !m->p->simplify;
  for (int64_t i = 0; i < u->n; i++) {
    if (u->masked[i])
      set_unit(m, &w->now, i);
    else
      read_params(m, w, u->cov_params + i * m->W, &w->now, i);
    if (!learns || !is_full(m)) continue;
    if (u->masked[i])
      memset(u->d_kl + i * moments, 0, (size_t)moments * sizeof(float)), u->kl[i] = 0;
    else
      full_backward(m, w, u, i);
  }
  if (learns && !is_full(m)) diagonal_backward(m, w, u);
  if (u->d_kl && m->p->simplify) mahalanobis_backward(m, w, u);
}

/* What is now the posterior before, for the KL. */
static void keep_before(const Vrnn *m, Work *w, const VrnnUpdate *u) {
  read_rows(m, w, u->n, u->rows);
  const Covariances spare = w->before;
  w->before = w->now, w->now = spare;
  for (int64_t i = 0; i < u->n; i++) /* the count includes this input */
    if (inputs_of(m, u->rows, i) == !u->masked[i]) set_unit(m, &w->before, i);
}

static HnStatus update(const Vrnn *m, void *work, const VrnnUpdate *u) {
  Work *w = work;
  if (u->d_kl || u->info) keep_before(m, w, u);
  if (!u->mean_only) update_covariances(m, w, u);
  w->valid = !u->mean_only;
  for (int64_t i = 0; i < u->n; i++)
    memcpy(row_params(m, u->rows, i), u->cov_params + i * m->W, (size_t)m->W * sizeof(float));
  return u->info ? report(m, w, u) : HN_OK;
}

/* ---- samples ---- */

/* z - mean of sample s of diagonal covariances for noise [n, samples, F]: [n, F]. */
static HnVar *offset_of(HnTape *t, HnVar *logvar, int64_t s, int64_t samples, const float *noise) {
  int64_t n = logvar->rows, F = logvar->cols;
  float *eps = hn_tape_room(t, n * F, sizeof *eps);
  for (int64_t i = 0; i < n; i++)
    memcpy(eps + i * F, noise + (i * samples + s) * F, (size_t)F * sizeof *eps);
  return hn_mul(t, hn_exp(t, hn_affine(t, logvar, 0.5f, 0)), hn_constant(t, n, F, eps));
}

static void diagonal_sample(const Vrnn *m, Work *w, int64_t n, int64_t samples, const float *noise,
                            float *offset) {
  int64_t F = m->F;
  HnTape t = hn_tape_begin(&w->reuse.host, false);
  HnVar *logvar = hn_constant(&t, n, F, w->now.logvar);
  for (int64_t s = 0; s < samples; s++) {
    const float *from = offset_of(&t, logvar, s, samples, noise)->data;
    for (int64_t i = 0; i < n; i++)
      memcpy(offset + (i * samples + s) * F, from + i * F, (size_t)F * sizeof *offset);
  }
  hn_reuse_reset(&w->reuse);
}

static HnStatus sample(const Vrnn *m, void *work, int64_t first, int64_t n, char *rows,
                       int64_t samples, const float *noise, float *offset) {
  (void)first;
  Work *w = work;
  int64_t F = m->F, size = samples * F;
  read_rows(m, w, n, rows);
  if (!is_full(m)) diagonal_sample(m, w, n, samples, noise, offset);
  for (int64_t i = 0; i < n && is_full(m); i++)
    hn_rotated_draw(F, w->now.logvar + i * F, w->now.q + i * F * F, samples, noise + i * size,
                    offset + i * size, w->rotated);
  return HN_OK;
}

static void diagonal_sample_backward(const Vrnn *m, Work *w, int64_t n, const float *cov_params,
                                     int64_t samples, const float *noise, const float *d_z,
                                     float *d_cov, int64_t d_row) {
  int64_t F = m->F, size = samples * F;
  float low = (float)m->p->logvar_low, high = (float)m->p->logvar_high;
  for (int64_t from = 0; from < n; from += ROWS_TOGETHER) {
    int64_t rows = n - from < ROWS_TOGETHER ? n - from : ROWS_TOGETHER;
    HnTape t = hn_tape_begin(&w->reuse.host, true);
    float *grad = hn_tape_room(&t, rows * F, sizeof *grad);
    HnVar *params = hn_leaf(&t, rows, F, cov_params + from * F, grad);
    HnVar *logvar = hn_clamp(&t, params, low, high);
    HnVar **part = hn_tape_room(&t, samples, sizeof *part);
    for (int64_t s = 0; s < samples; s++)
      part[s] = offset_of(&t, logvar, s, samples, noise + from * size);
    hn_tape_backward_from(&t, hn_concat(&t, samples, part), d_z + from * size);
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < F; j++) d_cov[(from + i) * d_row + j] += grad[i * F + j];
    hn_reuse_reset(&w->reuse);
  }
}

/* The axes are made anew: a window of them would be F F floats a row and step. */
static void full_sample_backward(const Vrnn *m, Work *w, int64_t n, const float *cov_params,
                                 int64_t samples, const float *noise, const float *d_z,
                                 float *d_cov, int64_t d_row) {
  int64_t F = m->F, size = samples * F;
  for (int64_t i = 0; i < n; i++, cov_params += m->W, d_cov += d_row) {
    read_params(m, w, cov_params, &w->row, 0);
    memset(w->d_row, 0, (size_t)F * sizeof(float));
    hn_rotated_draw_backward(F, w->row.logvar, w->row.q, samples, noise + i * size, d_z + i * size,
                             w->d_row, d_cov + F, w->rotated);
    bound_gradient(m, cov_params, w->d_row);
    for (int64_t j = 0; j < F; j++) d_cov[j] += w->d_row[j];
  }
}

static void sample_backward(const Vrnn *m, void *work, int64_t n, const float *cov_params,
                            int64_t samples, const float *noise, const float *d_z, float *d_cov,
                            int64_t d_row) {
  (is_full(m) ? full_sample_backward : diagonal_sample_backward)(m, work, n, cov_params, samples,
                                                                 noise, d_z, d_cov, d_row);
}

const VrnnPosterior vrnn_posterior_gaussian = {.create = create,
                                               .workspace = workspace,
                                               .update = update,
                                               .sample = sample,
                                               .sample_backward = sample_backward};
