/* vrnn_gaussian.h - q_t = N(mean_t, Sigma_t) with a covariance that the memory is asked for.
 *
 *   diagonal  F log-variances l:                  Sigma = diag(exp l)
 *   full      F log-eigenvalues l, then F (F - 1) / 2 angles, a strict lower triangle A by rows:
 *             S = (A - A') / 2,  Q = -(I + S)^-1 (I - S) = I - 2 (I + S)^-1,  Sigma = Q exp(L) Q'
 *
 * Gradients reach the covariance through draws and through the KL, not the posterior before.  With
 * G a gradient in Q, that in S is 1/2 (I - Q)' G (I - Q)': nothing is inverted on the way back. */
#ifndef VRNN_GAUSSIAN_H
#define VRNN_GAUSSIAN_H
#include "vrnn_posterior.h"

/* What a row keeps: log-variances [F], then, if full, Q [F, F]. */
struct Tools {
  float *l, *q;                 /* [F], [F, F] of the posterior at work */
  float *turned, *k, *t, *rest; /* [F, F] */
  float *inverse;               /* work of invert */
  float *x, *d_l;               /* [F] */
  bool full;
};

static bool is_full(const Vrnn *m) {
  return m->p->covariance == COVARIANCE_FULL;
}
static int64_t spread_width(const HnThisParams *p) {
  return p->covariance == COVARIANCE_FULL ? p->latent * (p->latent + 1) / 2 : p->latent;
}
static size_t kept_bytes(const Vrnn *m) {
  return (size_t)(m->F + (is_full(m) ? m->F * m->F : 0)) * sizeof(float);
}
static float *logs_of(const Vrnn *m, char *row) {
  return floats_at(row, m->row.posterior);
}
static float *axes_of(const Vrnn *m, char *row) {
  return logs_of(m, row) + m->F;
}

static Tools *take_tools(const Vrnn *m, int64_t rows) {
  const HnHost *host = m->host;
  int64_t F = m->F, square = is_full(m) ? F * F : 0;
  Tools *w = host->scratch(host, 1, sizeof *w);
  (void)rows;
  *w = (Tools){.l = floats(host, F),
               .q = floats(host, square),
               .turned = floats(host, square),
               .k = floats(host, square),
               .t = floats(host, square),
               .rest = floats(host, square),
               .inverse = floats(host, 3 * square),
               .x = floats(host, F),
               .d_l = floats(host, F),
               .full = is_full(m)};
  return w;
}

static void take_prior(const Vrnn *m, char *row) {
  float *l = logs_of(m, row);
  memset(l, 0, (size_t)m->F * sizeof *l);
  for (int64_t k = 0; is_full(m) && k < m->F * m->F; k++) axes_of(m, row)[k] = k % (m->F + 1) == 0;
}

/* ---- the covariance that was asked for ---- */

enum { BLOCK = 8 };

/* Gauss-Jordan of a small a [n, n] at row stride ld, in place. */
static void invert_block(int64_t n, float *a, int64_t ld) {
  for (int64_t k = 0; k < n; k++) {
    float pivot = 1 / a[k * ld + k];
    a[k * ld + k] = 1;
    for (int64_t j = 0; j < n; j++) a[k * ld + j] *= pivot;
    for (int64_t i = 0; i < n; i++) {
      if (i == k) continue;
      float by = a[i * ld + k];
      a[i * ld + k] = 0;
      for (int64_t j = 0; j < n; j++) a[i * ld + j] -= by * a[k * ld + j];
    }
  }
}

static void negate(int64_t rows, int64_t cols, float *x, int64_t ld) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < cols; j++) x[i * ld + j] = -x[i * ld + j];
}

/* Inverse of a [n, n] in place by halves; work 3 n^2.  No pivots are needed where the symmetric
 * part is positive definite, and so is that of every Schur complement. */
static void invert(int64_t n, float *a, int64_t ld, float *work) {
  if (n <= BLOCK) {
    invert_block(n, a, ld);
    return;
  }
  int64_t h = n / 2, r = n - h;
  float *b = a + h, *c = a + h * ld, *d = c + h; /* a [h, h], b [h, r], c [r, h], d [r, r] */
  float *ab = work, *ca = ab + h * r, *more = ca + r * h;
  invert(h, a, ld, more);
  hn_gemm(h, r, h, a, ld, 1, b, ld, 0, ab, r); /* A^-1 B */
  hn_gemm(r, h, h, c, ld, 1, a, ld, 0, ca, h); /* C A^-1 */
  negate(r, h, ca, h);
  hn_gemm(r, r, h, ca, h, 1, b, ld, 1, d, ld); /* D - C A^-1 B */
  invert(r, d, ld, more);
  hn_gemm(r, h, r, d, ld, 1, ca, h, 0, c, ld); /* lower left */
  hn_gemm(h, r, r, ab, r, 1, d, ld, 0, b, ld);
  negate(h, r, b, ld); /* upper right */
  negate(h, r, ab, r);
  hn_gemm(h, h, r, ab, r, 1, c, ld, 1, a, ld); /* A^-1 + A^-1 B .. C A^-1 */
}

/* Log-eigenvalues and axes of a spread [W] into w. */
static void read_spread(const Vrnn *m, Tools *w, const float *spread) {
  int64_t F = m->F;
  float low = (float)m->p->logvar_low, high = (float)m->p->logvar_high;
  for (int64_t j = 0; j < F; j++) w->l[j] = fminf(fmaxf(spread[j], low), high);
  if (!w->full) return;
  const float *angle = spread + F;
  for (int64_t i = 0; i < F; i++) {
    w->q[i * (F + 1)] = 1;
    for (int64_t j = 0; j < i; j++, angle++)
      w->q[i * F + j] = 0.5f * *angle, w->q[j * F + i] = -0.5f * *angle;
  }
  invert(F, w->q, F, w->inverse);
  for (int64_t k = 0; k < F * F; k++) w->q[k] = (k % (F + 1) == 0 ? 1 : 0) - 2 * w->q[k];
}

/* Adds to d_spread [W] what gradients d_l [F] in the log-eigenvalues and g [F, F] in the axes owe;
 * g is lost. */
static void spread_back(const Vrnn *m, Tools *w, const float *spread, const float *d_l, float *g,
                        float *d_spread) {
  int64_t F = m->F;
  float low = (float)m->p->logvar_low, high = (float)m->p->logvar_high;
  for (int64_t j = 0; j < F; j++)
    if (spread[j] >= low && spread[j] <= high) d_spread[j] += d_l[j];
  if (!w->full) return;
  for (int64_t i = 0; i < F; i++) /* (I - Q)' */
    for (int64_t j = 0; j < F; j++) w->rest[i * F + j] = (i == j ? 1 : 0) - w->q[j * F + i];
  hn_gemm(F, F, F, w->rest, F, 1, g, F, 0, w->t, F);
  hn_gemm(F, F, F, w->t, F, 1, w->rest, F, 0, g, F);
  float *to = d_spread + F;
  for (int64_t i = 0; i < F; i++) /* 1/2 for S, 1/2 for A */
    for (int64_t j = 0; j < i; j++) *to++ += 0.25f * (g[i * F + j] - g[j * F + i]);
}

/* ---- the KL from the posterior before ---- */

/* Parts of KL(q || before), and the square of how far the mean moved along each of the prior's
 * axes: a diagonal covariance has the coordinates themselves for axes. */
typedef struct Parts {
  double trace, mahalanobis, logdet;
} Parts;

/* Leaves in w->turned R = Q_before' Q (if full) and in w->x the move along the prior's axes over
 * their variances. */
static Parts compare(const Vrnn *m, Tools *w, char *row, const float *mean, const float *before) {
  int64_t F = m->F;
  const float *l0 = logs_of(m, row), *q0 = axes_of(m, row);
  Parts parts = {-0.5 * (double)F, 0, 0};
  if (w->full) hn_gemm(F, F, F, q0, 1, F, w->q, F, 0, w->turned, F);
  for (int64_t i = 0; i < F; i++) {
    double along = 0, sum = 0, precision = exp(-(double)l0[i]);
    if (w->full) {
      for (int64_t j = 0; j < F; j++) {
        along += (double)q0[j * F + i] * ((double)mean[j] - (double)before[j]);
        double r = (double)w->turned[i * F + j];
        sum += r * r * exp((double)w->l[j]);
      }
    } else {
      along = (double)mean[i] - (double)before[i], sum = exp((double)w->l[i]);
    }
    parts.trace += 0.5 * precision * sum, parts.mahalanobis += 0.5 * precision * along * along;
    parts.logdet += 0.5 * ((double)l0[i] - (double)w->l[i]);
    w->x[i] = (float)(precision * along);
  }
  return parts;
}

/* Gradient in the mean, to `pull`, and, unless only the Mahalanobis part counts, in the spread. */
static void pull_back(const Vrnn *m, Tools *w, char *row, const float *spread, float *pull) {
  int64_t F = m->F;
  const float *l0 = logs_of(m, row), *q0 = axes_of(m, row);
  memset(pull, 0, (size_t)(F + m->W) * sizeof *pull);
  for (int64_t i = 0; i < F; i++)
    for (int64_t j = 0; w->full && j < F; j++) pull[j] += q0[j * F + i] * w->x[i];
  if (!w->full) memcpy(pull, w->x, (size_t)F * sizeof *pull);
  if (m->p->simplify) return;
  float *d_l = w->d_l;
  for (int64_t j = 0; j < F; j++) {
    double share = 0;
    for (int64_t i = 0; w->full && i < F; i++) {
      double r = (double)w->turned[i * F + j];
      share += r * r * exp(-(double)l0[i]);
    }
    if (!w->full) share = exp(-(double)l0[j]);
    d_l[j] = (float)(0.5 * (share * exp((double)w->l[j]) - 1));
  }
  for (int64_t i = 0; w->full && i < F; i++) /* D_before^-1 R exp(L) */
    for (int64_t j = 0; j < F; j++) w->turned[i * F + j] *= expf(w->l[j] - l0[i]);
  if (w->full) hn_gemm(F, F, F, q0, F, 1, w->turned, F, 0, w->k, F);
  spread_back(m, w, spread, d_l, w->k, pull + F);
}

static void report(const Vrnn *m, const Tools *w, const Parts *parts, float *info) {
  double half = 0.5 * (double)m->F * 2.8378770664093453, marginal = half; /* F/2 (1 + ln 2 pi) */
  double entropy = half;
  for (int64_t i = 0; i < m->F; i++) {
    double variance = exp((double)w->l[i]);
    if (w->full) variance = 0;
    for (int64_t j = 0; w->full && j < m->F; j++)
      variance += (double)w->q[i * m->F + j] * (double)w->q[i * m->F + j] * exp((double)w->l[j]);
    entropy += 0.5 * (double)w->l[i], marginal += 0.5 * log(variance);
  }
  info[info_entropy] = (float)entropy,
  info[info_marginal_entropy] = (float)(marginal / (double)m->F);
  if (!parts) return;
  info[info_kl] = (float)(parts->trace + parts->mahalanobis + parts->logdet);
  info[info_kl_trace] = (float)parts->trace;
  info[info_kl_mahalanobis] = (float)parts->mahalanobis;
  info[info_kl_logdet] = (float)parts->logdet;
}

/* ---- one percept ---- */

static HnStatus move_on(const Vrnn *m, Tools *w, const Moment *k) {
  int64_t F = m->F;
  for (int64_t i = 0; i < k->n; i++) {
    char *row = k->rows + (size_t)i * m->row.size;
    float *pull = k->pull ? k->pull + i * (F + m->W) : NULL;
    float *info = k->info ? k->info + i * info_count : NULL;
    if (k->dark[i]) { /* the prior, from which nothing has moved */
      if (pull) memset(pull, 0, (size_t)(F + m->W) * sizeof *pull), k->kl[i] = 0;
      memcpy(w->l, logs_of(m, row), (size_t)F * sizeof *w->l);
      if (w->full) memcpy(w->q, axes_of(m, row), (size_t)(F * F) * sizeof *w->q);
      if (info) report(m, w, NULL, info);
      continue;
    }
    const float *spread = k->spread + i * m->W;
    read_spread(m, w, spread);
    if (pull || info) {
      Parts parts = compare(m, w, row, k->mean + i * F, k->before + i * F);
      if (info) report(m, w, &parts, info);
      if (pull) pull_back(m, w, row, spread, pull);
      if (pull)
        k->kl[i] =
            m->p->simplify ? parts.mahalanobis : parts.trace + parts.mahalanobis + parts.logdet;
    }
    memcpy(logs_of(m, row), w->l, (size_t)F * sizeof *w->l);
    if (w->full) memcpy(axes_of(m, row), w->q, (size_t)(F * F) * sizeof *w->q);
  }
  return HN_OK;
}

/* noise [F] over the axes, each times its deviation; to x [F]. */
static void stretch(int64_t F, const float *l, const float *noise, float *x) {
  for (int64_t j = 0; j < F; j++) x[j] = expf(0.5f * l[j]) * noise[j];
}

static HnStatus draw_offsets(const Vrnn *m, Tools *w, int64_t n, char *rows, int64_t draws,
                             const float *noise, float *offset) {
  int64_t F = m->F;
  for (int64_t k = 0; k < n * draws; k++) {
    char *row = rows + (size_t)(k / draws) * m->row.size;
    float *to = offset + k * F;
    stretch(F, logs_of(m, row), noise + k * F, w->full ? w->x : to);
    if (w->full) hn_gemm(F, 1, F, axes_of(m, row), F, 1, w->x, 1, 0, to, 1);
  }
  return HN_OK;
}

static void offsets_back(const Vrnn *m, Tools *w, const float *spread, int64_t draws,
                         const float *noise, const float *d_z, float *d_spread) {
  int64_t F = m->F;
  float *d_l = w->d_l;
  read_spread(m, w, spread);
  memset(d_l, 0, (size_t)F * sizeof *d_l);
  for (int64_t d = 0; d < draws; d++) {
    const float *g = d_z + d * F;
    stretch(F, w->l, noise + d * F, w->x);
    if (w->full) /* the gradient in the axes adds up */
      hn_gemm(F, F, 1, g, 1, 1, w->x, F, d > 0, w->k, F);
    for (int64_t j = 0; j < F; j++) {
      float along = w->full ? 0 : g[j];
      for (int64_t i = 0; w->full && i < F; i++) along += w->q[i * F + j] * g[i];
      d_l[j] += 0.5f * along * w->x[j];
    }
  }
  spread_back(m, w, spread, d_l, w->k, d_spread);
}
#endif
