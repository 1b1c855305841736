/* laplace_trmrl_test.c - laplace_trmrl against a naive posterior in float64, whose Jacobians are
 * central differences; and the promises of the ABI. */
#include "transformer_naive.h"

extern const HnPlugin laplace_trmrl_LTX_hn_plugin, trmrl_LTX_hn_plugin;

#define SMALL "width: 8, heads: 2, feed_forward: 7, "
enum { F = 8, T = 17, B = 4, S = 3, SLOTS = 8 };
/* A network, and the posterior laid over it. */
typedef struct Posed {
  Case c;
  const char *posterior;
} Posed;
static const Posed cases[] = {
    {{"summed", SMALL "memory: 3, layers: 2", 2, 3, 0}, ", prior_variance: 2"},
    {{"stationary", SMALL "memory: 5, layers: 1", 2, 0, 4}, ", accumulate: none, damping: 0.5"},
    {{"persistent", SMALL "memory: 6, layers: 2, persist_memory: true", 3, 2, 0}, ", jitter: 0.01"},
    {{"diagonal", SMALL "memory: 4, layers: 2, positions: learned", 2, 0, 3},
     ", covariance: diagonal"},
    {{"one", SMALL "memory: 1, layers: 2", 2, 1, 0}, ", accumulate: none, covariance: diagonal"},
};

static Fixture *posed_new(const Posed *p, const char *more) {
  g_autofree char *all = g_strconcat(p->posterior, more, NULL);
  return fixture_new(&laplace_trmrl_LTX_hn_plugin, &p->c, all);
}

static int64_t info_index(const char *name) {
  for (int64_t k = 0; laplace_trmrl_LTX_hn_plugin.info[k].name; k++)
    if (!strcmp(laplace_trmrl_LTX_hn_plugin.info[k].name, name)) return k;
  g_error("no column %s", name);
}
static int64_t info_count(void) {
  int64_t n = 0;
  while (laplace_trmrl_LTX_hn_plugin.info[n].name) n++;
  return n;
}

/* ---- the naive posterior ---- */

/* mean [F] and j [F, n F] of n tokens, embedded and with their positions, x [n, F]. */
static void naive_jacobian(const NaiveNet *s, int64_t n, const double *x, double *mean, double *j) {
  double moved[NAIVE_TOKENS * NAIVE_WIDTH], after[2][F];
  const double e = 1e-5;
  memcpy(moved, x, (gsize)(n * F) * sizeof *x);
  naive_encoder(&s->steps, n, moved);
  memcpy(mean, moved + (n - 1) * F, F * sizeof *mean);
  for (int64_t k = 0; k < n * F; k++) {
    for (int side = 0; side < 2; side++) {
      memcpy(moved, x, (gsize)(n * F) * sizeof *x);
      moved[k] += side ? e : -e;
      naive_encoder(&s->steps, n, moved);
      memcpy(after[side], moved + (n - 1) * F, sizeof after[side]);
    }
    for (int64_t f = 0; f < F; f++) j[f * n * F + k] = (after[1][f] - after[0][f]) / (2 * e);
  }
}

/* The window of row i at time t: embedded tokens [n, F]; returns n. */
static int64_t naive_window(const NaiveNet *s, int64_t i, int64_t t, double *x) {
  const Experience *xp = s->xp;
  int64_t first = t;
  while (first > 0 && first > t - s->p->memory + 1) {
    const uint8_t begin = xp->begin[(first + 1) * xp->B + i];
    if (begin == HN_NEW_TASK || (begin && !s->p->persist_memory)) break;
    first--;
  }
  for (int64_t k = first; k <= t; k++) {
    double token[TOKEN_MOST], *to = x + (k - first) * F;
    const int64_t at = (k + 1) * xp->B + i;
    const uint8_t begin = xp->begin[at];
    const bool past = begin != HN_NEW_TASK && (!begin || s->p->persist_memory);
    naive_token(s, xp->obs + at * xp->obs_dim, past && k > 0 ? at - xp->B : -1,
                begin == HN_NEW_EPISODE, token);
    if (past && k == 0) /* mid-trial: step -1 is there */
      naive_token(s, xp->obs + at * xp->obs_dim, at - xp->B, begin == HN_NEW_EPISODE, token);
    naive_affine(s->in, F, token, s->embed, NULL, to);
    for (int64_t c = 0; s->position && c < F; c++) to[c] += s->position[(k - first) * F + c];
    if (!s->position) naive_position(k - first, F, to);
  }
  return t - first + 1;
}

typedef struct Gauss {
  double mean[F], p[F][F]; /* p without jitter */
} Gauss;

/* L of P + jitter I = L L'; returns log |P + jitter I|. */
static double naive_factor(const Gauss *g, double jitter, double l[F][F]) {
  double logdet = 0;
  for (int i = 0; i < F; i++)
    for (int j = 0; j <= i; j++) {
      double sum = g->p[i][j] + (i == j ? jitter : 0);
      for (int k = 0; k < j; k++) sum -= l[i][k] * l[j][k];
      l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
      if (i == j) logdet += 2 * log(l[i][i]);
    }
  return logdet;
}

/* x = (P + jitter I)^-1 b */
static void naive_solve(double l[F][F], const double *b, double *x) {
  for (int i = 0; i < F; i++) {
    x[i] = b[i];
    for (int k = 0; k < i; k++) x[i] -= l[i][k] * x[k];
    x[i] /= l[i][i];
  }
  for (int i = F - 1; i >= 0; i--) {
    for (int k = i + 1; k < F; k++) x[i] -= l[k][i] * x[k];
    x[i] /= l[i][i];
  }
}

typedef struct Stats {
  double entropy, marginal, trace, mahalanobis, logdet, norm2;
} Stats;

static Stats naive_stats(const Gauss *q, const Gauss *before, double jitter) {
  double l[F][F], old[F][F], column[F], unit[F];
  const double logdet = naive_factor(q, jitter, l), logdet0 = naive_factor(before, jitter, old);
  const double turn = log(2 * G_PI * G_E);
  Stats s = {.entropy = F / 2. * turn - logdet / 2, .logdet = (logdet - logdet0) / 2};
  for (int j = 0; j < F; j++) {
    for (int i = 0; i < F; i++) unit[i] = i == j;
    naive_solve(l, unit, column);
    s.marginal += (turn + log(column[j])) / 2 / F;
    for (int i = 0; i < F; i++) {
      const double p = before->p[j][i] + (i == j ? jitter : 0);
      s.trace += p * column[i] / 2;
      s.mahalanobis += (q->mean[j] - before->mean[j]) * p * (q->mean[i] - before->mean[i]) / 2;
    }
  }
  s.trace -= F / 2.;
  return s;
}

/* Takes time t of row i in. */
static Stats naive_update(const NaiveNet *s, int64_t i, int64_t t, Gauss *q) {
  const TransformerParams *p = s->p;
  double x[SLOTS * F], j[F * SLOTS * F];
  const uint8_t begin = s->xp->begin[(t + 1) * s->xp->B + i];
  if (begin == HN_NEW_TASK || (begin && !p->persist_memory)) {
    memset(q, 0, sizeof *q);
    for (int f = 0; f < F; f++) q->p[f][f] = 1 / p->prior_variance;
  }
  const Gauss before = *q;
  const int64_t n = naive_window(s, i, t, x);
  naive_jacobian(s, n, x, q->mean, j);
  double norm2 = 0;
  for (int a = 0; a < F; a++)
    for (int b = 0; b < F; b++) {
      if (p->accumulate == ACCUMULATE_NONE) q->p[a][b] = a == b ? p->damping : 0;
      for (int64_t k = 0; k < n * F; k++) {
        if (a == b || p->covariance == COVARIANCE_FULL)
          q->p[a][b] += j[a * n * F + k] * j[b * n * F + k];
        if (a == b) norm2 += j[a * n * F + k] * j[a * n * F + k];
      }
    }
  Stats f = naive_stats(q, &before, p->jitter);
  f.norm2 = norm2;
  return f;
}

/* z = mean + L^-T noise */
static void naive_draw(const Gauss *q, double jitter, const float *noise, double *z) {
  double l[F][F];
  naive_factor(q, jitter, l);
  for (int i = F - 1; i >= 0; i--) {
    z[i] = (double)noise[i];
    for (int k = i + 1; k < F; k++) z[i] -= l[k][i] * z[k];
    z[i] /= l[i][i];
  }
  for (int i = 0; i < F; i++) z[i] += q->mean[i];
}

/* ---- values ---- */

static void infer(Fixture *b, const Experience *xp, int64_t samples, char *state, HnRng *rng,
                  float *belief, float *info) {
  HnHistory h = experience_window(xp, 0, xp->T, 0, xp->B);
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = state,
                      .samples = samples,
                      .rng = rng,
                      .belief = belief,
                      .info = info};
  g_assert_cmpint(b->methods->infer(b->self, &q), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
}

static void near(double mine, double want, double tolerance) {
  g_assert_cmpfloat_with_epsilon(mine, want, tolerance * fmax(1, fabs(want)));
}

/* Curvature is float32, of which eigenvalues far below the largest keep fewer digits. */
static void check_stats(const float *x, Stats f) {
  near((double)x[info_index("entropy")], f.entropy, 1e-4);
  near((double)x[info_index("marginal_entropy")], f.marginal, 1e-4);
  near((double)x[info_index("kl_trace")], f.trace, 1e-4);
  near((double)x[info_index("kl_mahalanobis")], f.mahalanobis, 1e-4);
  near((double)x[info_index("kl_logdet")], f.logdet, 1e-4);
  near((double)x[info_index("kl")], f.trace + f.mahalanobis + f.logdet, 1e-4);
  near((double)x[info_index("jacobian_last2")], f.norm2, 1e-4);
}

/* Beliefs, draws and columns, from tasks that begin at different times, and in mid-trial. */
static void test_values(gconstpointer data) {
  const Case *c = data; /* the first member of a Posed */
  Fixture *b = posed_new(data, "");
  g_assert_cmpint(b->spec.latent_dim, ==, F);
  Experience *xp = experience_new(T, B, c->obs_dim, c->action_dim, c->action_count, 5);
  for (int64_t i = 0; i < B; i++) xp->begin[B + i] = HN_NEW_TASK; /* time 0 */
  Weights *z = weights_new(&b->fake);
  const NaiveNet s = naive_net(z, xp, b->part.params);
  const int64_t columns = info_count();
  float *belief = g_new0(float, (T + 1) * B * S * F), *point = g_new0(float, (T + 1) * B * F);
  float *info = g_new0(float, (T + 1) * B * columns), noise[S * F];
  char *state = g_malloc0(B * b->spec.row_size);
  HnRng *rng = streams_new(B), *own = streams_new(B);
  infer(b, xp, S, state, rng, belief, info);
  memset(state, 0, B * b->spec.row_size);
  infer(b, xp, 0, state, rng, point, NULL);
  double draw[F];
  for (int64_t i = 0; i < B; i++) {
    Gauss q = {0};
    for (int64_t t = 0; t <= T; t++) {
      const int64_t at = t * B + i;
      const Stats f = naive_update(&s, i, t, &q);
      check_stats(info + at * columns, f);
      hn_normals(&own[i], S * F, noise);
      for (int64_t k = 0; k < S; k++) {
        naive_draw(&q, s.p->jitter, noise + k * F, draw);
        for (int64_t d = 0; d < F; d++) near((double)belief[(at * S + k) * F + d], draw[d], 1e-4);
      }
      for (int64_t d = 0; d < F; d++) near((double)point[at * F + d], q.mean[d], 1e-5);
    }
  }
  g_free(belief), g_free(point), g_free(info), g_free(state), g_free(rng), g_free(own);
  weights_free(z), experience_free(xp), fixture_free(b);
}

/* The Jacobian itself, slot by slot. */
static void test_jacobian(gconstpointer data) {
  const Case *c = data; /* the first member of a Posed */
  Fixture *b = posed_new(data, "");
  Experience *xp = experience_new(T, 1, c->obs_dim, c->action_dim, c->action_count, 5);
  Weights *z = weights_new(&b->fake);
  const NaiveNet s = naive_net(z, xp, b->part.params);
  const Transformer *net = b->self; /* its first member */
  const int64_t N = net->p->memory;
  double x[SLOTS * F], mean[F], want[F * SLOTS * F], most = 0;
  HnReuse memory;
  hn_reuse_begin(&memory, &b->fake.host, NULL, 0);
  for (int64_t n = 1; n <= N; n++) {
    float token[SLOTS * TOKEN_MOST], mine[F * SLOTS * F];
    int32_t row[SLOTS];
    HnRng own = hn_rng(8, (uint64_t)n);
    for (int64_t k = 0; k < n * s.in; k++) token[k] = (float)hn_rng_normal(&own);
    for (int64_t k = 0; k < N; k++) row[k] = k < N - n ? -1 : (int32_t)(k - (N - n));
    for (int64_t k = 0; k < n; k++) {
      double in[TOKEN_MOST];
      for (int64_t d = 0; d < s.in; d++) in[d] = (double)token[k * s.in + d];
      naive_affine(s.in, F, in, s.embed, NULL, x + k * F);
      for (int64_t d = 0; s.position && d < F; d++) x[k * F + d] += s.position[k * F + d];
      if (!s.position) naive_position(k, F, x + k * F);
    }
    const Windows w = {.tokens = n, .n = 1, .token = token, .row = row};
    transformer_jacobian(net, &w, 0, &memory, mine);
    naive_jacobian(&s, n, x, mean, want);
    for (int64_t f = 0; f < F; f++)
      for (int64_t k = 0; k < N * F; k++) {
        const int64_t from = (N - n) * F; /* slots before the first are empty */
        const double is = k < from ? 0 : want[f * n * F + k - from];
        near((double)mine[f * N * F + k], is, 2e-5);
        most = fmax(most, fabs(is));
      }
  }
  g_assert_cmpfloat(most, >, 0.1);
  weights_free(z), experience_free(xp), fixture_free(b);
}

/* The covariance of many draws is P^-1: each element within six standard errors. */
static void test_covariance(void) {
  enum { MANY = 40000 };
  const Case *c = &cases[0].c;
  Fixture *b = posed_new(&cases[0], "");
  Experience *xp = experience_new(0, 1, c->obs_dim, c->action_dim, c->action_count, 5);
  Weights *z = weights_new(&b->fake);
  const NaiveNet s = naive_net(z, xp, b->part.params);
  float *draw = g_new0(float, MANY *F);
  char *state = g_malloc0(b->spec.row_size);
  HnRng *rng = streams_new(1);
  Gauss q = {0};
  double l[F][F], unit[F], want[F][F];
  infer(b, xp, MANY, state, rng, draw, NULL);
  naive_update(&s, 0, 0, &q);
  naive_factor(&q, s.p->jitter, l);
  for (int j = 0; j < F; j++) {
    for (int i = 0; i < F; i++) unit[i] = i == j;
    naive_solve(l, unit, want[j]);
  }
  for (int i = 0; i < F; i++)
    for (int j = 0; j < F; j++) {
      double sum = 0;
      for (int k = 0; k < MANY; k++)
        sum += ((double)draw[k * F + i] - q.mean[i]) * ((double)draw[k * F + j] - q.mean[j]);
      const double error = sqrt((want[i][i] * want[j][j] + want[i][j] * want[i][j]) / MANY);
      g_assert_cmpfloat_with_epsilon(sum / MANY, want[i][j], 6 * error);
    }
  g_free(draw), g_free(state), g_free(rng);
  weights_free(z), experience_free(xp), fixture_free(b);
}

/* ---- laid over trmrl ---- */

static void copy_weights(FakeHost *from, FakeHost *to) {
  int64_t count = 0;
  for (int64_t k = 0; k < from->array_count; k++) {
    const FakeArray *a = &from->array[k];
    if (!a->grad) continue;
    FakeArray *b = fake_host_find(to, a->spec.name);
    g_assert_nonnull(b);
    g_assert_cmpmem(a->spec.dim, sizeof a->spec.dim, b->spec.dim, sizeof b->spec.dim);
    memcpy(b->data, a->data, (gsize)a->count * sizeof(float)), count++;
  }
  for (int64_t k = 0; k < to->array_count; k++) count -= to->array[k].grad != NULL;
  g_assert_cmpint(count, ==, 0); /* none is extra */
}

/* The mean is what trmrl says, and its gradient what trmrl's is, to the bit; that of samples is the
 * mean's for the sum of theirs. */
static void test_post_hoc(gconstpointer data) {
  const Case *c = data; /* the first member of a Posed */
  Fixture *b = posed_new(data, ""), *other = fixture_new(&trmrl_LTX_hn_plugin, c, "");
  copy_weights(&other->fake, &b->fake);
  Experience *xp = experience_new(T, B, c->obs_dim, c->action_dim, c->action_count, 5);
  enum { N = (T + 1) * B };
  float *mine = g_new0(float, N *F), *its = g_new0(float, N *F), *many = g_new0(float, N *S *F);
  float *d = random_floats(N * S * F, 8), *sum = g_new0(float, N *F);
  for (int64_t k = 0; k < N * S; k++)
    for (int64_t j = 0; j < F; j++) sum[k / S * F + j] += d[k * F + j];
  double norm2[3];
  pass(b, xp, mine, sum, &norm2[0]), pass(other, xp, its, sum, &norm2[1]);
  g_assert_cmpmem(mine, N * F * sizeof(float), its, N * F * sizeof(float));
  for (int64_t k = 0; k < other->fake.array_count; k++) {
    const FakeArray *a = &other->fake.array[k];
    FakeArray *own = a->grad ? fake_host_find(&b->fake, a->spec.name) : NULL;
    if (!own) continue;
    const gsize bytes = (gsize)a->count * sizeof(float);
    g_assert_cmpmem(own->grad, bytes, a->grad, bytes);
    memset(own->grad, 0, bytes);
  }
  HnHistory h = experience_window(xp, 0, T, 0, B);
  char *state = g_malloc0(B * b->spec.row_size);
  HnRng *rng = streams_new(B);
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = state,
                      .samples = S,
                      .rng = rng,
                      .belief = many};
  g_assert_cmpint(b->methods->forward(b->self, &q), ==, HN_OK);
  g_assert_cmpint(b->methods->backward(b->self, &q, d, &norm2[2]), ==, HN_OK);
  g_assert_cmpfloat(norm2[0], ==, norm2[1]);
  g_assert_cmpfloat(norm2[0], ==, norm2[2]);
  g_assert_cmpfloat(norm2[0], >, 1);
  g_assert_cmpfloat(fabs((double)(many[0] - mine[0])), >, 1e-3);
  g_free(mine), g_free(its), g_free(many), g_free(d), g_free(sum), g_free(state), g_free(rng);
  experience_free(xp), fixture_free(b), fixture_free(other);
}

/* ---- promises ---- */

static void test_windows(gconstpointer data) {
  const Case *c = data; /* the first member of a Posed */
  Fixture *b = posed_new(data, "");
  Experience *xp = experience_new(23, 6, c->obs_dim, c->action_dim, c->action_count, 5);
  char *state = g_malloc0((gsize)xp->B * b->spec.row_size);
  for (int64_t samples = 0; samples <= S; samples += S)
    for (int asked = 0; asked < 2; asked++)
      assert_window_law((HnWindowCheck){.methods = b->methods,
                                        .self = b->self,
                                        .spec = &b->spec,
                                        .whole = experience_window(xp, 0, xp->T, 0, xp->B),
                                        .state = state,
                                        .samples = samples,
                                        .info_count = asked ? info_count() : 0},
                        &b->fake);
  g_free(state), experience_free(xp), fixture_free(b);
}

/* Without track, a trial that was acted in without samples has no precision in its midst; one that
 * begins has. */
static void test_track(void) {
  const Case *c = &cases[0].c;
  for (int track = 0; track < 2; track++) {
    Fixture *b = posed_new(&cases[0], track ? "" : ", track: false");
    Experience *xp = experience_new(2, 1, c->obs_dim, c->action_dim, c->action_count, 5);
    for (int64_t t = 0; t <= 2; t++) xp->begin[t + 1] = t ? HN_KEEP : HN_NEW_TASK;
    char *state = g_malloc0(b->spec.row_size);
    HnRng *rng = streams_new(1);
    float belief[3 * F];
    infer(b, xp, 0, state, rng, belief, NULL);
    HnHistory h = experience_window(xp, 1, 1, 0, 1);
    HnBeliefUpdate q = {.struct_size = sizeof q,
                        .history = &h,
                        .state = state,
                        .samples = 1,
                        .rng = rng,
                        .belief = belief};
    g_assert_cmpint(b->methods->infer(b->self, &q), ==, track ? HN_OK : HN_E_NUMERIC);
    if (!track) g_assert_nonnull(strstr(b->fake.error, "need track: true"));
    fake_host_reset(&b->fake, (FakeMark){0});
    memset(state, 0, b->spec.row_size);
    infer(b, xp, 1, state, rng, belief, NULL);
    g_free(state), g_free(rng), experience_free(xp), fixture_free(b);
  }
}

static void add(const char *name, GTestDataFunc test) {
  for (gsize k = 0; k < G_N_ELEMENTS(cases); k++) {
    g_autofree char *path = g_strdup_printf("/laplace_trmrl/%s/%s", name, cases[k].c.name);
    g_test_add_data_func(path, &cases[k], test);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add("values", test_values), add("jacobian", test_jacobian);
  add("post_hoc", test_post_hoc), add("windows", test_windows);
  g_test_add_func("/laplace_trmrl/covariance", test_covariance);
  g_test_add_func("/laplace_trmrl/track", test_track);
  return g_test_run();
}
