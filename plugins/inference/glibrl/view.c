/* view.c - the posterior flattened: means, compact or full. */
#include "view.h"
#include "model.h"
#include "posterior.h"

static bool policy_sees(const GlibrlParams *p, int32_t model) {
  return p->belief_of == GLIBRL_OF_BOTH || p->belief_of == model;
}

/* Numbers of one model's posterior with m targets, without the count of steps. */
static int64_t posterior_dim(const GlibrlParams *p, int64_t d, int64_t m) {
  if (p->view == GLIBRL_VIEW_MEANS) return d * m;
  if (p->view == GLIBRL_VIEW_COMPACT) return d * m + d + m;
  return d * m + d * (d + 1) / 2 + m * (m + 1) / 2;
}

int64_t glibrl_view_dim(const Glibrl *g) {
  const GlibrlParams *p = g->p;
  int64_t dim = p->view != GLIBRL_VIEW_MEANS; /* ln(1 + N) */
  if (policy_sees(p, GLIBRL_OF_TRANSITION)) dim += posterior_dim(p, g->transition.d, g->obs_dim);
  if (policy_sees(p, GLIBRL_OF_REWARD)) dim += posterior_dim(p, g->reward.d, 1);
  return dim;
}

static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

GlibrlView glibrl_view_open(const Glibrl *g) {
  const HnHost *host = g->host;
  const GlibrlModel *tr = &g->transition, *re = &g->reward;
  int64_t side = most(most(tr->d, re->d), g->obs_dim);
  GlibrlView v = {.g = g, .dim = glibrl_view_dim(g), .live = glibrl_live_columns(g)};
  v.transition_nu = glibrl_prior(g, tr, v.live).nu0, v.reward_nu = glibrl_prior(g, re, 1).nu0;
  v.mean = host->scratch(host, most(tr->d * g->obs_dim, re->d), sizeof(double));
  v.square = host->scratch(host, side * side, sizeof(double));
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

/* One posterior and its place in the view. */
typedef struct Part {
  const void *belief;
  int64_t d, m;        /* m live targets .. */
  int64_t whole;       /* .. of so many; columns that are not live give 0, or 1 before the log */
  const int32_t *live; /* [whole], NULL: all */
  double nu;
} Part;

/* Writes the means to `mean` and the rest to `rest`: variances whose log is to be taken, or
 * triangles.  Returns the end of rest. */
static float *put_posterior(const GlibrlView *v, const Part *q, float *mean, float *rest) {
  const GlibrlParams *p = v->g->p;
  bool compact = p->view == GLIBRL_VIEW_COMPACT, inferred = p->noise == HN_MNW_INFERRED;
  int64_t d = q->d, m = q->m;
  if (m) hn_mnw_belief_mean(q->belief, v->mean);
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0, c = 0; j < q->whole; j++)
      *mean++ = !q->live || q->live[j] ? (float)v->mean[i * m + c++] : 0;
  if (p->view == GLIBRL_VIEW_MEANS) return rest;
  if (m && compact) {
    hn_mnw_belief_variance(q->belief, v->square);
    for (int64_t i = 0; i < d; i++) *rest++ = (float)v->square[i];
  } else if (m) {
    hn_mnw_belief_v(q->belief, v->square);
    rest = put_triangle(v->square, d, 1, NULL, d, rest);
  } else
    for (int64_t i = 0; i < (compact ? d : d * (d + 1) / 2); i++) *rest++ = compact;
  double by = 1;
  if (m && inferred) {
    hn_mnw_belief_psi(q->belief, v->square);
    by = 1 / q->nu;
  } else
    for (int64_t i = 0; i < m * m; i++) v->square[i] = i % (m + 1) ? 0 : p->noise_variance;
  if (!compact) return put_triangle(v->square, m, by, q->live, q->whole, rest);
  for (int64_t j = 0, c = 0; j < q->whole; j++)
    if (!q->live || q->live[j])
      *rest++ = (float)(v->square[c * (m + 1)] * by), c++;
    else
      *rest++ = 1;
  return rest;
}

void glibrl_view_write(const GlibrlView *v, const char *row, float *to) {
  const Glibrl *g = v->g;
  const GlibrlParams *p = g->p;
  double steps = (double)((const GlibrlRow *)(const void *)row)->steps;
  Part part[2];
  int parts = 0;
  int64_t means = 0;
  if (policy_sees(p, GLIBRL_OF_TRANSITION)) {
    part[parts++] = (Part){row + g->transition_at, g->transition.d,         v->live, g->obs_dim,
                           g->scale.live,          v->transition_nu + steps};
    means += g->transition.d * g->obs_dim;
  }
  if (policy_sees(p, GLIBRL_OF_REWARD)) {
    part[parts++] = (Part){row + g->reward_at, g->reward.d, 1, 1, NULL, v->reward_nu + steps};
    means += g->reward.d;
  }
  float *mean = to, *rest = to + means, *logs = rest;
  for (int i = 0; i < parts; i++) {
    rest = put_posterior(v, &part[i], mean, rest);
    mean += part[i].d * part[i].whole;
  }
  if (p->view == GLIBRL_VIEW_MEANS) return;
  *rest++ = (float)(1 + steps);
  if (p->view == GLIBRL_VIEW_FULL) logs = rest - 1;
  hn_vec_log(rest - logs, logs, logs);
}
