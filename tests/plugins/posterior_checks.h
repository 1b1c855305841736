/* posterior_checks.h - checks of agents of the VRNN family that hold a posterior: of what they
 * report of it besides, and cases. */
#ifndef POSTERIOR_CHECKS_H
#define POSTERIOR_CHECKS_H
#include "vrnn_naive.h"

static bool naive_simplifies(const Naive *z) {
  return z->m->p->simplify;
}

static void check_info(const Naive *z, int64_t at, const float *x) {
  const Point *p = &z->point[at];
  int64_t F = z->m->F;
  double parts[3], cov[WIDE * WIDE], marginal = 0;
  inverse(F, p->q.precision, cov);
  for (int64_t f = 0; f < F; f++)
    marginal += 0.5 * (1 + log(2 * G_PI * cov[f * F + f])) / (double)F;
  g_assert_cmpfloat_with_epsilon(x[info_entropy], naive_entropy(F, p->q.precision), 1e-4);
  g_assert_cmpfloat_with_epsilon(x[info_marginal_entropy], marginal, 1e-4);
  g_assert_true(p->dark == isnan(x[info_kl]));
  if (p->dark) return;
  naive_kl(F, &p->q, &p->before, parts);
  g_assert_cmpfloat_with_epsilon(x[info_kl_trace], parts[0], 1e-4);
  g_assert_cmpfloat_with_epsilon(x[info_kl_mahalanobis], parts[1], 1e-4 * fmax(1, parts[1]));
  g_assert_cmpfloat_with_epsilon(x[info_kl_logdet], parts[2], 1e-4);
  g_assert_cmpfloat_with_epsilon(x[info_kl], parts[0] + parts[1] + parts[2],
                                 1e-4 * fmax(1, parts[1]));
}

#include "vrnn_checks.h"

static void test_values(gconstpointer data) {
  check_values(data, ", beta: 0.5", 0), check_values(data, ", beta: 0.5", 3);
}

static void test_windows(gconstpointer data) {
  check_windows(data, "", 0), check_windows(data, "", 3);
}

static void test_learn(gconstpointer data) {
  check_learn(data, ", beta: 2");
}
#endif
