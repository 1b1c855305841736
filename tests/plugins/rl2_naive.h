/* rl2_naive.h - what RL2 is to compute, one number at a time in float64: the reference of
 * rl2_test.c. */
#ifndef HN_TESTS_RL2_NAIVE_H
#define HN_TESTS_RL2_NAIVE_H
#include "experience.h"
#include "fake_host.h"
#include <math.h>

/* ---- the network ---- */

typedef struct Shape {
  bool lstm, see_obs, see_act, see_reward, see_episodes;
  int64_t hidden, embed[3], bottleneck, truncate;
  int activation; /* of the bottleneck: 0 ReLU, 1 linear, 2 tanh */
} Shape;

/* All weights as one float64 vector, in the order in which the host holds them. */
typedef struct Naive {
  FakeHost *fake;
  Shape s;
  int64_t size, at[FAKE_ARRAYS]; /* numbers; where each array begins, -1: no weight */
  double *x;
} Naive;

static Naive *naive_new(FakeHost *fake, Shape s) {
  Naive *z = g_new0(Naive, 1);
  z->fake = fake, z->s = s;
  for (int64_t k = 0; k < fake->array_count; k++) {
    z->at[k] = fake->array[k].grad ? z->size : -1;
    if (fake->array[k].grad) z->size += fake->array[k].count;
  }
  z->x = g_new0(double, (gsize)z->size);
  for (int64_t k = 0; k < fake->array_count; k++)
    for (int64_t j = 0; z->at[k] >= 0 && j < fake->array[k].count; j++)
      z->x[z->at[k] + j] = (double)((const float *)fake->array[k].data)[j];
  return z;
}

static void naive_free(Naive *z) {
  g_free(z->x), g_free(z);
}

static const double *weights_of(const Naive *z, const char *name) {
  for (int64_t k = 0; k < z->fake->array_count; k++)
    if (!strcmp(z->fake->array[k].spec.name, name)) return z->x + z->at[k];
  g_error("no array %s", name);
}

/* y [m] = b + x [n] w, w [n, m]. */
static void affine(const Naive *z, const char *weight, const char *bias, int64_t n, int64_t m,
                   const double *x, double *y) {
  const double *w = weights_of(z, weight), *b = weights_of(z, bias);
  for (int64_t j = 0; j < m; j++) {
    y[j] = b[j];
    for (int64_t i = 0; i < n; i++) y[j] += x[i] * w[i * m + j];
  }
}

/* Appends a part of the input, embedded if it is to be; returns how many numbers. */
static int64_t put_part(const Naive *z, const char *name, int64_t units, int64_t n, const double *x,
                        double *to) {
  if (n == 0 || units == 0) {
    memcpy(to, x, (size_t)n * sizeof *x);
    return n;
  }
  char weight[64], bias[64];
  g_snprintf(weight, sizeof weight, "%s.0.weight", name);
  g_snprintf(bias, sizeof bias, "%s.0.bias", name);
  affine(z, weight, bias, n, units, x, to);
  for (int64_t j = 0; j < units; j++) to[j] = fmax(0, to[j]);
  return units;
}

enum { WIDEST = 64 };

static int64_t naive_input(const Naive *z, const HnHistory *h, const Experience *xp, int64_t t,
                           int64_t i, double *to) {
  int64_t at = hn_at(h, t, i), past = at - h->stride, n = 0, in = 0;
  bool fresh = h->begin[at] == HN_NEW_TASK;
  double x[WIDEST] = {0};
  for (int64_t d = 0; z->s.see_obs && d < xp->obs_dim; d++)
    x[n++] = (double)h->obs[at * xp->obs_dim + d];
  if (z->s.see_episodes) x[n++] = h->begin[at] == HN_NEW_EPISODE;
  in += put_part(z, "obs_embed", z->s.embed[0], n, x, to);
  memset(x, 0, sizeof x);
  n = xp->action_count ? xp->action_count : xp->action_dim;
  for (int64_t d = 0; d < n && !fresh; d++)
    x[d] = xp->action_count ? h->action_index[past] == d
                            : (double)h->action[past * xp->action_dim + d];
  in += put_part(z, "act_embed", z->s.embed[1], z->s.see_act ? n : 0, x, to + in);
  x[0] = fresh ? 0 : (double)h->reward[past];
  return in + put_part(z, "reward_embed", z->s.embed[2], z->s.see_reward, x, to + in);
}

static double logistic(double x) {
  return 1 / (1 + exp(-x));
}

/* PyTorch's cells; m [hidden], or hidden and cell one after the other. */
static void naive_cell(const Naive *z, int64_t in, const double *x, double *m) {
  int64_t H = z->s.hidden, gates = z->s.lstm ? 4 : 3;
  double a[4 * WIDEST], b[4 * WIDEST];
  const char *name = z->s.lstm ? "lstm" : "gru";
  char text[4][64];
  const char *part[] = {"weight_ih", "bias_ih", "weight_hh", "bias_hh"};
  for (int k = 0; k < 4; k++) g_snprintf(text[k], sizeof text[k], "%s.%s", name, part[k]);
  affine(z, text[0], text[1], in, gates * H, x, a), affine(z, text[2], text[3], H, gates * H, m, b);
  for (int64_t j = 0; j < H; j++) {
    if (z->s.lstm) {
      double g[4];
      for (int k = 0; k < 4; k++) g[k] = a[k * H + j] + b[k * H + j];
      m[H + j] = logistic(g[1]) * m[H + j] + logistic(g[0]) * tanh(g[2]);
      m[j] = logistic(g[3]) * tanh(m[H + j]);
    } else {
      double r = logistic(a[j] + b[j]), u = logistic(a[H + j] + b[H + j]);
      double n = tanh(a[2 * H + j] + r * b[2 * H + j]);
      m[j] = (1 - u) * n + u * m[j];
    }
  }
}

static int64_t naive_memory(const Naive *z) {
  return z->s.hidden * (1 + z->s.lstm);
}
static int64_t naive_dim(const Naive *z) {
  return z->s.bottleneck ? z->s.bottleneck : z->s.hidden;
}

/* sum(c . belief) [T+1, B, D] along h from memory start [B, memory]; belief: out or NULL.  Where
 * `frozen` [T+1, B, memory] is given, segments of s.truncate time steps start from it, which is
 * what a gradient that is cut there sees; kept (or NULL) receives the memory before every time
 * step. */
static double naive_sum(const Naive *z, const Experience *xp, const HnHistory *h,
                        const double *start, const double *c, double *belief, const double *frozen,
                        double *kept) {
  int64_t M = naive_memory(z), D = naive_dim(z), H = z->s.hidden;
  double sum = 0;
  for (int64_t i = 0; i < h->rows; i++) {
    double m[2 * WIDEST], x[4 * WIDEST], y[WIDEST];
    memcpy(m, start + i * M, (size_t)M * sizeof *m);
    for (int64_t t = 0; t <= h->steps; t++) {
      int64_t k = t * h->rows + i;
      if (frozen && t && t % z->s.truncate == 0) memcpy(m, frozen + k * M, (size_t)M * sizeof *m);
      if (kept) memcpy(kept + k * M, m, (size_t)M * sizeof *m);
      if (h->begin[hn_at(h, t, i)] == HN_NEW_TASK) memset(m, 0, sizeof m);
      naive_cell(z, naive_input(z, h, xp, t, i, x), x, m);
      memcpy(y, m, (size_t)H * sizeof *y);
      if (z->s.bottleneck) affine(z, "bottleneck.0.weight", "bottleneck.0.bias", H, D, m, y);
      for (int64_t d = 0; d < D; d++) {
        if (z->s.bottleneck && z->s.activation != 1)
          y[d] = z->s.activation ? tanh(y[d]) : fmax(0, y[d]);
        sum += c[k * D + d] * y[d];
        if (belief) belief[k * D + d] = y[d];
      }
    }
  }
  return sum;
}
#endif
