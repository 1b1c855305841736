/* vrnn_naive.h - the recurrent agents written out again, one number at a time in float64, with
 * Jacobians by differences and matrices by elimination: the reference of their tests.
 *
 * What the method holds constant (precisions, the posterior before, samples' deviations, the
 * recurrent state a window starts from) is written down in a first run and read in later ones, so
 * that central differences of the later ones are the gradients that the method wants. */
#ifndef VRNN_NAIVE_H
#define VRNN_NAIVE_H
#include "vrnn_fixture.h"
#include <math.h>

enum { WIDE = 48, LAG = 4, SAMPLES = 3 };

typedef struct Gaussian {
  double mean[WIDE], precision[WIDE * WIDE];
} Gaussian;

/* What is known at an observation. */
typedef struct Point {
  bool masked;
  double h[WIDE], cells[WIDE], context[WIDE], act[WIDE]; /* act: embedded, of the step before */
  Gaussian q, before;                                    /* before: held constant */
  double z[SAMPLES][WIDE], model_z[SAMPLES][WIDE];       /* offsets of the belief's, the head's */
  double root[WIDE * WIDE];
} Point;

/* One row's memory. */
typedef struct Memory {
  double carry[2 * WIDE], inputs[LAG][4 * WIDE];
  int64_t count; /* inputs */
  Gaussian q;
} Memory;

typedef struct Naive Naive;
/* What each test states for its plugin. */
typedef struct NaivePosterior {
  const HnPlugin *plugin;
  /* Precision of a new task's posterior, in: 0.  NULL: there is none. */
  void (*prior)(const Naive *z, double *precision);
  /* p->q after an input, its mean in: as read out; k->q is the posterior before.  NULL: the mean.
   */
  void (*update)(const Naive *z, const Memory *k, Point *p);
  /* z - mean of p->q for noise [F]; in: 0.  NULL: 0. */
  void (*offset)(const Naive *z, const Point *p, const float *noise, double *offset);
  bool moves; /* offsets and precisions depend on weights; else they are held constant */
} NaivePosterior;

struct Naive {
  const NaivePosterior *posterior;
  FakeHost *fake;
  const Vrnn *m;
  const Experience *xp;
  int64_t size, at[FAKE_ARRAYS]; /* numbers; where each array begins, -1: no weight */
  double *x;
  int64_t from;  /* observation that the window starts with: before it nothing is learnt */
  Memory *start; /* [B] there */
  Point *point;  /* [T+1, B] of all experience */
  bool recorded;
  int64_t samples; /* of the belief */
  double kl, nll;  /* of the last run, means */
};

static inline Naive *naive_new(const NaivePosterior *posterior, Fixture *b, const Experience *xp,
                               int64_t from) {
  Naive *z = g_new0(Naive, 1);
  const Vrnn *m = b->self;
  FakeHost *fake = &b->fake;
  *z = (Naive){.posterior = posterior, .fake = fake, .m = m, .xp = xp, .from = from};
  g_assert_cmpint(MAX(MAX(m->D + m->E, m->rnn.width), m->W), <=, 4 * WIDE);
  g_assert_cmpint(MAX(MAX(m->H, m->F), MAX(m->E, m->C)), <=, WIDE);
  for (int64_t k = 0; k < fake->array_count; k++) {
    z->at[k] = fake->array[k].grad ? z->size : -1;
    if (fake->array[k].grad) z->size += fake->array[k].count;
  }
  z->x = g_new0(double, z->size);
  for (int64_t k = 0; k < fake->array_count; k++)
    for (int64_t j = 0; z->at[k] >= 0 && j < fake->array[k].count; j++)
      z->x[z->at[k] + j] = (double)((const float *)fake->array[k].data)[j];
  z->start = g_new0(Memory, xp->B), z->point = g_new0(Point, (xp->T + 1) * xp->B);
  return z;
}

static inline void naive_free(Naive *z) {
  g_free(z->x), g_free(z->start), g_free(z->point), g_free(z);
}

static inline double *weights_of(const Naive *z, const char *format, const char *name) {
  char text[64];
  g_snprintf(text, sizeof text, "%s%s", name, format);
  for (int64_t k = 0; k < z->fake->array_count; k++)
    if (!strcmp(z->fake->array[k].spec.name, text)) return z->x + z->at[k];
  g_error("no array %s", text);
}

/* ---- networks ---- */

/* y [m] = b + x [n] w, w [n, m]. */
static inline void affine(const double *w, const double *b, int64_t n, int64_t m, const double *x,
                          double *y) {
  for (int64_t j = 0; j < m; j++) {
    y[j] = b ? b[j] : 0;
    for (int64_t i = 0; i < n; i++) y[j] += x[i] * w[i * m + j];
  }
}

static inline void leaky(int64_t n, double *y) {
  for (int64_t j = 0; j < n; j++) y[j] = y[j] < 0 ? 0.01 * y[j] : y[j];
}

static inline void normalise(const Naive *z, const char *name, int64_t n, double *y) {
  const double *gain = weights_of(z, ".norm.weight", name),
               *bias = weights_of(z, ".norm.bias", name);
  double mean = 0, square = 0;
  for (int64_t j = 0; j < n; j++) mean += y[j] / (double)n;
  for (int64_t j = 0; j < n; j++) square += (y[j] - mean) * (y[j] - mean) / (double)n;
  for (int64_t j = 0; j < n; j++) y[j] = gain[j] * (y[j] - mean) / sqrt(square + 1e-6) + bias[j];
}

/* Layers NAME.0 .. as HnMlp has them; the last one bends too if `bends`. */
static inline void layers(const Naive *z, const char *name, const HnMlp *net, bool bends,
                          double *y) {
  double x[4 * WIDE];
  for (int64_t k = 0; k < net->layers; k++) {
    char weight[32], bias[32];
    g_snprintf(weight, sizeof weight, ".%d.weight", (int)k);
    g_snprintf(bias, sizeof bias, ".%d.bias", (int)k);
    memcpy(x, y, (size_t)net->w[k]->rows * sizeof *x);
    affine(weights_of(z, weight, name), weights_of(z, bias, name), net->w[k]->rows, net->w[k]->cols,
           x, y);
    if (k + 1 < net->layers || bends) leaky(net->w[k]->cols, y);
  }
}

static inline void naive_embed(const Naive *z, const char *name, const VrnnEmbedding *e,
                               double *y) {
  layers(z, name, &e->net, true, y);
  normalise(z, name, z->m->E, y);
}

static inline double logistic(double x) {
  return 1 / (1 + exp(-x));
}

/* carry [hidden, or hidden and cells]; in [gates]: the input's share of the gates' sums. */
static inline void naive_cell(const Naive *z, const double *in, const double *before,
                              double *after) {
  const Vrnn *m = z->m;
  int64_t H = m->H;
  double state[4 * WIDE];
  const char *cell = hn_rnn_cell_name(m->rnn.cell);
  affine(weights_of(z, ".weight_hh", cell), NULL, H, m->rnn.width, before, state);
  for (int64_t j = 0; j < H; j++) {
    if (m->rnn.cell == HN_RNN_GRU) {
      double r = logistic(in[j] + state[j]), u = logistic(in[H + j] + state[H + j]);
      double bias = weights_of(z, ".bias_state", cell)[j];
      double n = tanh(in[2 * H + j] + r * (state[2 * H + j] + bias));
      after[j] = (1 - u) * n + u * before[j];
    } else {
      double g[4];
      for (int k = 0; k < 4; k++) g[k] = in[k * H + j] + state[k * H + j];
      after[H + j] = logistic(g[1]) * before[H + j] + logistic(g[0]) * tanh(g[2]);
      after[j] = logistic(g[3]) * tanh(after[H + j]);
    }
  }
}

static inline void naive_mean(const Naive *z, const double *h, double *mean) {
  affine(weights_of(z, ".0.weight", "mean"), weights_of(z, ".0.bias", "mean"), z->m->H, z->m->F, h,
         mean);
}

/* The action of element `at` (NULL history element: none), embedded. */
static inline void naive_act(const Naive *z, int64_t at, bool none, double *y) {
  const Vrnn *m = z->m;
  const Experience *xp = z->xp;
  memset(y, 0, WIDE * sizeof *y);
  if (!none && m->discrete && m->p->act_input == ACT_INDEX) y[0] = xp->action_index[at];
  if (!none && m->discrete && m->p->act_input == ACT_ONEHOT) y[xp->action_index[at]] = 1;
  for (int64_t d = 0; !none && !m->discrete && d < xp->action_dim; d++)
    y[d] = (double)xp->action[at * xp->action_dim + d];
  naive_embed(z, "act_embed", &m->act, y);
}

/* ---- small matrices ---- */

/* x of a x = b by Gauss' elimination with pivots; log|det a| as well. */
static inline double eliminate(int64_t n, const double *a, const double *b, double *x) {
  double w[WIDE * (WIDE + 1)], logdet = 0;
  for (int64_t i = 0; i < n; i++) {
    memcpy(w + i * (n + 1), a + i * n, (size_t)n * sizeof *w);
    w[i * (n + 1) + n] = b ? b[i] : 0;
  }
  for (int64_t k = 0; k < n; k++) {
    int64_t best = k;
    for (int64_t i = k; i < n; i++)
      if (fabs(w[i * (n + 1) + k]) > fabs(w[best * (n + 1) + k])) best = i;
    for (int64_t j = 0; j <= n; j++) {
      double swap = w[k * (n + 1) + j];
      w[k * (n + 1) + j] = w[best * (n + 1) + j], w[best * (n + 1) + j] = swap;
    }
    double pivot = w[k * (n + 1) + k];
    logdet += log(fabs(pivot));
    for (int64_t i = 0; i < n; i++) {
      double by = i == k ? 0 : w[i * (n + 1) + k] / pivot;
      for (int64_t j = 0; j <= n; j++) w[i * (n + 1) + j] -= by * w[k * (n + 1) + j];
    }
  }
  for (int64_t i = 0; x && i < n; i++) x[i] = w[i * (n + 1) + n] / w[i * (n + 1) + i];
  return logdet;
}

static inline void inverse(int64_t n, const double *a, double *y) {
  double unit[WIDE], column[WIDE];
  for (int64_t j = 0; j < n; j++) {
    for (int64_t i = 0; i < n; i++) unit[i] = i == j;
    eliminate(n, a, unit, column);
    for (int64_t i = 0; i < n; i++) y[i * n + j] = column[i];
  }
}

/* Parts of KL(q || p) of Gaussians: 1/2 (trace - F), 1/2 Mahalanobis, 1/2 log-determinants. */
static inline void naive_kl(int64_t n, const Gaussian *q, const Gaussian *p, double *parts) {
  double cov[WIDE * WIDE];
  inverse(n, q->precision, cov);
  parts[0] = -0.5 * (double)n, parts[1] = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) {
      parts[0] += 0.5 * p->precision[i * n + j] * cov[j * n + i];
      parts[1] +=
          0.5 * (q->mean[i] - p->mean[i]) * p->precision[i * n + j] * (q->mean[j] - p->mean[j]);
    }
  parts[2] =
      0.5 * (eliminate(n, q->precision, NULL, NULL) - eliminate(n, p->precision, NULL, NULL));
}

static inline double naive_entropy(int64_t n, const double *precision) {
  return 0.5 * (double)n * (1 + log(2 * G_PI)) - 0.5 * eliminate(n, precision, NULL, NULL);
}

/* ---- a row ---- */

static inline void naive_observe(const Naive *z, int64_t t, int64_t i, Memory *k, Point *p) {
  const Vrnn *m = z->m;
  const Experience *xp = z->xp;
  int64_t at = (t + 1) * xp->B + i, n = 0, E = m->E;
  bool fresh = xp->begin[at] == HN_NEW_TASK;
  double x[4 * WIDE] = {0}, in[4 * WIDE], carry[2 * WIDE];
  if (fresh) {
    *k = (Memory){.count = 0};
    if (z->posterior->prior) z->posterior->prior(z, k->q.precision);
  }
  if (!z->recorded) p->before = k->q;
  p->masked = fresh && !m->p->see_first;
  naive_act(z, at - xp->B, false, p->act);
  for (int64_t d = 0; d < xp->obs_dim; d++) x[n++] = (double)xp->obs[at * xp->obs_dim + d];
  if (m->p->see_reward) x[n++] = fresh ? 0 : (double)xp->reward[at - xp->B];
  if (m->p->see_episodes) x[n++] = xp->begin[at] == HN_NEW_EPISODE;
  naive_embed(z, "obs_embed", &m->obs, x);
  if (m->p->context == CONTEXT_BAMDP) memcpy(p->context, x, sizeof p->context);
  if (fresh)
    naive_act(z, 0, true, x + E);
  else
    memcpy(x + E, p->act, (size_t)E * sizeof *x);
  if (p->masked) {
    p->q = k->q;
    memset(p->context, 0, sizeof p->context);
    return;
  }
  const char *cell = hn_rnn_cell_name(m->rnn.cell);
  affine(weights_of(z, ".weight_ih", cell), weights_of(z, ".bias", cell), 2 * E, m->rnn.width, x,
         in);
  naive_cell(z, in, k->carry, carry);
  memcpy(k->carry, carry, sizeof carry);
  memmove(k->inputs[1], k->inputs[0], (LAG - 1) * sizeof k->inputs[0]);
  memcpy(k->inputs[0], in, sizeof in);
  k->count++;
  memcpy(p->h, carry, sizeof p->h);
  if (m->p->context == CONTEXT_RSSM) memcpy(p->context, carry, sizeof p->context);
  naive_mean(z, carry, p->q.mean);
  if (z->posterior->update) z->posterior->update(z, k, p);
  k->q = p->q;
}

/* ---- the head ---- */

static inline double naive_sigma(const Naive *z) {
  double w =
      weights_of(z, ".sigma.weight", "signal")[0] + weights_of(z, ".sigma.bias", "signal")[0];
  return z->m->p->upstream_sigma ? log1p(exp(fmin(fmax(w, 0.001), 5)))
                                 : fmin(fmax(log1p(exp(w)), 0.001), 5);
}

/* Log-density of what step (t, i) showed, given S samples of z at observation t. */
static inline double naive_shown(const Naive *z, int64_t t, int64_t i, int64_t S,
                                 double offsets[][WIDE]) {
  const Vrnn *m = z->m;
  const Experience *xp = z->xp;
  const Point *p = &z->point[t * xp->B + i];
  int64_t at = (t + 1) * xp->B + i, F = m->F, O = m->head.outputs;
  const char *name = m->p->head == HEAD_SIGNAL ? "signal" : "reward";
  double out[SAMPLES][WIDE], act[WIDE], sum = 0, mixture = 0, logs = 0;
  naive_act(z, at, false, act);
  for (int64_t s = 0; s < MAX(S, 1); s++) {
    double y[4 * WIDE];
    for (int64_t j = 0; j < F; j++) y[j] = p->q.mean[j] + (S ? offsets[s][j] : 0);
    for (int64_t j = 0; j < m->C; j++) y[F + j] = p->context[j];
    for (int64_t j = 0; j < m->E; j++) y[F + m->C + j] = act[j];
    normalise(z, name, F + m->C + m->E, y);
    layers(z, name, &m->head.net, false, y);
    memcpy(out[s], y, sizeof out[s]);
  }
  int64_t n = MAX(S, 1);
  if (m->p->head == HEAD_REWARD) {
    int one = xp->reward[at] > 0.5f;
    for (int64_t s = 0; s < n; s++) {
      double p1 = exp(out[s][one]) / (exp(out[s][0]) + exp(out[s][1]));
      mixture += p1 / (double)n, logs += log(p1) / (double)n;
    }
    return m->p->upstream_mixture ? logs : log(mixture);
  }
  for (int64_t d = 0; d < O; d++) {
    double mean = 0, second = 0, sigma = naive_sigma(z), stddev;
    for (int64_t s = 0; s < n; s++)
      mean += out[s][d] / (double)n, second += out[s][d] * out[s][d] / (double)n;
    stddev = sqrt(sigma * sigma + second - mean * mean);
    if (m->p->upstream_aggregate) stddev = n > 1 ? sigma * sigma : sigma;
    double e = ((double)xp->next[at * O + d] - mean) / stddev;
    sum += -0.5 * e * e - log(stddev) - 0.5 * log(2 * G_PI);
  }
  return sum;
}

/* ---- the whole ---- */

/* The head's and the belief's noise, as the plugin draws it. */
typedef struct Noise {
  float *belief, *model; /* [T+1, B, SAMPLES, F] */
} Noise;

static inline void draw_points(Naive *z, const Noise *noise, int64_t k, Point *p) {
  for (int64_t s = 0; s < SAMPLES && z->posterior->offset; s++) {
    int64_t at = (k * SAMPLES + s) * z->m->F;
    z->posterior->offset(z, p, noise->belief + at, p->z[s]);
    z->posterior->offset(z, p, noise->model + at, p->model_z[s]);
  }
}

/* The loss along the window that starts at z->from, plus sum(c . belief); belief [T+1, B,
 * max(S, 1), D], c [.. of the window]; either may be NULL. */
static inline double naive_run(Naive *z, const Noise *noise, const float *c, float *belief) {
  const Vrnn *m = z->m;
  const Experience *xp = z->xp;
  int64_t S = MAX(z->samples, 1), D = m->D, first = z->recorded ? z->from : 0;
  int64_t W = xp->T - z->from;
  double sum = 0, mean = 1 / (double)(W * xp->B);
  z->kl = z->nll = 0;
  for (int64_t i = 0; i < xp->B; i++) {
    Memory k = z->start[i];
    for (int64_t t = first; t <= xp->T; t++) {
      Point *p = &z->point[t * xp->B + i];
      if (!z->recorded && t == z->from) z->start[i] = k;
      naive_observe(z, t, i, &k, p);
      if (!z->recorded || z->posterior->moves) draw_points(z, noise, t * xp->B + i, p);
      if (t < z->from) continue;
      for (int64_t s = 0; s < S; s++)
        for (int64_t j = 0; j < D; j++) {
          int64_t at = ((t * xp->B + i) * S + s) * D + j;
          double y = j < m->F ? p->q.mean[j] + (z->samples ? p->z[s][j] : 0) : p->context[j - m->F];
          if (belief) belief[at] = (float)y;
          if (c) sum += (double)c[at - z->from * xp->B * S * D] * y;
        }
      if (t == xp->T) continue;
      double parts[3];
      if (m->p->kl_weight > 0) {
        naive_kl(m->F, &p->q, &p->before, parts);
        z->kl += mean * (parts[1] + (m->p->simplify ? 0 : parts[0] + parts[2]));
      }
      if (m->head.net.layers)
        z->nll -= mean * naive_shown(z, t, i, m->p->model_samples, p->model_z);
    }
  }
  z->recorded = true;
  return sum + z->nll + m->p->kl_weight * z->kl;
}
#endif
