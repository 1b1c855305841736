/* posterior_laplace.c - q_t = N(mean_t, P_t^-1) with the precision that the network's own curvature
 * gives.
 *
 *   P_t = base + sum over the last B inputs of J J',  J at the state after observation t
 *   base = P_{t-1} (precision, both) or damping I;  mean = as read out (+ mean_{t-1}: both, mean)
 *
 * Precisions are constants to the gradient, and so is the posterior before: the KL's gradient in
 * the mean is (P_{t-1} + jitter I) (mean_t - mean_{t-1}), and samples move with the mean alone.
 *
 * A row keeps its precision in float64, packed, and for B > 1 a ring of what its last B inputs
 * added to the gates; written by the weights of the time, as its recurrent state is. */
#include "jacobian.h"
#include "posterior.h"
#include <math.h>

/* m->posterior_data.  Offsets are bytes from the posterior's part of a row's memory; the precision
 * is at 0. */
typedef struct Laplace {
  int64_t count; /* doubles of a precision */
  size_t ring, norms, sum;
  VrnnGram gram;
} Laplace;

typedef struct Work {
  VrnnJacobian of;
  void *curvature, *gaussian;
  double *before;  /* [rows, count] */
  float *ring;     /* [rows, B, input]; NULL: B = 1 */
  int32_t *filled; /* [rows] */
  float *zero;     /* [F] */
  void *factors;   /* of the precisions, if `factored` */
  bool factored;
  float *jacobian; /* [H, F]; NULL: norms are not reported */
  HnPrecisionStats *stats;
} Work;

static bool is_diagonal(const Vrnn *m) {
  return m->p->covariance == COVARIANCE_DIAGONAL;
}
static const Laplace *laplace_of(const Vrnn *m) {
  return m->posterior_data;
}
double *vrnn_laplace_precision(const Vrnn *m, char *row) {
  return (double *)(void *)(row + m->row.posterior);
}

static HnStatus create(Vrnn *m, HnRng *rng, size_t *row_bytes) {
  (void)rng;
  Laplace *lap = m->posterior_data = m->host->alloc(m->host, 1, sizeof *lap);
  int64_t ring = m->p->buffer > 1 ? m->p->buffer * m->rnn.width : 0;
  bool norms = m->p->jacobian_norms;
  lap->count = hn_precision_count(m->F, is_diagonal(m));
  lap->ring = vrnn_aligned((size_t)lap->count * sizeof(double));
  lap->norms = lap->ring + vrnn_aligned((size_t)ring * sizeof(float));
  lap->sum = lap->norms + (norms ? vrnn_aligned(sizeof(double)) : 0);
  *row_bytes = lap->sum + (norms ? vrnn_aligned((size_t)(m->H * m->F) * sizeof(float)) : 0);
  vrnn_gram_make(m, &lap->gram, m->p->buffer);
  return HN_OK;
}

static void refresh(const Vrnn *m) {
  vrnn_gram_refresh(m, &laplace_of(m)->gram);
}

static void *workspace(const Vrnn *m, int64_t rows) {
  const HnHost *host = m->host;
  const Laplace *lap = m->posterior_data;
  int64_t B = m->p->buffer;
  Work *w = host->scratch(host, 1, sizeof *w);
  *w = (Work){.of = vrnn_cell_jacobian(m, &lap->gram),
              .before = host->scratch(host, rows * lap->count, sizeof(double)),
              .filled = host->scratch(host, rows, sizeof(int32_t)),
              .zero = vrnn_zeros(m, m->F),
              .jacobian = m->p->jacobian_norms ? vrnn_floats(m, m->H * m->F) : NULL,
              .stats = host->scratch(host, rows, sizeof(HnPrecisionStats))};
  w->factors = host->scratch(host, 1, hn_precision_factors_size(m->F, rows, is_diagonal(m)));
  if (B > 1) w->ring = vrnn_floats(m, rows * B * w->of.input);
  w->curvature = host->scratch(host, 1, w->of.work_size(w->of.agent, rows, B));
  w->gaussian = host->scratch(host, 1, hn_precision_work_size(m->F));
  return w;
}

static void set_prior(const Vrnn *m, char *row) {
  double *p = vrnn_laplace_precision(m, row);
  hn_precision_set(m->F, is_diagonal(m), 1 / m->p->prior_variance, p);
}

static HnPrecision precision(const Vrnn *m, int64_t n, const double *p, int64_t p_row) {
  return (HnPrecision){.rows = n,
                       .dim = m->F,
                       .diagonal = is_diagonal(m),
                       .p = p,
                       .p_row = p_row,
                       .jitter = m->p->jitter};
}
static HnPrecision precision_of_rows(const Vrnn *m, int64_t n, char *rows) {
  return precision(m, n, vrnn_laplace_precision(m, rows), (int64_t)(m->row.size / sizeof(double)));
}

static HnStatus check_factor(const Vrnn *m, HnStatus status, int64_t row) {
  if (!status) return HN_OK;
  return m->host->fail(m->host, status, "the precision of row %lld of a call has no factor%s",
                       (long long)row,
                       m->p->track ? "" : "; windows that begin in mid-trial need track: true");
}

/* ---- one observation ---- */

/* Writes the input over the oldest one; the order in a ring does not matter. */
static void keep_inputs(const Vrnn *m, const Work *w, const VrnnUpdate *u) {
  int64_t B = m->p->buffer, input = w->of.input;
  for (int64_t i = 0; i < u->n; i++) {
    char *row = u->rows + (size_t)i * m->row.size;
    int64_t inputs = vrnn_row(row)->inputs;
    w->filled[i] = u->masked[i] ? 0 : (int32_t)(inputs < B ? inputs : B);
    if (!w->ring || u->masked[i]) continue;
    float *ring = vrnn_row_floats(row, m->row.posterior + laplace_of(m)->ring);
    memcpy(ring + (inputs - 1) % B * input, u->gates + i * input, (size_t)input * sizeof *ring);
    memcpy(w->ring + i * B * input, ring, (size_t)(B * input) * sizeof *ring);
  }
}

static HnCarry carry_of(const Vrnn *m, const Work *w, const VrnnUpdate *u) {
  return (HnCarry){.rows = u->n,
                   .h = u->h,
                   .m = u->cells,
                   .h_row = m->H,
                   .m_row = m->H,
                   .x = w->ring ? w->ring : u->gates,
                   .x_row = (w->ring ? m->p->buffer : 1) * w->of.input,
                   .window = m->p->buffer,
                   .filled = w->filled,
                   .normalise = m->p->normalize};
}

/* Whether the precision is not known, and cannot be from this input alone. */
static bool is_unknown(const Work *w, double precision) {
  return w->ring && isnan(precision);
}

/* Sets every precision and mean to what curvature and read-out are added to. */
static void set_base(const Vrnn *m, const Work *w, const VrnnUpdate *u) {
  int32_t sums = m->p->accumulate;
  bool precisions = sums == ACCUMULATE_PRECISION || sums == ACCUMULATE_BOTH;
  bool means = sums == ACCUMULATE_BOTH || sums == ACCUMULATE_MEAN;
  int64_t count = laplace_of(m)->count;
  for (int64_t i = 0; i < u->n; i++) {
    double *p = vrnn_laplace_precision(m, u->rows + (size_t)i * m->row.size);
    memcpy(w->before + i * count, p, (size_t)count * sizeof *p);
    if (u->masked[i]) continue;
    if (!precisions && !is_unknown(w, *p)) hn_precision_set(m->F, is_diagonal(m), m->p->damping, p);
    for (int64_t j = 0; means && j < m->F; j++)
      u->mean[i * m->F + j] += u->mean_before[i * m->F + j];
  }
}

/* Norms of the Jacobian for the last input, of their mean so far, and their mean norm. */
static void report_norms(const Vrnn *m, const Work *w, const VrnnUpdate *u) {
  const Laplace *lap = m->posterior_data;
  for (int64_t i = 0; i < u->n; i++) {
    if (u->masked[i]) continue;
    char *row = u->rows + (size_t)i * m->row.size;
    float *info = u->info + i * m->info_count;
    float *sum = vrnn_row_floats(row, m->row.posterior + lap->sum);
    double *total = (double *)(void *)(row + m->row.posterior + lap->norms), whole = 0;
    double inputs = (double)vrnn_row(row)->inputs;
    HnCarry carry = carry_of(m, w, u);
    carry.rows = 1, carry.window = 1, carry.filled = NULL, carry.h += i * m->H;
    if (carry.m) carry.m += i * m->H;
    carry.x = u->gates + i * w->of.input;
    w->of.jacobian(w->of.agent, &carry, w->jacobian, w->curvature);
    double last = hn_vec_norm2(m->H * m->F, w->jacobian);
    for (int64_t j = 0; j < m->H * m->F; j++) {
      sum[j] += w->jacobian[j];
      whole += (double)sum[j] * (double)sum[j];
    }
    *total += last;
    info[vrnn_info_jacobian_mean2] = (float)(whole / (inputs * inputs));
    info[vrnn_info_jacobian_norm2] = (float)(*total / inputs);
    info[vrnn_info_jacobian_last2] = (float)last;
  }
}

/* Whether a task begins with this observation: its precision before is the prior. */
static bool any_begins(const Vrnn *m, const VrnnUpdate *u) {
  bool any = false;
  for (int64_t i = 0; i < u->n; i++)
    any |= vrnn_row(u->rows + (size_t)i * m->row.size)->inputs == !u->masked[i];
  return any;
}

/* Gradient and value of the KL, or of its term that moves the mean. */
static HnStatus kl_backward(const Vrnn *m, Work *w, const VrnnUpdate *u, const HnPrecision *now,
                            const HnPrecision *before) {
  if (m->p->simplify) {
    hn_precision_mahalanobis(before, u->mean, m->F, u->mean_before, m->F, u->d_kl, u->kl);
    return HN_OK;
  }
  bool known = w->factored && !any_begins(m, u);
  int64_t bad = 0;
  HnStatus status = hn_precision_kl(now, u->mean, m->F, before, u->mean_before, m->F, known,
                                    w->factors, u->d_kl, u->kl, &bad, w->gaussian);
  w->factored = !status;
  return check_factor(m, status, u->first + bad);
}

/* Marks precisions as unknown. */
static void forget_precisions(const Vrnn *m, const VrnnUpdate *u) {
  for (int64_t i = 0; i < u->n; i++)
    if (!u->masked[i]) *vrnn_laplace_precision(m, u->rows + (size_t)i * m->row.size) = (double)NAN;
}

static HnStatus update(const Vrnn *m, void *work, const VrnnUpdate *u) {
  Work *w = work;
  set_base(m, w, u);
  if (u->mean_only && !m->p->track) {
    forget_precisions(m, u);
    return HN_OK;
  }
  keep_inputs(m, w, u);
  HnPrecision now = precision_of_rows(m, u->n, u->rows);
  HnPrecision before = precision(m, u->n, w->before, laplace_of(m)->count);
  HnCarry carry = carry_of(m, w, u);
  w->of.add_curvature(w->of.agent, &carry, is_diagonal(m), vrnn_laplace_precision(m, u->rows),
                      now.p_row, w->curvature);
  if (u->info) {
    int64_t bad = 0;
    HnStatus status = hn_precision_stats(&now, u->mean, m->F, &before, u->mean_before, m->F,
                                         w->stats, &bad, w->gaussian);
    if (status) return check_factor(m, status, u->first + bad);
    vrnn_report(m, w->stats, u);
    if (w->jacobian) report_norms(m, w, u);
  }
  if (u->d_kl) return kl_backward(m, w, u, &now, &before);
  w->factored = false;
  return HN_OK;
}

static HnStatus sample(const Vrnn *m, void *work, int64_t first, int64_t n, char *rows,
                       int64_t samples, const float *noise, float *offset) {
  Work *w = work;
  HnPrecision p = precision_of_rows(m, n, rows);
  int64_t bad = 0;
  HnStatus status = hn_precision_sample(&p, w->zero, 0, samples, noise, offset, &bad, w->gaussian);
  return check_factor(m, status, first + bad);
}

const VrnnPosterior vrnn_posterior_laplace = {.reads_gates = true,
                                              .create = create,
                                              .refresh = refresh,
                                              .workspace = workspace,
                                              .set_prior = set_prior,
                                              .update = update,
                                              .sample = sample};
