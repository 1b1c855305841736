/* mnw_train_test.c - one trial's evidence and gradient for float32 features: against the general
 * float64 functions, dense covariance matrices, and differences. */
#include "mnw_fixture.h"

typedef struct Fixture {
  int64_t n, d, m;
  float *c, *dc;
  double *c64, *y;
  void *work;
} Fixture;

/* tanh features of `inputs` random inputs: the fewer, the worse conditioned. */
static Fixture fixture_new(guint32 seed, int64_t n, int64_t d, int64_t m, int64_t inputs) {
  GRand *g = g_rand_new_with_seed(seed);
  Fixture l = {.n = n, .d = d, .m = m, .c = g_new(float, n *d + 1), .dc = g_new0(float, n *d + 1)};
  l.c64 = g_new(double, n *d + 1);
  l.y = g_new(double, n *m + 1);
  l.work = g_malloc(hn_mnw_train_size(n, d, m));
  double *w = normals(g, inputs * d, 1), *x = normals(g, n * inputs, 1);
  for (int64_t i = 0; i < n * d; i++) {
    double z = 0;
    for (int64_t k = 0; k < inputs; k++) z += x[i / d * inputs + k] * w[k * d + i % d];
    l.c[i] = (float)tanh(z);
    l.c64[i] = (double)l.c[i];
  }
  for (int64_t i = 0; i < n * m; i++)
    l.y[i] = sin(2 * x[i / m * inputs] + (double)(i % m)) + 0.1 * normal(g);
  g_free(w), g_free(x), g_rand_free(g);
  return l;
}

static void fixture_free(Fixture *l) {
  g_free(l->c), g_free(l->dc), g_free(l->c64), g_free(l->y), g_free(l->work);
}

static HnMnwEvidence train(const Fixture *l, const HnMnwPrior *prior, HnMnwPath path) {
  const HnMnwTrial trial = {
      .n = l->n, .d = l->d, .m = l->m, .c = l->c, .ldc = l->d, .y64 = l->y, .ldy = l->m};
  HnMnwEvidence result = {.path = path, .dc = l->dc, .lddc = l->d};
  g_assert_cmpint(hn_mnw_train(prior, &trial, &result, l->work), ==, HN_OK);
  return result;
}

/* Frobenius norms. */
static double apart(const Fixture *l, const double *want) {
  double wrong = 0, all = 0;
  for (int64_t i = 0; i < l->n * l->d; i++) {
    wrong += pow((double)l->dc[i] - want[i], 2);
    all += want[i] * want[i];
  }
  return sqrt(wrong / all);
}

/* The general functions' answer. */
static double reference(const Fixture *l, const HnMnwPrior *prior, double *dc) {
  const int64_t m = l->m;
  const bool inferred = prior->noise == HN_MNW_INFERRED;
  HnMnw p = golden_place(l->d, m), q = golden_place(l->d, m);
  void *work = g_malloc(hn_mnw_work_size(l->n, l->d, m));
  double *sigma = g_new0(double, m *m), value;
  for (int64_t i = 0; i < m; i++) sigma[i * m + i] = prior->variance;
  const double xi = prior->noise == HN_MNW_NORMAL ? prior->xi * prior->variance : prior->xi;
  const HnMnwGradient g = {.c = dc};
  hn_mnw_prior_isotropic(&p, xi, inferred ? prior->psi : 1, inferred ? prior->nu0 : (double)m);
  g_assert_cmpint(hn_mnw_posterior(&q, &p, l->n, l->c64, l->y, work), ==, HN_OK);
  if (inferred) {
    value = hn_mnw_evidence(&p, &q);
    hn_mnw_evidence_gradient(&p, &q, l->n, l->c64, l->y, &g, work);
  } else {
    hn_mnw_fixed_evidence(&p, &q, l->n, l->c64, l->y, sigma, &value, &g, work);
  }
  g_free(p.mean), g_free(q.mean), g_free(work), g_free(sigma);
  return value;
}

static HnMnwPrior prior_of(HnMnwNoise noise) {
  return (HnMnwPrior){.noise = noise, .xi = 0.7, .psi = 0.3, .nu0 = 6, .variance = 0.4};
}

/* Every noise mode and path, one and several chunks of rows, against the general functions. */
static void test_paths_agree(void) {
  static const int64_t shapes[][4] = {
      {60, 24, 1, 6},   {1100, 20, 3, 6}, {20, 33, 2, 6},  {1, 4, 2, 2},  {530, 540, 1, 90},
      {1100, 40, 1, 6}, {150, 64, 2, 6},  {300, 16, 1, 6}, {70, 8, 3, 6}, {90, 72, 1, 9}};
  for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
    for (HnMnwNoise noise = HN_MNW_INFERRED; noise <= HN_MNW_NORMAL; noise++) {
      Fixture l =
          fixture_new(200 + (guint32)i, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]);
      const HnMnwPrior prior = prior_of(noise);
      double *dc = g_new(double, l.n *l.d);
      const double want = reference(&l, &prior, dc);
      for (HnMnwPath path = HN_MNW_AUTO; path <= HN_MNW_DUAL; path++) {
        const HnMnwEvidence got = train(&l, &prior, path);
        near_to("evidence", got.evidence, want, 1e-11);
        g_assert_cmpfloat(apart(&l, dc), <, got.path == HN_MNW_MIXED ? 1e-5 : 1e-7);
        if (path == HN_MNW_FULL || path == HN_MNW_MIXED) g_assert_cmpint(got.path, ==, path);
        if (path == HN_MNW_AUTO) g_assert_true((got.path == HN_MNW_DUAL) == (l.d > l.n));
        g_assert_cmpint(got.jitter_retries, ==, 0);
      }
      g_free(dc);
      fixture_free(&l);
    }
}

/* Padded rows and float32 targets give what dense float64 ones do; the padding stays. */
static void test_strides(void) {
  Fixture l = fixture_new(210, 50, 9, 2, 4);
  const HnMnwPrior prior = prior_of(HN_MNW_INFERRED);
  float c[50 * 13], y[50 * 3], dc[50 * 11];
  for (int i = 0; i < 50 * 11; i++) dc[i] = 77;
  for (int t = 0; t < 50; t++) {
    for (int i = 0; i < 13; i++) c[t * 13 + i] = i < 9 ? l.c[t * 9 + i] : NAN;
    for (int i = 0; i < 3; i++) {
      y[t * 3 + i] = i < 2 ? (float)l.y[t * 2 + i] : NAN;
      if (i < 2) l.y[t * 2 + i] = (double)y[t * 3 + i];
    }
  }
  const HnMnwTrial trial = {.n = 50, .d = 9, .m = 2, .c = c, .ldc = 13, .y32 = y, .ldy = 3};
  for (HnMnwPath path = HN_MNW_FULL; path <= HN_MNW_MIXED; path++) {
    HnMnwEvidence got = {.path = path, .dc = dc, .lddc = 11};
    const HnMnwEvidence want = train(&l, &prior, path);
    g_assert_cmpint(hn_mnw_train(&prior, &trial, &got, l.work), ==, HN_OK);
    g_assert_cmpfloat(got.evidence, ==, want.evidence);
    for (int t = 0; t < 50; t++)
      for (int i = 0; i < 11; i++)
        g_assert_cmpfloat(dc[t * 11 + i], ==, i < 9 ? l.dc[t * 9 + i] : 77);
  }
  fixture_free(&l);
}

/* The a-priori bound holds over ten decades of conditioning, and AUTO keeps its promise on both
 * sides of it. */
static void test_precision_is_chosen(void) {
  static const int64_t shapes[][4] = {{600, 64, 1, 2}, {600, 64, 3, 2}, {800, 32, 1, 1}};
  int mixed = 0, full = 0;
  for (int i = 0; i < 3; i++)
    for (double xi = 100; xi > 1e-8; xi /= 10) {
      Fixture l =
          fixture_new(220 + (guint32)i, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]);
      HnMnwPrior prior = prior_of(HN_MNW_INFERRED);
      prior.xi = xi;
      double *dc = g_new(double, l.n *l.d);
      const HnMnwEvidence exact = train(&l, &prior, HN_MNW_FULL);
      g_assert_cmpint(exact.jitter_retries, ==, 0);
      for (int64_t k = 0; k < l.n * l.d; k++) dc[k] = (double)l.dc[k];
      const HnMnwEvidence forced = train(&l, &prior, HN_MNW_MIXED);
      const double error = apart(&l, dc);
      g_assert_cmpfloat(error, <, forced.float_error);
      g_assert_cmpfloat(error, >, forced.float_error / 30); /* nor is it idle */
      const HnMnwEvidence got = train(&l, &prior, HN_MNW_AUTO);
      g_assert_cmpint(got.path, ==,
                      got.float_error <= HN_MNW_FLOAT_ERROR ? HN_MNW_MIXED : HN_MNW_FULL);
      g_assert_cmpfloat(apart(&l, dc), <, 1e-5);
      mixed += got.path == HN_MNW_MIXED;
      full += got.path == HN_MNW_FULL;
      g_free(dc);
      fixture_free(&l);
    }
  g_assert_cmpint(mixed, >=, 6);
  g_assert_cmpint(full, >=, 6);
}

/* ---- dense Gaussians ---- */

/* log N(y; 0, cov) by elimination; cov [k, k] is used up. */
static double log_gaussian(int64_t k, double *cov, const double *y) {
  double *z = copy(y, k), value = -0.5 * (double)k * log(2 * G_PI);
  for (int64_t i = 0; i < k; i++) {
    const double pivot = cov[i * k + i];
    value -= 0.5 * (log(pivot) + z[i] * z[i] / pivot);
    for (int64_t j = i + 1; j < k; j++) {
      const double factor = cov[j * k + i] / pivot;
      for (int64_t p = i; p < k; p++) cov[j * k + p] -= factor * cov[i * k + p];
      z[j] -= factor * z[i];
    }
  }
  g_free(z);
  return value;
}

/* FIXED: vec(Y) ~ N(0, (I + C C'/xi) (x) Sigma).  NORMAL: W ~ N(0, 1/xi) whatever the noise, so
 * vec(Y) ~ N(0, I (x) Sigma + C C'/xi (x) I), and equals FIXED at xi scaled by the variance. */
static void test_known_noise_is_gaussian(void) {
  enum { N = 9, D = 4, M = 2, K = N * M };
  Fixture l = fixture_new(230, N, D, M, 3);
  const HnMnwPrior fixed = prior_of(HN_MNW_FIXED), normal_prior = prior_of(HN_MNW_NORMAL);
  double cov[2][K * K];
  for (int a = 0; a < K; a++)
    for (int b = 0; b < K; b++) {
      double gram = 0;
      for (int i = 0; i < D; i++) gram += l.c64[a / M * D + i] * l.c64[b / M * D + i] / fixed.xi;
      const double same = a % M == b % M, row = a / M == b / M;
      cov[0][a * K + b] = (row + gram) * same * fixed.variance;
      cov[1][a * K + b] = (row * fixed.variance + gram) * same;
    }
  near_to("fixed", train(&l, &fixed, HN_MNW_AUTO).evidence, log_gaussian(K, cov[0], l.y), 1e-12);
  const HnMnwEvidence nn = train(&l, &normal_prior, HN_MNW_AUTO);
  near_to("normal", nn.evidence, log_gaussian(K, cov[1], l.y), 1e-12);
  float dc[N * D];
  memcpy(dc, l.dc, sizeof dc);
  HnMnwPrior scaled = fixed;
  scaled.xi *= scaled.variance;
  const HnMnwEvidence fn = train(&l, &scaled, HN_MNW_AUTO);
  near_to("normal = fixed, scaled", nn.evidence, fn.evidence, 1e-14);
  g_assert_cmpmem(dc, sizeof dc, l.dc, sizeof dc);
  fixture_free(&l);
}

/* A general Sigma: hn_mnw_fixed_evidence against the dense form, and NORMAL has no such twin. */
static void test_general_noise_is_gaussian(void) {
  enum { N = 5, D = 3, M = 2, K = N * M };
  Problem p = problem(231, N, D, M);
  GRand *g = g_rand_new_with_seed(232);
  double *sigma = spd(g, M), cov[K * K], z[K], value;
  for (int a = 0; a < K; a++) {
    z[a] = p.y[a];
    for (int i = 0; i < D; i++) z[a] -= p.c[a / M * D + i] * p.mean0[i * M + a % M];
    for (int b = 0; b < K; b++) {
      double gram = a / M == b / M;
      for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++)
          gram += p.c[a / M * D + i] * p.prior.v[i * D + j] * p.c[b / M * D + j];
      cov[a * K + b] = gram * sigma[a % M * M + b % M];
    }
  }
  hn_mnw_fixed_evidence(&p.prior, &p.post, N, p.c, p.y, sigma, &value, NULL, p.work);
  near_to("evidence", value, log_gaussian(K, cov, z), 1e-11);
  g_free(sigma), g_rand_free(g);
  problem_free(&p);
}

/* ---- derivatives by the prior, and the same numbers a row at a time ---- */

static void test_prior_derivatives(void) {
  for (int shape = 0; shape < 2; shape++)
    for (HnMnwNoise noise = HN_MNW_INFERRED; noise <= HN_MNW_NORMAL; noise++) {
      Fixture l = fixture_new(240, shape ? 7 : 40, 12, 3, 5); /* the first is dual */
      const HnMnwPrior at = prior_of(noise);
      const HnMnwEvidence got = train(&l, &at, HN_MNW_AUTO);
      const double h = 1e-5;
      double slope[3];
      for (int which = 0; which < 3; which++) {
        HnMnwPrior up = at, down = at;
        double *a = which == 0 ? &up.xi : which == 1 ? &up.psi : &up.variance;
        double *b = which == 0 ? &down.xi : which == 1 ? &down.psi : &down.variance;
        *a *= exp(h), *b *= exp(-h);
        slope[which] =
            (train(&l, &up, HN_MNW_AUTO).evidence - train(&l, &down, HN_MNW_AUTO).evidence) /
            (2 * h);
      }
      near_to("xi", got.d_log_xi, slope[0], 1e-7);
      near_to("psi", got.d_log_psi, slope[1], 1e-7);
      near_to("variance", got.d_log_variance, slope[2], 1e-7);
      fixture_free(&l);
    }
}

static void test_rows_sum_to_evidence(void) {
  for (HnMnwNoise noise = HN_MNW_INFERRED; noise <= HN_MNW_NORMAL; noise++) {
    Fixture l = fixture_new(250, 300, 48, 2, 6);
    const HnMnwPrior prior = prior_of(noise);
    void *belief = g_malloc(hn_mnw_belief_size(l.d, l.m)),
         *work = g_malloc(hn_mnw_belief_work_size(l.d, l.m));
    double sum = 0;
    hn_mnw_belief_start(belief, l.d, l.m, &prior);
    for (int64_t t = 0; t < l.n; t++) {
      HnMnwScore score;
      hn_mnw_belief_update(belief, l.c + t * l.d, l.y + t * l.m, NULL, &score, work);
      sum += score.logp;
    }
    near_to("evidence", sum, train(&l, &prior, HN_MNW_AUTO).evidence, 1e-10);
    g_free(belief), g_free(work);
    fixture_free(&l);
  }
}

/* ---- what goes wrong ---- */

/* Duplicate columns and a vanishing xi: C'C + xi I is not positive definite in float64, so xi is
 * raised until it is, and the caller hears how often. */
static void test_retries(void) {
  Fixture l = fixture_new(260, 80, 12, 1, 4);
  HnMnwPrior prior = prior_of(HN_MNW_INFERRED);
  prior.xi = 1e-18;
  for (int64_t t = 0; t < l.n; t++)
    for (int64_t i = 6; i < 12; i++) l.c[t * 12 + i] = l.c[t * 12 + i - 6];
  const HnMnwEvidence got = train(&l, &prior, HN_MNW_AUTO);
  g_assert_cmpint(got.jitter_retries, >, 0);
  near_to("xi", log10(got.xi), -18 + (double)got.jitter_retries, 1e-9);
  g_assert_true(isfinite(got.evidence));
  g_assert_cmpint(got.path, ==, HN_MNW_FULL);
  fixture_free(&l);
}

static void test_not_finite(void) {
  for (int shape = 0; shape < 2; shape++) {
    Fixture l = fixture_new(261, shape ? 5 : 30, 12, 1, 4);
    const HnMnwPrior prior = prior_of(HN_MNW_INFERRED);
    const HnMnwTrial trial = {
        .n = l.n, .d = l.d, .m = 1, .c = l.c, .ldc = l.d, .y64 = l.y, .ldy = 1};
    HnMnwEvidence result = {.dc = l.dc, .lddc = l.d};
    l.c[17] = NAN;
    g_assert_cmpint(hn_mnw_train(&prior, &trial, &result, l.work), ==, HN_E_NUMERIC);
    l.c[17] = INFINITY;
    g_assert_cmpint(hn_mnw_train(&prior, &trial, &result, l.work), ==, HN_E_NUMERIC);
    l.c[17] = 0;
    l.y[2] = NAN;
    g_assert_cmpint(hn_mnw_train(&prior, &trial, &result, l.work), ==, HN_E_NUMERIC);
    HnMnwPrior bad = prior;
    bad.nu0 = 0;
    g_assert_cmpint(hn_mnw_train(&bad, &trial, &result, l.work), ==, HN_E_PARAM);
    bad = prior, bad.xi = 0;
    g_assert_cmpint(hn_mnw_train(&bad, &trial, &result, l.work), ==, HN_E_PARAM);
    fixture_free(&l);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/mnw-train/paths-agree", test_paths_agree);
  g_test_add_func("/mnw-train/strides", test_strides);
  g_test_add_func("/mnw-train/precision-is-chosen", test_precision_is_chosen);
  g_test_add_func("/mnw-train/known-noise-is-gaussian", test_known_noise_is_gaussian);
  g_test_add_func("/mnw-train/general-noise-is-gaussian", test_general_noise_is_gaussian);
  g_test_add_func("/mnw-train/prior-derivatives", test_prior_derivatives);
  g_test_add_func("/mnw-train/rows-sum-to-evidence", test_rows_sum_to_evidence);
  g_test_add_func("/mnw-train/retries-with-larger-xi", test_retries);
  g_test_add_func("/mnw-train/not-finite", test_not_finite);
  return g_test_run();
}
