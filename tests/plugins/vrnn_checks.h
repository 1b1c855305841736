/* vrnn_checks.h - checks that every recurrent agent of the family must pass, on one case each:
 * numbers against the naive model, gradients against its central differences, and the promises of
 * the ABI. */
#ifndef VRNN_CHECKS_H
#define VRNN_CHECKS_H
#include "vrnn_naive.h"

/* The noise that the plugin will draw in a window from percept z->from on: the belief's `S` draws a
 * percept of streams rng [B], the head's `draws` from those of `seed`. */
static Noise noise_new(const Naive *z, const HnRng *rng, uint64_t seed) {
  const Vrnn *m = z->m;
  const Life *l = z->l;
  int64_t F = m->F, S = z->samples, all = (l->T + 1) * l->B * SAMPLES * F;
  Noise noise = {g_new0(float, all), g_new0(float, all)};
  float work[SAMPLES * WIDE + 1];
  for (int64_t i = 0; i < l->B; i++) {
    HnRng belief = rng[i], model = hn_rng(seed, (uint64_t)i);
    for (int64_t t = z->from; t <= l->T; t++) {
      int64_t at = (t * l->B + i) * SAMPLES * F;
      if (S) draw_normals(&belief, S * F, noise.belief + at, work);
      if (m->draws && m->head.net.layers && t < l->T)
        draw_normals(&model, m->draws * F, noise.model + at, work);
    }
  }
  return noise;
}

static void noise_free(Noise *noise) {
  g_free(noise->belief), g_free(noise->model);
}

/* ---- numbers ---- */

/* Beliefs and every column of info, from percept 0 on, tasks beginning along the way. */
static void check_values(const Case *c, const char *more, int64_t samples) {
  Subject *b = subject_new(c, more);
  const Vrnn *m = b->m;
  int64_t T = 17, B = 5, S = MAX(samples, 1), n = (T + 1) * B;
  Life *l = life_for(c, T, B, 11);
  Naive *z = naive_new(&b->fake, m, l, 0);
  HnRng *rng = streams_new(B);
  z->samples = samples;
  Noise noise = noise_new(z, rng, 0);
  float *expected = g_new0(float, n *S * m->D), *belief = g_new0(float, n *S * m->D);
  float *info = g_new0(float, n *info_count);
  char *state = g_malloc0((gsize)B * b->spec.row_size);
  naive_run(z, &noise, NULL, expected);
  Call k = {.l = l, .steps = T, .rows = B, .samples = samples, .state = state, .rng = rng};
  k.belief = belief, k.info = info;
  call_part(b, believe, &k);
  for (int64_t j = 0; j < n * S * m->D; j++)
    g_assert_cmpfloat_with_epsilon(belief[j], expected[j],
                                   3e-5 * fmax(1, fabs((double)expected[j])));
  for (int64_t j = 0; j < n; j++) {
    const Point *p = &z->point[j];
    const float *x = info + j * info_count;
    double norm = 0, move = 0;
    for (int64_t d = 0; d < m->F; d++)
      norm += p->q.mean[d] * p->q.mean[d],
          move += (p->q.mean[d] - p->before.mean[d]) * (p->q.mean[d] - p->before.mean[d]);
    g_assert_cmpfloat_with_epsilon(x[info_mean_norm2], norm, 1e-4 * fmax(1, norm));
    g_assert_true(p->dark ? isnan(x[info_mean_move2])
                          : fabs((double)x[info_mean_move2] - move) < 1e-4 * fmax(1, move));
    bool fresh = l->begin[j + B] == HN_NEW_TASK;
    if (fresh || !m->head.net.layers) {
      g_assert_true(isnan(x[info_log_predictive]));
    } else {
      double shown = naive_shown(z, j / B - 1, j % B, samples, z->point[j - B].z);
      g_assert_cmpfloat_with_epsilon(x[info_log_predictive], shown, 2e-4 * fmax(1, fabs(shown)));
    }
    check_info(z, j, x);
  }
  noise_free(&noise);
  g_free(expected), g_free(belief), g_free(info), g_free(state), g_free(rng);
  naive_free(z), life_free(l), subject_free(b);
}

/* ---- gradients ---- */

/* forward and backward over a window that begins in mid-life; returns what a lesson's `learn` would
 * have as seed.  d NULL: no gradient from a policy. */
static void teach(Subject *b, const Life *l, int64_t from, int64_t samples, const char *memory,
                  const float *d, double *norm2) {
  HnHistory h = life_window(l, from, l->T - from, 0, l->B);
  char *state = g_memdup2(memory, (gsize)l->B * b->spec.row_size);
  HnRng *rng = streams_new(l->B);
  int64_t n = (h.steps + 1) * h.rows * MAX(samples, 1) * b->spec.belief_dim;
  float *belief = g_new0(float, n), *none = g_new0(float, n);
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h, .state = state, .samples = samples};
  q.rng = rng, q.belief = belief;
  g_assert_cmpint(methods.forward(b->m, &q), ==, HN_OK);
  g_assert_cmpint(methods.backward(b->m, &q, d ? d : none, norm2), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  g_free(belief), g_free(none), g_free(state), g_free(rng);
}

static uint64_t seed_of_forward(void) {
  HnRng *streams = streams_new(1), rng = streams[0];
  g_free(streams);
  return hn_rng_u64(&rng);
}

/* (Differences are small because layer norms bend sharply where a small embedding varies little.)
 * Every derivative of the own loss plus sum(c . belief), in 19 rows (shards of 16 and 3), and the
 * loss itself. */
static void check_gradient(const Case *c, const char *more, int64_t samples) {
  Subject *b = subject_new(c, more);
  const Vrnn *m = b->m;
  int64_t T = 9, B = 19, from = 3, S = MAX(samples, 1), n = (T - from + 1) * B * S * m->D;
  Life *l = life_for(c, T, B, 7);
  char *memory = live_until(b, l, from, samples);
  Naive *z = naive_new(&b->fake, m, l, from);
  HnRng *rng = streams_new(B);
  z->samples = samples;
  Noise noise = noise_new(z, rng, seed_of_forward());
  float *d = random_floats(n, 6);
  for (int64_t k = 0; k < n; k++) d[k] *= 0.02f;
  naive_run(z, &noise, d, NULL);
  double kl = z->kl, nll = z->nll, norm2, sum = 0, most = 0;
  memset(b->fake.metric, 0, sizeof b->fake.metric);
  teach(b, l, from, samples, memory, d, &norm2);
  g_assert_cmpfloat_with_epsilon(b->fake.metric[metric_loss], nll + m->beta * kl, 1e-4);
  if (m->beta > 0)
    g_assert_cmpfloat_with_epsilon(b->fake.metric[metric_kl], kl, 1e-4 * fmax(1, kl));
  for (int64_t a = 0; a < b->fake.array_count; a++) {
    const FakeArray *array = &b->fake.array[a];
    for (int64_t j = 0; array->grad && j < array->count; j += 1 + array->count / 40) {
      double *w = &z->x[z->at[a] + j], was = *w, value[2], e = 1e-7;
      for (int k = 0; k < 2; k++) *w = was + (k ? e : -e), value[k] = naive_run(z, &noise, d, NULL);
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
  g_free(d), g_free(memory), g_free(rng), naive_free(z), life_free(l), subject_free(b);
}

/* ---- the ABI's promises ---- */

/* One window, one call a percept, windows cut anywhere, each row alone, and forward: the same bits
 * of beliefs, memory and (but for forward) info. */
static void check_windows(const Case *c, const char *more, int64_t samples) {
  enum { WAYS = 5 };
  Subject *b = subject_new(c, more);
  int64_t T = 14, B = 19, S = MAX(samples, 1), D = b->spec.belief_dim;
  gsize bytes = (gsize)((T + 1) * B * S * D) * sizeof(float), held = (gsize)B * b->spec.row_size;
  gsize told = (gsize)((T + 1) * B * info_count) * sizeof(float);
  Life *l = life_for(c, T, B, 9);
  float *belief[WAYS], *info[WAYS];
  char *state[WAYS];
  for (int w = 0; w < WAYS; w++) {
    HnRng *rng = streams_new(B);
    belief[w] = g_malloc0(bytes), info[w] = g_malloc0(told), state[w] = g_malloc0(held);
    Call k = {.l = l, .steps = T, .rows = B, .samples = samples, .state = state[w], .rng = rng};
    k.belief = belief[w], k.info = w < 4 ? info[w] : NULL;
    if (w == 0 || w == 4) call_part(b, w ? methods.forward : methods.infer, &k);
    for (k.steps = 0; w == 1 && k.from <= T; k.from++) call_part(b, believe, &k);
    for (int part = 0; w == 2 && part < 2; part++) {
      k.from = part ? 6 : 0, k.steps = part ? T - 6 : 5;
      call_part(b, believe, &k);
    }
    for (k.rows = w == 3 ? 1 : B; w == 3 && k.first < B; k.first++)
      k.steps = T, call_part(b, believe, &k);
    g_free(rng);
  }
  for (int w = 1; w < WAYS; w++) {
    g_assert_cmpmem(belief[0], bytes, belief[w], bytes);
    if (w < 4) g_assert_cmpmem(info[0], told, info[w], told);
    if (w < 4) g_assert_cmpmem(state[0], held, state[w], held);
  }
  for (int w = 0; w < WAYS; w++) g_free(belief[w]), g_free(info[w]), g_free(state[w]);
  life_free(l), subject_free(b);
}

/* ---- learning without a policy ---- */

/* One lesson's gradient is that of forward and backward without a policy's; the step is AdamW's on
 * clipped elements, then a clipped norm; a policy that has stepped leaves nothing to do. */
static void check_learn(const Case *c, const char *more) {
  char *settings = g_strdup_printf("%s, lr: 0.1, adam_eps: 1, weight_decay: 0.01, "
                                   "grad_clip: 0.02, grad_norm: 0.05",
                                   more);
  Subject *b = subject_new(c, settings), *twin = subject_new(c, settings);
  int64_t T = 8, B = 19;
  Life *l = life_new(T, B, c->obs_dim, c->action_dim, c->action_count, T, true);
  HnHistory h = life_window(l, 0, T, 0, B), *phase[] = {&h};
  char *memory = g_malloc0((gsize)B * b->spec.row_size);
  h.state = memory;
  HnRng rng = hn_rng(21, 0); /* forward takes its seed from the same numbers */
  HnTrainBatch lesson = {.struct_size = sizeof lesson, .rng = &rng, .phases = 1};
  lesson.phase = (const HnHistory *const *)phase;
  double norm2;
  teach(twin, l, 0, 0, memory, NULL, &norm2);
  g_assert_cmpfloat(norm2, >, 0.05 * 0.05);
  b->m->stepped = true;
  g_assert_cmpint(methods.learn(b->m, &lesson), ==, HN_OK);
  g_assert_cmpint(*b->m->store.clock, ==, 0);
  g_assert_cmpint(methods.learn(b->m, &lesson), ==, HN_OK);
  g_assert_cmpint(*b->m->store.clock, ==, 1);
  double scale = 0.05 / sqrt(norm2);
  for (int64_t a = 0; a < b->fake.array_count; a++) {
    const FakeArray *mine = &b->fake.array[a], *other = &twin->fake.array[a];
    for (int64_t j = 0; mine->grad && j < mine->count; j++) {
      double w = (double)((const float *)other->data)[j], g = scale * (double)other->grad[j];
      g_assert_cmpfloat(fabsf(other->grad[j]), <=, 0.02f);
      double to = w * (1 - 0.1 * 0.01) - 0.1 * g / (fabs(g) + 1);
      g_assert_cmpfloat_with_epsilon(((const float *)mine->data)[j], to, 2e-6);
      g_assert_cmpfloat(mine->grad[j], ==, 0);
    }
  }
  g_free(settings), g_free(memory), life_free(l), subject_free(b), subject_free(twin);
}

/* Predictions of actions are what the head scores: their log-density at what a step showed is
 * log_predictive. */
static void check_predict(const Case *c, const char *more, int64_t samples) {
  Subject *b = subject_new(c, more);
  int64_t T = 6, B = 3, S = MAX(samples, 1), D = b->spec.belief_dim, O = c->obs_dim;
  Life *l = life_new(T, B, O, c->action_dim, 0, 100, true);
  char *state = g_malloc0((gsize)B * b->spec.row_size);
  float *belief = g_new0(float, (T + 1) * B * S * D),
        *info = g_new0(float, (T + 1) * B * info_count);
  HnRng *rng = streams_new(B);
  Call k = {.l = l, .steps = T, .rows = B, .samples = samples, .state = state, .rng = rng};
  k.belief = belief, k.info = info;
  call_part(b, believe, &k);
  for (int64_t at = 0; at < T * B; at++) {
    float act[2 * 4], mean[2 * 4], stddev[2 * 4], member[SAMPLES * 2 * 4];
    for (int64_t j = 0; j < c->action_dim; j++) /* two questions, the second is the step's action */
      act[j] = 0.3f, act[c->action_dim + j] = l->action[(at + B) * c->action_dim + j];
    g_assert_cmpint(
        methods.predict(b->m, belief + at * S * D, samples, 2, act, mean, stddev, member), ==,
        HN_OK);
    fake_host_reset(&b->fake, (FakeMark){0});
    double logp = 0;
    for (int64_t d = O; d < 2 * O; d++) {
      double e = ((double)l->next[(at + B) * O + d - O] - (double)mean[d]) / (double)stddev[d],
             m = 0;
      logp += -0.5 * e * e - log((double)stddev[d]) - 0.5 * log(2 * G_PI);
      for (int64_t s = 0; s < S; s++) m += (double)member[s * 2 * O + d] / (double)S;
      g_assert_cmpfloat_with_epsilon(mean[d], m, 1e-6);
    }
    g_assert_cmpfloat_with_epsilon(info[(at + B) * info_count + info_log_predictive], logp, 2e-5);
  }
  g_free(state), g_free(belief), g_free(info), g_free(rng), life_free(l), subject_free(b);
}

/* Numbers that are learnt. */
static inline int64_t parameters_of(const Case *c) {
  Subject *b = g_new0(Subject, 1);
  g_assert_cmpint(subject_try(b, c, ""), ==, HN_OK);
  int64_t count = 0;
  for (int64_t k = 0; k < b->fake.array_count; k++)
    if (b->fake.array[k].grad) count += b->fake.array[k].count;
  subject_free(b);
  return count;
}

/* LayerNorm, 256, 256, 64 and so many outputs: the heads of the paper, a policy's too. */
static inline int64_t head_size(int64_t in, int64_t out) {
  return 2 * in + in * 256 + 256 + 256 * 256 + 256 + 256 * 64 + 64 + 64 * out + out;
}
#endif
