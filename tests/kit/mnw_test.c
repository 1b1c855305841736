/* mnw_test.c - the matrix-normal-Wishart: golden values, agreement of every way to the same
 * posterior, exact identities, derivatives, calibration. */
#include "mnw_fixture.h"

/* ---- golden ---- */

static void test_golden(void) {
  Report r = golden_compare();
  g_assert_cmpint(r.compared, ==, 505);
  g_assert_cmpstr(r.fields->str, ==, "");
  g_string_free(r.fields, TRUE);
}

static void test_golden_special(void) {
  JsonParser *parser;
  JsonArray *rows = json_object_get_array_member(golden_open(&parser), "special_functions");
  g_assert_cmpint(json_array_get_length(rows), ==, 7);
  for (guint i = 0; i < json_array_get_length(rows); i++) {
    JsonObject *row = json_array_get_object_element(rows, i);
    const double a = golden_number(row, "a");
    const int64_t m = json_object_get_int_member(row, "m");
    near_to("mvlgamma", hn_mnw_lgamma(m, a), golden_number(row, "mvlgamma"), 1e-13);
    near_to("mvdigamma", hn_mnw_digamma(m, a), golden_number(row, "mvdigamma"), 1e-13);
  }
  g_object_unref(parser);
}

static void test_golden_online(void) {
  JsonParser *parser;
  JsonArray *cases = json_object_get_array_member(golden_open(&parser), "cases");
  Report r = {.fields = g_string_new(NULL)};
  for (guint i = 0; i < json_array_get_length(cases); i++) {
    Case k = golden_case(json_array_get_object_element(cases, i));
    const int64_t n = k.n, d = k.d, m = k.m;
    void *belief = belief_from(&k.prior, HN_MNW_INFERRED, 0);
    void *work = g_malloc(hn_mnw_belief_work_size(d, m));
    double *s = g_new(double, n + 1), *e = g_new(double, n *m + 1), *logp = g_new(double, n + 1);
    for (int64_t t = 0; t < n; t++) {
      HnMnwScore score;
      hn_mnw_belief_update64(belief, k.c + t * d, k.y + t * m, e + t * m, &score, work);
      s[t] = score.s, logp[t] = score.logp;
    }
    JsonObject *steps = golden_object(k.json, "steps"), *want = golden_object(k.json, "posterior");
    HnMnw q = golden_place(d, m);
    belief_read(belief, &q);
    if (n > 0) {
      golden_member(&r, &k, steps, "s", n, s);
      golden_member(&r, &k, steps, "e", n * m, e);
      golden_member(&r, &k, k.json, "step_log_predictive", n, logp);
    }
    golden_member(&r, &k, want, "M", d * m, q.mean);
    golden_member(&r, &k, want, "V", d * d, q.v);
    golden_member(&r, &k, want, "Psi", m * m, q.psi);
    golden_member(&r, &k, want, "nu", 1, &q.nu);
    golden_member(&r, &k, want, "logdet_Xi", 1, &q.logdet_xi);
    golden_member(&r, &k, want, "logdet_Psi", 1, &q.logdet_psi);
    g_free(q.mean), g_free(s), g_free(e), g_free(logp), g_free(belief), g_free(work);
    golden_case_free(&k);
  }
  g_assert_cmpint(r.compared, ==, 8 * 6 + 7 * 3);
  g_assert_cmpstr(r.fields->str, ==, "");
  g_string_free(r.fields, TRUE);
  g_object_unref(parser);
}

/* ---- every way to the same posterior ---- */

static void test_ways_agree(void) {
  static const int64_t chunks[] = {1, 32, 64, 200}, widths[] = {24, 1, 7, 60};
  for (int shape = 0; shape < 4; shape++) {
    Problem p = problem(11 + (guint32)shape, 200, widths[shape], shape == 1 ? 1 : 3);
    const int64_t n = p.n, d = p.d, m = p.m;
    double *s = g_new(double, n), *e = g_new(double, n *m), *logp = g_new(double, n),
           *s1 = g_new(double, n), *e1 = g_new(double, n *m), *logp1 = g_new(double, n);
    double total = 0;
    /* the belief, a row at a time, is the reference of every other */
    void *belief = belief_from(&p.prior, HN_MNW_INFERRED, 0);
    void *work = g_malloc(hn_mnw_belief_work_size(d, m));
    for (int64_t t = 0; t < n; t++) {
      HnMnwScore score;
      hn_mnw_belief_update64(belief, p.c + t * d, p.y + t * m, e + t * m, &score, work);
      s[t] = score.s, logp[t] = score.logp, total += score.logp;
      double l1 = 0;
      for (int64_t j = 0; j < m; j++) l1 += fabs(e[t * m + j]) / (double)m;
      near_to("l1", score.l1, l1, 1e-14);
    }
    HnMnw q = golden_place(d, m);
    belief_read(belief, &q);
    memcpy(q.xi, p.post.xi, (size_t)(d * d) * sizeof(double));
    memcpy(q.omega, p.post.omega, (size_t)(m * m) * sizeof(double));
    same_belief("online", &q, &p.post, 1e-10);
    near_to("online evidence", total, hn_mnw_evidence(&p.prior, &p.post), 1e-11);
    for (int i = 0; i < 5; i++) {
      if (i < 4) {
        hn_mnw_prior(&q, p.mean0, p.xi0, p.psi0, p.nu0);
        g_assert_cmpint(hn_mnw_prefixes(&q, n, p.c, p.y, chunks[i], s1, e1, logp1, p.work), ==,
                        HN_OK);
      } else {
        g_assert_cmpint(hn_mnw_dual(&p.prior, n, p.c, p.y, s1, e1, logp1, NULL, NULL, &q, p.work),
                        ==, HN_OK);
      }
      same_belief(i < 4 ? "chunked" : "dual", &q, &p.post, 1e-10);
      close_to("s", n, s1, s, 1e-10);
      close_to("e", n * m, e1, e, 1e-10);
      close_to("logp", n, logp1, logp, 1e-10);
    }
    g_free(s), g_free(e), g_free(logp), g_free(s1), g_free(e1), g_free(logp1);
    g_free(belief), g_free(work), g_free(q.mean);
    problem_free(&p);
  }
}

static void test_permutation_and_split(void) {
  Problem p = problem(21, 60, 9, 2);
  GRand *g = g_rand_new_with_seed(5);
  const double evidence = hn_mnw_evidence(&p.prior, &p.post);
  HnMnw q = golden_place(9, 2), half = golden_place(9, 2);
  g_assert_cmpint(hn_mnw_posterior(&half, &p.prior, 23, p.c, p.y, p.work), ==, HN_OK);
  g_assert_cmpint(hn_mnw_posterior(&q, &half, 37, p.c + 23 * 9, p.y + 23 * 2, p.work), ==, HN_OK);
  same_belief("split", &q, &p.post, 1e-10);
  near_to("split evidence", hn_mnw_evidence(&p.prior, &half) + hn_mnw_evidence(&half, &q), evidence,
          1e-10);
  for (int64_t i = p.n - 1; i > 0; i--) {
    const int64_t j = g_rand_int_range(g, 0, (gint32)i + 1);
    for (int64_t k = 0; k < 9; k++) {
      const double x = p.c[i * 9 + k];
      p.c[i * 9 + k] = p.c[j * 9 + k], p.c[j * 9 + k] = x;
    }
    for (int64_t k = 0; k < 2; k++) {
      const double x = p.y[i * 2 + k];
      p.y[i * 2 + k] = p.y[j * 2 + k], p.y[j * 2 + k] = x;
    }
  }
  g_assert_cmpint(hn_mnw_posterior(&q, &p.prior, p.n, p.c, p.y, p.work), ==, HN_OK);
  same_belief("permuted", &q, &p.post, 1e-10);
  near_to("permuted evidence", hn_mnw_evidence(&p.prior, &q), evidence, 1e-10);
  g_free(q.mean), g_free(half.mean), g_rand_free(g);
  problem_free(&p);
}

static void test_evidence_identity(void) {
  for (guint32 seed = 30; seed < 34; seed++) {
    Problem p = problem(seed, 25, 6, (int64_t)seed - 29);
    near_to("identity",
            hn_mnw_expected_loglik(&p.post, p.n, p.c, p.y, p.work) -
                hn_mnw_kl(&p.post, &p.prior, p.work),
            hn_mnw_evidence(&p.prior, &p.post), 1e-11);
    problem_free(&p);
  }
}

/* ---- derivatives ---- */

/* C = tanh(X A), the smallest phi; d/dA by the chain rule against central differences. */
static void test_derivatives_through_phi(void) {
  enum { N = 30, IN = 3, D = 5, M = 2 };
  Problem p = problem(41, N, D, M);
  GRand *g = g_rand_new_with_seed(42);
  double *x = normals(g, N * IN, 1), *a = normals(g, IN * D, 0.7), dc[N * D], fixed_dc[N * D];
  double *sigma = spd(g, M), value;
  const double h = 1e-6;
  for (int phase = -1; phase < IN * D; phase++) {
    double got[2] = {0}, sides[2][2];
    for (int side = 0; side < 2; side++) {
      if (phase >= 0) a[phase] += side ? -2 * h : h;
      for (int i = 0; i < N * D; i++) {
        double z = 0;
        for (int k = 0; k < IN; k++) z += x[i / D * IN + k] * a[k * D + i % D];
        p.c[i] = tanh(z);
      }
      hn_mnw_posterior(&p.post, &p.prior, N, p.c, p.y, p.work);
      sides[side][0] = hn_mnw_evidence(&p.prior, &p.post);
      hn_mnw_fixed_evidence(&p.prior, &p.post, N, p.c, p.y, sigma, &sides[side][1], NULL, p.work);
    }
    if (phase < 0) {
      hn_mnw_evidence_gradient(&p.prior, &p.post, N, p.c, p.y, &(HnMnwGradient){.c = dc}, p.work);
      hn_mnw_fixed_evidence(&p.prior, &p.post, N, p.c, p.y, sigma, &value,
                            &(HnMnwGradient){.c = fixed_dc}, p.work);
      continue;
    }
    a[phase] += h;
    for (int n = 0; n < N; n++) {
      double z = 0;
      for (int k = 0; k < IN; k++) z += x[n * IN + k] * a[k * D + phase % D];
      const double slope = (1 - tanh(z) * tanh(z)) * x[n * IN + phase / D];
      got[0] += dc[n * D + phase % D] * slope;
      got[1] += fixed_dc[n * D + phase % D] * slope;
    }
    near_to("inferred", got[0], (sides[0][0] - sides[1][0]) / (2 * h), 1e-6);
    near_to("fixed", got[1], (sides[0][1] - sides[1][1]) / (2 * h), 1e-6);
  }
  g_free(x), g_free(a), g_free(sigma), g_rand_free(g);
  problem_free(&p);
}

/* Every argument of the fixed-noise evidence, and ln|Xi| of the Jacobian product. */
static void test_derivatives_fixed(void) {
  enum { N = 12, D = 4, M = 2 };
  Problem p = problem(43, N, D, M);
  GRand *g = g_rand_new_with_seed(44);
  double *sigma = spd(g, M), value, gc[N * D], gy[N * M], gm[D * M], gx[D * D], gs[M * M],
         logdet[N * D];
  const HnMnwGradient all = {.c = gc, .y = gy, .mean0 = gm, .xi0 = gx, .sigma = gs};
  hn_mnw_fixed_evidence(&p.prior, &p.post, N, p.c, p.y, sigma, &value, &all, p.work);
  hn_mnw_vjp(&p.post, N, p.c, p.y, NULL, NULL, NULL, 1, logdet, p.work);
  struct {
    const char *name;
    double *at;
    const double *want;
    int64_t count, symmetric;
  } arguments[] = {{"c", p.c, gc, N * D, 0},
                   {"y", p.y, gy, N * M, 0},
                   {"mean0", p.mean0, gm, D * M, 0},
                   {"xi0", p.xi0, gx, D * D, D},
                   {"sigma", sigma, gs, M * M, M}};
  for (int which = 0; which < 5; which++)
    for (int64_t i = 0; i < arguments[which].count; i++) {
      const int64_t n = arguments[which].symmetric, twin = n ? i % n * n + i / n : i;
      const double h = 1e-5;
      double sides[2], logdets[2];
      for (int side = 0; side < 2; side++) {
        const double step = side ? -h : h;
        arguments[which].at[i] += step;
        if (twin != i) arguments[which].at[twin] += step;
        hn_mnw_prior(&p.prior, p.mean0, p.xi0, p.psi0, p.nu0);
        hn_mnw_posterior(&p.post, &p.prior, N, p.c, p.y, p.work);
        hn_mnw_fixed_evidence(&p.prior, &p.post, N, p.c, p.y, sigma, &sides[side], NULL, p.work);
        logdets[side] = p.post.logdet_xi;
        arguments[which].at[i] -= step;
        if (twin != i) arguments[which].at[twin] -= step;
      }
      const double slope = (sides[0] - sides[1]) / (2 * h);
      near_to(arguments[which].name, arguments[which].want[i] * (twin != i ? 2 : 1), slope, 1e-7);
      if (which == 0) near_to("logdet", logdet[i], (logdets[0] - logdets[1]) / (2 * h), 1e-7);
    }
  g_free(sigma), g_rand_free(g);
  problem_free(&p);
}

/* ---- edges ---- */

static void test_no_rows(void) {
  Problem p = problem(51, 0, 5, 2);
  g_assert_cmpfloat(hn_mnw_evidence(&p.prior, &p.post), ==, 0);
  near_to("kl", hn_mnw_kl(&p.post, &p.prior, p.work), 0, 1e-13);
  same_belief("posterior", &p.post, &p.prior, 1e-15);
  g_assert_cmpfloat(hn_mnw_predict(&p.prior, 0, NULL, NULL, NULL, p.work), ==, 0);
  HnMnwEvidence result = {.path = HN_MNW_AUTO};
  const HnMnwTrial none = {.n = 0, .d = 5, .m = 2};
  void *work = g_malloc(hn_mnw_train_size(0, 5, 2) + 64);
  g_assert_cmpint(hn_mnw_train(&plain, &none, &result, work), ==, HN_OK);
  g_assert_cmpfloat(result.evidence, ==, 0);
  g_assert_cmpfloat(result.d_log_xi, ==, 0);
  void *belief = g_malloc(hn_mnw_belief_size(5, 2));
  hn_mnw_belief_start(belief, 5, 2, &plain);
  near_to("belief kl", hn_mnw_belief_kl(belief), 0, 1e-12);
  g_free(work), g_free(belief);
  problem_free(&p);
}

/* Barely enough degrees of freedom, duplicate columns, one row: finite, and the ways agree. */
static void test_edges_are_finite(void) {
  for (int kind = 0; kind < 3; kind++) {
    Problem p = problem(61 + (guint32)kind, kind == 2 ? 1 : 12, 6, 3);
    if (kind == 0) p.nu0 = (double)p.m - 1 + 0.125;
    for (int64_t t = 0; kind == 1 && t < p.n; t++) p.c[t * 6 + 4] = p.c[t * 6 + 1];
    hn_mnw_prior(&p.prior, p.mean0, p.xi0, p.psi0, p.nu0);
    hn_mnw_posterior(&p.post, &p.prior, p.n, p.c, p.y, p.work);
    double dc[12 * 6], nu0, logp[12], sum = 0;
    hn_mnw_evidence_gradient(&p.prior, &p.post, p.n, p.c, p.y,
                             &(HnMnwGradient){.c = dc, .nu0 = &nu0}, p.work);
    for (int64_t i = 0; i < p.n * 6; i++) g_assert_true(isfinite(dc[i]));
    g_assert_true(isfinite(nu0));
    g_assert_true(isfinite(hn_mnw_entropy(&p.post)));
    g_assert_cmpint(
        hn_mnw_dual(&p.prior, p.n, p.c, p.y, NULL, NULL, logp, NULL, NULL, NULL, p.work), ==,
        HN_OK);
    for (int64_t t = 0; t < p.n; t++) sum += logp[t];
    near_to("evidence", sum, hn_mnw_evidence(&p.prior, &p.post), 1e-11);
    problem_free(&p);
  }
}

static void test_bad_priors(void) {
  HnMnw q = golden_place(2, 2);
  const double eye[4] = {1, 0, 0, 1}, bad[4] = {1, 2, 2, 1};
  g_assert_cmpint(hn_mnw_prior(&q, NULL, eye, eye, 1.0), ==, HN_E_PARAM);
  g_assert_cmpint(hn_mnw_prior(&q, NULL, bad, eye, 3.0), ==, HN_E_NUMERIC);
  g_assert_cmpint(hn_mnw_prior(&q, NULL, eye, bad, 3.0), ==, HN_E_NUMERIC);
  g_assert_cmpint(hn_mnw_prior(&q, NULL, eye, eye, NAN), ==, HN_E_PARAM);
  HnMnwPrior prior = plain;
  void *belief = g_malloc(hn_mnw_belief_size(2, 2));
  prior.nu0 = 1;
  g_assert_cmpint(hn_mnw_belief_start(belief, 2, 2, &prior), ==, HN_E_PARAM);
  prior.noise = HN_MNW_FIXED;
  g_assert_cmpint(hn_mnw_belief_start(belief, 2, 2, &prior), ==, HN_E_PARAM);
  prior.variance = 1;
  g_assert_cmpint(hn_mnw_belief_start(belief, 2, 2, &prior), ==, HN_OK);
  g_free(belief), g_free(q.mean);
}

/* ---- kernel identities ---- */

/* a' K b summed over targets, K = ca Xi0^-1 cb'. */
static double kernel_form(const HnMnw *prior, int64_t na, const double *ca, const double *alpha_a,
                          int64_t nb, const double *cb, const double *alpha_b) {
  const int64_t d = prior->d, m = prior->m;
  double sum = 0;
  for (int64_t i = 0; i < na; i++)
    for (int64_t j = 0; j < nb; j++) {
      double k = 0, a = 0;
      for (int64_t p = 0; p < d; p++)
        for (int64_t q = 0; q < d; q++) k += ca[i * d + p] * prior->v[p * d + q] * cb[j * d + q];
      for (int64_t t = 0; t < m; t++) a += alpha_a[i * m + t] * alpha_b[j * m + t];
      sum += k * a;
    }
  return sum;
}

static double weighted_distance(const HnMnw *prior, const double *ma, const double *mb) {
  const int64_t d = prior->d, m = prior->m;
  double sum = 0;
  for (int64_t t = 0; t < m; t++)
    for (int64_t i = 0; i < d; i++)
      for (int64_t j = 0; j < d; j++)
        sum += (ma[i * m + t] - mb[i * m + t]) * prior->xi[i * d + j] *
               (ma[j * m + t] - mb[j * m + t]);
  return sum;
}

/* || A'B/na - C'D/nb ||_F^2 for [na, p], [na, q], [nb, p], [nb, q]. */
static double moment_distance(int64_t p, int64_t q, int64_t na, const double *a, const double *b,
                              int64_t nb, const double *c, const double *d) {
  double sum = 0;
  for (int64_t i = 0; i < p; i++)
    for (int64_t j = 0; j < q; j++) {
      double x = 0;
      for (int64_t t = 0; t < na; t++) x += a[t * p + i] * b[t * q + j] / (double)na;
      for (int64_t t = 0; t < nb; t++) x -= c[t * p + i] * d[t * q + j] / (double)nb;
      sum += x * x;
    }
  return sum;
}

static double *beside(int64_t n, int64_t d, int64_t m, const double *c, const double *y) {
  double *u = g_new(double, n *(d + m));
  for (int64_t t = 0; t < n; t++) {
    memcpy(u + t * (d + m), c + t * d, (size_t)d * sizeof(double));
    memcpy(u + t * (d + m) + d, y + t * m, (size_t)m * sizeof(double));
  }
  return u;
}

static void test_kernel_identities(void) {
  enum { NA = 7, NB = 4, D = 5, M = 2 };
  JsonParser *parser;
  JsonObject *json = json_object_get_object_member(golden_open(&parser), "two_task_kernel");
  double *ca = golden_numbers(json, "Ca", NA * D), *cb = golden_numbers(json, "Cb", NB * D),
         *ya = golden_numbers(json, "Ya", NA * M), *yb = golden_numbers(json, "Yb", NB * M),
         *mean0 = golden_numbers(json, "M0", D * M), *xi0 = golden_numbers(json, "Xi0", D * D),
         *ma = golden_numbers(json, "Ma", D * M), *mb = golden_numbers(json, "Mb", D * M);
  const double eye[4] = {1, 0, 0, 1};
  double alpha_a[NA * M], alpha_b[NB * M];
  HnMnw prior = golden_place(D, M), qa = golden_place(D, M), qb = golden_place(D, M);
  void *work = g_malloc(hn_mnw_dual_size(NA, D, M));
  hn_mnw_prior(&prior, mean0, xi0, eye, 3);
  hn_mnw_dual(&prior, NA, ca, ya, NULL, NULL, NULL, NULL, alpha_a, &qa, work);
  hn_mnw_dual(&prior, NB, cb, yb, NULL, NULL, NULL, NULL, alpha_b, &qb, work);
  close_to("Ma", D * M, qa.mean, ma, 1e-11);
  close_to("Mb", D * M, qb.mean, mb, 1e-11);
  const double kernel_side = kernel_form(&prior, NA, ca, alpha_a, NA, ca, alpha_a) -
                             2 * kernel_form(&prior, NA, ca, alpha_a, NB, cb, alpha_b) +
                             kernel_form(&prior, NB, cb, alpha_b, NB, cb, alpha_b);
  const double a = golden_number(json, "A_weighted_sq_dist");
  near_to("A", weighted_distance(&prior, qa.mean, qb.mean), a, 1e-9);
  near_to("A, kernel side", kernel_side, a, 1e-9);
  near_to("B", moment_distance(D, M, NA, ca, ya, NB, cb, yb), golden_number(json, "B_mmd2"), 1e-9);
  double *ua = beside(NA, D, M, ca, ya), *ub = beside(NB, D, M, cb, yb);
  near_to("C", moment_distance(D + M, D + M, NA, ua, ua, NB, ub, ub), golden_number(json, "C_mmd2"),
          1e-9);
  /* M0 = 0, Xi0 = xi I: the plain distance times xi */
  JsonObject *iso = json_object_get_object_member(json, "A_iso");
  const double xi = golden_number(iso, "xi");
  hn_mnw_prior_isotropic(&prior, xi, 1, 3);
  hn_mnw_dual(&prior, NA, ca, ya, NULL, NULL, NULL, NULL, alpha_a, &qa, work);
  hn_mnw_dual(&prior, NB, cb, yb, NULL, NULL, NULL, NULL, alpha_b, &qb, work);
  near_to("A iso", weighted_distance(&prior, qa.mean, qb.mean) / xi, golden_number(iso, "sq_dist"),
          1e-9);
  near_to("A iso, kernel side",
          kernel_form(&prior, NA, ca, alpha_a, NA, ca, alpha_a) -
              2 * kernel_form(&prior, NA, ca, alpha_a, NB, cb, alpha_b) +
              kernel_form(&prior, NB, cb, alpha_b, NB, cb, alpha_b),
          golden_number(iso, "kernel_side"), 1e-9);
  g_free(ca), g_free(cb), g_free(ya), g_free(yb), g_free(mean0), g_free(xi0), g_free(ma);
  g_free(mb), g_free(ua), g_free(ub), g_free(work);
  g_free(prior.mean), g_free(qa.mean), g_free(qb.mean);
  g_object_unref(parser);
}

static void test_divergence(void) {
  for (guint32 seed = 70; seed < 90; seed++) {
    Problem p = problem(seed, 1 + seed % 9, 4, 1 + seed % 3),
            q = problem(seed + 100, 1 + seed % 5, 4, 1 + seed % 3);
    near_to("KL(q||q)", hn_mnw_kl(&p.post, &p.post, p.work), 0, 1e-12);
    g_assert_cmpfloat(hn_mnw_kl(&p.post, &q.post, p.work), >, 0);
    g_assert_cmpfloat(hn_mnw_kl(&q.post, &p.post, p.work), >, 0);
    problem_free(&p), problem_free(&q);
  }
}

/* ---- calibration ---- */

/* Student-t distribution function by Simpson's rule on the density's angle form. */
static double student_cdf(double t, double dof) {
  const double end = atan(t / sqrt(dof));
  enum { STEPS = 400 };
  double sum = 0;
  for (int i = 0; i <= STEPS; i++) {
    const double w = i == 0 || i == STEPS ? 1 : i % 2 ? 4 : 2;
    sum += w * pow(cos(end * i / STEPS), dof - 1);
  }
  const double norm = exp(lgamma(0.5 * (dof + 1)) - lgamma(0.5 * dof)) / sqrt(3.14159265358979324);
  return 0.5 + norm * sum * end / STEPS / 3;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Tasks drawn from the prior: P(y_t <= y | past) is uniform, whatever t. */
static void test_calibration(void) {
  enum { TASKS = 400, D = 4, STEPS = 12 };
  const HnMnwPrior prior = {.noise = HN_MNW_INFERRED, .xi = 2, .psi = 0.6, .nu0 = 5};
  GRand *g = g_rand_new_with_seed(90);
  void *belief = g_malloc(hn_mnw_belief_size(D, 1)),
       *work = g_malloc(hn_mnw_belief_work_size(D, 1));
  double *pit = g_new(double, TASKS);
  for (int task = 0; task < TASKS; task++) {
    double chi2 = 0, w[D];
    for (int i = 0; i < 5; i++) {
      const double z = normal(g);
      chi2 += z * z;
    }
    const double stddev = sqrt(prior.psi / chi2);
    for (int i = 0; i < D; i++) w[i] = normal(g) * stddev / sqrt(prior.xi);
    g_assert_cmpint(hn_mnw_belief_start(belief, D, 1, &prior), ==, HN_OK);
    /* the row scored varies over tasks, so that every t is tested by independent draws */
    for (int t = 0; t <= task % STEPS; t++) {
      float c[D];
      double y = normal(g) * stddev, e, psi;
      for (int i = 0; i < D; i++) c[i] = (float)normal(g), y += (double)c[i] * w[i];
      const HnMnwSummary f = hn_mnw_belief_summary(belief);
      HnMnwScore score;
      hn_mnw_belief_psi(belief, &psi);
      hn_mnw_belief_update(belief, c, &y, &e, &score, work);
      pit[task] = student_cdf(e / sqrt(psi * score.s / f.nu), f.nu);
    }
  }
  qsort(pit, TASKS, sizeof *pit, ascending);
  double ks = 0;
  for (int i = 0; i < TASKS; i++)
    ks = fmax(ks, fmax((i + 1.0) / TASKS - pit[i], pit[i] - (double)i / TASKS));
  g_test_message("Kolmogorov-Smirnov %.4f, bound %.4f", ks, 1.63 / sqrt(TASKS));
  g_assert_cmpfloat(ks, <, 1.63 / sqrt(TASKS)); /* 1% level; the seed is fixed */
  g_free(pit), g_free(belief), g_free(work), g_rand_free(g);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/mnw/golden", test_golden);
  g_test_add_func("/mnw/golden-special", test_golden_special);
  g_test_add_func("/mnw/golden-online", test_golden_online);
  g_test_add_func("/mnw/ways-agree", test_ways_agree);
  g_test_add_func("/mnw/permutation-and-split", test_permutation_and_split);
  g_test_add_func("/mnw/evidence-identity", test_evidence_identity);
  g_test_add_func("/mnw/derivatives-through-phi", test_derivatives_through_phi);
  g_test_add_func("/mnw/derivatives-fixed", test_derivatives_fixed);
  g_test_add_func("/mnw/no-rows", test_no_rows);
  g_test_add_func("/mnw/edges-are-finite", test_edges_are_finite);
  g_test_add_func("/mnw/bad-priors", test_bad_priors);
  g_test_add_func("/mnw/kernel-identities", test_kernel_identities);
  g_test_add_func("/mnw/divergence", test_divergence);
  g_test_add_func("/mnw/calibration", test_calibration);
  return g_test_run();
}
