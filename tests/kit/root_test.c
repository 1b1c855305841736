/* root_test.c - the nearest root of a covariance by what defines it. */
#include "mnw_fixture.h"
#include <hunch/kit/root.h>

enum { N = 23 };

/* c = a b, b' (or b) [n, n], written out. */
static double *product(const double *a, const double *b, bool transposed) {
  double *c = g_new0(double, N *N);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < N; k++)
        c[i * N + j] += a[i * N + k] * (transposed ? b[j * N + k] : b[k * N + j]);
  return c;
}

static double *identity(void) {
  double *a = g_new0(double, N *N);
  for (int i = 0; i < N; i++) a[i * N + i] = 1;
  return a;
}

/* Regular, and not symmetric. */
static double *some_root(GRand *g) {
  double *a = normals(g, N * N, 0.1);
  for (int i = 0; i < N; i++) a[i * N + i] += 1;
  return a;
}

/* Orthogonal, by Gram-Schmidt. */
static double *rotation(GRand *g) {
  double *q = normals(g, N * N, 1);
  for (int i = 0; i < N; i++) {
    double norm = 0;
    for (int k = 0; k < i; k++) {
      double dot = 0;
      for (int j = 0; j < N; j++) dot += q[i * N + j] * q[k * N + j];
      for (int j = 0; j < N; j++) q[i * N + j] -= dot * q[k * N + j];
    }
    for (int j = 0; j < N; j++) norm += q[i * N + j] * q[i * N + j];
    for (int j = 0; j < N; j++) q[i * N + j] /= sqrt(norm);
  }
  return q;
}

static double apart(const double *a, const double *b) {
  double sum = 0;
  for (int i = 0; i < N * N; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sqrt(sum);
}

static void find_root(const double *a, double *root) {
  void *work = g_aligned_alloc0(1, hn_nearest_root_size(N), 64);
  g_assert_cmpint(hn_nearest_root(N, a, root, work), ==, HN_OK);
  g_aligned_free(work);
}

static void assert_squares_to(const double *root, const double *a) {
  double *square = product(root, root, true);
  close_to("R R'", N * N, square, a, 1e-12);
  g_free(square);
}

/* From the identity: the symmetric root. */
static void test_symmetric(void) {
  GRand *g = g_rand_new_with_seed(1);
  double *a = spd(g, N), *root = identity(), *square;
  find_root(a, root);
  square = product(root, root, false);
  close_to("R R", N * N, square, a, 1e-12);
  assert_squares_to(root, a);
  g_free(a), g_free(root), g_free(square), g_rand_free(g);
}

/* No other root is nearer: neither the symmetric one nor any that random rotations, large and
 * small, make of it. */
static void test_nearest(void) {
  GRand *g = g_rand_new_with_seed(2);
  double *a = spd(g, N), *from = some_root(g), *root = copy(from, N * N), *symmetric = identity();
  find_root(a, root), find_root(a, symmetric);
  assert_squares_to(root, a);
  const double least = apart(root, from);
  g_assert_cmpfloat(apart(symmetric, from), >, least);
  for (int k = 0; k < 200; k++) {
    double *q;
    if (k % 2) {
      q = rotation(g);
    } else { /* in one plane */
      const int i = g_rand_int_range(g, 0, N - 1);
      const double angle = 0.01 * normal(g);
      q = identity();
      q[i * N + i] = q[(i + 1) * N + i + 1] = cos(angle);
      q[i * N + i + 1] = sin(angle), q[(i + 1) * N + i] = -sin(angle);
    }
    double *other = product(root, q, false);
    assert_squares_to(other, a);
    g_assert_cmpfloat(apart(other, from), >, least);
    g_free(q), g_free(other);
  }
  g_free(a), g_free(from), g_free(root), g_free(symmetric), g_rand_free(g);
}

/* Rotated covariance and root give the rotated root. */
static void test_rotates_along(void) {
  GRand *g = g_rand_new_with_seed(3);
  double *a = spd(g, N), *q = rotation(g), *from = some_root(g);
  double *qa = product(q, a, false), *qaq = product(qa, q, true), *moved = product(q, from, false);
  find_root(a, from), find_root(qaq, moved);
  double *want = product(q, from, false);
  close_to("Q R", N * N, moved, want, 1e-11);
  g_free(a), g_free(q), g_free(from), g_free(qa), g_free(qaq), g_free(moved), g_free(want);
  g_rand_free(g);
}

static void test_refusals(void) {
  double *a = g_new0(double, N *N), *root = identity();
  void *work = g_aligned_alloc0(1, hn_nearest_root_size(N), 64);
  g_assert_cmpint(hn_nearest_root(N, a, root, work), ==, HN_E_NUMERIC); /* singular */
  for (int i = 0; i < N; i++) a[i * N + i] = i ? 1 : NAN;
  g_assert_cmpint(hn_nearest_root(N, a, root, work), ==, HN_E_NUMERIC);
  g_free(a), g_free(root), g_aligned_free(work);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/root/symmetric", test_symmetric);
  g_test_add_func("/root/nearest", test_nearest);
  g_test_add_func("/root/rotates-along", test_rotates_along);
  g_test_add_func("/root/refusals", test_refusals);
  return g_test_run();
}
