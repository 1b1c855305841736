/* gaussian.c - Gaussians given by their precisions, sixteen rows at a time by the kernels of
 * group.h.  Lanes past the last row repeat it. */
#include "hunch/kit/gaussian.h"
#include "group.h"
#include "isa.h"
#include <math.h>
#include <string.h>

#define HALF_LN_2PI 0.91893853320467274178

const HnGroupKernels *hn_group_kernels(void) {
  static const HnGroupKernels *const tables[] = HN_VARIANTS(hn_group_kernels);
  return tables[hn_isa_level()];
}

void hn_precision_set(int64_t dim, bool diagonal, double value, double *p) {
  const int64_t count = hn_precision_count(dim, diagonal);
  for (int64_t i = 0; i < count; i++) p[i] = diagonal ? value : 0;
  for (int64_t i = 0; !diagonal && i < dim; i++) p[hn_triangle(i) + i] = value;
}

void hn_precision_rotated(int64_t dim, const float *logvar, const float *q, double *p) {
  memset(p, 0, (size_t)hn_triangle(dim) * sizeof *p);
  for (int64_t k = 0; k < dim; k++) {
    const double weight = exp(-(double)logvar[k]);
    double *row = p;
    for (int64_t i = 0; i < dim; row += ++i)
      for (int64_t j = 0; j <= i; j++)
        row[j] += weight * (double)q[i * dim + k] * (double)q[j * dim + k];
  }
}

/* Elements of a group's triangles. */
static int64_t group_count(int64_t dim) {
  return hn_triangle(hn_group_order(dim)) * HN_GROUP;
}

/* Two triangles and a vector in float64; float32 needs less. */
size_t hn_precision_work_size(int64_t dim) {
  return (size_t)(2 * group_count(dim) + dim * HN_GROUP) * sizeof(double);
}

static HnStatus failed(int64_t row, int64_t *bad) {
  if (bad) *bad = row;
  return HN_E_NUMERIC;
}

/* ---- groups ---- */

typedef struct Group {
  int64_t from, rows; /* the first, and how many */
  const double *p[HN_GROUP];
} Group;

static Group group_at(const HnPrecision *p, int64_t from) {
  Group g = {.from = from, .rows = p->rows - from < HN_GROUP ? p->rows - from : HN_GROUP};
  for (int64_t l = 0; l < HN_GROUP; l++)
    g.p[l] = p->p + (from + (l < g.rows ? l : g.rows - 1)) * p->p_row;
  return g;
}

/* The lowest of the group's rows among `bits`, or -1. */
static int64_t first_bad(const Group *g, uint32_t bits) {
  for (int64_t l = 0; l < g->rows; l++)
    if (bits >> l & 1) return g->from + l;
  return -1;
}

/* l = factor of the group's P + jitter I; the first row that fails, or -1. */
static int64_t factor32(const HnPrecision *p, const Group *g, float *l) {
  const HnGroup32 *k = &hn_group_kernels()->f32;
  k->gather(g->rows, p->dim, g->p, p->jitter, l);
  return first_bad(g, k->factor(g->rows, p->dim, l));
}

static int64_t factor64(const HnPrecision *p, const Group *g, double *l) {
  const HnGroup64 *k = &hn_group_kernels()->f64;
  k->gather(g->rows, p->dim, g->p, p->jitter, l);
  return first_bad(g, k->factor(g->rows, p->dim, l));
}

/* The first row whose diagonal precision is not positive and finite, or -1. */
static int64_t bad_diagonal(const HnPrecision *p) {
  for (int64_t i = 0; i < p->rows; i++)
    for (int64_t j = 0; j < p->dim; j++)
      if (!(p->p[i * p->p_row + j] + p->jitter > 0) || !isfinite(p->p[i * p->p_row + j])) return i;
  return -1;
}

/* ---- factor ---- */

static void factor_diagonal(const HnPrecision *p, float *l) {
  for (int64_t i = 0; i < p->rows; i++)
    for (int64_t j = 0; j < p->dim; j++)
      l[i * p->dim + j] = (float)sqrt(p->p[i * p->p_row + j] + p->jitter);
}

HnStatus hn_precision_factor(const HnPrecision *p, float *l, int64_t *bad, void *work) {
  const int64_t count = hn_triangle(p->dim);
  if (p->diagonal) {
    const int64_t row = bad_diagonal(p);
    if (row >= 0) return failed(row, bad);
    factor_diagonal(p, l);
    return HN_OK;
  }
  float *group = work;
  for (int64_t from = 0; from < p->rows; from += HN_GROUP) {
    const Group g = group_at(p, from);
    const int64_t row = factor32(p, &g, group);
    if (row >= 0) return failed(row, bad);
    float *to[HN_GROUP];
    for (int64_t lane = 0; lane < HN_GROUP; lane++)
      to[lane] = l + (from + (lane < g.rows ? lane : g.rows - 1)) * count;
    hn_group_kernels()->f32.scatter(g.rows, count, group, to);
  }
  return HN_OK;
}

/* ---- sample ---- */

typedef struct Draws {
  const float *mean;
  int64_t mean_row, draws;
  const float *noise;
  float *z;
} Draws;

static void sample_diagonal(const HnPrecision *p, const Draws *d) {
  const int64_t n = p->dim;
  for (int64_t i = 0; i < p->rows; i++)
    for (int64_t j = 0; j < n; j++) {
      const float spread = (float)(1 / sqrt(p->p[i * p->p_row + j] + p->jitter));
      const float mean = d->mean[i * d->mean_row + j];
      for (int64_t s = 0; s < d->draws; s++) {
        const int64_t at = (i * d->draws + s) * n + j;
        d->z[at] = mean + spread * d->noise[at];
      }
    }
}

/* Sample s of a group; z is work space. */
static void sample_group(const HnPrecision *p, const Group *g, const Draws *d, int64_t s,
                         const float *l, float *z) {
  const int64_t n = p->dim;
  for (int64_t lane = 0; lane < HN_GROUP; lane++) {
    const int64_t row = g->from + (lane < g->rows ? lane : g->rows - 1);
    for (int64_t i = 0; i < n; i++) z[i * HN_GROUP + lane] = d->noise[(row * d->draws + s) * n + i];
  }
  hn_group_kernels()->f32.solve_back(g->rows, n, l, z);
  for (int64_t lane = 0; lane < g->rows; lane++) {
    const int64_t row = g->from + lane;
    for (int64_t i = 0; i < n; i++)
      d->z[(row * d->draws + s) * n + i] = d->mean[row * d->mean_row + i] + z[i * HN_GROUP + lane];
  }
}

HnStatus hn_precision_sample(const HnPrecision *p, const float *mean, int64_t mean_row,
                             int64_t draws, const float *noise, float *z, int64_t *bad,
                             void *work) {
  const Draws d = {mean, mean_row, draws, noise, z};
  if (p->diagonal) {
    const int64_t row = bad_diagonal(p);
    if (row >= 0) return failed(row, bad);
    sample_diagonal(p, &d);
    return HN_OK;
  }
  float *l = work, *room = l + group_count(p->dim);
  for (int64_t from = 0; from < p->rows; from += HN_GROUP) {
    const Group g = group_at(p, from);
    const int64_t row = factor32(p, &g, l);
    if (row >= 0) return failed(row, bad);
    for (int64_t s = 0; s < draws; s++) sample_group(p, &g, &d, s, l, room);
  }
  return HN_OK;
}

/* ---- stats ---- */

/* Of every lane: 1/2 ln|P| from L. */
static void half_logdets(int64_t lanes, int64_t n, const double *l, double *half) {
  for (int64_t lane = 0; lane < lanes; lane++) half[lane] = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t lane = 0; lane < lanes; lane++)
      half[lane] += log(l[(hn_triangle(i) + i) * HN_GROUP + lane]);
}

/* Of every lane: the sum of 1/2 ln, or just of 1/2, of n numbers each. */
static void half_logs(int64_t lanes, int64_t n, const double *x, double *half) {
  for (int64_t lane = 0; lane < lanes; lane++) half[lane] = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t lane = 0; lane < lanes; lane++) half[lane] += 0.5 * log(x[i * HN_GROUP + lane]);
}

static void halves(int64_t lanes, int64_t n, const double *x, double *half) {
  for (int64_t lane = 0; lane < lanes; lane++) half[lane] = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t lane = 0; lane < lanes; lane++) half[lane] += 0.5 * x[i * HN_GROUP + lane];
}

/* x = the identity in every lane. */
static void set_identity(int64_t n, double *x) {
  memset(x, 0, (size_t)group_count(n) * sizeof *x);
  for (int64_t i = 0; i < hn_group_order(n); i++)
    for (int64_t lane = 0; lane < HN_GROUP; lane++) x[(hn_triangle(i) + i) * HN_GROUP + lane] = 1;
}

/* 1/2 d' (P + jitter I) d of a row and, if grad is not NULL, the product itself, rounded. */
static double half_quadratic(const HnPrecision *p, int64_t row, const float *to, const float *from,
                             float *grad) {
  const double *a = p->p + row * p->p_row;
  if (!p->diagonal)
    return 0.5 * hn_group_kernels()->quadratic(p->dim, a, p->jitter, to, from, grad);
  double total = 0;
  for (int64_t i = 0; i < p->dim; i++) {
    const double d = (double)to[i] - (double)from[i], product = (a[i] + p->jitter) * d;
    total += d * product;
    if (grad) grad[i] = (float)product;
  }
  return 0.5 * total;
}

typedef struct Pair {
  const HnPrecision *q, *before; /* before may be NULL */
  const float *mean, *mean_before;
  int64_t mean_row, before_row;
  HnPrecisionStats *stats;
} Pair;

static void stats_diagonal(const Pair *s) {
  const int64_t n = s->q->dim;
  for (int64_t i = 0; i < s->q->rows; i++) {
    HnPrecisionStats f = {0};
    double logdet = 0;
    for (int64_t j = 0; j < n; j++) {
      const double p = s->q->p[i * s->q->p_row + j] + s->q->jitter;
      logdet += 0.5 * log(p);
      if (!s->before) continue;
      const double before = s->before->p[i * s->before->p_row + j] + s->before->jitter;
      f.trace += 0.5 * before / p;
      f.logdet += 0.5 * log(p / before);
    }
    f.entropy = (double)n * (HALF_LN_2PI + 0.5) - logdet;
    f.marginal = f.entropy / (double)n;
    s->stats[i] = f;
  }
}

/* Entropies of a group, and the parts of the divergence that are not the means'. */
static int64_t stats_group(const Pair *s, int64_t from, double *l, double *x, double *square) {
  const HnGroup64 *k = &hn_group_kernels()->f64;
  const int64_t n = s->q->dim;
  const Group g = group_at(s->q, from);
  HnPrecisionStats *f = s->stats + from;
  int64_t row = factor64(s->q, &g, l);
  if (row >= 0) return row;
  set_identity(n, x);
  k->solve(g.rows, n, l, x);
  double logdet[HN_GROUP], other[HN_GROUP];
  half_logdets(g.rows, n, l, logdet);
  k->squares(g.rows, n, x, square); /* in L^-1 a column's are a coordinate's variance */
  half_logs(g.rows, n, square, other);
  for (int64_t lane = 0; lane < g.rows; lane++)
    f[lane] = (HnPrecisionStats){.entropy = (double)n * (HALF_LN_2PI + 0.5) - logdet[lane],
                                 .marginal = HALF_LN_2PI + 0.5 + other[lane] / (double)n};
  if (!s->before) return -1;
  const Group before = group_at(s->before, from);
  row = factor64(s->before, &before, x);
  if (row >= 0) return row;
  half_logdets(g.rows, n, x, other);
  for (int64_t lane = 0; lane < g.rows; lane++) f[lane].logdet = logdet[lane] - other[lane];
  k->solve(g.rows, n, l, x);
  k->squares(g.rows, n, x, square);
  halves(g.rows, n, square, other);
  for (int64_t lane = 0; lane < g.rows; lane++) f[lane].trace = other[lane];
  return -1;
}

HnStatus hn_precision_stats(const HnPrecision *q, const float *mean, int64_t mean_row,
                            const HnPrecision *before, const float *mean_before, int64_t before_row,
                            HnPrecisionStats *stats, int64_t *bad, void *work) {
  const Pair s = {q, before, mean, mean_before, mean_row, before_row, stats};
  double *l = work, *x = l + group_count(q->dim), *square = x + group_count(q->dim);
  if (q->diagonal) {
    int64_t row = bad_diagonal(q);
    if (row < 0 && before) row = bad_diagonal(before);
    if (row >= 0) return failed(row, bad);
    stats_diagonal(&s);
  }
  for (int64_t from = 0; !q->diagonal && from < q->rows; from += HN_GROUP) {
    const int64_t row = stats_group(&s, from, l, x, square);
    if (row >= 0) return failed(row, bad);
  }
  for (int64_t i = 0; before && i < q->rows; i++) {
    HnPrecisionStats *f = stats + i;
    f->mahalanobis =
        half_quadratic(before, i, mean + i * mean_row, mean_before + i * before_row, NULL);
    f->kl = f->trace - 0.5 * (double)q->dim + f->logdet + f->mahalanobis;
  }
  return HN_OK;
}

/* ---- divergence ---- */

size_t hn_precision_factors_size(int64_t dim, int64_t rows, bool diagonal) {
  const int64_t groups = (rows + HN_GROUP - 1) / HN_GROUP;
  return diagonal ? 0 : (size_t)(groups * group_count(dim)) * sizeof(double);
}

/* The trace's and the determinants' part; l: the group's factor of `before` if `known`, and of q on
 * return. */
static int64_t kl_group(const HnPrecision *q, const HnPrecision *before, int64_t from, bool known,
                        double *l, double *kl, double *work) {
  const HnGroup64 *k = &hn_group_kernels()->f64;
  const int64_t n = q->dim;
  double *x = work, *square = work + group_count(n), now[HN_GROUP], other[HN_GROUP];
  const Group g = group_at(q, from), g0 = group_at(before, from);
  int64_t row = known ? -1 : factor64(before, &g0, l);
  if (row >= 0) return row;
  memcpy(x, l, (size_t)group_count(n) * sizeof *x);
  half_logdets(g.rows, n, x, other);
  row = factor64(q, &g, l);
  if (row >= 0) return row;
  half_logdets(g.rows, n, l, now);
  for (int64_t lane = 0; lane < g.rows; lane++) kl[from + lane] = now[lane] - other[lane];
  k->solve(g.rows, n, l, x);
  k->squares(g.rows, n, x, square);
  halves(g.rows, n, square, other);
  for (int64_t lane = 0; lane < g.rows; lane++)
    kl[from + lane] = other[lane] - 0.5 * (double)n + kl[from + lane];
  return -1;
}

/* Of diagonal ones, which need no factors. */
static HnStatus kl_diagonal(const HnPrecision *q, const HnPrecision *before, double *kl,
                            int64_t *bad) {
  int64_t row = bad_diagonal(q);
  if (row < 0) row = bad_diagonal(before);
  if (row >= 0) return failed(row, bad);
  for (int64_t i = 0; i < q->rows; i++) {
    HnPrecisionStats f;
    HnPrecision one = *q, other = *before;
    one.rows = 1, one.p += i * q->p_row, other.p += i * before->p_row;
    stats_diagonal(&(Pair){.q = &one, .before = &other, .stats = &f});
    kl[i] = f.trace - 0.5 * (double)q->dim + f.logdet;
  }
  return HN_OK;
}

HnStatus hn_precision_kl(const HnPrecision *q, const float *mean, int64_t mean_row,
                         const HnPrecision *before, const float *mean_before, int64_t before_row,
                         bool known, void *factors, float *grad, double *kl, int64_t *bad,
                         void *work) {
  double *l = factors;
  if (q->diagonal) {
    const HnStatus status = kl_diagonal(q, before, kl, bad);
    if (status) return status;
  }
  for (int64_t from = 0; !q->diagonal && from < q->rows; from += HN_GROUP) {
    const int64_t row = kl_group(q, before, from, known, l, kl, work);
    if (row >= 0) return failed(row, bad);
    l += group_count(q->dim);
  }
  for (int64_t i = 0; i < q->rows; i++)
    kl[i] += half_quadratic(before, i, mean + i * mean_row, mean_before + i * before_row,
                            grad + i * q->dim);
  return HN_OK;
}

void hn_precision_mahalanobis(const HnPrecision *p, const float *to, int64_t to_row,
                              const float *from, int64_t from_row, float *grad, double *value) {
  for (int64_t i = 0; i < p->rows; i++) {
    const double half =
        half_quadratic(p, i, to + i * to_row, from + i * from_row, grad + i * p->dim);
    if (value) value[i] = half;
  }
}
