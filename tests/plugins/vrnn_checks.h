/* vrnn_checks.h - checks that every recurrent agent of the family must pass, on one case each:
 * numbers against the naive model, gradients against its central differences, and the promises of
 * the ABI. */
#ifndef HN_TESTS_VRNN_CHECKS_H
#define HN_TESTS_VRNN_CHECKS_H
#include "vrnn_naive.h"
#include "window_law.h"

/* The noise that the plugin will draw in a window from observation z->from on: for the belief from
 * streams rng [B], for the head from those of `seed`. */
static inline Noise noise_new(const Naive *z, const HnRng *rng, uint64_t seed) {
  const Vrnn *m = z->m;
  const Experience *xp = z->xp;
  int64_t F = m->F, S = z->samples, all = (xp->T + 1) * xp->B * SAMPLES * F;
  Noise noise = {g_new0(float, all), g_new0(float, all)};
  for (int64_t i = 0; i < xp->B; i++) {
    HnRng belief = rng[i], model = hn_rng(seed, (uint64_t)i);
    for (int64_t t = z->from; t <= xp->T; t++) {
      int64_t at = (t * xp->B + i) * SAMPLES * F;
      if (S) hn_normals(&belief, S * F, noise.belief + at);
      if (m->p->model_samples && m->head.net.layers && t < xp->T)
        hn_normals(&model, m->p->model_samples * F, noise.model + at);
    }
  }
  return noise;
}

static inline void noise_free(Noise *noise) {
  g_free(noise->belief), g_free(noise->model);
}

/* ---- numbers ---- */

/* The columns of VRNN_BAYES_INFO. */
static inline void check_posterior(const Naive *z, const Point *p, const float *x) {
  int64_t F = z->m->F;
  double parts[3], cov[WIDE * WIDE], marginal = 0;
  inverse(F, p->q.precision, cov);
  for (int64_t f = 0; f < F; f++)
    marginal += 0.5 * (1 + log(2 * G_PI * cov[f * F + f])) / (double)F;
  g_assert_cmpfloat_with_epsilon(x[vrnn_info_entropy], naive_entropy(F, p->q.precision), 1e-5);
  g_assert_cmpfloat_with_epsilon(x[vrnn_info_marginal_entropy], marginal, 1e-6);
  g_assert_true(p->masked == isnan(x[vrnn_info_kl]));
  if (p->masked) return;
  naive_kl(F, &p->q, &p->before, parts);
  g_assert_cmpfloat_with_epsilon(x[vrnn_info_kl_trace], parts[0], 8e-6);
  g_assert_cmpfloat_with_epsilon(x[vrnn_info_kl_mahalanobis], parts[1], 6e-6 * fmax(1, parts[1]));
  g_assert_cmpfloat_with_epsilon(x[vrnn_info_kl_logdet], parts[2], 8e-6);
  g_assert_cmpfloat_with_epsilon(x[vrnn_info_kl], parts[0] + parts[1] + parts[2],
                                 6e-6 * fmax(1, parts[1]));
}

/* Beliefs and every column of info, from observation 0 on, tasks beginning along the way. */
static inline void check_values(const NaivePosterior *k, const Case *c, const char *more,
                                int64_t samples) {
  Fixture *b = fixture_new(k->plugin, c, more);
  const Vrnn *m = b->self;
  int64_t T = 17, B = 5, S = MAX(samples, 1), n = (T + 1) * B;
  Experience *xp = experience_for(c, T, B, 11);
  Naive *z = naive_new(k, b, xp, 0);
  HnRng *rng = streams_new(B);
  z->samples = samples;
  Noise noise = noise_new(z, rng, 0);
  float *expected = g_new0(float, n *S * m->D), *belief = g_new0(float, n *S * m->D);
  float *info = g_new0(float, n * m->info_count);
  char *state = g_malloc0((gsize)B * b->spec.row_size);
  naive_run(z, &noise, NULL, expected);
  infer_window(b, xp, T, samples, state, rng, belief, info);
  for (int64_t j = 0; j < n * S * m->D; j++)
    g_assert_cmpfloat_with_epsilon(belief[j], expected[j],
                                   6e-6 * fmax(1, fabs((double)expected[j])));
  for (int64_t j = 0; j < n; j++) {
    const Point *p = &z->point[j];
    const float *x = info + j * m->info_count;
    double norm = 0, move = 0;
    for (int64_t d = 0; d < m->F; d++)
      norm += p->q.mean[d] * p->q.mean[d],
          move += (p->q.mean[d] - p->before.mean[d]) * (p->q.mean[d] - p->before.mean[d]);
    g_assert_cmpfloat_with_epsilon(x[vrnn_info_mean_norm2], norm, 3.5e-6 * fmax(1, norm));
    g_assert_true(p->masked ? isnan(x[vrnn_info_mean_move2])
                            : fabs((double)x[vrnn_info_mean_move2] - move) < 1e-4 * fmax(1, move));
    bool fresh = xp->begin[j + B] == HN_NEW_TASK;
    if (fresh || !m->head.net.layers) {
      g_assert_true(isnan(x[vrnn_info_log_predictive]));
    } else {
      double shown = naive_shown(z, j / B - 1, j % B, samples, z->point[j - B].z);
      g_assert_cmpfloat_with_epsilon(x[vrnn_info_log_predictive], shown,
                                     8e-6 * fmax(1, fabs(shown)));
    }
    if (m->info_count > vrnn_info_entropy) check_posterior(z, p, x);
  }
  noise_free(&noise);
  g_free(expected), g_free(belief), g_free(info), g_free(state), g_free(rng);
  naive_free(z), experience_free(xp), fixture_free(b);
}

/* ---- gradients ---- */

static inline uint64_t seed_of_forward(void) {
  HnRng *streams = streams_new(1), rng = streams[0];
  g_free(streams);
  return hn_rng_u64(&rng);
}

/* Every derivative of the method's own loss plus sum(c . belief), in 19 rows (shards of 10 and 9),
 * and the loss itself.  (Differences are small because layer norms bend sharply where a small
 * embedding varies little.) */
static inline void check_gradient(const NaivePosterior *k, const Case *c, const char *more,
                                  int64_t samples) {
  Fixture *b = fixture_new(k->plugin, c, more);
  const Vrnn *m = b->self;
  int64_t T = 9, B = 19, from = 3, S = MAX(samples, 1), n = (T - from + 1) * B * S * m->D;
  Experience *xp = experience_for(c, T, B, 7);
  char *memory = state_before(b, xp, from, samples);
  Naive *z = naive_new(k, b, xp, from);
  HnRng *rng = streams_new(B);
  z->samples = samples;
  Noise noise = noise_new(z, rng, seed_of_forward());
  float *d = random_floats(n, 6);
  for (int64_t j = 0; j < n; j++) d[j] *= 0.02f;
  naive_run(z, &noise, d, NULL);
  double kl = z->kl, nll = z->nll, norm2, sum = 0, most = 0;
  memset(b->fake.metric, 0, sizeof b->fake.metric);
  forward_backward(b, xp, from, samples, memory, d, &norm2);
  g_assert_cmpfloat_with_epsilon(b->fake.metric[vrnn_metric_loss], nll + m->p->kl_weight * kl,
                                 2.5e-5);
  if (m->p->kl_weight > 0)
    g_assert_cmpfloat_with_epsilon(b->fake.metric[vrnn_metric_kl], kl, 1e-6 * fmax(1, kl));
  for (int64_t a = 0; a < b->fake.array_count; a++) {
    const FakeArray *array = &b->fake.array[a];
    for (int64_t j = 0; array->grad && j < array->count; j += 1 + array->count / 40) {
      double *w = &z->x[z->at[a] + j], was = *w, value[2], e = 1e-7;
      for (int s = 0; s < 2; s++) *w = was + (s ? e : -e), value[s] = naive_run(z, &noise, d, NULL);
      *w = was;
      double slope = (value[1] - value[0]) / (2 * e), mine = (double)array->grad[j];
      if (fabs(mine - slope) > 5e-5 * fmax(1, fabs(slope)))
        g_error("%s[%d]: %.8g, by differences %.8g", array->spec.name, (int)j, mine, slope);
      most = fmax(most, fabs(slope));
    }
    for (int64_t j = 0; array->grad && j < array->count; j++)
      sum += (double)array->grad[j] * (double)array->grad[j];
  }
  g_assert_cmpfloat(most, >, 0.05);
  g_assert_cmpfloat_with_epsilon(norm2, sum, 1e-6 * sum);
  noise_free(&noise);
  g_free(d), g_free(memory), g_free(rng), naive_free(z), experience_free(xp), fixture_free(b);
}

/* ---- the ABI's promises ---- */

static inline void check_windows(const NaivePosterior *k, const Case *c, const char *more,
                                 int64_t samples) {
  Fixture *b = fixture_new(k->plugin, c, more);
  Experience *xp = experience_for(c, 14, 19, 9);
  assert_window_law((HnWindowCheck){.methods = b->methods,
                                    .self = b->self,
                                    .spec = &b->spec,
                                    .whole = experience_window(xp, 0, xp->T, 0, xp->B),
                                    .samples = samples,
                                    .info_count = ((const Vrnn *)b->self)->info_count},
                    &b->fake);
  experience_free(xp), fixture_free(b);
}

/* ---- learning without a policy ---- */

/* The gradient of `learn` is that of forward and backward without a policy's; the step is AdamW's
 * on clipped elements, then a clipped norm; a policy that has stepped leaves nothing to do. */
static inline void check_learn(const NaivePosterior *k, const Case *c, const char *more) {
  char *settings = g_strdup_printf("%s, lr: 0.1, adam_eps: 1, weight_decay: 0.01, "
                                   "max_grad_value: 0.02, max_grad_norm: 0.05",
                                   more);
  Fixture *b = fixture_new(k->plugin, c, settings), *twin = fixture_new(k->plugin, c, settings);
  Vrnn *m = b->self;
  int64_t T = 8, B = 19;
  Experience *xp = experience_new(T, B, c->obs_dim, c->action_dim, c->action_count, T, true);
  HnHistory h = experience_window(xp, 0, T, 0, B), *phase[] = {&h};
  char *memory = g_malloc0((gsize)B * b->spec.row_size);
  h.state = memory;
  HnRng rng = hn_rng(21, 0); /* forward takes its seed from the same numbers */
  HnTrainBatch batch = {.struct_size = sizeof batch, .rng = &rng, .phases = 1};
  batch.phase = (const HnHistory *const *)phase;
  double norm2;
  forward_backward(twin, xp, 0, 0, memory, NULL, &norm2);
  g_assert_cmpfloat(norm2, >, 0.05 * 0.05);
  m->stepped = true;
  g_assert_cmpint(vrnn_learn(m, &batch), ==, HN_OK);
  g_assert_cmpint(*m->store.clock, ==, 0);
  g_assert_cmpint(vrnn_learn(m, &batch), ==, HN_OK);
  g_assert_cmpint(*m->store.clock, ==, 1);
  double scale = 0.05 / sqrt(norm2);
  for (int64_t a = 0; a < b->fake.array_count; a++) {
    const FakeArray *mine = &b->fake.array[a], *other = &twin->fake.array[a];
    for (int64_t j = 0; mine->grad && j < mine->count; j++) {
      double w = (double)((const float *)other->data)[j], g = scale * (double)other->grad[j];
      g_assert_cmpfloat(fabsf(other->grad[j]), <=, 0.02f);
      double to = w * (1 - 0.1 * 0.01) - 0.1 * g / (fabs(g) + 1);
      g_assert_cmpfloat_with_epsilon(((const float *)mine->data)[j], to, 8e-7);
      g_assert_cmpfloat(mine->grad[j], ==, 0);
    }
  }
  g_free(settings), g_free(memory), experience_free(xp), fixture_free(b), fixture_free(twin);
}

/* Predictions of actions are what the head scores: their log-density at what a step showed is
 * log_predictive. */
static inline void check_predict(const NaivePosterior *k, const Case *c, int64_t samples) {
  Fixture *b = fixture_new(k->plugin, c, "");
  int64_t columns = ((const Vrnn *)b->self)->info_count;
  int64_t T = 6, B = 3, S = MAX(samples, 1), D = b->spec.belief_dim, O = c->obs_dim;
  Experience *xp = experience_new(T, B, O, c->action_dim, 0, 100, true);
  char *state = g_malloc0((gsize)B * b->spec.row_size);
  float *belief = g_new0(float, (T + 1) * B * S * D), *info = g_new0(float, (T + 1) * B * columns);
  HnRng *rng = streams_new(B);
  infer_window(b, xp, T, samples, state, rng, belief, info);
  for (int64_t at = 0; at < T * B; at++) {
    float act[2 * 4], mean[2 * 4], stddev[2 * 4], member[SAMPLES * 2 * 4];
    for (int64_t j = 0; j < c->action_dim; j++) /* two questions, the second is the step's action */
      act[j] = 0.3f, act[c->action_dim + j] = xp->action[(at + B) * c->action_dim + j];
    HnStatus status =
        vrnn_predict(b->self, belief + at * S * D, samples, 2, act, mean, stddev, member);
    g_assert_cmpint(status, ==, HN_OK);
    fake_host_reset(&b->fake, (FakeMark){0});
    double logp = 0;
    for (int64_t d = O; d < 2 * O; d++) {
      double e = ((double)xp->next[(at + B) * O + d - O] - (double)mean[d]) / (double)stddev[d],
             m = 0;
      logp += -0.5 * e * e - log((double)stddev[d]) - 0.5 * log(2 * G_PI);
      for (int64_t s = 0; s < S; s++) m += (double)member[s * 2 * O + d] / (double)S;
      g_assert_cmpfloat_with_epsilon(mean[d], m, 1.5e-7);
    }
    g_assert_cmpfloat_with_epsilon(info[(at + B) * columns + vrnn_info_log_predictive], logp,
                                   1.2e-5);
  }
  g_free(state), g_free(belief), g_free(info), g_free(rng), experience_free(xp), fixture_free(b);
}

/* Numbers that are learnt. */
static inline int64_t parameters_of(const HnPlugin *plugin, const Case *c) {
  Fixture *b = g_new0(Fixture, 1);
  g_assert_cmpint(fixture_try(b, plugin, c, ""), ==, HN_OK);
  int64_t count = 0;
  for (int64_t k = 0; k < b->fake.array_count; k++)
    if (b->fake.array[k].grad) count += b->fake.array[k].count;
  fixture_free(b);
  return count;
}

/* Adds /NAME/CASE for every case. */
static inline void add_cases(const char *name, GTestDataFunc test, const Case *cases, gsize count) {
  for (gsize k = 0; k < count; k++) {
    char *path = g_strdup_printf("/%s/%s", name, cases[k].name);
    g_test_add_data_func(path, &cases[k], test);
    g_free(path);
  }
}

/* LayerNorm, 256, 256, 64 and so many outputs: the heads of the paper, a policy's too. */
static inline int64_t head_size(int64_t in, int64_t out) {
  return 2 * in + in * 256 + 256 + 256 * 256 + 256 + 256 * 64 + 64 + 64 * out + out;
}
#endif
