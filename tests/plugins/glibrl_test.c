/* glibrl_test.c - GLiBRL's beliefs against batch posteriors and densities written out here, the
 * promises of the ABI, and how it learns. */
#include "../../plugins/inference/glibrl/evidence.h"
#include "../../plugins/inference/glibrl/learn.h"
#include "../../plugins/inference/glibrl/posterior.h"
#include "glibrl_algebra.h"
#include "window_law.h"

/* ---- the ABI's promises ---- */

/* The experience is long enough for several chunks of features. */
static void check_windows(GlibrlParams p) {
  Experience data = masses(100, 7, 40, 6, 1);
  Fixture *b = fixture_new(p, &data, 40);
  learn_all(b, &data);
  const HnWindowCheck law = {.methods = glibrl_LTX_hn_plugin.methods,
                             .self = b->g,
                             .spec = &b->spec,
                             .whole = window(&data, 0, data.steps, 0, data.rows),
                             .info_count = glibrl_info_count};
  assert_window_law(law, &b->fake);
  fixture_free(b), experience_free(&data);
}

static void test_windows(void) {
  variants(check_windows);
}

/* Asking for info changes nothing; several samples are copies. */
static void test_info_is_free(void) {
  Experience data = masses(20, 3, 20, 0, 3);
  Fixture *b = fixture_new(small(), &data, 20);
  learn_all(b, &data);
  Beliefs with = infer_all(b, &data), without = beliefs_new(b, &data);
  int64_t n = (data.steps + 1) * data.rows, dim = b->spec.belief_dim;
  float *belief = g_new0(float, 2 * n * dim);
  HnHistory h = window(&data, 0, data.steps, 0, data.rows);
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .belief = belief,
                      .samples = 2,
                      .state = without.state};
  g_assert_cmpint(glibrl_infer(b->g, &q), ==, HN_OK);
  size_t bytes = (size_t)dim * sizeof *belief;
  for (int64_t k = 0; k < 2 * n; k++)
    g_assert_cmpmem(belief + k * dim, bytes, with.belief + k / 2 * dim, bytes);
  g_assert_cmpmem(with.state, with.state_bytes, without.state, without.state_bytes);
  g_free(belief), beliefs_free(&with), beliefs_free(&without);
  fixture_free(b), experience_free(&data);
}

/* Steps in another order, each an episode of its own, lead to the same belief: what an off-policy
 * learner may infer it from. */
static void check_order(GlibrlParams p) {
  enum { STEPS = 20, ROWS = 3 };
  Experience lived = masses(60, ROWS, 20, 6, 1), data = masses(STEPS, ROWS, 2 * STEPS, 0, 2);
  Experience other = experience_new(STEPS, ROWS, 4, 2);
  Fixture *b = fixture_new(p, &data, 2 * STEPS);
  learn_all(b, &lived);
  for (int64_t t = 0; t <= STEPS; t++)
    for (int64_t i = 0; i < ROWS; i++) {
      int64_t to = t * ROWS + i, from = (t * 7 + 3) % STEPS * ROWS + i;
      other.begin[to] = t ? HN_NEW_EPISODE : HN_NEW_TASK;
      memcpy(other.obs + to * 4, data.obs + from * 4, 4 * sizeof(float));
      memcpy(other.next + to * 4, data.next + from * 4, 4 * sizeof(float));
      memcpy(other.action + to * 2, data.action + from * 2, 2 * sizeof(float));
      other.reward[to] = data.reward[from];
    }
  Beliefs a = infer_all(b, &data), c = infer_all(b, &other);
  int64_t wide = ROWS * b->spec.belief_dim;
  double apart = 0;
  for (int64_t k = 0; k < wide; k++) {
    double x = (double)a.belief[STEPS * wide + k], y = (double)c.belief[STEPS * wide + k];
    if (fabs(x - y) > 1e-3 * (1 + fabs(x))) g_error("view %d: %g, then %g", (int)p.view, x, y);
    apart += fabs((double)(a.belief[5 * wide + k] - c.belief[5 * wide + k]));
  }
  g_assert_cmpfloat(apart, >, 1e-3); /* on the way there they differ */
  beliefs_free(&a), beliefs_free(&c);
  fixture_free(b), experience_free(&lived), experience_free(&data), experience_free(&other);
}

static void test_order(void) {
  variants(check_order);
}

/* ---- against batch algebra ---- */

/* The posterior in row memory is that of all steps at once; the belief shows it. */
static void test_posterior(void) {
  Experience data = masses(50, 3, 60, 0, 4);
  Fixture *b = fixture_new(small(), &data, 60);
  learn_all(b, &data);
  Beliefs s = infer_all(b, &data);
  Glibrl *g = b->g;
  int64_t row = 1, dt = g->transition.d, dr = g->reward.d, o = data.obs_dim;
  Design k = design_of(b, &data, row, data.steps);
  g_assert_cmpint(k.live, ==, 2);
  char *at = s.state + (size_t)row * b->spec.row_size;
  double mean[100], v[400], psi[16];
  void *memory;
  HnMnw prior, q = batch_posterior(b, &g->transition, k.n, k.live, k.ct, k.yt, &memory, &prior);
  hn_mnw_belief_mean(at + g->transition.posterior_at, mean),
      hn_mnw_belief_v(at + g->transition.posterior_at, v);
  hn_mnw_belief_psi(at + g->transition.posterior_at, psi);
  assert_near(mean, q.mean, dt * k.live, 1e-9), assert_near(v, q.v, dt * dt, 1e-9);
  assert_near(psi, q.psi, k.live * k.live, 1e-9);
  void *work = g_aligned_alloc0(1, hn_mnw_work_size(k.n, 64, 4), 64);
  const float *info = s.info + (data.steps * data.rows + row) * glibrl_info_count;
  double kl = hn_mnw_kl(&q, &prior, work);
  g_assert_cmpfloat_with_epsilon(info[glibrl_info_kl_transition], kl, 1e-4);
  /* the last belief: means of 4 columns, of which 0 and 1 are live */
  const float *belief = s.belief + (data.steps * data.rows + row) * b->spec.belief_dim;
  g_assert_cmpint(b->spec.belief_dim, ==, dt * o + dr + dt + o + dr + 1 + 1);
  for (int64_t i = 0; i < dt; i++)
    for (int64_t j = 0; j < o; j++)
      g_assert_cmpfloat_with_epsilon(belief[i * o + j], j < 2 ? q.mean[i * 2 + j] : 0, 1e-5);
  const float *rest = belief + dt * o + dr;
  for (int64_t i = 0; i < dt; i++)
    g_assert_cmpfloat_with_epsilon(rest[i], log(q.v[i * dt + i]), 1e-5);
  for (int64_t j = 0; j < o; j++)
    g_assert_cmpfloat_with_epsilon(rest[dt + j], j < 2 ? log(q.psi[j * 3] / q.nu) : 0, 1e-5);
  g_aligned_free(memory);

  q = batch_posterior(b, &g->reward, k.n, 1, k.cr, k.yr, &memory, &prior);
  hn_mnw_belief_mean(at + g->reward.posterior_at, mean),
      hn_mnw_belief_v(at + g->reward.posterior_at, v);
  assert_near(mean, q.mean, dr, 1e-9), assert_near(v, q.v, dr * dr, 1e-9);
  rest += dt + o;
  for (int64_t i = 0; i < dr; i++) {
    g_assert_cmpfloat_with_epsilon(belief[dt * o + i], q.mean[i], 1e-5);
    g_assert_cmpfloat_with_epsilon(rest[i], log(q.v[i * (dr + 1)]), 1e-5);
  }
  g_assert_cmpfloat_with_epsilon(rest[dr], log(q.psi[0] / q.nu), 1e-5);
  g_assert_cmpfloat_with_epsilon(rest[dr + 1], log(51), 1e-5);
  g_assert_cmpfloat_with_epsilon(info[glibrl_info_kl_reward], hn_mnw_kl(&q, &prior, work), 1e-4);
  kl += hn_mnw_kl(&q, &prior, work);
  g_assert_cmpfloat_with_epsilon(info[glibrl_info_kl], kl, 1e-4);
  g_assert_cmpfloat(kl, >, 10);
  g_assert_cmpfloat_with_epsilon(info[glibrl_info_believed_noise_stddev],
                                 g->scale.reward[1] * sqrt(q.psi[0] / (q.nu - 2)), 1e-5);
  g_aligned_free(work), g_aligned_free(memory);
  design_free(&k), beliefs_free(&s), fixture_free(b), experience_free(&data);
}

/* Scores are those of the densities of glibrl_algebra.h, in raw units. */
static void check_scores(GlibrlParams p) {
  Experience data = masses(30, 2, 40, 0, 5);
  Fixture *b = fixture_new(p, &data, 40);
  learn_all(b, &data);
  Beliefs s = infer_all(b, &data);
  Glibrl *g = b->g;
  Design k = design_of(b, &data, 1, data.steps);
  HnMnwPrior pt = glibrl_prior(g, &g->transition, k.live), pr = glibrl_prior(g, &g->reward, 1);
  for (int64_t n = 0; n < data.steps; n += 7) {
    const float *info = s.info + ((n + 1) * data.rows + 1) * glibrl_info_count;
    double error[4], logp = score_after(&pr, n, g->reward.d, 1, k.cr, k.yr, error);
    double stddev = g->scale.reward[1], l1 = 0;
    g_assert_cmpfloat_with_epsilon(info[glibrl_info_log_predictive], logp - log(stddev), 2e-5);
    g_assert_cmpfloat_with_epsilon(info[glibrl_info_reward_nll], log(stddev) - logp, 2e-5);
    g_assert_cmpfloat_with_epsilon(info[glibrl_info_reward_l1], stddev * fabs(error[0]), 2e-5);
    g_assert_cmpfloat_with_epsilon(info[glibrl_info_predicted_reward],
                                   (double)data.reward[n * data.rows + 1] - stddev * error[0],
                                   2e-5);
    logp = score_after(&pt, n, g->transition.d, k.live, k.ct, k.yt, error);
    for (int64_t j = 0, c = 0; j < data.obs_dim; j++)
      if (g->scale.live[j]) {
        l1 += g->scale.stddev[j] * fabs(error[c++]) / (double)k.live;
        logp -= log(g->scale.stddev[j]);
      }
    g_assert_cmpfloat_with_epsilon(info[glibrl_info_transition_nll], -logp / (double)k.live, 2e-5);
    g_assert_cmpfloat_with_epsilon(info[glibrl_info_transition_l1], l1, 2e-5);
  }
  /* a time step that begins a task has no step to score, but a posterior: the prior */
  g_assert_true(isnan(s.info[glibrl_info_reward_nll]) && isnan(s.info[glibrl_info_transition_l1]));
  g_assert_cmpfloat_with_epsilon(s.info[glibrl_info_kl_reward], 0, 1e-6);
  g_assert_cmpfloat_with_epsilon(s.info[glibrl_info_kl_transition], 0, 1e-6);
  design_free(&k), beliefs_free(&s), fixture_free(b), experience_free(&data);
}

static void test_scores(void) {
  variants(check_scores);
}

/* Noise does not move the means where the prior of the weights scales with it: the same features
 * predict the same. */
static void test_fixed_predicts_alike(void) {
  Experience data = masses(40, 2, 40, 0, 6);
  Beliefs seen[3];
  int64_t n = (data.steps + 1) * data.rows;
  for (int32_t noise = 0; noise < 3; noise++) {
    GlibrlParams p = small();
    p.noise = noise, p.updates = 0;
    Fixture *b = fixture_new(p, &data, 40);
    learn_all(b, &data);
    seen[noise] = infer_all(b, &data);
    fixture_free(b);
  }
  bool nll_moves = false, unscaled_moves = false;
  for (int64_t k = 2 * data.rows; k < n; k++) {
    const float *a = seen[0].info + k * glibrl_info_count,
                *b = seen[1].info + k * glibrl_info_count;
    if (isnan(a[glibrl_info_reward_l1])) continue;
    g_assert_cmpfloat_with_epsilon(a[glibrl_info_reward_l1], b[glibrl_info_reward_l1], 1e-6);
    g_assert_cmpfloat_with_epsilon(a[glibrl_info_transition_l1], b[glibrl_info_transition_l1],
                                   1e-6);
    nll_moves |= fabsf(a[glibrl_info_reward_nll] - b[glibrl_info_reward_nll]) > 0.01f;
    unscaled_moves |= fabsf(a[glibrl_info_reward_l1] -
                            seen[2].info[k * glibrl_info_count + glibrl_info_reward_l1]) > 0.001f;
  }
  g_assert_true(nll_moves && unscaled_moves);
  /* 4 + 1 noise features, all ln 0.1 but the last of the belief, which counts; dead columns: 0 */
  const float *last = seen[1].belief + seen[1].belief_bytes / sizeof(float) - 1;
  g_assert_cmpfloat_with_epsilon(last[-1], log(0.1), 1e-6);
  for (int j = 0; j < 4; j++)
    g_assert_cmpfloat_with_epsilon(last[-2 - 9 - j], j < 2 ? 0 : log(0.1), 1e-6);
  for (int i = 0; i < 3; i++) beliefs_free(&seen[i]);
  experience_free(&data);
}

/* ---- learning ---- */

/* Mean of an info column over all rows at ages from .. to of their only task. */
static double mean_info(const Beliefs *s, const Experience *data, int64_t column, int64_t from,
                        int64_t to) {
  double sum = 0;
  for (int64_t t = from; t < to; t++)
    for (int64_t i = 0; i < data->rows; i++)
      sum += (double)s->info[(t * data->rows + i) * glibrl_info_count + column];
  return sum / (double)((to - from) * data->rows);
}

typedef struct Outcome {
  double before, after, l1, kl[3], noise;
} Outcome;

/* Learns `rounds` updates on training tasks; held-out tasks are scored at 20 to 40 steps. */
static Outcome learn_sinusoids(int32_t noise, double variance, int64_t rounds) {
  Experience train = sinusoids(400, 20, 40, 11), test = sinusoids(40, 50, 41, 12);
  GlibrlParams p = params_of("");
  p.transition_features = 2, p.reward_features = 16, p.hidden_units = 32;
  p.noise = noise, p.noise_variance = variance, p.buffer = 250, p.updates = 0, p.start = 1;
  p.lr = 3e-3;
  Fixture *b = fixture_new(p, &train, 40);
  learn_all(b, &train);
  Beliefs s = infer_all(b, &test);
  Outcome out = {.before = mean_info(&s, &test, glibrl_info_reward_nll, 21, 41)};
  beliefs_free(&s);
  for (int64_t u = 0; u < rounds; u++) {
    g_assert_cmpint(glibrl_update(b->g, &b->rng), ==, HN_OK);
    fake_host_reset(&b->fake, (FakeMark){0});
  }
  s = infer_all(b, &test);
  out.after = mean_info(&s, &test, glibrl_info_reward_nll, 21, 41);
  out.l1 = mean_info(&s, &test, glibrl_info_reward_l1, 21, 41);
  for (int k = 0; k < 3; k++)
    out.kl[k] = mean_info(&s, &test, glibrl_info_kl_reward, 5 << k, (5 << k) + 1);
  beliefs_free(&s), fixture_free(b), experience_free(&train), experience_free(&test);
  return out;
}

static void test_learns(void) {
  const int64_t rounds = 400;
  Outcome inferred = learn_sinusoids(HN_MNW_INFERRED, 0.1, rounds);
  g_test_message("inferred: nll %.3f -> %.3f, l1 %.3f, kl %.2f %.2f %.2f", inferred.before,
                 inferred.after, inferred.l1, inferred.kl[0], inferred.kl[1], inferred.kl[2]);
  g_assert_cmpfloat(inferred.after, <, inferred.before - 0.5);
  g_assert_cmpfloat(inferred.kl[0], >, 1);
  g_assert_cmpfloat(inferred.kl[1], >, inferred.kl[0]);
  g_assert_cmpfloat(inferred.kl[2], >, inferred.kl[1]);
  static const double variance[] = {0.01, 0.1};
  for (int k = 0; k < 2; k++) {
    Outcome fixed = learn_sinusoids(HN_MNW_FIXED, variance[k], rounds);
    g_test_message("fixed %g: nll %.3f -> %.3f, l1 %.3f", variance[k], fixed.before, fixed.after,
                   fixed.l1);
    g_assert_cmpfloat(inferred.after, <, fixed.after - 0.3);
  }
}

/* ---- columns, replay, resume, threads, refusals ---- */

static void test_dead_columns(void) {
  Experience data = masses(60, 4, 30, 0, 9);
  GlibrlParams p = small();
  Fixture *b = fixture_new(p, &data, 30);
  const int32_t live[] = {1, 1, 0, 0}, all[] = {1, 1, 1, 1};
  g_assert_cmpmem(b->g->scale.live, sizeof all, all, sizeof all); /* before any data */
  HnHistory first = window(&data, 0, 17, 0, 4), second = window(&data, 17, 43, 0, 4);
  learn_window(b, &first);
  g_assert_cmpmem(b->g->scale.live, sizeof live, live, sizeof live);
  g_assert_cmpfloat(b->fake.metric[glibrl_metric_live_columns], ==, 2);
  learn_window(b, &second);
  /* moments of both windows against one pass over all steps */
  int64_t n = data.steps * data.rows;
  double mean[2] = {0}, square[3] = {0}, pay = 0, pay2 = 0, count = (double)n;
  for (int64_t k = 0; k < n; k++) {
    for (int j = 0; j < 2; j++)
      mean[j] += (double)(data.next[k * 4 + j] - data.obs[k * 4 + j]) / count;
    pay += (double)data.reward[k] / count;
  }
  for (int64_t k = 0; k < n; k++) {
    double d0 = (double)(data.next[k * 4] - data.obs[k * 4]) - mean[0];
    double d1 = (double)(data.next[k * 4 + 1] - data.obs[k * 4 + 1]) - mean[1];
    square[0] += d0 * d0, square[1] += d1 * d0, square[2] += d1 * d1;
    pay2 += ((double)data.reward[k] - pay) * ((double)data.reward[k] - pay) / count;
  }
  const Glibrl *g = b->g;
  assert_near(g->scale.mean, mean, 2, 1e-9);
  g_assert_cmpfloat_with_epsilon(g->scale.stddev[0], sqrt(square[0] / count), 1e-9);
  g_assert_cmpfloat_with_epsilon(g->scale.stddev[1], sqrt(square[2] / count), 1e-9);
  g_assert_cmpfloat_with_epsilon(g->comoment[4], square[1], 1e-9);
  g_assert_cmpfloat_with_epsilon(g->scale.reward[1], sqrt(pay2), 1e-9);
  g_assert_cmpfloat(g->scale.reward[0], ==, 0);
  fixture_free(b);
  p.target_columns = GLIBRL_COLUMNS_ALL, p.reward_scaling = GLIBRL_REWARD_STANDARD;
  b = fixture_new(p, &data, 30);
  learn_all(b, &data);
  g_assert_cmpmem(b->g->scale.live, sizeof all, all, sizeof all);
  g_assert_cmpfloat_with_epsilon(b->g->scale.reward[0], pay, 1e-9);
  g_assert_cmpfloat_with_epsilon(b->g->scale.reward[1], sqrt(pay2), 1e-9);
  fixture_free(b);
  p.reward_scaling = GLIBRL_REWARD_RAW;
  b = fixture_new(p, &data, 30);
  learn_all(b, &data);
  g_assert_true(b->g->scale.reward[0] == 0 && b->g->scale.reward[1] == 1);
  fixture_free(b), experience_free(&data);

  /* nothing moves: only the reward is modelled */
  data = sinusoids(80, 4, 40, 13);
  b = fixture_new(small(), &data, 40);
  learn_all(b, &data);
  g_assert_cmpint(glibrl_live_columns(b->g), ==, 0);
  Beliefs s = infer_all(b, &data);
  for (int64_t k = 0; k < (int64_t)(s.belief_bytes / sizeof(float)); k++)
    g_assert_true(isfinite(s.belief[k]));
  beliefs_free(&s), fixture_free(b), experience_free(&data);
}

/* Overwriting the kept arrays of a fresh instance, as a resumed run does, continues bit by bit. */
static void test_resume(void) {
  Experience data = masses(90, 4, 20, 3, 15);
  Fixture *a = fixture_new(small(), &data, 20), *b = fixture_new(small(), &data, 20);
  HnHistory first = window(&data, 0, 45, 0, 4), second = window(&data, 45, 45, 0, 4);
  learn_window(a, &first);
  for (int64_t k = 0; k < a->fake.array_count; k++) {
    const FakeArray *from = &a->fake.array[k];
    FakeArray *to = &b->fake.array[k];
    static const size_t size[] = {0, 4, 8, 4, 8, 1};
    g_assert_cmpstr(from->spec.name, ==, to->spec.name);
    int64_t count = from->count;
    if (from->spec.used) {
      *to->spec.used = *from->spec.used;
      count = count / from->spec.dim[0] * *from->spec.used;
    }
    memcpy(to->data, from->data, (size_t)count * size[from->spec.type]);
  }
  b->rng = a->rng;
  Beliefs sa = infer_all(a, &data), sb = infer_all(b, &data);
  assert_same(&sa, &sb), beliefs_free(&sa), beliefs_free(&sb);
  learn_window(a, &second), learn_window(b, &second);
  sa = infer_all(a, &data), sb = infer_all(b, &data);
  assert_same(&sa, &sb), beliefs_free(&sa), beliefs_free(&sb);
  for (int64_t k = 0; k < a->g->store.count; k++) {
    const HnTensor *s = &a->g->store.tensor[k], *t = &b->g->store.tensor[k];
    size_t bytes = (size_t)(s->rows * s->cols) * sizeof(float);
    g_assert_cmpmem(s->data, bytes, t->data, bytes);
  }
  fixture_free(a), fixture_free(b), experience_free(&data);
}

/* Two threads take turns at the tasks, each with a scratch arena of its own. */
static _Thread_local FakeHost *own_arena;
typedef struct Half {
  HnTask *task;
  void *arg;
  int64_t count, first;
} Half;

static void *own_scratch(const HnHost *host, int64_t count, size_t size) {
  return fake_scratch(own_arena ? &own_arena->host : host, count, size);
}

static gpointer work_alone(gpointer data) {
  const Half *c = data;
  FakeHost *arena = g_new0(FakeHost, 1);
  fake_host_open(arena);
  own_arena = arena;
  for (int64_t i = c->count - 1 - c->first; i >= 0; i -= 2)
    g_assert_cmpint(c->task(c->arg, i), ==, HN_OK);
  own_arena = NULL;
  fake_host_close(arena), g_free(arena);
  return NULL;
}

static HnStatus two_threads(const HnHost *host, int64_t count, HnTask *task, void *arg) {
  (void)host;
  Half half[] = {{task, arg, count, 0}, {task, arg, count, 1}};
  GThread *other = g_thread_new("other", work_alone, &half[1]);
  work_alone(&half[0]);
  g_thread_join(other);
  return HN_OK;
}

static void test_threads(void) {
  Experience data = masses(80, 4, 20, 0, 16);
  Fixture *a = fixture_new(small(), &data, 20), *b = fixture_new(small(), &data, 20);
  b->fake.host.parallel = two_threads, b->fake.host.scratch = own_scratch;
  learn_all(a, &data), learn_all(b, &data);
  Beliefs sa = infer_all(a, &data), sb = infer_all(b, &data);
  assert_same(&sa, &sb);
  beliefs_free(&sa), beliefs_free(&sb), fixture_free(a), fixture_free(b), experience_free(&data);
}

static void test_refusals(void) {
  Experience data = masses(30, 2, 30, 0, 17);
  Fixture *b = fixture_new(small(), &data, 20); /* a task lives 20 steps, says the host */
  HnHistory h = window(&data, 0, 30, 0, 2);
  const HnHistory *phase[] = {&h};
  HnTrainBatch lesson = {.struct_size = sizeof lesson, .rng = &b->rng, .phases = 1, .phase = phase};
  g_assert_cmpint(glibrl_learn(b->g, &lesson), ==, HN_E_SHAPE);
  Beliefs s = beliefs_new(b, &data);
  data.reward[3] = NAN;
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h, .belief = s.belief, .state = s.state};
  g_assert_cmpint(glibrl_infer(b->g, &q), ==, HN_E_NUMERIC);
  g_assert_nonnull(strstr(b->fake.error, "row 1, time step 2"));
  beliefs_free(&s), fixture_free(b);

  GlibrlParams p = small();
  p.start = p.buffer + 1;
  FakeHost fake;
  Glibrl g = {0};
  HnRng rng = hn_rng(1, 1);
  HnBeliefSpec spec = {.struct_size = sizeof spec,
                       .obs_dim = 4,
                       .action_dim = 2,
                       .lifetime = 20,
                       .rows = 2,
                       .rng = &rng};
  g_assert_cmpint(glibrl_create(&g, fake_host_open(&fake), &p, &spec), ==, HN_E_PARAM);
  fake_host_close(&fake), experience_free(&data);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/glibrl/windows", test_windows);
  g_test_add_func("/glibrl/info_is_free", test_info_is_free);
  g_test_add_func("/glibrl/order", test_order);
  g_test_add_func("/glibrl/posterior", test_posterior);
  g_test_add_func("/glibrl/scores", test_scores);
  g_test_add_func("/glibrl/fixed_predicts_alike", test_fixed_predicts_alike);
  g_test_add_func("/glibrl/learns", test_learns);
  g_test_add_func("/glibrl/dead_columns", test_dead_columns);
  g_test_add_func("/glibrl/resume", test_resume);
  g_test_add_func("/glibrl/threads", test_threads);
  g_test_add_func("/glibrl/refusals", test_refusals);
  return g_test_run();
}
