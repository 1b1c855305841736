/* laplace_posterior.h - q_t = N(mean_t, P_t^-1) with the precision that the network's own curvature
 * gives.
 *
 *   P_t = base + sum over the last B inputs of J J',  J at the state after percept t
 *   base = P_{t-1} (precision, both) or damping I;  mean = as read out (+ mean_{t-1}: both, mean)
 *
 * Precisions are constants to the gradient, and so is the posterior before: the KL's gradient in
 * the mean is (P_{t-1} + jitter I) (mean_t - mean_{t-1}), and draws move with the mean alone.
 *
 * A row keeps its precision in float64, packed, and for B > 1 a ring of what its last B inputs
 * added to the gates; written by the weights of the time, as its carry is. */
#ifndef LAPLACE_POSTERIOR_H
#define LAPLACE_POSTERIOR_H
#include "laplace_hook.h"
#include "vrnn_facts.h"

/* What a row keeps, in bytes from its posterior on. */
typedef struct Keep {
  int64_t count; /* doubles of a precision */
  size_t precision, ring, norms, sum, size;
} Keep;

/* m->own */
typedef struct Laplace {
  Keep keep;
  Gram gram;
} Laplace;

struct Tools {
  Curved curved;
  void *curvature_work, *gaussian_work;
  double *before;  /* [rows, count] */
  float *ring;     /* [rows, B, input]; NULL: B = 1 */
  int32_t *filled; /* [rows] */
  float *zero;     /* [F] */
  double *half;    /* [rows] */
  float *jacobian; /* [H, F] */
  HnPrecisionFacts *facts;
};

static bool is_diagonal(const Vrnn *m) {
  return m->p->covariance == COVARIANCE_DIAGONAL;
}

static Keep keep_of(const Vrnn *m) {
  Keep k = {.count = hn_precision_count(m->F, is_diagonal(m))};
  int64_t ring = m->p->buffer > 1 ? m->p->buffer * m->gates : 0;
  bool norms = m->p->jacobian_norms;
  k.ring = k.precision + aligned((size_t)k.count * sizeof(double));
  k.norms = k.ring + aligned((size_t)ring * sizeof(float));
  k.sum = k.norms + (norms ? aligned(sizeof(double)) : 0);
  k.size = k.sum + (norms ? aligned((size_t)(m->H * m->F) * sizeof(float)) : 0);
  return k;
}

static const Keep *keeps(const Vrnn *m) {
  return &((const Laplace *)m->own)->keep;
}
static double *precision_of(const Vrnn *m, char *row) {
  return (double *)(void *)(row + m->row.posterior + keeps(m)->precision);
}

static Tools *take_tools(const Vrnn *m, int64_t rows) {
  const HnHost *host = m->host;
  const Laplace *own = m->own;
  int64_t B = m->p->buffer;
  Tools *w = host->scratch(host, 1, sizeof *w);
  *w = (Tools){.curved = curved_cell(m, &own->gram),
               .before = host->scratch(host, rows * own->keep.count, sizeof(double)),
               .filled = host->scratch(host, rows, sizeof(int32_t)),
               .zero = zeros(host, m->F),
               .half = host->scratch(host, rows, sizeof(double)),
               .jacobian = m->p->jacobian_norms ? floats(host, m->H * m->F) : NULL,
               .facts = host->scratch(host, rows, sizeof(HnPrecisionFacts))};
  if (B > 1) w->ring = floats(host, rows * B * w->curved.input);
  w->curvature_work = host->scratch(host, 1, w->curved.work_size(w->curved.agent, rows, B));
  w->gaussian_work = host->scratch(host, 1, hn_precision_work_size(m->F));
  return w;
}

static void take_prior(const Vrnn *m, char *row) {
  hn_precision_set(m->F, is_diagonal(m), 1 / m->p->prior_variance, precision_of(m, row));
}

static HnPrecision precision(const Vrnn *m, int64_t n, const double *p, int64_t p_row) {
  return (HnPrecision){.rows = n,
                       .dim = m->F,
                       .diagonal = is_diagonal(m),
                       .p = p,
                       .p_row = p_row,
                       .jitter = m->p->jitter};
}
static HnPrecision precision_now(const Vrnn *m, int64_t n, char *rows) {
  return precision(m, n, precision_of(m, rows), (int64_t)(m->row.size / sizeof(double)));
}

static HnStatus check_factor(const Vrnn *m, HnStatus status, int64_t bad) {
  if (!status) return HN_OK;
  return m->host->fail(m->host, status, "the precision of row %lld of a call has no factor%s",
                       (long long)bad,
                       m->p->track ? "" : "; windows that begin in mid-life need track: true");
}

/* ---- one percept ---- */

/* Puts the input where the oldest was; the order in a ring does not matter. */
static void remember_inputs(const Vrnn *m, const Tools *w, const Moment *k) {
  int64_t B = m->p->buffer, input = w->curved.input;
  for (int64_t i = 0; i < k->n; i++) {
    char *row = k->rows + (size_t)i * m->row.size;
    int64_t age = head_of(row)->age;
    w->filled[i] = k->dark[i] ? 0 : (int32_t)(age < B ? age : B);
    if (!w->ring || k->dark[i]) continue;
    float *ring = floats_at(row, m->row.posterior + keeps(m)->ring);
    memcpy(ring + (age - 1) % B * input, k->gates + i * input, (size_t)input * sizeof *ring);
    memcpy(w->ring + i * B * input, ring, (size_t)(B * input) * sizeof *ring);
  }
}

static HnCarry carry_of(const Vrnn *m, const Tools *w, const Moment *k) {
  return (HnCarry){.rows = k->n,
                   .h = k->h,
                   .m = k->cells,
                   .h_row = m->H,
                   .m_row = m->H,
                   .x = w->ring ? w->ring : k->gates,
                   .x_row = (w->ring ? m->p->buffer : 1) * w->curved.input,
                   .window = m->p->buffer,
                   .filled = w->filled,
                   .normalise = m->p->normalize};
}

/* The base of every precision, and the mean's. */
static void lay_base(const Vrnn *m, const Tools *w, const Moment *k) {
  int32_t how = m->p->accumulate;
  bool precisions = how == ACCUMULATE_PRECISION || how == ACCUMULATE_BOTH;
  bool means = how == ACCUMULATE_BOTH || how == ACCUMULATE_MEAN;
  int64_t count = keeps(m)->count;
  for (int64_t i = 0; i < k->n; i++) {
    double *p = precision_of(m, k->rows + (size_t)i * m->row.size);
    memcpy(w->before + i * count, p, (size_t)count * sizeof *p);
    if (k->dark[i]) continue;
    if (!precisions) hn_precision_set(m->F, is_diagonal(m), m->p->damping, p);
    for (int64_t j = 0; means && j < m->F; j++) k->mean[i * m->F + j] += k->before[i * m->F + j];
  }
}

/* Norms of the Jacobian for the last input, of their mean so far, and their mean norm. */
static void report_norms(const Vrnn *m, const Tools *w, const Moment *k) {
  for (int64_t i = 0; i < k->n; i++) {
    if (k->dark[i]) continue;
    char *row = k->rows + (size_t)i * m->row.size;
    float *info = k->info + i * info_count, *sum = floats_at(row, m->row.posterior + keeps(m)->sum);
    double *total = (double *)(void *)(row + m->row.posterior + keeps(m)->norms), whole = 0;
    double age = (double)head_of(row)->age;
    HnCarry at = carry_of(m, w, k);
    at.rows = 1, at.window = 1, at.filled = NULL, at.h += i * m->H;
    if (at.m) at.m += i * m->H;
    at.x = k->gates + i * w->curved.input;
    w->curved.jacobian(w->curved.agent, &at, w->jacobian, w->curvature_work);
    double last = hn_vec_norm2(m->H * m->F, w->jacobian);
    for (int64_t j = 0; j < m->H * m->F; j++) {
      sum[j] += w->jacobian[j];
      whole += (double)sum[j] * (double)sum[j];
    }
    *total += last;
    info[info_jacobian_mean2] = (float)(whole / (age * age));
    info[info_jacobian_norm2] = (float)(*total / age), info[info_jacobian_last2] = (float)last;
  }
}

/* Gradient and value of the KL, or of the part of it that moves the mean. */
static void pull_back(const Vrnn *m, const Tools *w, const Moment *k, const HnPrecision *before) {
  hn_precision_pull(before, k->mean, m->F, k->before, m->F, k->pull, w->half);
  for (int64_t i = 0; i < k->n; i++) {
    const HnPrecisionFacts *f = &w->facts[i];
    k->kl[i] = m->p->simplify ? w->half[i] : f->kl;
  }
}

/* Says of precisions that they are not known. */
static void lose_track(const Vrnn *m, const Moment *k) {
  for (int64_t i = 0; i < k->n; i++)
    if (!k->dark[i]) *precision_of(m, k->rows + (size_t)i * m->row.size) = (double)NAN;
}

static HnStatus move_on(const Vrnn *m, Tools *w, const Moment *k) {
  lay_base(m, w, k);
  if (k->idle && !m->follows) {
    lose_track(m, k);
    return HN_OK;
  }
  remember_inputs(m, w, k);
  HnPrecision now = precision_now(m, k->n, k->rows);
  HnPrecision before = precision(m, k->n, w->before, keeps(m)->count);
  HnCarry at = carry_of(m, w, k);
  w->curved.add(w->curved.agent, &at, is_diagonal(m), precision_of(m, k->rows), now.p_row,
                w->curvature_work);
  if (k->info || (k->pull && !m->p->simplify)) {
    int64_t bad = 0;
    HnStatus status = hn_precision_facts(&now, k->mean, m->F, &before, k->before, m->F, w->facts,
                                         &bad, w->gaussian_work);
    if (status) return check_factor(m, status, bad);
  }
  if (k->info) put_facts(m, w->facts, k);
  if (k->info && w->jacobian) report_norms(m, w, k);
  if (k->pull) pull_back(m, w, k, &before);
  return HN_OK;
}

static HnStatus draw_offsets(const Vrnn *m, Tools *w, int64_t n, char *rows, int64_t draws,
                             const float *noise, float *offset) {
  HnPrecision p = precision_now(m, n, rows);
  int64_t bad = 0;
  HnStatus status =
      hn_precision_sample(&p, w->zero, 0, draws, noise, offset, &bad, w->gaussian_work);
  return check_factor(m, status, bad);
}

/* The precision is a constant. */
static void offsets_back(const Vrnn *m, Tools *w, int64_t n, const float *spread, int64_t draws,
                         const float *noise, const float *d_z, float *d_spread, int64_t d_row) {
  (void)m, (void)w, (void)n, (void)spread, (void)draws, (void)noise, (void)d_z, (void)d_spread;
  (void)d_row;
}
#endif
