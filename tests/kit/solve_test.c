/* solve_test.c - conjugate gradients on systems whose solutions are known, the length of a step in
 * a trust region, and a line search. */
#include "numbers.h"
#include <hunch/kit/solve.h>
#include <string.h>

enum { MOST = 24 };

typedef struct Matrix {
  int64_t n, products, fail_at; /* fail_at: the product that fails; 0: none */
  double a[MOST * MOST];
} Matrix;

static HnStatus multiply(void *arg, const double *v, double *y) {
  Matrix *m = arg;
  if (++m->products == m->fail_at) return HN_E_NUMERIC;
  for (int64_t i = 0; i < m->n; i++) {
    y[i] = 0;
    for (int64_t j = 0; j < m->n; j++) y[i] += m->a[i * m->n + j] * v[j];
  }
  return HN_OK;
}

static HnStatus solve(Matrix *m, const double *b, int64_t iterations, double tolerance, double *x,
                      double *curvature) {
  double work[3 * MOST];
  return hn_conjugate_gradients(m->n, multiply, m, b, iterations, tolerance, x, work, curvature);
}

/* A mean that is linear in four states, sigma 1/2: F = S'S / 4 sigma^2.  Numbers by an independent
 * program, KL of the step exactly. */
static void test_trust_region(void) {
  static const double state[4][2] = {{1, 0.5}, {0.2, -1}, {-0.7, 0.3}, {0.4, 0.9}};
  static const struct {
    double damping, kl, tolerance;
  } cases[] = {{0, 0.01, 1e-14}, {1e-5, 0.00999992934, 1e-11}, {0.1, 0.00934001151, 1e-11}};
  const double g[2] = {0.3, -0.2}, delta = 0.01;
  for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
    Matrix m = {.n = 2, .a = {1.69 + cases[c].damping, 0.45, 0.45, 2.15 + cases[c].damping}};
    double x[2], curvature, kl = 0;
    g_assert_cmpint(solve(&m, g, 10, 1e-20, x, &curvature), ==, HN_OK);
    g_assert_cmpint(m.products, ==, 2); /* exact in as many as there are dimensions */
    const double beta = sqrt(2 * delta / curvature);
    for (int k = 0; k < 4; k++)
      kl += pow(beta * (x[0] * state[k][0] + x[1] * state[k][1]), 2) / 4 / (2 * 0.25);
    near(kl, cases[c].kl, cases[c].tolerance);
    if (c > 0) continue;
    near(x[0], 0.2142232585, 1e-10), near(x[1], -0.1378606820, 1e-10);
    near(beta, 0.4666606217, 1e-10);
    near(beta * x[0], 0.0999695590, 1e-10), near(beta * x[1], -0.0643341516, 1e-10);
    near(beta * (x[0] * g[0] + x[1] * g[1]), 0.0428576980, 1e-10);
  }
}

/* The second difference with fixed ends: x = i (n + 1 - i) / 2 where b is 1, and x' A x = sum x. */
static void test_known(void) {
  enum { N = 20 };
  Matrix m = {.n = N};
  double b[N], x[N], curvature, sum = 0;
  for (int i = 0; i < N; i++) {
    b[i] = 1, m.a[i * N + i] = 2;
    if (i > 0) m.a[i * N + i - 1] = -1;
    if (i + 1 < N) m.a[i * N + i + 1] = -1;
  }
  g_assert_cmpint(solve(&m, b, 100, 1e-20, x, &curvature), ==, HN_OK);
  g_assert_cmpint(m.products, ==, N / 2); /* b is symmetric, so half the dimensions are not met */
  for (int i = 0; i < N; i++) {
    near(x[i], (i + 1) * (N - i) / 2.0, 1e-10);
    sum += (i + 1) * (N - i) / 2.0;
  }
  near(curvature, sum, 1e-9);

  /* cut short: the residual is orthogonal to x, which is what makes the curvature cheap */
  double image[N], exact = 0;
  m.products = 0;
  g_assert_cmpint(solve(&m, b, 3, 1e-20, x, &curvature), ==, HN_OK);
  g_assert_cmpint(m.products, ==, 3);
  multiply(&m, x, image);
  for (int i = 0; i < N; i++) exact += x[i] * image[i];
  near(curvature, exact, 1e-10);
}

static void test_stops(void) {
  Matrix m = {.n = 2, .a = {1, 0, 0, 1}};
  double x[2] = {7, 7}, curvature = 7;
  const double zero[2] = {0, 0}, small[2] = {1e-6, 0}, one[2] = {1, 0};
  g_assert_cmpint(solve(&m, zero, 10, 0, x, &curvature), ==, HN_OK);
  g_assert_cmpint(m.products, ==, 0);
  g_assert_cmpfloat(x[0], ==, 0);
  g_assert_cmpfloat(curvature, ==, 0);
  g_assert_cmpint(solve(&m, small, 10, 1e-10, x, &curvature), ==, HN_OK); /* |b|^2 is below */
  g_assert_cmpint(m.products, ==, 0);
  m.fail_at = 1;
  g_assert_cmpint(solve(&m, one, 10, 1e-10, x, &curvature), ==, HN_E_NUMERIC);

  Matrix nan = {.n = 2, .a = {(double)NAN, 0, 0, 1}};
  g_assert_cmpint(solve(&nan, one, 10, 1e-10, x, &curvature), ==, HN_OK);
  g_assert_cmpfloat(x[0], ==, 0);
  g_assert_cmpfloat(x[1], ==, 0);
  g_assert_cmpfloat(curvature, ==, 0);
}

typedef struct Search {
  int trials, accept; /* accept: the trial that is accepted, from 0; -1: none */
  float seen[MOST];
} Search;

static HnStatus try_step(void *arg, const float *x, bool *accepted) {
  Search *s = arg;
  s->seen[s->trials] = x[0];
  *accepted = s->trials++ == s->accept;
  return x[0] == 100 ? HN_E_NUMERIC : HN_OK;
}

static void test_line_search(void) {
  const float x[2] = {1.1f, -0.3f};
  const double step[2] = {0.5, 0};
  float next[2];
  int64_t taken;
  Search s = {.accept = 2};
  g_assert_cmpint(hn_line_search(2, x, step, 0.8, 15, try_step, &s, next, &taken), ==, HN_OK);
  g_assert_cmpint(taken, ==, 2);
  g_assert_cmpint(s.trials, ==, 3);
  for (int k = 0; k < 3; k++) near((double)s.seen[k], 1.1 - pow(0.8, k) * 0.5, 1e-6);
  near((double)next[0], 1.1 - 0.32, 1e-6);
  g_assert_cmpfloat(next[1], ==, x[1]);

  s = (Search){.accept = -1};
  g_assert_cmpint(hn_line_search(2, x, step, 0.8, 15, try_step, &s, next, &taken), ==, HN_OK);
  g_assert_cmpint(taken, ==, -1);
  g_assert_cmpint(s.trials, ==, 15);
  g_assert_cmpmem(next, sizeof next, x, sizeof x);

  const float far[2] = {100, 0};
  const double none[2] = {0, 0};
  s = (Search){.accept = -1};
  g_assert_cmpint(hn_line_search(2, far, none, 0.8, 15, try_step, &s, next, &taken), ==,
                  HN_E_NUMERIC);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/solve/trust_region", test_trust_region);
  g_test_add_func("/solve/known", test_known);
  g_test_add_func("/solve/stops", test_stops);
  g_test_add_func("/solve/line_search", test_line_search);
  return g_test_run();
}
