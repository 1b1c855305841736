/* Laplace TrMRL: a posterior for a transformer over recent steps from its own curvature, laid over
 * what `trmrl` has learnt (it keeps the same tensors, and has none of its own) or there while it
 * learns.
 *
 *   q_t = N(mean_t, P_t^-1),  mean_t what TrMRL says;  P_t = base + J_t J_t'
 *   J_t = d mean_t / d (the embedded tokens of the memory at time t)  [F, memory F]
 *   base = P_{t-1}, from 1 / prior_variance on (accumulate: precision), or damping I (none)
 *
 * It is the Laplace VRNN's posterior with an attention window for its recurrent state: what is held
 * in memory is what the mean is differentiated by.  A step counts at every time that it is in the
 * memory, as there with a buffer.  Where the memory is emptied, the posterior is the prior again.
 * Policies act on samples of z; where a policy trains it, precisions are constants, and samples
 * move with the mean alone.
 *
 * Source: the posterior of arXiv 2505.18591; the network of arXiv 2206.06614. */
#include "transformer/trmrl.h"
#include <hunch/kit/gaussian.h>
#include <string.h>

#define PARAMS(X)               \
  TRANSFORMER_NETWORK_PARAMS(X) \
  TRANSFORMER_TRMRL_PARAMS(X) TRANSFORMER_LAPLACE_PARAMS(X) TRANSFORMER_OPTIMISER_PARAMS(X)
HN_PARAMS_OF(TransformerParams, PARAMS);
#define INFO(X) LAPLACE_MEAN_INFO(X) LAPLACE_INFO(X) LAPLACE_JACOBIAN_INFO(X)
HN_INFO(INFO);
HN_METRICS(TRANSFORMER_METRICS);

typedef struct LaplaceTrmrl {
  Trmrl trmrl;
  size_t tokens;     /* bytes of a row's memory before its posterior */
  int64_t precision; /* doubles of a precision */
} LaplaceTrmrl;

/* The rest of a row's memory. */
typedef struct Posterior {
  int64_t times;         /* that it was updated since it was the prior */
  double jacobian_norm2; /* summed over these */
  double values[];       /* precision [precision], packed; then mean [F], floats */
} Posterior;

static Posterior *posterior_of(const LaplaceTrmrl *m, const HnBeliefUpdate *q, int64_t i) {
  return (Posterior *)(void *)((char *)trmrl_row(&m->trmrl, q, i) + m->tokens);
}
static float *mean_of(const LaplaceTrmrl *m, Posterior *p) {
  return (float *)(void *)(p->values + m->precision);
}
static bool is_diagonal(const LaplaceTrmrl *m) {
  return m->trmrl.net.p->covariance == COVARIANCE_DIAGONAL;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  LaplaceTrmrl *m = self;
  const HnStatus status = trmrl_create(&m->trmrl, host, params, spec);
  if (status) return status;
  const int64_t F = m->trmrl.net.p->width;
  m->precision = hn_precision_count(F, is_diagonal(m));
  m->tokens = m->trmrl.row_size;
  m->trmrl.row_size += sizeof(Posterior) + (size_t)m->precision * sizeof(double) +
                       ((size_t)F * sizeof(float) + 7) / 8 * 8;
  spec->row_size = m->trmrl.row_size, spec->latent_dim = F;
  return HN_OK;
}

/* ---- one row along a window ---- */

typedef struct Pass {
  const LaplaceTrmrl *m;
  const HnBeliefUpdate *q;
  const Windows *windows;
  const float *mean; /* [B, T+1, F] */
} Pass;

typedef struct Work {
  HnReuse tapes;
  float *jacobian, *transpose, *square; /* [F, memory F], its transpose, J J' [F, F] */
  float *mean_before, *noise;           /* [F], [S, F] */
  double *before;                       /* a precision */
  void *gaussian;
} Work;

/* Must not move. */
static void open_work(const Pass *x, Work *w) {
  const Transformer *net = &x->m->trmrl.net;
  const HnHost *host = net->host;
  const int64_t F = net->p->width, window = F * net->p->memory * F, S = x->q->samples;
  hn_reuse_begin(&w->tapes, host, NULL, 0);
  w->jacobian = host->scratch(host, window, sizeof(float));
  w->transpose = host->scratch(host, window, sizeof(float));
  w->square = host->scratch(host, F * F, sizeof(float));
  w->mean_before = host->scratch(host, F, sizeof(float));
  w->noise = S > 0 ? host->scratch(host, S * F, sizeof(float)) : NULL;
  w->before = host->scratch(host, x->m->precision, sizeof(double));
  w->gaussian = host->scratch(host, 1, hn_precision_work_size(F));
}

static HnPrecision precision_at(const LaplaceTrmrl *m, const double *p) {
  return (HnPrecision){.rows = 1,
                       .dim = m->trmrl.net.p->width,
                       .diagonal = is_diagonal(m),
                       .p = p,
                       .p_row = m->precision,
                       .jitter = m->trmrl.net.p->jitter};
}

static HnStatus check_factor(const LaplaceTrmrl *m, HnStatus status, int64_t row) {
  const HnHost *host = m->trmrl.net.host;
  if (!status) return HN_OK;
  return host->fail(
      host, status, "the precision of row %lld of a call has no factor%s", (long long)row,
      m->trmrl.net.p->track ? "" : "; windows that begin in mid-trial need track: true");
}

static void set_prior(const LaplaceTrmrl *m, Posterior *p) {
  const TransformerParams *s = m->trmrl.net.p;
  p->times = 0, p->jacobian_norm2 = 0;
  hn_precision_set(s->width, is_diagonal(m), 1 / s->prior_variance, p->values);
  memset(mean_of(m, p), 0, (size_t)s->width * sizeof(float));
}

/* p += J J', or its diagonal.  Returns the squared norm of J. */
static double add_curvature(const LaplaceTrmrl *m, const Work *w, double *p) {
  const int64_t F = m->trmrl.net.p->width, window = m->trmrl.net.p->memory * F;
  double norm2 = 0;
  if (!is_diagonal(m)) {
    hn_transpose(F, window, w->jacobian, w->transpose);
    hn_gemm(F, F, window, w->jacobian, window, 1, w->transpose, F, 0, w->square, F);
  }
  for (int64_t i = 0, at = 0; i < F; i++) {
    const double own = hn_vec_norm2(window, w->jacobian + i * window);
    norm2 += own;
    if (is_diagonal(m)) {
      p[i] += own;
      continue;
    }
    for (int64_t j = 0; j <= i; j++) p[at++] += (double)w->square[i * F + j];
  }
  return norm2;
}

static HnStatus report(const LaplaceTrmrl *m, const Work *w, const Posterior *p, const float *mean,
                       double last, float *info) {
  const int64_t F = m->trmrl.net.p->width;
  const HnPrecision now = precision_at(m, p->values), before = precision_at(m, w->before);
  HnPrecisionStats f;
  const HnStatus status =
      hn_precision_stats(&now, mean, F, &before, w->mean_before, F, &f, NULL, w->gaussian);
  if (status) return status;
  info[info_mean_norm2] = laplace_distance2(F, mean, NULL);
  info[info_mean_move2] = laplace_distance2(F, mean, w->mean_before);
  laplace_report(&f, F, true, info + info_entropy);
  info[info_jacobian_norm2] = (float)(p->jacobian_norm2 / (double)p->times);
  info[info_jacobian_last2] = (float)last;
  return HN_OK;
}

/* The posterior of row i at time t, and samples of it. */
static HnStatus update(const Pass *x, Work *w, int64_t i, int64_t t) {
  const LaplaceTrmrl *m = x->m;
  const HnBeliefUpdate *q = x->q;
  const TransformerParams *s = m->trmrl.net.p;
  const int64_t F = s->width, which = i * (q->history->steps + 1) + t;
  const int64_t at = t * q->history->rows + i;
  const float *mean = x->mean + which * F;
  Posterior *p = posterior_of(m, q, i);
  if (trmrl_begins(&m->trmrl, q->history, t, i)) set_prior(m, p);
  memcpy(w->mean_before, mean_of(m, p), (size_t)F * sizeof *mean);
  memcpy(w->before, p->values, (size_t)m->precision * sizeof *w->before);
  memcpy(mean_of(m, p), mean, (size_t)F * sizeof *mean);
  if (s->accumulate == ACCUMULATE_NONE) hn_precision_set(F, is_diagonal(m), s->damping, p->values);
  p->times++;
  if (!q->info && q->samples < 1 && !s->track) {
    p->values[0] = (double)NAN; /* unknown */
    return HN_OK;
  }
  transformer_jacobian(&m->trmrl.net, x->windows, which, &w->tapes, w->jacobian);
  const double norm2 = add_curvature(m, w, p->values);
  p->jacobian_norm2 += norm2;
  HnStatus status = HN_OK;
  if (q->info) status = report(m, w, p, mean, norm2, q->info + at * info_count);
  if (!status && q->samples > 0) {
    const HnPrecision now = precision_at(m, p->values);
    hn_normals(&q->rng[i], q->samples * F, w->noise);
    status = hn_precision_sample(&now, mean, F, q->samples, w->noise,
                                 q->belief + at * q->samples * F, NULL, w->gaussian);
  }
  return check_factor(m, status, i);
}

static HnStatus run_rows(const Pass *x, int64_t from, int64_t to) {
  HnStatus status = HN_OK;
  Work w;
  open_work(x, &w);
  for (int64_t i = from; i < to; i++)
    for (int64_t t = 0; !status && t <= x->q->history->steps; t++) status = update(x, &w, i, t);
  return status;
}

static HnStatus run_row(void *arg, int64_t i) {
  return run_rows(arg, i, i + 1);
}

/* Beliefs that are no samples. */
static void write_means(const Pass *x) {
  const HnHistory *h = x->q->history;
  const int64_t F = x->m->trmrl.net.p->width, steps = h->steps + 1;
  for (int64_t k = 0; k < h->rows * steps && x->q->belief; k++)
    memcpy(x->q->belief + (k % steps * h->rows + k / steps) * F, x->mean + k * F,
           (size_t)F * sizeof(float));
}

/* ---- methods ---- */

static HnStatus infer(void *self, HnBeliefUpdate *q) {
  const LaplaceTrmrl *m = self;
  const HnHost *host = m->trmrl.net.host;
  const Windows windows = trmrl_windows(&m->trmrl, q);
  float *mean = host->scratch(host, windows.n * m->trmrl.net.p->width, sizeof *mean);
  Pass x = {.m = m, .q = q, .windows = &windows, .mean = mean};
  transformer_values(&m->trmrl.net, &windows, mean);
  if (q->samples < 1) write_means(&x);
  return run_rows(&x, 0, q->history->rows);
}

/* Nobody reads the row memory that it leaves, so precisions are made for samples and info alone. */
static HnStatus forward(void *self, HnBeliefUpdate *q) {
  LaplaceTrmrl *m = self;
  const HnHost *host = m->trmrl.net.host;
  Windows *w = &m->trmrl.windows;
  *w = trmrl_windows(&m->trmrl, q);
  float *mean = host->scratch(host, w->n * m->trmrl.net.p->width, sizeof *mean);
  Pass x = {.m = m, .q = q, .windows = w, .mean = mean};
  const HnStatus status = transformer_forward(&m->trmrl.net, w, mean);
  if (status) return status;
  if (q->samples < 1) write_means(&x);
  return q->samples > 0 || q->info ? host->parallel(host, q->history->rows, run_row, &x) : HN_OK;
}

/* Samples move with the mean. */
static HnStatus backward(void *self, const HnBeliefUpdate *q, const float *d_belief,
                         double *norm2) {
  const LaplaceTrmrl *m = self;
  const HnHost *host = m->trmrl.net.host;
  const int64_t F = m->trmrl.net.p->width, n = (q->history->steps + 1) * q->history->rows;
  if (q->samples <= 1) return trmrl_backward(self, q, d_belief, norm2);
  float *d_mean = host->scratch(host, n * F, sizeof *d_mean);
  memset(d_mean, 0, (size_t)(n * F) * sizeof *d_mean);
  for (int64_t k = 0; k < n * q->samples; k++)
    for (int64_t j = 0; j < F; j++) d_mean[k / q->samples * F + j] += d_belief[k * F + j];
  return trmrl_backward(self, q, d_mean, norm2);
}

static const HnInference methods = {sizeof(HnInference),  .create = create,
                                    .infer = infer,       .forward = forward,
                                    .backward = backward, .step = transformer_step};
HN_PLUGIN(laplace_trmrl, HN_KIND_INFERENCE, LaplaceTrmrl, &methods, .version = "0.1",
          .license = "MIT", .info = hn_this_info, .metrics = hn_this_metrics,
          .summary = "TrMRL's belief with the posterior of its own curvature.",
          .source = "posterior of arXiv 2505.18591; network of arXiv 2206.06614");
