/* mnw_belief_test.c - the matrix-normal-Wishart's running belief: long runs, bytes, bits, features
 * to follow. */
#include "mnw_fixture.h"

typedef struct Run {
  int64_t d, m;
  float *c;
  double *c64, *y;
} Run;

static Run run_of(guint32 seed, int64_t n, int64_t d, int64_t m) {
  GRand *g = g_rand_new_with_seed(seed);
  Run r = {.d = d, .m = m, .c = g_new(float, n *d), .c64 = g_new(double, n *d)};
  for (int64_t i = 0; i < n * d; i++) {
    r.c[i] = (float)normal(g);
    r.c64[i] = (double)r.c[i];
  }
  r.y = normals(g, n * m, 1);
  g_rand_free(g);
  return r;
}

static void run_free(Run *r) {
  g_free(r->c), g_free(r->c64), g_free(r->y);
}

/* Long and wide: no drift against the batch, in V, M, Psi, the determinants, KL and evidence. */
static void test_belief_long(void) {
  static const int64_t sizes[][3] = {{1500, 64, 1}, {400, 17, 5}, {300, 100, 2}};
  for (int i = 0; i < 3; i++) {
    const int64_t n = sizes[i][0], d = sizes[i][1], m = sizes[i][2];
    const HnMnwPrior prior = {.noise = HN_MNW_INFERRED, .xi = 0.01, .psi = 0.3, .nu0 = 7};
    Run r = run_of(101 + (guint32)i, n, d, m);
    void *belief = g_malloc(hn_mnw_belief_size(d, m)),
         *work = g_malloc(hn_mnw_belief_work_size(d, m) + hn_mnw_work_size(n, d, m));
    HnMnw p = golden_place(d, m), q = golden_place(d, m), got = golden_place(d, m);
    hn_mnw_prior_isotropic(&p, prior.xi, prior.psi, prior.nu0);
    g_assert_cmpint(hn_mnw_posterior(&q, &p, n, r.c64, r.y, work), ==, HN_OK);
    g_assert_cmpint(hn_mnw_belief_start(belief, d, m, &prior), ==, HN_OK);
    double evidence = 0, trace = 0, *mean = g_new(double, m), *want = g_new(double, m),
           *diagonal = g_new(double, d);
    for (int64_t t = 0; t < n; t++) {
      HnMnwScore score;
      hn_mnw_belief_update(belief, r.c + t * d, r.y + t * m, NULL, &score, work);
      evidence += score.logp;
    }
    belief_read(belief, &got);
    memcpy(got.xi, q.xi, (size_t)(d * d) * sizeof(double));
    memcpy(got.omega, q.omega, (size_t)(m * m) * sizeof(double));
    same_belief("belief", &got, &q, 1e-10);
    near_to("evidence", evidence, hn_mnw_evidence(&p, &q), 1e-10);
    near_to("kl", hn_mnw_belief_kl(belief), hn_mnw_kl(&q, &p, work), 1e-10);
    hn_mnw_belief_variance(belief, diagonal);
    for (int64_t j = 0; j < d; j++) {
      near_to("variance", diagonal[j], got.v[j * d + j], 0);
      trace += q.v[j * d + j];
    }
    const HnMnwSummary f = hn_mnw_belief_summary(belief);
    near_to("trace", f.trace_v, trace, 1e-11);
    g_assert_cmpint(f.n, ==, n);
    hn_mnw_predictive(&q, r.c64, want);
    hn_mnw_belief_predict(belief, r.c, mean);
    close_to("predict", m, mean, want, 1e-10);
    g_free(belief), g_free(work), g_free(p.mean), g_free(q.mean), g_free(got.mean);
    g_free(mean), g_free(want), g_free(diagonal);
    run_free(&r);
  }
}

/* A copy of the bytes continues as the original does; scoring leaves them alone. */
static void test_belief_bytes(void) {
  enum { N = 23, D = 19, M = 2 };
  Run r = run_of(111, N, D, M);
  const size_t size = hn_mnw_belief_size(D, M);
  void *one = g_malloc(size), *two = g_malloc(size + 8),
       *work = g_malloc(hn_mnw_belief_work_size(D, M));
  void *moved = (char *)two + 8; /* another alignment */
  hn_mnw_belief_start(one, D, M, &plain);
  for (int t = 0; t < N; t++) {
    HnMnwScore before, score;
    double e0[M], e1[M];
    memcpy(moved, one, size);
    hn_mnw_belief_score(one, r.c + t * D, r.y + t * M, e0, &before, work);
    g_assert_cmpmem(one, size, moved, size);
    hn_mnw_belief_update(one, r.c + t * D, r.y + t * M, e1, &score, work);
    g_assert_cmpmem(&before, sizeof before, &score, sizeof score);
    g_assert_cmpmem(e0, sizeof e0, e1, sizeof e1);
    hn_mnw_belief_update(moved, r.c + t * D, r.y + t * M, e1, &score, work);
    g_assert_cmpmem(one, size, moved, size);
  }
  g_free(one), g_free(two), g_free(work);
  run_free(&r);
}

static guint64 belief_checksum(void) {
  enum { N = 61, D = 77, M = 3 };
  Run r = run_of(121, N, D, M);
  const size_t size = hn_mnw_belief_size(D, M);
  guint8 *belief = g_malloc(size);
  void *work = g_malloc(hn_mnw_belief_work_size(D, M));
  HnMnwScore score;
  guint64 sum = 14695981039346656037u;
  hn_mnw_belief_start(belief, D, M, &plain);
  for (int t = 0; t < N; t++)
    hn_mnw_belief_update(belief, r.c + t * D, r.y + t * M, NULL, &score, work);
  for (size_t i = 0; i < size; i++) sum = (sum ^ belief[i]) * 1099511628211u;
  g_free(belief), g_free(work);
  run_free(&r);
  return sum;
}

/* AVX2 and AVX-512 leave the same bytes. */
static void test_belief_same_bits(void) {
  if (g_test_subprocess()) {
    g_print("isa %s sum %016" G_GINT64_MODIFIER "x\n", hn_kit_isa(), belief_checksum());
    return;
  }
  if (strcmp(hn_kit_isa(), "v4") != 0) {
    g_test_skip("needs v4");
    return;
  }
  char *want = g_strdup_printf("*isa v3 sum %016" G_GINT64_MODIFIER "x*", belief_checksum());
  g_setenv("HUNCH_ISA", "v3", TRUE);
  g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC, 0);
  g_unsetenv("HUNCH_ISA");
  g_test_trap_assert_passed();
  g_test_trap_assert_stdout(want);
  g_free(want);
}

/* A probe is what the posterior of all rows so far predicts; more probes than one block. */
static void test_probe(void) {
  enum { N = 23, D = 19, M = 3, COUNT = 70 };
  for (HnMnwNoise noise = HN_MNW_INFERRED; noise <= HN_MNW_NORMAL; noise++) {
    const HnMnwPrior prior = {.noise = noise, .xi = 0.4, .psi = 0.3, .nu0 = 7, .variance = 0.2};
    Run r = run_of(117, N, D, M), at = run_of(118, COUNT, D, M);
    const int64_t width = hn_mnw_probe_width(D);
    double *c = g_new0(double, COUNT *width), *probe = g_new(double, COUNT *(1 + M));
    for (int64_t j = 0; j < COUNT; j++) memcpy(c + j * width, at.c64 + j * D, D * sizeof(double));
    void *belief = g_malloc(hn_mnw_belief_size(D, M)),
         *work = g_malloc(hn_mnw_belief_work_size(D, M) + hn_mnw_work_size(N, D, M));
    HnMnw p = golden_place(D, M), q = golden_place(D, M);
    hn_mnw_prior_isotropic(&p, noise == HN_MNW_NORMAL ? 0.4 * 0.2 : 0.4, prior.psi, prior.nu0);
    hn_mnw_belief_start(belief, D, M, &prior);
    hn_mnw_probe_start(belief, COUNT, c, probe);
    for (int64_t n = 0; n <= N; n++) {
      g_assert_cmpint(hn_mnw_posterior(&q, &p, n, r.c64, r.y, work), ==, HN_OK);
      for (int64_t j = 0; j < COUNT; j++) {
        double mean[M], s = hn_mnw_predictive(&q, at.c64 + j * D, mean);
        near_to("leverage", probe[j * (1 + M)], s - 1, 1e-12);
        for (int i = 0; i < M; i++) near_to("mean", probe[j * (1 + M) + 1 + i], mean[i], 1e-12);
      }
      if (n == N) break;
      double error[M];
      hn_mnw_belief_update(belief, r.c + n * D, r.y + n * M, error, NULL, work);
      hn_mnw_probe_update(belief, COUNT, c, error, probe);
    }
    g_free(c), g_free(probe), g_free(belief), g_free(work), g_free(p.mean), g_free(q.mean);
    run_free(&r), run_free(&at);
  }
}

/* Known noise: the scores sum to the evidence, and evidence = E[log likelihood] - KL. */
static void test_belief_known_noise(void) {
  enum { N = 30, D = 6, M = 2 };
  Run r = run_of(131, N, D, M);
  for (HnMnwNoise noise = HN_MNW_FIXED; noise <= HN_MNW_NORMAL; noise++) {
    const HnMnwPrior prior = {.noise = noise, .xi = 0.8, .variance = 0.3};
    const double relative = noise == HN_MNW_NORMAL ? prior.xi * prior.variance : prior.xi;
    const double sigma[M * M] = {prior.variance, 0, 0, prior.variance};
    HnMnw p = golden_place(D, M), q = golden_place(D, M);
    void *belief = g_malloc(hn_mnw_belief_size(D, M)), *work = g_malloc(hn_mnw_work_size(N, D, M));
    double want, got = 0, loglik = -0.5 * N * M * log(2 * G_PI * prior.variance);
    hn_mnw_prior_isotropic(&p, relative, 1, 3);
    hn_mnw_posterior(&q, &p, N, r.c64, r.y, work);
    hn_mnw_fixed_evidence(&p, &q, N, r.c64, r.y, sigma, &want, NULL, work);
    hn_mnw_belief_start(belief, D, M, &prior);
    for (int t = 0; t < N; t++) {
      HnMnwScore score;
      hn_mnw_belief_update(belief, r.c + t * D, r.y + t * M, NULL, &score, work);
      got += score.logp;
    }
    near_to("evidence", got, want, 1e-11);
    for (int t = 0; t < N; t++) {
      double mean[M];
      const double s = hn_mnw_predictive(&q, r.c64 + t * D, mean);
      loglik -= 0.5 * M * (s - 1);
      for (int j = 0; j < M; j++) loglik -= 0.5 * pow(r.y[t * M + j] - mean[j], 2) / prior.variance;
    }
    near_to("kl", hn_mnw_belief_kl(belief), loglik - want, 1e-10);
    const HnMnwSummary f = hn_mnw_belief_summary(belief);
    near_to("nu", f.nu, 1, 0);
    g_free(p.mean), g_free(q.mean), g_free(belief), g_free(work);
  }
  run_free(&r);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/mnw/belief-long", test_belief_long);
  g_test_add_func("/mnw/belief-bytes", test_belief_bytes);
  g_test_add_func("/mnw/belief-same-bits", test_belief_same_bits);
  g_test_add_func("/mnw/belief-known-noise", test_belief_known_noise);
  g_test_add_func("/mnw/probe", test_probe);
  return g_test_run();
}
