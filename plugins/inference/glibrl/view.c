/* view.c - see view.h. */
#include "view.h"
#include "model.h"
#include "posterior.h"
#include <math.h>
#include <string.h>

bool glibrl_policy_sees(const Glibrl *g, const GlibrlModel *k) {
  const int32_t of = g->p->belief_of;
  return of == GLIBRL_OF_BOTH || (of == GLIBRL_OF_TRANSITION) == (k == &g->transition);
}

static int64_t mean_count(const GlibrlParams *p, int64_t d, int64_t m) {
  return (p->view == GLIBRL_VIEW_PREDICTIONS ? p->anchors : d) * m;
}

/* Numbers of one model beside its means. */
static int64_t rest_count(const GlibrlParams *p, int64_t d, int64_t m) {
  switch (p->view) {
  case GLIBRL_VIEW_COMPACT:
    return d + m;
  case GLIBRL_VIEW_FULL:
    return d * (d + 1) / 2 + m * (m + 1) / 2;
  case GLIBRL_VIEW_WHITENED:
    return 1 + m;
  case GLIBRL_VIEW_PREDICTIONS:
    return (p->anchor_stddev == GLIBRL_STDDEV_EACH ? p->anchors : 1) + m;
  default:
    return 0;
  }
}

int64_t glibrl_view_dim(const Glibrl *g) {
  const GlibrlParams *p = g->p;
  const GlibrlModel *model[] = {&g->transition, &g->reward};
  int64_t dim = p->view != GLIBRL_VIEW_MEANS, m[] = {g->obs_dim, 1};
  for (int i = 0; i < 2; i++)
    if (glibrl_policy_sees(g, model[i]))
      dim += mean_count(p, model[i]->d, m[i]) + rest_count(p, model[i]->d, m[i]);
  return dim;
}

static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

GlibrlView glibrl_view_open(const Glibrl *g, int64_t capacity) {
  const HnHost *host = g->host;
  const GlibrlModel *tr = &g->transition, *re = &g->reward;
  const int64_t wide = most(tr->d, re->d), side = most(wide, g->obs_dim);
  GlibrlView v = {.g = g, .dim = glibrl_view_dim(g)};
  if (glibrl_policy_sees(g, tr))
    v.part[v.parts++] = (GlibrlViewPart){
        .model = tr, .m = glibrl_live_columns(g), .whole = g->obs_dim, .live = g->scale.live};
  if (glibrl_policy_sees(g, re))
    v.part[v.parts++] = (GlibrlViewPart){.model = re, .m = 1, .whole = 1};
  for (int i = 0; i < v.parts; i++) {
    GlibrlViewPart *q = &v.part[i];
    q->nu0 = glibrl_prior(g, q->model, q->m).nu0;
    v.means += q->means = mean_count(g->p, q->model->d, q->whole);
  }
  v.mean = host->scratch(host, most(tr->d * g->obs_dim, re->d), sizeof(double));
  v.square = host->scratch(host, side * side, sizeof(double));
  if (g->p->view == GLIBRL_VIEW_WHITENED)
    v.product = host->scratch(host, capacity * wide, sizeof(float));
  return v;
}

/* Puts the lower triangle of a [n, n], times `by`, at the live rows and columns (NULL: all) of a
 * packed triangle [whole, whole]; returns its end. */
static float *put_triangle(const double *a, int64_t n, double by, const int32_t *live,
                           int64_t whole, float *to) {
  for (int64_t i = 0, r = 0; i < whole; i++) {
    bool row = !live || live[i];
    for (int64_t j = 0, c = 0; j <= i; j++) {
      bool column = !live || live[j];
      *to++ = row && column ? (float)(a[r * n + c] * by) : 0;
      c += column;
    }
    r += row;
  }
  return to;
}

/* v->square [m, m] gets Psi or, where noise is known, its covariance; returns what makes that the
 * noise: 1 / nu or 1. */
static double read_noise(const GlibrlView *v, const GlibrlViewPart *q, const void *posterior,
                         double nu) {
  const GlibrlParams *p = v->g->p;
  if (q->m && p->noise == HN_MNW_INFERRED) {
    hn_mnw_belief_psi(posterior, v->square);
    return 1 / nu;
  }
  for (int64_t i = 0; i < q->m * q->m; i++) v->square[i] = i % (q->m + 1) ? 0 : p->noise_variance;
  return 1;
}

/* Puts the diagonal of v->square, times `by`, whose log will be taken: 1 where nothing is
 * predicted. */
static float *put_noise(const GlibrlView *v, const GlibrlViewPart *q, double by, float *to) {
  for (int64_t j = 0, c = 0; j < q->whole; j++)
    if (!q->live || q->live[j])
      *to++ = (float)(v->square[c * (q->m + 1)] * by), c++;
    else
      *to++ = 1;
  return to;
}

/* A view puts one part's means to `mean` and the rest, of which the log may be taken, to `rest`;
 * returns the end of rest.  nu is that of the posterior after the row's steps. */
typedef float *Put(const GlibrlView *v, const GlibrlViewPart *q, const char *row, double nu,
                   float *mean, float *rest);

static float *put_parameters(const GlibrlView *v, const GlibrlViewPart *q, const char *row,
                             double nu, float *mean, float *rest) {
  const int32_t view = v->g->p->view;
  const void *posterior = row + q->model->posterior_at;
  int64_t d = q->model->d, m = q->m;
  if (m) hn_mnw_belief_mean(posterior, v->mean);
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0, c = 0; j < q->whole; j++)
      *mean++ = !q->live || q->live[j] ? (float)v->mean[i * m + c++] : 0;
  if (view == GLIBRL_VIEW_MEANS) return rest;
  bool compact = view == GLIBRL_VIEW_COMPACT;
  if (m && compact) {
    hn_mnw_belief_variance(posterior, v->square);
    for (int64_t i = 0; i < d; i++) *rest++ = (float)v->square[i];
  } else if (m) {
    hn_mnw_belief_v(posterior, v->square);
    rest = put_triangle(v->square, d, 1, NULL, d, rest);
  } else
    for (int64_t i = 0; i < (compact ? d : d * (d + 1) / 2); i++) *rest++ = compact;
  double by = read_noise(v, q, posterior, nu);
  return compact ? put_noise(v, q, by, rest)
                 : put_triangle(v->square, m, by, q->live, q->whole, rest);
}

/* M' here, M'R by glibrl_view_finish: a product of many rows at once. */
static float *put_whitened(const GlibrlView *v, const GlibrlViewPart *q, const char *row, double nu,
                           float *mean, float *rest) {
  const void *posterior = row + q->model->posterior_at;
  int64_t d = q->model->d, m = q->m;
  memset(mean, 0, (size_t)(q->whole * d) * sizeof *mean);
  if (m) hn_mnw_belief_mean(posterior, v->mean);
  for (int64_t j = 0, c = 0; j < q->whole; j++, mean += d) {
    if (q->live && !q->live[j]) continue;
    for (int64_t i = 0; i < d; i++) mean[i] = (float)v->mean[i * m + c];
    c++;
  }
  *rest++ = m ? (float)exp(-hn_mnw_belief_summary(posterior).logdet_xi / (double)d) : 1;
  return put_noise(v, q, read_noise(v, q, posterior, nu), rest);
}

static float *put_predictions(const GlibrlView *v, const GlibrlViewPart *q, const char *row,
                              double nu, float *mean, float *rest) {
  const int64_t anchors = v->g->p->anchors, side = 1 + q->m;
  const double *probe = (const double *)(const void *)(row + q->model->probe_at);
  const bool each = v->g->p->anchor_stddev == GLIBRL_STDDEV_EACH;
  double logs = 0;
  for (int64_t k = 0; k < anchors; k++, probe += q->m ? side : 0) {
    for (int64_t j = 0, c = 0; j < q->whole; j++)
      *mean++ = !q->live || q->live[j] ? (float)probe[1 + c++] : 0;
    if (each) *rest++ = q->m ? (float)sqrt(1 + probe[0]) : 1;
    if (!each && q->m) logs += log1p(probe[0]) / 2;
  }
  if (!each) *rest++ = (float)exp(logs / (double)anchors);
  /* E[Sigma] = Psi / (nu - m - 1) */
  const double by = read_noise(v, q, row + q->model->posterior_at, nu - (double)q->m - 1);
  float *end = put_noise(v, q, by, rest);
  for (; rest < end; rest++) *rest = sqrtf(*rest);
  return end;
}

void glibrl_view_write(const GlibrlView *v, const char *row, float *to) {
  static Put *const put[] = {put_parameters, put_parameters, put_parameters, put_whitened,
                             put_predictions};
  const int32_t view = v->g->p->view;
  const double steps = (double)((const GlibrlRow *)(const void *)row)->steps;
  float *mean = to, *rest = to + v->means, *logs = rest;
  for (int i = 0; i < v->parts; i++) {
    const GlibrlViewPart *q = &v->part[i];
    rest = put[view](v, q, row, q->nu0 + steps, mean, rest);
    mean += q->means;
  }
  if (view == GLIBRL_VIEW_MEANS) return;
  *rest++ = (float)(1 + steps);
  if (view == GLIBRL_VIEW_FULL) logs = rest - 1;
  hn_vec_log(rest - logs, logs, logs);
}

void glibrl_view_finish(const GlibrlView *v, int64_t n, float *views, int64_t stride) {
  if (v->g->p->view != GLIBRL_VIEW_WHITENED) return;
  for (int i = 0; i < v->parts; i++) {
    const GlibrlViewPart *q = &v->part[i];
    const int64_t d = q->model->d;
    for (int64_t j = 0; j < q->whole; j++, views += d) {
      if (q->live && !q->live[j]) continue;
      hn_gemm(n, d, d, views, stride, 1, q->model->root, d, 0, v->product, d);
      for (int64_t r = 0; r < n; r++)
        memcpy(views + r * stride, v->product + r * d, (size_t)d * sizeof *views);
    }
  }
}
