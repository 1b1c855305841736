/* posterior.c - see posterior.h. */
#include "posterior.h"
#include <math.h>
#include <string.h>

static int64_t dim_of(const ActorCritic *net) {
  return actor_features(net) + 1;
}

int64_t head_posterior_count(const ActorCritic *net) {
  return net->A * hn_precision_count(dim_of(net), false);
}

void head_posterior_set_prior(const HeadPosterior *h, const ActorCritic *net, double *p) {
  const int64_t one = hn_precision_count(dim_of(net), false);
  for (int64_t a = 0; a < net->A; a++)
    hn_precision_set(dim_of(net), false, h->prior_precision, p + a * one);
}

/* The curvature c [A] of minus a step's log-density in what the heads say, y [A]. */
static void curvature_of(const ActorCritic *net, const float *y, const float *logstd, double *c) {
  double top = (double)y[0], sum = 0;
  for (int64_t a = 0; a < net->A; a++) {
    if (!net->discrete) {
      const double slope = net->p->squash == SQUASH_MEAN ? 1 - (double)y[a] * (double)y[a] : 1;
      c[a] = slope * slope * exp(-2 * (double)logstd[a]);
    }
    top = fmax(top, (double)y[a]);
  }
  if (!net->discrete) return;
  for (int64_t a = 0; a < net->A; a++) sum += c[a] = exp((double)y[a] - top);
  for (int64_t a = 0; a < net->A; a++) c[a] = c[a] / sum * (1 - c[a] / sum);
}

/* p += X' X of x [n, dim], packed. */
static void add_square(int64_t n, int64_t dim, const float *x, float *square, double *p) {
  hn_gemm(dim, dim, n, x, 1, dim, x, dim, 0, square, dim);
  for (int64_t i = 0; i < dim; i++)
    for (int64_t j = 0; j <= i; j++) *p++ += (double)square[i * dim + j];
}

void head_posterior_add(const HeadPosterior *h, const HnHost *host, const Actor *a,
                        const float *weights, const Sample *s, double *p) {
  const ActorCritic *net = a->net;
  const int64_t A = net->A, F = actor_features(net), dim = F + 1, n = s->n;
  if (n < 1) return;
  float *features = host->scratch(host, n * (F + A) + A, sizeof *features);
  float *head = features + n * F, *logstd = head + n * A;
  float *x = host->scratch(host, (n + dim) * dim, sizeof *x), *square = x + n * dim;
  double *c = host->scratch(host, n * A, sizeof *c);
  actor_read_heads(a, weights, s, features, head, logstd);
  for (int64_t t = 0; t < n; t++) curvature_of(net, head + t * A, logstd, c + t * A);
  for (int64_t k = 0; k < A; k++, p += hn_precision_count(dim, false)) {
    for (int64_t t = 0; t < n; t++) {
      const float root = (float)sqrt(c[t * A + k] / h->temperature);
      for (int64_t j = 0; j < F; j++) x[t * dim + j] = root * features[t * F + j];
      x[t * dim + F] = root;
    }
    add_square(n, dim, x, square, p);
  }
}

HnStatus head_posterior_draw(const ActorCritic *net, const HnHost *host, const double *p,
                             uint64_t seed, float *offset) {
  const int64_t A = net->A, dim = dim_of(net);
  HnRng rng = hn_rng(seed, 0);
  float *z = host->scratch(host, (A + 1) * dim, sizeof *z), *mean = z + A * dim;
  memset(mean, 0, (size_t)dim * sizeof *mean);
  hn_normals(&rng, A * dim, z);
  const HnPrecision q = {
      .rows = A, .dim = dim, .p = p, .p_row = hn_precision_count(dim, false), .jitter = 0};
  void *work = host->scratch(host, 1, hn_precision_work_size(dim));
  const HnStatus status = hn_precision_sample(&q, mean, 0, 1, z, z, NULL, work);
  for (int64_t k = 0; k < A; k++)
    for (int64_t j = 0; j < dim; j++) offset[j * A + k] = z[k * dim + j]; /* [F, A], then [A] */
  return status ? host->fail(host, status, "the precision of an adapted head has no factor")
                : HN_OK;
}
