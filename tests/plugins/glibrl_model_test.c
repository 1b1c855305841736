/* glibrl_model_test.c - GLiBRL's features and their gradient against networks and densities written
 * out here and central differences. */
#include "../../plugins/inference/glibrl/evidence.h"
#include "../../plugins/inference/glibrl/learn.h"
#include "../../plugins/inference/glibrl/posterior.h"
#include "../../plugins/inference/glibrl/worth.h"
#include "glibrl_algebra.h"

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
  double *c = g_new0(double, s->n *d), loss = 0, error[4], penalty = 0;
  for (int64_t t = 0; t < s->n; t++) {
    network(k, s->x + t * b->g->reward.inputs, hook, by, c + t * d);
    for (int64_t j = 0; j < k->learnt; j++) {
      c[t * d + j] *= p->feature_scaling ? 1 / sqrt((double)d) : 1;
      penalty += k->regulariser * c[t * d + j] * c[t * d + j];
    }
    if (p->feature_constant) c[t * d + d - 1] = 1;
  }
  HnMnwPrior prior = glibrl_prior(b->g, k, m);
  if (hook == k->prior->data) prior.xi *= exp(by);
  if (hook == k->prior->data + 1) prior.psi *= exp(by);
  for (int64_t t = 0; t < s->n; t++) loss -= score_after(&prior, t, d, m, c, y, error);
  g_free(c);
  return loss / (double)s->n + penalty / (p->regulariser_per_step ? (double)s->n : 1);
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
  g->transition.prior->data[0] = 100, g->reward.prior->data[1] = -100;
  glibrl_confine_prior(&g->transition), glibrl_confine_prior(&g->reward);
  g_assert_cmpfloat_with_epsilon(exp((double)g->transition.prior->data[0]), 1e6, 1);
  g_assert_cmpfloat_with_epsilon(exp((double)g->reward.prior->data[1]), 1e-6, 1e-9);
  design_free(&k), fixture_free(b), experience_free(&data);
}

/* ---- what features are worth ---- */

/* c [n, d] = H diag(s) (I - 2 u u' / u'u), H the leading columns of Sylvester's Hadamard matrix:
 * C'C has the eigenvalues n s^2, whatever u is, and every row the leverage sum of s^2 / (xi + n
 * s^2). */
static float *rotated(int64_t n, int64_t d, const double *s, HnRng *rng) {
  float *c = g_new(float, n *d);
  double *u = g_new(double, d), norm2 = 0;
  for (int64_t j = 0; j < d; j++) u[j] = hn_rng_normal(rng), norm2 += u[j] * u[j];
  for (int64_t i = 0; i < n; i++) {
    double along = 0;
    for (int64_t j = 0; j < d; j++)
      along += (__builtin_popcountll((uint64_t)(i & j)) % 2 ? -s[j] : s[j]) * u[j];
    for (int64_t j = 0; j < d; j++)
      c[i * d + j] = (float)((__builtin_popcountll((uint64_t)(i & j)) % 2 ? -s[j] : s[j]) -
                             2 * along * u[j] / norm2);
  }
  g_free(u);
  return c;
}

static void test_features(void) {
  FakeHost fake;
  const HnHost *host = fake_host_open(&fake);
  HnRng rng = hn_rng(3, 3);
  /* probabilities 1/2, 1/4, 1/8, 1/8: 1.75 bits */
  const double s[] = {2, sqrt(2), 1, 1};
  g_autofree float *c = rotated(8, 4, s, &rng);
  g_assert_cmpfloat_with_epsilon(glibrl_effective_rank(host, 8, 4, c), pow(2, 1.75), 1e-6);
  g_assert_cmpfloat_with_epsilon(glibrl_largest_leverage(host, 8, 4, c, 8),
                                 4 / 40. + 2 / 24. + 2 / 16., 1e-6);
  double many[64], trace = 0, entropy = 0, leverage = 0;
  for (int j = 0; j < 64; j++) many[j] = pow(0.9, j), trace += many[j] * many[j];
  for (int j = 0; j < 64; j++) {
    const double square = many[j] * many[j];
    entropy -= square / trace * log(square / trace), leverage += square / (0.1 + 128 * square);
  }
  g_autofree float *wide = rotated(128, 64, many, &rng);
  g_assert_cmpfloat_with_epsilon(glibrl_effective_rank(host, 128, 64, wide), exp(entropy), 1e-4);
  g_assert_cmpfloat_with_epsilon(glibrl_largest_leverage(host, 128, 64, wide, 0.1), leverage, 1e-5);
  /* one direction; none; two features of one step each, one of five alike */
  const float same[] = {1, 2, 1, 2, 1, 2}, none[6] = {0},
              alone[] = {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 3};
  g_assert_cmpfloat_with_epsilon(glibrl_effective_rank(host, 3, 2, same), 1, 1e-5);
  g_assert_cmpfloat(glibrl_participation(host, 3, 2, same), ==, 0);
  g_assert_cmpfloat(glibrl_effective_rank(host, 3, 2, none), ==, 0);
  g_assert_cmpfloat_with_epsilon(glibrl_largest_leverage(host, 6, 2, alone, 1), 0.9, 1e-12);
  g_assert_cmpfloat_with_epsilon(glibrl_largest_leverage(host, 5, 2, alone, 1), 1 / 6., 1e-12);
  /* of three learnt features the second is constant, the third varies by 0.5 %, then by 2 % */
  float dead[] = {1, 0.7f, 0.205f, 1, -1, 0.7f, 0.195f, 1};
  g_assert_cmpfloat_with_epsilon(glibrl_dead_share(host, 2, 4, 3, dead), 2 / 3., 1e-12);
  dead[2] = 0.22f, dead[6] = 0.18f;
  g_assert_cmpfloat_with_epsilon(glibrl_dead_share(host, 2, 4, 3, dead), 1 / 3., 1e-12);
  fake_host_close(&fake);
}

/* The reported ones are of the networks' features of one trial, written out in float64. */
static void test_reported_features(gconstpointer noise) {
  Experience data = masses(12, 1, 12, 0, 21);
  data.begin[12] = HN_NEW_TASK;
  GlibrlParams p = small();
  p.batch = 1, p.start = 1, p.updates = 0, p.noise = GPOINTER_TO_INT(noise);
  Fixture *b = fixture_new(p, &data, 12);
  learn_all(b, &data);
  Design k = design_of(b, &data, 0, 12);
  const HnHost *host = &b->fake.host;
  const double *metric = b->fake.metric;
  glibrl_report_features(b->g);
  float cr[12 * 9], ct[12 * 6];
  for (int i = 0; i < 12 * 9; i++) cr[i] = (float)k.cr[i];
  for (int i = 0; i < 12 * 6; i++) ct[i] = (float)k.ct[i];
  const double xi = noise ? 0.1 : 1; /* fixed_unscaled: noise_variance times as much */
  const struct {
    int metric;
    double value;
  } expected[] = {
      {glibrl_metric_rank_reward, glibrl_participation(host, 12, 9, cr)},
      {glibrl_metric_rank_transition, glibrl_participation(host, 12, 6, ct)},
      {glibrl_metric_effective_rank_reward, glibrl_effective_rank(host, 12, 9, cr)},
      {glibrl_metric_effective_rank_transition, glibrl_effective_rank(host, 12, 6, ct)},
      {glibrl_metric_dead_reward, 0},
      {glibrl_metric_dead_transition, 0},
      {glibrl_metric_leverage_max_reward, glibrl_largest_leverage(host, 12, 9, cr, xi)},
      {glibrl_metric_leverage_max_transition, glibrl_largest_leverage(host, 12, 6, ct, xi)}};
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
    g_assert_cmpfloat_with_epsilon(metric[expected[i].metric], expected[i].value, 2e-4);
  g_assert_cmpfloat(metric[glibrl_metric_rank_reward], >, 1);
  g_assert_cmpfloat(metric[glibrl_metric_leverage_max_reward], >, 0.1);
  design_free(&k), fixture_free(b), experience_free(&data);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/glibrl/gradient", test_gradient);
  g_test_add_func("/glibrl/gradient of a long trial", test_gradient_of_a_long_trial);
  g_test_add_func("/glibrl/inputs", test_inputs);
  g_test_add_func("/glibrl/full_belief", test_full_belief);
  g_test_add_func("/glibrl/discrete", test_discrete);
  g_test_add_func("/glibrl/report", test_report);
  g_test_add_func("/glibrl/features", test_features);
  g_test_add_data_func("/glibrl/reported features/inferred", GINT_TO_POINTER(0),
                       test_reported_features);
  g_test_add_data_func("/glibrl/reported features/fixed_unscaled", GINT_TO_POINTER(2),
                       test_reported_features);
  return g_test_run();
}
