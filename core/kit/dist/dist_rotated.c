/* dist_rotated.c - Gaussians with covariance Q diag(..) Q' on the tape: the Cayley transform from
 * angles to a rotation Q, products with Q, and the divergence from a fixed Gaussian. */
#include "hunch/kit/gemm.h"
#include "rotation.h"
#include "tape_record.h"
#include <math.h>
#include <string.h>

/* c = a b, or a' b */
static void product(int64_t n, const float *a, bool transposed, const float *b, float *c) {
  hn_gemm(n, n, n, a, transposed ? 1 : n, transposed ? n : 1, b, n, 0, c, n);
}

/* ---- Cayley ---- */

static void cayley_back(HnTape *t, HnRecord *r) {
  const int64_t n = *(const int64_t *)r->extra;
  float *da = hn_grad(r->a);
  if (!da) return;
  float *room = hn_tape_take(t, hn_rotation_room(n), sizeof *room);
  for (int64_t i = 0; i < r->y->rows; i++)
    hn_rotation()->cayley_back(n, r->y->data + i * n * n, r->y->grad + i * n * n,
                               da + i * r->a->cols, room);
}

static const HnRule cayley_rule = {"hn_cayley", cayley_back, NULL};

HnVar *hn_cayley(HnTape *t, HnVar *angles, int64_t n) {
  if (n < 1 || angles->cols != n * (n - 1) / 2)
    hn_bug("hn_cayley: %lld angles for %lld dimensions", (long long)angles->cols, (long long)n);
  HnVar *y = hn_output(t, angles->rows, n * n, angles, NULL, NULL);
  float *room = hn_tape_take(t, hn_rotation_room(n), sizeof *room);
  for (int64_t i = 0; i < y->rows; i++)
    hn_rotation()->cayley(n, angles->data + i * angles->cols, y->data + i * y->cols, room);
  HnRecord *r = hn_record(t, &cayley_rule, y, angles, NULL, NULL);
  if (r) {
    int64_t *order = hn_tape_take(t, 1, sizeof *order);
    *order = n;
    r->extra = order;
  }
  return y;
}

/* ---- rotation ---- */

/* y += Q x, or Q' x, of one row. */
static void turn(int64_t n, const float *q, bool back, const float *x, float *y) {
  for (int64_t i = 0; i < n; i++, q += n)
    if (back)
      hn_kernels()->axpy(n, x[i], q, y);
    else
      y[i] += hn_kernels()->dot(n, q, x);
}

static void rotate_back(HnTape *t, HnRecord *r) {
  (void)t;
  const int64_t n = r->y->cols;
  float *dq = hn_grad(r->a), *dx = hn_grad(r->b);
  for (int64_t i = 0; i < r->y->rows; i++) {
    const float *g = r->y->grad + i * n, *x = r->b->data + i * n;
    if (dx) turn(n, r->a->data + i * n * n, !r->kind, g, dx + i * n);
    /* row of dq: an outer product */
    const float *left = r->kind ? x : g, *right = r->kind ? g : x;
    for (int64_t k = 0; dq && k < n; k++)
      hn_kernels()->axpy(n, left[k], right, dq + (i * n + k) * n);
  }
}

static HnVar *rotate_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dq = hn_tangent(t, r->a), *dx = hn_tangent(t, r->b);
  return hn_plus(t, dq ? hn_rotate(t, dq, r->b, r->kind) : NULL,
                 dx ? hn_rotate(t, r->a, dx, r->kind) : NULL);
}

static const HnRule rotate_rule = {"hn_rotate", rotate_back, rotate_jvp};

HnVar *hn_rotate(HnTape *t, HnVar *q, HnVar *x, bool back) {
  const int64_t n = x->cols;
  HN_SHAPE(q->rows == x->rows && q->cols == n * n, "hn_rotate", q, x);
  HnVar *y = hn_output(t, x->rows, n, q, x, NULL);
  memset(y->data, 0, (size_t)hn_count(y) * sizeof(float));
  for (int64_t i = 0; i < x->rows; i++)
    turn(n, q->data + i * n * n, back, x->data + i * n, y->data + i * n);
  HnRecord *r = hn_record(t, &rotate_rule, y, q, x, NULL);
  if (r) r->kind = back;
  return y;
}

/* ---- divergence ---- */

typedef struct Turned {
  HnVar *mean1, *logvar1, *q1;
  const HnVar *mean0, *logvar0, *q0;
  const float *spread1, *inverse0; /* exp(logvar1), exp(-logvar0), shaped as these */
} Turned;

static const float *exps(HnTape *t, const HnVar *v, float sign) {
  float *y = hn_tape_take(t, hn_count(v), sizeof(float));
  for (int64_t i = 0; i < hn_count(v); i++) y[i] = sign * v->data[i];
  hn_kernels()->exp(hn_count(v), y, y);
  return y;
}

/* The terms of a row's divergence: R = Q0' Q1, u = Q0' (mean1 - mean0), and the scales. */
typedef struct Parts {
  const float *spread1, *inverse0;
  float *r, *u;
} Parts;

/* room [n n + 2 n] */
static Parts parts_of(const Turned *s, int64_t i, float *room) {
  const int64_t n = s->mean1->cols;
  const float *q0 = hn_row(s->q0, i), *m1 = hn_row(s->mean1, i), *m0 = hn_row(s->mean0, i);
  float *shift = room + n * n + n;
  const Parts p = {.spread1 = s->spread1 + (s->logvar1->rows == 1 ? 0 : i * n),
                   .inverse0 = s->inverse0 + (s->logvar0->rows == 1 ? 0 : i * n),
                   .r = room,
                   .u = room + n * n};
  product(n, q0, true, hn_row(s->q1, i), p.r);
  for (int64_t j = 0; j < n; j++) shift[j] = m1[j] - m0[j];
  memset(p.u, 0, (size_t)n * sizeof *p.u);
  turn(n, q0, true, shift, p.u);
  return p;
}

/* room [3 n n + 2 n] */
static void turned_row_back(const Turned *s, int64_t i, float g, float *room) {
  const int64_t n = s->mean1->cols;
  const Parts p = parts_of(s, i, room);
  float *weighed = room + n * n + 2 * n, *dr = weighed + n * n;
  float *dm = hn_grad(s->mean1), *dl = hn_grad(s->logvar1), *dq = hn_grad(s->q1);
  for (int64_t k = 0; k < n; k++) {
    const float by = g * p.inverse0[k], *r = p.r + k * n;
    for (int64_t j = 0; j < n; j++) weighed[k * n + j] = by * p.spread1[j] * r[j];
    for (int64_t j = 0; dl && j < n; j++) dl[i * n + j] += 0.5f * weighed[k * n + j] * r[j];
    p.u[k] *= by;
  }
  for (int64_t j = 0; dl && j < n; j++) dl[i * n + j] -= 0.5f * g;
  if (dm) turn(n, hn_row(s->q0, i), false, p.u, dm + i * n);
  if (!dq) return;
  product(n, hn_row(s->q0, i), false, weighed, dr);
  hn_kernels()->add(n * n, dr, dq + i * n * n);
}

static void turned_back(HnTape *t, HnRecord *r) {
  const Turned *s = r->extra;
  const int64_t n = s->mean1->cols;
  float *room = hn_tape_take(t, 3 * n * n + 2 * n, sizeof(float));
  for (int64_t i = 0; i < r->y->rows; i++) turned_row_back(s, i, r->y->grad[i], room);
}

static const HnRule turned_rule = {"hn_rotated_kl", turned_back, NULL};

static double turned_row(const Turned *s, int64_t i, float *room) {
  const int64_t n = s->mean1->cols;
  const Parts p = parts_of(s, i, room);
  const float *l1 = hn_row(s->logvar1, i), *l0 = hn_row(s->logvar0, i);
  double sum = 0;
  for (int64_t k = 0; k < n; k++) {
    double trace = (double)p.u[k] * (double)p.u[k];
    for (int64_t j = 0; j < n; j++) {
      const double r = (double)p.r[k * n + j];
      trace += r * r * (double)p.spread1[j];
    }
    sum += trace * (double)p.inverse0[k] + (double)l0[k] - (double)l1[k] - 1;
  }
  return 0.5 * sum;
}

/* [rows, cols] or, where one row may be shared, [1, cols]. */
static void require(const HnVar *v, int64_t rows, int64_t cols, bool one) {
  if (v->cols != cols || (v->rows != rows && !(one && v->rows == 1)))
    hn_bug("hn_rotated_kl: shape [%lld, %lld] where [%lld, %lld] is needed", (long long)v->rows,
           (long long)v->cols, (long long)rows, (long long)cols);
}

HnVar *hn_rotated_kl(HnTape *t, HnVar *mean1, HnVar *logvar1, HnVar *q1, const HnVar *mean0,
                     const HnVar *logvar0, const HnVar *q0) {
  const int64_t rows = mean1->rows, n = mean1->cols;
  require(logvar1, rows, n, false), require(q1, rows, n * n, false);
  require(mean0, rows, n, true), require(logvar0, rows, n, true), require(q0, rows, n * n, true);
  Turned *s = hn_tape_take(t, 1, sizeof *s);
  *s = (Turned){mean1, logvar1, q1, mean0, logvar0, q0, exps(t, logvar1, 1), exps(t, logvar0, -1)};
  float *room = hn_tape_take(t, n * n + 2 * n, sizeof(float));
  HnVar *y = hn_output(t, rows, 1, mean1, logvar1, q1);
  for (int64_t i = 0; i < rows; i++) y->data[i] = (float)turned_row(s, i, room);
  HnRecord *r = hn_record(t, &turned_rule, y, NULL, NULL, NULL);
  if (r) r->extra = s;
  return y;
}
