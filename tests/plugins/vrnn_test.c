/* vrnn_test.c - vrnn against a naive one in float64, its Cayley transform, sizes, and the promises
 * of the ABI. */
#include "vrnn_checks.h"

extern const HnPlugin vrnn_LTX_hn_plugin;

/* ---- the naive posterior ---- */

static void naive_prior(const Naive *z, double *precision) {
  for (int64_t j = 0; j < z->m->F; j++) precision[j * z->m->F + j] = 1;
}

/* Axes q [F, F] of angles: -(I + S)^-1 (I - S). */
static void naive_axes(int64_t F, const double *angle, double *q) {
  double s[WIDE * WIDE] = {0}, plus[WIDE * WIDE], inverted[WIDE * WIDE];
  for (int64_t i = 0; i < F; i++)
    for (int64_t j = 0; j < i; j++, angle++) s[i * F + j] = *angle / 2, s[j * F + i] = -*angle / 2;
  for (int64_t k = 0; k < F * F; k++) plus[k] = s[k] + (k % (F + 1) == 0);
  inverse(F, plus, inverted);
  for (int64_t i = 0; i < F; i++)
    for (int64_t j = 0; j < F; j++) {
      q[i * F + j] = 0;
      for (int64_t k = 0; k < F; k++)
        q[i * F + j] -= inverted[i * F + k] * ((k == j) - s[k * F + j]);
    }
}

/* p->root: a root of the covariance, Q exp(L / 2), [F, F]. */
static void naive_update(const Naive *z, const Memory *k, Point *p) {
  const Vrnn *m = z->m;
  int64_t F = m->F;
  double x[WIDE * WIDE], q[WIDE * WIDE], covariance[WIDE * WIDE] = {0};
  affine(weights_of(z, ".0.weight", "spread"), weights_of(z, ".0.bias", "spread"), m->H, m->W,
         k->carry, x);
  for (int64_t i = 0; i < F * F; i++) q[i] = i % (F + 1) == 0;
  if (m->p->covariance == COVARIANCE_FULL) naive_axes(F, x + F, q);
  for (int64_t i = 0; i < F; i++)
    for (int64_t j = 0; j < F; j++)
      p->root[i * F + j] =
          q[i * F + j] * exp(fmin(fmax(x[j], m->p->logvar_low), m->p->logvar_high) / 2);
  for (int64_t i = 0; i < F * F; i++)
    for (int64_t j = 0; j < F; j++)
      covariance[i] += p->root[i / F * F + j] * p->root[i % F * F + j];
  inverse(F, covariance, p->q.precision);
}

/* The prior's root is I: where it is masked, nothing has been read out. */
static void naive_offset(const Naive *z, const Point *p, const float *noise, double *offset) {
  int64_t F = z->m->F;
  for (int64_t i = 0; i < F; i++) {
    offset[i] = p->masked ? (double)noise[i] : 0;
    for (int64_t j = 0; !p->masked && j < F; j++)
      offset[i] += p->root[i * F + j] * (double)noise[j];
  }
}

static const NaivePosterior gaussian = {.plugin = &vrnn_LTX_hn_plugin,
                                        .prior = naive_prior,
                                        .update = naive_update,
                                        .offset = naive_offset,
                                        .moves = true};

/* ---- cases ---- */

#define SMALL "hidden: 6, embed: 5, head_layers: 6 5 4, "
static const Case cases[] = {
    {"full", SMALL "latent: 3, head: signal, model_samples: 2", 2, 2, 0},
    {"halves", SMALL "latent: 11, head: reward, model_samples: 1, context: rssm", 1, 0, 3},
    {"diagonal",
     SMALL "latent: 4, covariance: diagonal, head: signal, model_samples: 3, "
           "see_first: false, context: bamdp",
     2, 1, 0},
    {"gru", SMALL "cell: gru, latent: 4, head: none, see_first: false, context: bamdp", 2, 0, 4},
    {"bounds",
     SMALL "latent: 4, head: signal, model_samples: 2, logvar_low: -0.1, "
           "logvar_high: 0.1",
     1, 1, 0},
    {"simplified", SMALL "latent: 3, head: reward, model_samples: 0, simplify: true", 2, 1, 0},
};

static void test_values(gconstpointer data) {
  check_values(&gaussian, data, ", kl_weight: 0.5", 0);
  check_values(&gaussian, data, ", kl_weight: 0.5", 3);
}

static void test_gradient(gconstpointer data) {
  check_gradient(&gaussian, data, ", max_grad_value: 0, kl_weight: 0.3", 0);
  check_gradient(&gaussian, data, ", max_grad_value: 0, kl_weight: 0.05", 2);
}

static void test_windows(gconstpointer data) {
  check_windows(&gaussian, data, "", 0), check_windows(&gaussian, data, "", 3);
}

static void test_learn(gconstpointer data) {
  check_learn(&gaussian, data, ", kl_weight: 2");
}

static void test_predict(void) {
  check_predict(&gaussian, &cases[0], 0), check_predict(&gaussian, &cases[2], 3);
}

/* ---- the covariance ---- */

/* n = 2 and an angle of 0.7 (check J of the method's card); of no angle -I; log-variances within
 * bounds.  Samples whose noise is a unit vector are the columns of Q exp(L / 2). */
static void test_rotation(void) {
  static const float expected[] = {-0.781737f, -0.623608f, 0.623608f, -0.781737f};
  static const float noise[] = {1, 0, 0, 1};
  static const double logvar[] = {-1, 3};
  Case c = {"", "latent: 2, logvar_low: -1, logvar_high: 3", 1, 1, 0};
  Fixture *b = fixture_new(&vrnn_LTX_hn_plugin, &c, "");
  const Vrnn *m = b->self;
  for (int turns = 0; turns < 2; turns++) {
    const float params[] = {-2, 4, turns ? 0.7f : 0};
    char *row = g_malloc0(m->row.size);
    float offset[4];
    vrnn_row(row)->inputs = 1;
    memcpy(row + m->row.posterior, params, sizeof params);
    void *work = m->posterior->workspace(m, 1);
    g_assert_cmpint(m->posterior->sample(m, work, 0, 1, row, 2, noise, offset), ==, HN_OK);
    for (int k = 0; k < 4; k++) {
      int i = k / 2, j = k % 2;
      double q = turns ? (double)expected[k] : k % 3 ? 0 : -1;
      g_assert_cmpfloat_with_epsilon(offset[j * 2 + i], q * exp(logvar[j] / 2), 6e-6);
    }
    g_free(row);
  }
  fixture_free(b);
}

/* What a covariance adds to the paper's counts, and that of regression without one. */
static void test_sizes(void) {
  Case full = {"", "head: signal", 1, 1, 0};
  Case diagonal = {"", "head: signal, covariance: diagonal", 1, 1, 0};
  g_assert_cmpint(parameters_of(&vrnn_LTX_hn_plugin, &full), ==, 635203 + 268320);
  g_assert_cmpint(parameters_of(&vrnn_LTX_hn_plugin, &diagonal), ==, 635203 + 8256);
}

static void test_refusals(void) {
  Case c = {"", "logvar_low: 1, logvar_high: 0", 1, 1, 0};
  Fixture *b = g_new0(Fixture, 1);
  g_assert_cmpint(fixture_try(b, &vrnn_LTX_hn_plugin, &c, ""), ==, HN_E_PARAM);
  g_assert_nonnull(strstr(b->fake.error, "logvar_low"));
  fixture_free(b);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_cases("vrnn/values", test_values, cases, G_N_ELEMENTS(cases));
  add_cases("vrnn/gradient", test_gradient, cases, G_N_ELEMENTS(cases));
  add_cases("vrnn/windows", test_windows, cases, G_N_ELEMENTS(cases));
  g_test_add_data_func("/vrnn/learn/full", &cases[0], test_learn);
  g_test_add_data_func("/vrnn/learn/diagonal", &cases[2], test_learn);
  g_test_add_func("/vrnn/predict", test_predict);
  g_test_add_func("/vrnn/rotation", test_rotation);
  g_test_add_func("/vrnn/sizes", test_sizes);
  g_test_add_func("/vrnn/refusals", test_refusals);
  return g_test_run();
}
