/* glibrl_test.c - GLiBRL against batch posteriors, densities written out here, central differences,
 * and the promises of the ABI. */
#include "../../plugins/inference/glibrl/evidence.h"
#include "../../plugins/inference/glibrl/learn.h"
#include "../../plugins/inference/glibrl/posterior.h"
#include "glibrl_algebra.h"
#include "window_law.h"

/* ---- the ABI's promises ---- */

static void variants(void (*test)(GlibrlParams p)) {
  for (int32_t noise = 0; noise < 3; noise++)
    for (int32_t belief = 0; belief < 5; belief++) {
      GlibrlParams p = small();
      p.noise = noise, p.view = belief, p.belief_of = (noise + belief) % 3;
      p.transition_target = belief == 1, p.next_input = noise, p.feature_scaling = noise == 1;
      p.feature_constant = belief != 2, p.reward_scaling = noise, p.normalise_targets = belief != 0;
      p.normalise_inputs = noise != 2;
      test(p);
    }
}

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
  g_assert_cmpfloat_with_epsilon(info[glibrl_info_kl_transition], hn_mnw_kl(&q, &prior, work),
                                 1e-4);
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

/* ---- the gradient ---- */

/* Network output in float64 from the kept weights; x [inputs], out [learnt].  NULL hook: as kept;
 * else element `hook` counts as moved by `by`. */
static void network(const GlibrlModel *k, const float *x, const float *hook, double by,
                    double *out) {
  double a[512], z[512];
  for (int64_t i = 0; i < k->inputs; i++) a[i] = (double)x[i];
  for (int64_t l = 0; l < k->net.layers; l++) {
    const HnTensor *w = k->net.w[l], *bias = k->net.b[l];
    for (int64_t j = 0; j < w->cols; j++) {
      z[j] = (double)bias->data[j] + (bias->data + j == hook ? by : 0);
      for (int64_t i = 0; i < w->rows; i++) {
        const float *e = w->data + i * w->cols + j;
        z[j] += a[i] * ((double)*e + (e == hook ? by : 0));
      }
    }
    bool last = l + 1 == k->net.layers;
    for (int64_t j = 0; j < w->cols; j++)
      a[j] = (last ? k->net.output : k->net.hidden) == HN_TANH ? tanh(z[j]) : z[j];
  }
  memcpy(out, a, (size_t)k->learnt * sizeof *out);
}

/* The evidence from the chain rule of one-step predictives, all written out here. */
static double model_loss(const Fixture *b, const GlibrlModel *k, const Design *s, int64_t m,
                         const double *y, const float *hook, double by) {
  const GlibrlParams *p = &b->params;
  int64_t d = k->d;
  double *c = g_new0(double, s->n *d), loss = 0, error[4], lambda = k->regulariser;
  for (int64_t t = 0; t < s->n; t++) {
    network(k, s->x + t * b->g->reward.inputs, hook, by, c + t * d);
    for (int64_t j = 0; j < k->learnt; j++) {
      c[t * d + j] *= p->feature_scaling ? 1 / sqrt((double)d) : 1;
      loss += lambda * c[t * d + j] * c[t * d + j];
    }
    if (p->feature_constant) c[t * d + d - 1] = 1;
  }
  HnMnwPrior prior = glibrl_prior(b->g, k, m);
  if (hook == k->prior->data) prior.xi *= exp(by);
  if (hook == k->prior->data + 1) prior.psi *= exp(by);
  for (int64_t t = 0; t < s->n; t++) loss -= score_after(&prior, t, d, m, c, y, error);
  g_free(c);
  return loss / (double)s->n;
}

/* Of a trial of so many steps. */
static void check_gradient_of(GlibrlParams p, int64_t steps) {
  Experience data = masses(steps, 1, steps, 0, 8);
  p.batch = 1, p.start = 1, p.updates = 0;
  p.transition_regulariser = 0.5, p.reward_regulariser = 0.3; /* large enough to be seen */
  data.begin[steps] = HN_NEW_TASK;
  Fixture *b = fixture_new(p, &data, steps);
  Glibrl *g = b->g;
  learn_all(b, &data);
  GlibrlBatch batch = {.g = g, .steps = steps};
  g->slot[0] = g->replay.finished[0];
  g_assert_cmpint(glibrl_train_trial(&batch, 0), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  Design k = design_of(b, &data, 0, steps);
  const double h = 1e-4;
  double worst = 0, scale = sqrt(hn_vec_norm2(g->store.size, g->flat));
  HnRng rng = hn_rng(3, 3);
  for (int64_t i = 0; i < g->store.count; i++) {
    const HnTensor *w = &g->store.tensor[i];
    bool reward = g_str_has_prefix(w->name, "reward");
    const GlibrlModel *model = reward ? &g->reward : &g->transition;
    int64_t m = reward ? 1 : k.live;
    const double *y = reward ? k.yr : k.yt;
    for (int n = 0; n < (steps > GLIBRL_TAPE_ROWS ? 2 : 6); n++) {
      int64_t e = w == model->prior ? n % 2 : hn_rng_below(&rng, w->rows * w->cols);
      double d = (model_loss(b, model, &k, m, y, w->data + e, h) -
                  model_loss(b, model, &k, m, y, w->data + e, -h)) /
                 (2 * h);
      worst = fmax(worst, fabs(d - (double)g->flat[w->offset + e]) / scale);
    }
  }
  g_test_message("worst error of an element %.2g of the gradient's norm %.3g", worst, scale);
  g_assert_cmpfloat(worst, <, 1e-6);
  design_free(&k), fixture_free(b), experience_free(&data);
}

static void check_gradient(GlibrlParams p) {
  check_gradient_of(p, 12);
}

static void test_gradient(void) {
  variants(check_gradient);
}

/* Its activations do not fit one stretch. */
static void test_gradient_of_a_long_trial(void) {
  check_gradient_of(small(), GLIBRL_TAPE_ROWS + 9);
}

/* Inputs and features against the formulas: [s, a, s', s' - s], each standardised. */
static void test_inputs(void) {
  Experience data = masses(40, 3, 40, 0, 18);
  Fixture *b = fixture_new(small(), &data, 40);
  learn_all(b, &data);
  Design k = design_of(b, &data, 2, data.steps);
  int64_t n = data.steps * data.rows, width = b->g->reward.inputs;
  g_assert_cmpint(width, ==, 4 + 2 + 4 + 4);
  for (int64_t j = 0; j < 4; j++) {
    double mean[2] = {0}, square[2] = {0}, count = (double)n;
    for (int64_t i = 0; i < n; i++) {
      double s = (double)data.obs[i * 4 + j],
             d = (double)(data.next[i * 4 + j] - data.obs[i * 4 + j]);
      mean[0] += s / count, mean[1] += d / count;
      square[0] += s * s / count, square[1] += d * d / count;
    }
    double stddev[2];
    for (int i = 0; i < 2; i++) stddev[i] = sqrt(square[i] - mean[i] * mean[i] + 1e-8);
    for (int64_t t = 0; t < data.steps; t++) {
      const float *x = k.x + t * width, *s = data.obs + (t * 3 + 2) * 4,
                  *e = data.next + (t * 3 + 2) * 4;
      g_assert_cmpfloat_with_epsilon(x[j], ((double)s[j] - mean[0]) / stddev[0], 1e-4);
      g_assert_cmpfloat_with_epsilon(x[6 + j], ((double)e[j] - mean[0]) / stddev[0], 1e-4);
      g_assert_cmpfloat_with_epsilon(x[10 + j], ((double)(e[j] - s[j]) - mean[1]) / stddev[1],
                                     1e-4);
      if (j < 2) g_assert_true(x[4 + j] == data.action[(t * 3 + 2) * 2 + j]);
    }
  }
  for (int64_t t = 0; t < data.steps; t++) {
    double phi[16];
    network(&b->g->reward, k.x + t * width, NULL, 0, phi);
    for (int64_t j = 0; j < 8; j++) g_assert_cmpfloat_with_epsilon(k.cr[t * 9 + j], phi[j], 1e-5);
    g_assert_cmpfloat(k.cr[t * 9 + 8], ==, 1);
    network(&b->g->transition, k.x + t * width, NULL, 0, phi);
    for (int64_t j = 0; j < 5; j++) g_assert_cmpfloat_with_epsilon(k.ct[t * 6 + j], phi[j], 1e-5);
  }
  design_free(&k), fixture_free(b), experience_free(&data);
}

/* The full belief: packed triangles, with zeros where columns are not predicted. */
static void test_full_belief(void) {
  Experience data = masses(25, 1, 40, 0, 19);
  GlibrlParams p = small();
  p.view = GLIBRL_VIEW_FULL, p.belief_of = GLIBRL_OF_TRANSITION, p.transition_features = 3;
  Fixture *b = fixture_new(p, &data, 40);
  learn_all(b, &data);
  b->g->scale.live[0] = 0, b->g->scale.live[3] = 1; /* live columns 1 and 3 */
  Beliefs s = infer_all(b, &data);
  Design k = design_of(b, &data, 0, data.steps);
  void *memory;
  HnMnw prior, q = batch_posterior(b, &b->g->transition, k.n, 2, k.ct, k.yt, &memory, &prior);
  const float *belief = s.belief + data.steps * b->spec.belief_dim;
  const double v[] = {q.v[0], q.v[3], q.v[4], q.v[6], q.v[7], q.v[8]}, n = q.nu;
  const double psi[] = {0, 0, q.psi[0] / n, 0, 0, 0, 0, q.psi[1] / n, 0, q.psi[3] / n};
  g_assert_cmpint(b->spec.belief_dim, ==, 12 + 6 + 10 + 1);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 4; j++)
      g_assert_cmpfloat_with_epsilon(belief[i * 4 + j], j % 2 ? q.mean[i * 2 + j / 2] : 0, 1e-5);
  for (int i = 0; i < 6; i++) g_assert_cmpfloat_with_epsilon(belief[12 + i], v[i], 1e-5);
  for (int i = 0; i < 10; i++) g_assert_cmpfloat_with_epsilon(belief[18 + i], psi[i], 1e-5);
  g_assert_cmpfloat_with_epsilon(belief[28], log(26), 1e-5);
  g_aligned_free(memory), design_free(&k), beliefs_free(&s), fixture_free(b),
      experience_free(&data);
}

/* A discrete action reaches the features as one-hot, when acting and in the replay. */
static void test_discrete(void) {
  Experience data = masses(20, 2, 20, 0, 20);
  int32_t *action_index = g_new(int32_t, 21 * 2);
  Beliefs seen[2];
  for (int64_t k = 0; k < 21 * 2; k++) {
    action_index[k] = (int32_t)(k * 7 % 3 % 2);
    data.action[k * 2] = action_index[k] == 0, data.action[k * 2 + 1] = action_index[k] == 1;
  }
  for (int discrete = 0; discrete < 2; discrete++) {
    Fixture *b = fixture_new(small(), &data, 20);
    HnHistory h = window(&data, 0, 20, 0, 2);
    b->g->discrete = b->g->replay.shape.discrete = discrete;
    if (discrete)
      h.action = h.obs, h.action_index = action_index; /* the host's window has both arrays */
    learn_window(b, &h);
    seen[discrete] = beliefs_new(b, &data);
    HnBeliefUpdate q = {.struct_size = sizeof q,
                        .history = &h,
                        .belief = seen[discrete].belief,
                        .state = seen[discrete].state};
    g_assert_cmpint(glibrl_infer(b->g, &q), ==, HN_OK);
    fixture_free(b);
  }
  assert_same(&seen[0], &seen[1]);
  g_assert_cmpfloat(fabs((double)seen[0].belief[38 * 54]), >, 0); /* 54 features, time step 19 */
  beliefs_free(&seen[0]), beliefs_free(&seen[1]), g_free(action_index), experience_free(&data);
}

/* What learn reports of one trial, against sums written out here; and the bounds of the prior. */
static void test_report(void) {
  Experience data = masses(12, 1, 12, 0, 21);
  data.begin[12] = HN_NEW_TASK;
  GlibrlParams p = small();
  p.batch = 1, p.start = 1, p.updates = 0, p.transition_regulariser = p.reward_regulariser = 0;
  Fixture *b = fixture_new(p, &data, 12);
  learn_all(b, &data);
  Design k = design_of(b, &data, 0, 12);
  Glibrl *g = b->g;
  double reward = -model_loss(b, &g->reward, &k, 1, k.yr, NULL, 0), square = 0;
  double transition = -model_loss(b, &g->transition, &k, k.live, k.yt, NULL, 0);
  for (int64_t i = 0; i < 12 * 9; i++) square += i % 9 < 8 ? k.cr[i] * k.cr[i] / 12 : 0;
  g_assert_cmpint(glibrl_update(g, &b->rng), ==, HN_OK);
  const double *metric = b->fake.metric;
  g_assert_cmpfloat_with_epsilon(metric[glibrl_metric_evidence_reward], reward, 1e-5);
  g_assert_cmpfloat_with_epsilon(metric[glibrl_metric_evidence_transition], transition, 1e-5);
  g_assert_cmpfloat_with_epsilon(metric[glibrl_metric_feature_norm_reward], sqrt(square), 1e-5);
  g_assert_cmpfloat(metric[glibrl_metric_trials], ==, 1);
  /* the ratio is 1 where all features move together, and at most D - 1 */
  glibrl_report_ranks(g);
  g_assert_cmpfloat(metric[glibrl_metric_rank_reward], >=, 1);
  g_assert_cmpfloat(metric[glibrl_metric_rank_reward], <=, 8);
  g->transition.prior->data[0] = 100, g->reward.prior->data[1] = -100;
  glibrl_confine_prior(&g->transition), glibrl_confine_prior(&g->reward);
  g_assert_cmpfloat_with_epsilon(exp((double)g->transition.prior->data[0]), 1e6, 1);
  g_assert_cmpfloat_with_epsilon(exp((double)g->reward.prior->data[1]), 1e-6, 1e-9);
  design_free(&k), fixture_free(b), experience_free(&data);
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
  p.target_columns = GLIBRL_COLUMNS_ALL;
  b = fixture_new(p, &data, 30);
  learn_all(b, &data);
  g_assert_cmpmem(b->g->scale.live, sizeof all, all, sizeof all);
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
  g_test_add_func("/glibrl/posterior", test_posterior);
  g_test_add_func("/glibrl/scores", test_scores);
  g_test_add_func("/glibrl/fixed_predicts_alike", test_fixed_predicts_alike);
  g_test_add_func("/glibrl/gradient", test_gradient);
  g_test_add_func("/glibrl/gradient of a long trial", test_gradient_of_a_long_trial);
  g_test_add_func("/glibrl/inputs", test_inputs);
  g_test_add_func("/glibrl/full_belief", test_full_belief);
  g_test_add_func("/glibrl/discrete", test_discrete);
  g_test_add_func("/glibrl/report", test_report);
  g_test_add_func("/glibrl/learns", test_learns);
  g_test_add_func("/glibrl/dead_columns", test_dead_columns);
  g_test_add_func("/glibrl/resume", test_resume);
  g_test_add_func("/glibrl/threads", test_threads);
  g_test_add_func("/glibrl/refusals", test_refusals);
  return g_test_run();
}
