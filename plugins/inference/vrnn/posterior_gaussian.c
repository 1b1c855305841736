/* vrnn_gaussian.h - q_t = N(mean_t, Sigma_t) with a covariance that the memory is asked for.
 *
 *   diagonal  F log-variances l:                 Sigma = diag(exp l)
 *   full      F log-eigenvalues l, then F (F - 1) / 2 angles: Sigma = Q exp(L) Q', Q = Cayley's
 *             rotation of the angles (hn_cayley)
 *
 * Gradients reach the covariance through draws and through the KL, and do not reach the posterior
 * before.  A row keeps the spread as it was read out; before anything is taken in it is the prior.
 */
#ifndef VRNN_GAUSSIAN_H
#define VRNN_GAUSSIAN_H
#include "reuse.h"
#include "vrnn_facts.h"

enum { TOGETHER = 16 }; /* rows that a rotation is made for at once */

/* Spreads of some rows, [n, F] and [n, F F]. */
typedef struct Axes {
  float *l, *q; /* q: of a full covariance */
} Axes;

struct Tools {
  Reuse reuse;
  Axes now, before; /* of all rows of the pass: now is what row memory says, if known */
  bool known;
  double *p, *p_before; /* [rows, count] precisions, to be reported */
  HnPrecisionFacts *facts;
  void *work;
};

static bool is_full(const Vrnn *m) {
  return m->p->covariance == COVARIANCE_FULL;
}
static int64_t spread_width(const HnThisParams *p) {
  return p->covariance == COVARIANCE_FULL ? p->latent * (p->latent + 1) / 2 : p->latent;
}
static float *spread_in(const Vrnn *m, char *row) {
  return floats_at(row, m->row.posterior);
}

static Axes take_axes(const Vrnn *m, int64_t rows) {
  return (Axes){.l = floats(m->host, rows * m->F),
                .q = is_full(m) ? floats(m->host, rows * m->F * m->F) : NULL};
}

static Tools *take_tools(const Vrnn *m, int64_t rows) {
  const HnHost *host = m->host;
  int64_t count = hn_precision_count(m->F, !is_full(m));
  Tools *w = host->scratch(host, 1, sizeof *w);
  *w = (Tools){.now = take_axes(m, rows),
               .before = take_axes(m, rows),
               .p = host->scratch(host, rows * count, sizeof(double)),
               .p_before = host->scratch(host, rows * count, sizeof(double)),
               .facts = host->scratch(host, rows, sizeof(HnPrecisionFacts)),
               .work = host->scratch(host, 1, hn_precision_work_size(m->F))};
  reuse_begin(&w->reuse, host);
  return w;
}

/* No input has been taken in: that says it all. */
static void take_prior(const Vrnn *m, char *row) {
  (void)m, (void)row;
}

/* ---- spreads ---- */

static void set_prior(const Vrnn *m, const Axes *a, int64_t i) {
  int64_t F = m->F;
  memset(a->l + i * F, 0, (size_t)F * sizeof(float));
  for (int64_t k = 0; a->q && k < F * F; k++) a->q[i * F * F + k] = k % (F + 1) == 0;
}

/* Log-variances [n, F] and rotation [n, F F] (NULL: diagonal) of spreads [n, W]. */
typedef struct Turned {
  HnVar *l, *q;
} Turned;

static Turned turn(const Vrnn *m, HnTape *t, HnVar *spread) {
  float low = (float)m->p->logvar_low, high = (float)m->p->logvar_high;
  if (!is_full(m)) return (Turned){.l = hn_clamp(t, spread, low, high)};
  return (Turned){.l = hn_clamp(t, hn_columns(t, spread, 0, m->F), low, high),
                  .q = hn_cayley(t, hn_columns(t, spread, m->F, m->W - m->F), m->F)};
}

static void keep_turned(const Vrnn *m, const Turned *s, const Axes *a) {
  int64_t n = s->l->rows, F = m->F;
  memcpy(a->l, s->l->data, (size_t)(n * F) * sizeof(float));
  if (a->q) memcpy(a->q, s->q->data, (size_t)(n * F * F) * sizeof(float));
}

/* Brings `now` up to what row memory says. */
static void know(const Vrnn *m, Tools *w, int64_t n, char *rows) {
  if (!w->known) {
    HnTape t = hn_tape_begin(&w->reuse.host, false);
    float *spread = hn_tape_room(&t, n * m->W, sizeof *spread);
    for (int64_t i = 0; i < n; i++)
      memcpy(spread + i * m->W, spread_in(m, rows + (size_t)i * m->row.size),
             (size_t)m->W * sizeof *spread);
    Turned s = turn(m, &t, hn_constant(&t, n, m->W, spread));
    keep_turned(m, &s, &w->now);
    reuse_again(&w->reuse);
  }
  w->known = true;
  for (int64_t i = 0; i < n; i++)
    if (head_of(rows + (size_t)i * m->row.size)->age == 0) set_prior(m, &w->now, i);
}

/* ---- the KL from the posterior before ---- */

static HnVar *divergence(const Vrnn *m, const Tools *w, HnTape *t, HnVar *mean, const Turned *s,
                         const float *before) {
  int64_t n = mean->rows, F = m->F;
  HnVar *mean0 = hn_constant(t, n, F, before), *l0 = hn_constant(t, n, F, w->before.l);
  if (is_full(m))
    return hn_rotated_kl(t, mean, s->l, s->q, mean0, l0, hn_constant(t, n, F * F, w->before.q));
  return hn_normal_kl(t, mean, hn_affine(t, s->l, 0.5f, 0), mean0, hn_affine(t, l0, 0.5f, 0));
}

static HnPrecision precisions(const Vrnn *m, int64_t n, const Axes *a, double *p) {
  int64_t F = m->F, count = hn_precision_count(F, !is_full(m));
  for (int64_t i = 0; i < n; i++) {
    if (a->q) hn_precision_rotated(F, a->l + i * F, a->q + i * F * F, p + i * count);
    for (int64_t j = 0; !a->q && j < F; j++) p[i * F + j] = exp(-(double)a->l[i * F + j]);
  }
  return (HnPrecision){.rows = n, .dim = F, .diagonal = !a->q, .p = p, .p_row = count};
}

static HnStatus report(const Vrnn *m, Tools *w, const Moment *k) {
  HnPrecision now = precisions(m, k->n, &w->now, w->p);
  HnPrecision before = precisions(m, k->n, &w->before, w->p_before);
  HnStatus status =
      hn_precision_facts(&now, k->mean, m->F, &before, k->before, m->F, w->facts, NULL, w->work);
  if (status) return m->host->fail(m->host, status, "a covariance has no factor");
  put_facts(m, w->facts, k);
  return HN_OK;
}

/* Of the Mahalanobis part alone, which does not move the spread. */
static void pull_mean(const Vrnn *m, Tools *w, const Moment *k) {
  int64_t wide = m->F + m->W;
  HnPrecision before = precisions(m, k->n, &w->before, w->p_before);
  float *pull = reuse_scratch(&w->reuse.host, k->n * m->F, sizeof *pull);
  hn_precision_pull(&before, k->mean, m->F, k->before, m->F, pull, k->kl);
  memset(k->pull, 0, (size_t)(k->n * wide) * sizeof *pull);
  for (int64_t i = 0; i < k->n; i++)
    memcpy(k->pull + i * wide, pull + i * m->F, (size_t)m->F * sizeof *pull);
}

static void pull_all(const Vrnn *m, const Moment *k, HnTape *t, const HnVar *mean,
                     const HnVar *spread, HnVar *kl) {
  float *one = hn_tape_room(t, k->n, sizeof *one);
  for (int64_t i = 0; i < k->n; i++) one[i] = k->dark[i] ? 0 : 1;
  hn_tape_backward_from(t, kl, one);
  for (int64_t i = 0; i < k->n; i++) {
    float *to = k->pull + i * (m->F + m->W);
    memcpy(to, mean->grad + i * m->F, (size_t)m->F * sizeof *to);
    memcpy(to + m->F, spread->grad + i * m->W, (size_t)m->W * sizeof *to);
    k->kl[i] = k->dark[i] ? 0 : (double)kl->data[i];
  }
}

/* ---- one percept ---- */

/* Makes the new axes of all rows, with the KL's gradient if asked for. */
static void renew(const Vrnn *m, Tools *w, const Moment *k) {
  HnTape t = hn_tape_begin(&w->reuse.host, k->pull != NULL);
  int64_t n = k->n;
  float *d_mean = hn_tape_room(&t, n * m->F, sizeof(float));
  HnVar *mean = hn_leaf(&t, n, m->F, k->mean, d_mean);
  HnVar *spread = hn_leaf(&t, n, m->W, k->spread, hn_tape_room(&t, n * m->W, sizeof(float)));
  Turned s = turn(m, &t, spread);
  keep_turned(m, &s, &w->now);
  if (k->pull && !m->p->simplify)
    pull_all(m, k, &t, mean, spread, divergence(m, w, &t, mean, &s, k->before));
  for (int64_t i = 0; i < n; i++)
    if (k->dark[i]) set_prior(m, &w->now, i);
  if (k->pull && m->p->simplify) pull_mean(m, w, k);
  reuse_again(&w->reuse);
}

static HnStatus move_on(const Vrnn *m, Tools *w, const Moment *k) {
  if (!k->idle) {
    know(m, w, k->n, k->rows);
    Axes spare = w->before;
    w->before = w->now, w->now = spare;
    for (int64_t i = 0; i < k->n; i++) /* ages have moved on */
      if (head_of(k->rows + (size_t)i * m->row.size)->age == !k->dark[i])
        set_prior(m, &w->before, i);
    renew(m, w, k);
  }
  w->known = !k->idle;
  for (int64_t i = 0; i < k->n; i++)
    memcpy(spread_in(m, k->rows + (size_t)i * m->row.size), k->spread + i * m->W,
           (size_t)m->W * sizeof(float));
  return k->info ? report(m, w, k) : HN_OK;
}

/* ---- draws ---- */

/* What draw d of noise [n, draws, F] differs from the mean by, [n, F]. */
static HnVar *offset_of(const Vrnn *m, HnTape *t, const Turned *s, int64_t d, int64_t draws,
                        const float *noise) {
  int64_t n = s->l->rows, F = m->F;
  float *own = hn_tape_room(t, n * F, sizeof *own);
  for (int64_t i = 0; i < n; i++)
    memcpy(own + i * F, noise + (i * draws + d) * F, (size_t)F * sizeof *own);
  HnVar *x = hn_mul(t, hn_exp(t, hn_affine(t, s->l, 0.5f, 0)), hn_constant(t, n, F, own));
  return s->q ? hn_rotate(t, s->q, x, false) : x;
}

static HnStatus draw_offsets(const Vrnn *m, Tools *w, int64_t n, char *rows, int64_t draws,
                             const float *noise, float *offset) {
  int64_t F = m->F;
  know(m, w, n, rows);
  HnTape t = hn_tape_begin(&w->reuse.host, false);
  Turned s = {.l = hn_constant(&t, n, F, w->now.l)};
  if (is_full(m)) s.q = hn_constant(&t, n, F * F, w->now.q);
  for (int64_t d = 0; d < draws; d++) {
    const float *from = offset_of(m, &t, &s, d, draws, noise)->data;
    for (int64_t i = 0; i < n; i++)
      memcpy(offset + (i * draws + d) * F, from + i * F, (size_t)F * sizeof *offset);
  }
  reuse_again(&w->reuse);
  return HN_OK;
}

static void offsets_back(const Vrnn *m, Tools *w, int64_t n, const float *spread, int64_t draws,
                         const float *noise, const float *d_z, float *d_spread, int64_t d_row) {
  for (int64_t from = 0; from < n; from += TOGETHER) {
    int64_t rows = n - from < TOGETHER ? n - from : TOGETHER, size = draws * m->F;
    HnTape t = hn_tape_begin(&w->reuse.host, true);
    HnVar *x =
        hn_leaf(&t, rows, m->W, spread + from * m->W, hn_tape_room(&t, rows * m->W, sizeof(float)));
    Turned s = turn(m, &t, x);
    HnVar **part = hn_tape_room(&t, draws, sizeof *part);
    for (int64_t d = 0; d < draws; d++)
      part[d] = offset_of(m, &t, &s, d, draws, noise + from * size);
    hn_tape_backward_from(&t, hn_concat(&t, draws, part), d_z + from * size);
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < m->W; j++) d_spread[(from + i) * d_row + j] += x->grad[i * m->W + j];
    reuse_again(&w->reuse);
  }
}
#endif
