/* mnw_golden.h - compares the batch functions with the golden file, computed elsewhere at 60
 * digits. Counts mismatches rather than stopping, so that builds with a planted error can count
 * theirs. */
#ifndef MNW_GOLDEN_H
#define MNW_GOLDEN_H
#include <glib.h>
#include <hunch/kit/mnw.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

typedef struct Report {
  int compared, wrong;
  GString *fields; /* "case.field " for each mismatch */
} Report;

typedef struct Case {
  const char *name;
  JsonObject *json, *inputs;
  int64_t n, d, m;
  double *c, *y, *mean0, *xi0, *psi0, *sigma, nu0, tolerance;
  HnMnw prior, post;
  void *work;
} Case;

static inline JsonObject *golden_open(JsonParser **parser) {
  GError *error = NULL;
  *parser = json_parser_new();
  json_parser_load_from_file(*parser, GOLDEN "/glibrl_golden.json", &error);
  g_assert_no_error(error);
  return json_node_get_object(json_parser_get_root(*parser));
}

/* Appends numbers of any nesting, row-major. */
static inline void golden_flatten(JsonNode *node, GArray *out) {
  if (JSON_NODE_HOLDS_ARRAY(node)) {
    JsonArray *list = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(list); i++)
      golden_flatten(json_array_get_element(list, i), out);
    return;
  }
  double x = json_node_get_double(node);
  g_array_append_val(out, x);
}

/* The numbers under a member; free with g_free. */
static inline double *golden_numbers(JsonObject *object, const char *member, int64_t count) {
  GArray *out = g_array_new(FALSE, TRUE, sizeof(double));
  g_assert_true(json_object_has_member(object, member));
  golden_flatten(json_object_get_member(object, member), out);
  g_assert_cmpint(out->len, ==, count);
  g_array_set_size(out, (guint)count + 1); /* never NULL */
  return (double *)(void *)g_array_free(out, FALSE);
}

/* NULL where the member is missing or null. */
static inline JsonObject *golden_object(JsonObject *object, const char *member) {
  JsonNode *node = json_object_get_member(object, member);
  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static inline double golden_number(JsonObject *object, const char *member) {
  return json_node_get_double(json_object_get_member(object, member));
}

/* Relative to the largest element: an element near zero is a difference of larger ones. */
static inline void golden_near(Report *r, const Case *k, const char *field, int64_t count,
                               const double *got, const double *want) {
  double scale = 0, worst = 0;
  for (int64_t i = 0; i < count; i++) scale = fmax(scale, fabs(want[i]));
  for (int64_t i = 0; i < count; i++) {
    const double error = fabs(got[i] - want[i]);
    worst = isnan(error) ? (double)INFINITY : fmax(worst, error);
  }
  r->compared++;
  if (worst <= k->tolerance * fmax(scale, 1e-3)) return;
  r->wrong++;
  g_string_append_printf(r->fields, "%s.%s(%.1e) ", k->name, field, worst / fmax(scale, 1e-3));
}

static inline void golden_member(Report *r, const Case *k, JsonObject *object, const char *member,
                                 int64_t count, const double *got) {
  double *want = golden_numbers(object, member, count);
  golden_near(r, k, member, count, got, want);
  g_free(want);
}

static inline HnMnw golden_place(int64_t d, int64_t m) {
  return hn_mnw_place(d, m, g_malloc0(hn_mnw_size(d, m)));
}

static inline Case golden_case(JsonObject *json) {
  Case k = {.name = json_object_get_string_member(json, "name"), .json = json};
  k.n = json_object_get_int_member(json, "N");
  k.d = json_object_get_int_member(json, "D");
  k.m = json_object_get_int_member(json, "m");
  k.inputs = json_object_get_object_member(json, "inputs");
  k.c = golden_numbers(k.inputs, "C", k.n * k.d);
  k.y = golden_numbers(k.inputs, "Y", k.n * k.m);
  k.mean0 = golden_numbers(k.inputs, "M0", k.d * k.m);
  k.xi0 = golden_numbers(k.inputs, "Xi0", k.d * k.d);
  k.psi0 = golden_numbers(k.inputs, "Psi0", k.m * k.m);
  k.sigma = golden_numbers(k.inputs, "Sigma", k.m * k.m);
  k.nu0 = golden_number(k.inputs, "nu0");
  k.tolerance = strcmp(k.name, "ill_conditioned") == 0 ? 1e-6 : 1e-9;
  k.prior = golden_place(k.d, k.m);
  k.post = golden_place(k.d, k.m);
  k.work = g_malloc0(hn_mnw_work_size(k.n + 8, k.d, k.m) + hn_mnw_prefixes_size(k.n + 8, k.d, k.m) +
                     hn_mnw_dual_size(k.n + 8, k.d, k.m));
  g_assert_cmpint(hn_mnw_prior(&k.prior, k.mean0, k.xi0, k.psi0, k.nu0), ==, HN_OK);
  g_assert_cmpint(hn_mnw_posterior(&k.post, &k.prior, k.n, k.c, k.y, k.work), ==, HN_OK);
  return k;
}

static inline void golden_case_free(Case *k) {
  g_free(k->c), g_free(k->y), g_free(k->mean0), g_free(k->xi0), g_free(k->psi0), g_free(k->sigma);
  g_free(k->prior.mean), g_free(k->post.mean), g_free(k->work);
}

static inline void golden_posterior(Report *r, Case *k) {
  JsonObject *want = json_object_get_object_member(k->json, "posterior");
  const HnMnw *q = &k->post;
  const int64_t d = k->d, m = k->m;
  golden_member(r, k, want, "M", d * m, q->mean);
  golden_member(r, k, want, "Xi", d * d, q->xi);
  golden_member(r, k, want, "V", d * d, q->v);
  golden_member(r, k, want, "Psi", m * m, q->psi);
  golden_member(r, k, want, "Omega", m * m, q->omega);
  golden_member(r, k, want, "nu", 1, &q->nu);
  golden_member(r, k, want, "logdet_Xi0", 1, &k->prior.logdet_xi);
  golden_member(r, k, want, "logdet_Xi", 1, &q->logdet_xi);
  golden_member(r, k, want, "logdet_Psi0", 1, &k->prior.logdet_psi);
  golden_member(r, k, want, "logdet_Psi", 1, &q->logdet_psi);
  double *lambda = g_new(double, m *m);
  for (int64_t i = 0; i < m * m; i++) lambda[i] = q->nu * q->omega[i];
  golden_member(r, k, want, "E_Lambda", m * m, lambda);
  g_free(lambda);
  const double logdet = hn_mnw_digamma(m, q->nu / 2) + (double)m * log(2) - q->logdet_psi;
  golden_member(r, k, want, "E_logdet_Lambda", 1, &logdet);
}

/* The golden Cholesky factors come from the golden matrices by rank-one updates of the root. */
static inline void golden_chol(Report *r, Case *k) {
  JsonObject *want = golden_object(k->json, "chol_update");
  JsonObject *post = json_object_get_object_member(k->json, "posterior");
  const int64_t d = k->d;
  if (!want) return;
  double *l = golden_numbers(want, "L_in", d * d), *x = golden_numbers(want, "x", d);
  hn_mnw_chol_update(d, l, x);
  golden_member(r, k, want, "L_out", d * d, l);
  /* chol(Xi) from chol(Xi0) by the rows of C; chol(Xi0) by the textbook recursion */
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < d; j++) {
      double sum = k->xi0[i * d + j];
      for (int64_t p = 0; p < j; p++) sum -= l[i * d + p] * l[j * d + p];
      l[i * d + j] = j > i ? 0 : j == i ? sqrt(sum) : sum / l[j * d + j];
    }
  for (int64_t t = 0; t < k->n; t++) {
    memcpy(x, k->c + t * d, (size_t)d * sizeof(double));
    hn_mnw_chol_update(d, l, x);
  }
  golden_member(r, k, post, "chol_Xi", d * d, l);
  g_free(l), g_free(x);
}

static inline void golden_steps(Report *r, Case *k) {
  const int64_t n = k->n, m = k->m;
  if (n == 0) return;
  JsonObject *steps = json_object_get_object_member(k->json, "steps");
  JsonObject *dual = json_object_get_object_member(k->json, "dual");
  double *s = g_new(double, n + 1), *e = g_new(double, n *m + 1), *logp = g_new(double, n + 1),
         *white = g_new(double, n *m + 1), *sums = g_new(double, n + 1);
  for (int way = 0; way < 2; way++) {
    HnMnw q = golden_place(k->d, m);
    if (way == 0) {
      hn_mnw_prior(&q, k->mean0, k->xi0, k->psi0, k->nu0);
      g_assert_cmpint(hn_mnw_prefixes(&q, n, k->c, k->y, 3, s, e, logp, k->work), ==, HN_OK);
    } else {
      g_assert_cmpint(hn_mnw_dual(&k->prior, n, k->c, k->y, s, e, logp, white, NULL, &q, k->work),
                      ==, HN_OK);
      golden_member(r, k, dual, "whitened_innov", n * m, white);
      for (int64_t t = 0; t < n; t++) white[t] = sqrt(s[t]);
      golden_member(r, k, dual, "chol_K_diag", n, white);
    }
    golden_member(r, k, steps, "s", n, s);
    golden_member(r, k, steps, "e", n * m, e);
    golden_member(r, k, k->json, "step_log_predictive", n, logp);
    for (int64_t t = 0; t < n; t++) sums[t] = logp[t] + (t ? sums[t - 1] : 0);
    golden_member(r, k, k->json, "prefix_log_marginal", n, sums);
    JsonObject *want = json_object_get_object_member(k->json, "posterior");
    golden_member(r, k, want, "M", k->d * m, q.mean);
    golden_member(r, k, want, "Xi", k->d * k->d, q.xi);
    golden_member(r, k, want, "V", k->d * k->d, q.v);
    golden_member(r, k, want, "Psi", m * m, q.psi);
    golden_member(r, k, want, "Omega", m * m, q.omega);
    g_free(q.mean);
  }
  g_free(s), g_free(e), g_free(logp), g_free(white), g_free(sums);
}

static inline void golden_gradients(Report *r, Case *k) {
  const int64_t n = k->n, d = k->d, m = k->m;
  double nu0, *out = g_new0(double, n *d + n * m + d * m + d * d + m * m);
  const HnMnwGradient g = {.c = out,
                           .y = out + n * d,
                           .mean0 = out + n * d + n * m,
                           .xi0 = out + n * d + n * m + d * m,
                           .psi0 = out + n * d + n * m + d * m + d * d,
                           .nu0 = &nu0};
  const double evidence = hn_mnw_evidence(&k->prior, &k->post);
  golden_member(r, k, k->json, "log_marginal", 1, &evidence);
  JsonObject *want = golden_object(k->json, "grad");
  if (want) {
    hn_mnw_evidence_gradient(&k->prior, &k->post, n, k->c, k->y, &g, k->work);
    golden_member(r, k, want, "C", n * d, g.c);
    golden_member(r, k, want, "Y", n * m, g.y);
    golden_member(r, k, want, "M0", d * m, g.mean0);
    golden_member(r, k, want, "Xi0", d * d, g.xi0);
    golden_member(r, k, want, "Psi0", m * m, g.psi0);
    golden_member(r, k, want, "nu0", 1, &nu0);
  }
  JsonObject *fixed = json_object_get_object_member(k->json, "fixed_noise");
  double value;
  g_assert_cmpint(hn_mnw_fixed_evidence(&k->prior, &k->post, n, k->c, k->y, k->sigma, &value,
                                        &(HnMnwGradient){.c = out}, k->work),
                  ==, HN_OK);
  golden_member(r, k, fixed, "log_marginal", 1, &value);
  if (json_object_has_member(fixed, "grad_C")) golden_member(r, k, fixed, "grad_C", n * d, out);
  if ((want = golden_object(k->json, "vjp_C"))) {
    double *gm = golden_numbers(k->inputs, "G_M", d * m),
           *gp = golden_numbers(k->inputs, "G_Psi", m * m),
           *gv = golden_numbers(k->inputs, "G_V", d * d);
    hn_mnw_vjp(&k->post, n, k->c, k->y, gm, NULL, NULL, 0, out, k->work);
    golden_member(r, k, want, "M", n * d, out);
    hn_mnw_vjp(&k->post, n, k->c, k->y, NULL, gp, NULL, 0, out, k->work);
    golden_member(r, k, want, "Psi", n * d, out);
    hn_mnw_vjp(&k->post, n, k->c, k->y, NULL, NULL, gv, 0, out, k->work);
    golden_member(r, k, want, "V", n * d, out);
    g_free(gm), g_free(gp), g_free(gv);
  }
  g_free(out);
}

static inline void golden_densities(Report *r, Case *k) {
  const int64_t d = k->d, m = k->m;
  JsonArray *rows = json_object_get_array_member(k->json, "predictive");
  const int64_t count = json_array_get_length(rows);
  double *cq = golden_numbers(k->inputs, "Cq", count * d),
         *yq = golden_numbers(k->inputs, "Yq", count * m), *mean = g_new(double, m),
         *scale = g_new(double, m *m);
  for (int64_t i = 0; i < count; i++) {
    JsonObject *want = json_array_get_object_element(rows, (guint)i);
    const double s = hn_mnw_predictive(&k->post, cq + i * d, mean);
    const double dof = k->post.nu - (double)m + 1;
    const double logp = hn_mnw_predict(&k->post, 1, cq + i * d, yq + i * m, NULL, k->work);
    for (int64_t j = 0; j < m * m; j++) scale[j] = k->post.psi[j] * s / dof;
    golden_member(r, k, want, "dof", 1, &dof);
    golden_member(r, k, want, "s", 1, &s);
    golden_member(r, k, want, "loc", m, mean);
    golden_member(r, k, want, "scale", m * m, scale);
    golden_member(r, k, want, "logpdf", 1, &logp);
  }
  const double joint = hn_mnw_predict(&k->post, count, cq, yq, NULL, k->work);
  golden_member(r, k, k->json, "predictive_batch_logpdf", 1, &joint);
  JsonObject *entropy = json_object_get_object_member(k->json, "entropy");
  JsonObject *kl = json_object_get_object_member(k->json, "kl");
  const double h0 = hn_mnw_entropy(&k->prior), h1 = hn_mnw_entropy(&k->post);
  const double forth = hn_mnw_kl(&k->post, &k->prior, k->work);
  const double back = hn_mnw_kl(&k->prior, &k->post, k->work);
  const double loglik = hn_mnw_expected_loglik(&k->post, k->n, k->c, k->y, k->work);
  golden_member(r, k, entropy, "prior", 1, &h0);
  golden_member(r, k, entropy, "posterior", 1, &h1);
  golden_member(r, k, kl, "post_prior", 1, &forth);
  golden_member(r, k, kl, "prior_post", 1, &back);
  if (k->n > 0) golden_member(r, k, k->json, "expected_loglik", 1, &loglik);
  g_free(cq), g_free(yq), g_free(mean), g_free(scale);
}

/* Every value of every case. */
static inline Report golden_compare(void) {
  JsonParser *parser;
  JsonArray *cases = json_object_get_array_member(golden_open(&parser), "cases");
  Report r = {.fields = g_string_new(NULL)};
  for (guint i = 0; i < json_array_get_length(cases); i++) {
    Case k = golden_case(json_array_get_object_element(cases, i));
    golden_posterior(&r, &k);
    golden_chol(&r, &k);
    golden_steps(&r, &k);
    golden_gradients(&r, &k);
    golden_densities(&r, &k);
    golden_case_free(&k);
  }
  g_object_unref(parser);
  return r;
}
#endif
