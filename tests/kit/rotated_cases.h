/* rotated_cases.h - Gaussians turned by a rotation beside naive float64 twins: operations with
 * first derivatives only. */
#ifndef HN_TESTS_ROTATED_CASES_H
#define HN_TESTS_ROTATED_CASES_H
#include "dense_naive.h"
#include "tape_cases.h"

static int64_t order_of(int64_t square) {
  int64_t n = 1;
  while (n * n < square) n++;
  return n;
}

static HnVar *cayley(const Case *c, HnTape *t, HnVar **in) {
  return hn_cayley(t, in[0], order_of(c->out[1]));
}
static void cayley_naive(const Case *c, double **in, double *y) {
  for (int64_t i = 0; i < c->out[0]; i++)
    naive_cayley(order_of(c->out[1]), in[0] + i * c->shape[0][1], y + i * c->out[1]);
}

/* Against constants of one row (kind 0) or of as many as N1 has. */
static HnVar *rotated_kl(const Case *c, HnTape *t, HnVar **in) {
  const int64_t n = c->shape[0][1], rows = c->kind ? c->out[0] : 1;
  HnVar *mean = hn_constant(t, rows, n, constant), *logvar = hn_constant(t, rows, n, constant + 50);
  return hn_rotated_kl(t, in[0], in[1], in[2], mean, logvar,
                       hn_constant(t, rows, n * n, constant + 100));
}
static void rotated_kl_naive(const Case *c, double **in, double *y) {
  enum { MOST_N = 8 };
  const int64_t n = c->shape[0][1];
  double s[MOST_N * MOST_N], p[MOST_N * MOST_N], q[MOST_N * MOST_N], l[MOST_N], d[MOST_N];
  for (int64_t row = 0; row < c->out[0]; row++) {
    const int64_t from = c->kind ? row : 0;
    y[row] = -0.5 * (double)n;
    for (int64_t i = 0; i < n; i++) {
      l[i] = -(double)constant[50 + from * n + i];
      d[i] = in[0][row * n + i] - (double)constant[from * n + i];
      y[row] -= 0.5 * (l[i] + in[1][row * n + i]);
    }
    for (int64_t i = 0; i < n * n; i++) q[i] = (double)constant[100 + from * n * n + i];
    naive_turned(n, in[2] + row * n * n, in[1] + row * n, s);
    naive_turned(n, q, l, p);
    for (int64_t i = 0; i < n * n; i++) y[row] += 0.5 * p[i] * (s[i] + d[i / n] * d[i % n]);
  }
}

static const Case first_order[] = {
    {"cayley/1", 1, {{3, 0}}, {3, 1}, 0, cayley, cayley_naive, false},
    {"cayley/2", 1, {{5, 1}}, {5, 4}, 0, cayley, cayley_naive, false},
    {"cayley/9", 1, {{3, 36}}, {3, 81}, 0, cayley, cayley_naive, false},
    {"cayley/20", 1, {{2, 190}}, {2, 400}, 0, cayley, cayley_naive, false},
    {"rotated-kl/one", 3, {{4, 3}, {4, 3}, {4, 9}}, {4, 1}, 0, rotated_kl, rotated_kl_naive, false},
    {"rotated-kl/rows",
     3,
     {{5, 7}, {5, 7}, {5, 49}},
     {5, 1},
     1,
     rotated_kl,
     rotated_kl_naive,
     false},
};
#endif
