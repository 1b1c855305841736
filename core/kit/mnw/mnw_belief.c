/* mnw_belief.c - the posterior of one running task in plain bytes, a row at a time.
 *
 * V is stored as tiles of its lower half; the last few rank-one updates are kept beside it until
 * one pass over the tiles applies them all.  The update is bound by reading V, so V is read once a
 * step and written once in HN_PENDING steps. */
#include "isa.h"
#include "mnw_internal.h"
#include "mnw_kernels.h"
#include <math.h>
#include <string.h>

const HnMnwKernels *hn_mnw_kernels(void) {
  static const HnMnwKernels *const tables[] = HN_VARIANTS(hn_mnw_kernels);
  return tables[hn_isa_level()];
}

/* The head of a belief; arrays_of finds the arrays that follow. */
typedef struct Head {
  int64_t d, m, width, rows, pending;
  int64_t noise;                 /* HnMnwNoise */
  double xi, psi, nu0, variance; /* of the prior; xi scaled by variance if NORMAL */
  double nu, logdet_xi, logdet_psi;
  double inverse_s[HN_PENDING];
} Head;

typedef struct Arrays {
  HnTiles v;
  double *mean;        /* M transposed [m, width], zero past D */
  double *psi, *omega; /* [m, lines of m], zero past m */
} Arrays;

static int64_t width_of(int64_t d) {
  return (d + HN_TILE - 1) / HN_TILE * HN_TILE;
}
static int64_t tile_count(int64_t width) {
  return width / HN_TILE * (width / HN_TILE + 1) / 2;
}
/* Rounded up to whole cache lines. */
static int64_t line(int64_t doubles) {
  return (doubles + 7) / 8 * 8;
}
static int64_t head_size(void) {
  return line((int64_t)(sizeof(Head) / sizeof(double)));
}

static Arrays arrays_of(void *belief) {
  Head *head = belief;
  const int64_t width = head->width, square = head->m * line(head->m);
  double *at = (double *)belief + head_size();
  Arrays a = {.v = {.width = width, .pending = head->pending, .inverse_s = head->inverse_s}};
  a.v.tile = at, at += tile_count(width) * HN_TILE * HN_TILE;
  a.v.gain = at, at += HN_PENDING * width;
  a.mean = at, at += head->m * width;
  a.psi = at, at += square;
  a.omega = at;
  return a;
}

/* The same for reading. */
static Arrays view_of(const void *belief) {
  union {
    const void *in;
    void *out;
  } borrowed = {belief};
  return arrays_of(borrowed.out);
}

size_t hn_mnw_belief_size(int64_t d, int64_t m) {
  const int64_t width = width_of(d);
  return (size_t)(head_size() + tile_count(width) * HN_TILE * HN_TILE + (HN_PENDING + m) * width +
                  2 * m * line(m)) *
         sizeof(double);
}

size_t hn_mnw_belief_work_size(int64_t d, int64_t m) {
  return (size_t)(2 * width_of(d) + 3 * line(m)) * sizeof(double);
}

static double *tile_at(const HnTiles *v, int64_t i, int64_t j) {
  const int64_t row = i / HN_TILE, column = j / HN_TILE;
  return v->tile + (row * (row + 1) / 2 + column) * HN_TILE * HN_TILE + i % HN_TILE * HN_TILE +
         j % HN_TILE;
}

HnStatus hn_mnw_belief_start(void *belief, int64_t d, int64_t m, const HnMnwPrior *prior) {
  const bool inferred = prior->noise == HN_MNW_INFERRED;
  if (!(prior->xi > 0)) return HN_E_PARAM;
  if (inferred && (!(prior->psi > 0) || !(prior->nu0 > (double)(m - 1)))) return HN_E_PARAM;
  if (!inferred && !(prior->variance > 0)) return HN_E_PARAM;
  memset(belief, 0, hn_mnw_belief_size(d, m));
  Head *head = belief;
  head->d = d, head->m = m, head->width = width_of(d);
  head->noise = prior->noise;
  head->xi = prior->noise == HN_MNW_NORMAL ? prior->xi * prior->variance : prior->xi;
  /* under known noise Psi / nu is always the variance */
  head->psi = inferred ? prior->psi : prior->variance;
  head->nu = head->nu0 = inferred ? prior->nu0 : 1;
  head->variance = prior->variance;
  head->logdet_xi = (double)d * log(head->xi);
  head->logdet_psi = (double)m * log(head->psi);
  const Arrays a = arrays_of(belief);
  for (int64_t i = 0; i < d; i++) *tile_at(&a.v, i, i) = 1 / head->xi;
  for (int64_t i = 0; i < m; i++) {
    a.psi[i * line(m) + i] = head->psi;
    a.omega[i * line(m) + i] = 1 / head->psi;
  }
  return HN_OK;
}

void hn_mnw_belief_load(void *belief, const HnMnw *q) {
  Head *head = belief;
  const Arrays a = arrays_of(belief);
  const int64_t d = head->d, m = head->m;
  for (int64_t i = 0; i < d; i++) {
    const int64_t end = i / HN_TILE * HN_TILE + HN_TILE; /* diagonal tiles are whole */
    for (int64_t j = 0; j < end && j < d; j++) *tile_at(&a.v, i, j) = q->v[i * d + j];
    for (int64_t j = 0; j < m; j++) a.mean[j * head->width + i] = q->mean[i * m + j];
  }
  head->pending = 0;
  head->logdet_xi = q->logdet_xi;
  if (head->noise != HN_MNW_INFERRED) return;
  for (int64_t i = 0; i < m; i++) {
    memcpy(a.psi + i * line(m), q->psi + i * m, (size_t)m * sizeof(double));
    memcpy(a.omega + i * line(m), q->omega + i * m, (size_t)m * sizeof(double));
  }
  head->nu = q->nu;
  head->logdet_psi = q->logdet_psi;
}

/* ---- a row ---- */

typedef struct Row {
  const double *c;  /* [width], zero past D */
  double *k;        /* V c */
  double *e;        /* y - M'c [line of m], zero past m */
  double *weighted; /* Psi^-1 e [line of m] */
  double s, quad;   /* 1 + c'k; e'Psi^-1 e / s, or e'e under known noise */
  double logp;
} Row;

static void weigh(const Head *head, const Arrays *a, const double *y, Row *r) {
  const HnMnwKernels *kernels = hn_mnw_kernels();
  const int64_t m = head->m;
  r->s = 1 + kernels->multiply(&a->v, r->c, r->k);
  kernels->dots(m, head->width, a->mean, r->c, r->e);
  for (int64_t i = 0; i < m; i++) r->e[i] = y[i] - r->e[i];
  if (head->noise == HN_MNW_INFERRED) {
    kernels->gather(m, line(m), r->e, a->omega, r->weighted); /* omega is symmetric */
    kernels->dots(1, line(m), r->weighted, r->e, &r->quad);
    r->quad /= r->s;
    r->logp = hn_mnw_log_student(m, head->nu, head->logdet_psi, r->s, r->quad);
  } else {
    r->quad = hn_inner(m, r->e, r->e);
    r->logp = hn_mnw_log_normal(m, head->variance, r->s, r->quad);
  }
}

static void take_in(Head *head, Arrays *a, Row *r, double *weight) {
  const HnMnwKernels *kernels = hn_mnw_kernels();
  const int64_t m = head->m;
  for (int64_t i = 0; i < m; i++) weight[i] = r->e[i] / r->s;
  kernels->shift(m, head->width, weight, r->k, a->mean);
  if (head->noise == HN_MNW_INFERRED) {
    kernels->shift(m, line(m), weight, r->e, a->psi);
    for (int64_t i = 0; i < m; i++) weight[i] = -r->weighted[i] / (r->s * (1 + r->quad));
    kernels->shift(m, line(m), weight, r->weighted, a->omega);
    head->logdet_psi += log1p(r->quad);
    head->nu += 1;
  }
  head->logdet_xi += log(r->s);
  head->rows++;
  head->inverse_s[head->pending++] = 1 / r->s;
  if (head->pending < HN_PENDING) return;
  a->v.pending = HN_PENDING;
  kernels->flush(&a->v);
  head->pending = 0;
}

static void report(const Row *r, int64_t m, double *error, HnMnwScore *score) {
  if (error) memcpy(error, r->e, (size_t)m * sizeof(double));
  if (!score) return;
  double sum = 0;
  for (int64_t i = 0; i < m; i++) sum += fabs(r->e[i]);
  *score = (HnMnwScore){.s = r->s, .logp = r->logp, .l1 = sum / (double)m};
}

/* Work: features [width], gain [width], then three lines of m. */
static Row row_in(const Head *head, double *work) {
  const int64_t width = head->width;
  memset(work + head->d, 0, (size_t)(width - head->d) * sizeof(double));
  memset(work + 2 * width, 0, (size_t)(2 * line(head->m)) * sizeof(double));
  return (Row){.c = work,
               .k = work + width,
               .e = work + 2 * width,
               .weighted = work + 2 * width + line(head->m)};
}

/* The features must be in work already. */
static void update(void *belief, const double *y, double *error, HnMnwScore *score, double *work) {
  Head *head = belief;
  Arrays a = arrays_of(belief);
  Row r = row_in(head, work);
  r.k = a.v.gain + head->pending * head->width; /* where an update keeps it */
  weigh(head, &a, y, &r);
  report(&r, head->m, error, score);
  take_in(head, &a, &r, r.weighted + line(head->m));
}

void hn_mnw_belief_update(void *belief, const float *c, const double *y, double *error,
                          HnMnwScore *score, void *work) {
  hn_mnw_kernels()->widen(((const Head *)belief)->d, c, work);
  update(belief, y, error, score, work);
}

void hn_mnw_belief_update64(void *belief, const double *c, const double *y, double *error,
                            HnMnwScore *score, void *work) {
  memcpy(work, c, (size_t)((const Head *)belief)->d * sizeof(double));
  update(belief, y, error, score, work);
}

void hn_mnw_belief_score(const void *belief, const float *c, const double *y, double *error,
                         HnMnwScore *score, void *work) {
  const Head *head = belief;
  const Arrays a = view_of(belief);
  Row r = row_in(head, work);
  hn_mnw_kernels()->widen(head->d, c, work);
  weigh(head, &a, y, &r);
  report(&r, head->m, error, score);
}

void hn_mnw_belief_predict(const void *belief, const float *c, double *mean) {
  const Head *head = belief;
  const Arrays a = view_of(belief);
  for (int64_t j = 0; j < head->m; j++) {
    double sum = 0;
    for (int64_t i = 0; i < head->d; i++) sum += a.mean[j * head->width + i] * (double)c[i];
    mean[j] = sum;
  }
}

/* ---- reading ---- */

void hn_mnw_belief_mean(const void *belief, double *mean) {
  const Head *head = belief;
  const Arrays a = view_of(belief);
  for (int64_t i = 0; i < head->d; i++)
    for (int64_t j = 0; j < head->m; j++) mean[i * head->m + j] = a.mean[j * head->width + i];
}

/* Element (i, j), i >= j, with what is pending. */
static double element(const Arrays *a, int64_t i, int64_t j) {
  double x = *tile_at(&a->v, i, j);
  for (int64_t u = 0; u < a->v.pending; u++) {
    const double *gain = a->v.gain + u * a->v.width;
    x -= gain[i] * gain[j] * a->v.inverse_s[u];
  }
  return x;
}

void hn_mnw_belief_variance(const void *belief, double *v) {
  const Arrays a = view_of(belief);
  for (int64_t i = 0; i < ((const Head *)belief)->d; i++) v[i] = element(&a, i, i);
}

void hn_mnw_belief_v(const void *belief, double *v) {
  const int64_t d = ((const Head *)belief)->d;
  const Arrays a = view_of(belief);
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j <= i; j++) v[i * d + j] = v[j * d + i] = element(&a, i, j);
}

void hn_mnw_belief_psi(const void *belief, double *psi) {
  const int64_t m = ((const Head *)belief)->m;
  const Arrays a = view_of(belief);
  for (int64_t i = 0; i < m; i++)
    memcpy(psi + i * m, a.psi + i * line(m), (size_t)m * sizeof(double));
}

HnMnwSummary hn_mnw_belief_summary(const void *belief) {
  const Head *head = belief;
  const Arrays a = view_of(belief);
  HnMnwSummary f = {.d = head->d, .m = head->m, .n = head->rows, .nu = head->nu};
  f.logdet_xi = head->logdet_xi;
  f.logdet_psi = head->logdet_psi;
  for (int64_t i = 0; i < head->d; i++) f.trace_v += element(&a, i, i);
  return f;
}

double hn_mnw_belief_kl(const void *belief) {
  const Head *head = belief;
  const Arrays a = view_of(belief);
  const HnMnwSummary f = hn_mnw_belief_summary(belief);
  const int64_t m = head->m;
  const double size = (double)m, d = (double)head->d;
  double spread = 0, trace = 0; /* tr(B M'M) with B = Psi^-1; tr Psi^-1 */
  for (int64_t i = 0; i < m; i++) {
    trace += a.omega[i * line(m) + i];
    for (int64_t j = 0; j < m; j++)
      spread += a.omega[i * line(m) + j] *
                hn_inner(head->width, a.mean + i * head->width, a.mean + j * head->width);
  }
  const double weights = 0.5 * (size * head->xi * f.trace_v + head->nu * head->xi * spread -
                                d * size + size * (head->logdet_xi - d * log(head->xi)));
  if (head->noise != HN_MNW_INFERRED) return weights; /* nu Psi^-1 is I / variance */
  return weights + 0.5 * head->nu0 * (head->logdet_psi - size * log(head->psi)) +
         0.5 * head->nu * (head->psi * trace - size) + hn_mnw_lgamma(m, 0.5 * head->nu0) -
         hn_mnw_lgamma(m, 0.5 * head->nu) +
         0.5 * (head->nu - head->nu0) * hn_mnw_digamma(m, 0.5 * head->nu);
}

/* ---- probes ---- */

int64_t hn_mnw_probe_width(int64_t d) {
  return width_of(d);
}

void hn_mnw_probe_start(const void *belief, int64_t count, const double *c, double *probe) {
  const Head *head = belief;
  const int64_t side = 1 + head->m;
  memset(probe, 0, (size_t)(count * side) * sizeof *probe);
  for (int64_t j = 0; j < count; j++, c += head->width) {
    hn_mnw_kernels()->dots(1, head->width, c, c, &probe[j * side]);
    probe[j * side] /= head->xi;
  }
}

void hn_mnw_probe_update(const void *belief, int64_t count, const double *c, const double *error,
                         double *probe) {
  enum { BLOCK = 64 };
  const Head *head = belief;
  const int64_t side = 1 + head->m;
  /* a flush leaves the gain of the last update where it was */
  const int64_t last = (head->pending + HN_PENDING - 1) % HN_PENDING;
  const double *gain = view_of(belief).v.gain + last * head->width;
  for (int64_t from = 0; from < count; from += BLOCK) {
    const int64_t rows = count - from < BLOCK ? count - from : BLOCK;
    double cross[BLOCK]; /* c'V c_t */
    hn_mnw_kernels()->dots(rows, head->width, c + from * head->width, gain, cross);
    for (int64_t j = 0; j < rows; j++, probe += side) {
      const double weight = cross[j] * head->inverse_s[last];
      probe[0] -= weight * cross[j];
      for (int64_t i = 0; i < head->m; i++) probe[1 + i] += weight * error[i];
    }
  }
}
