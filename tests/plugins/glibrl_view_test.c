/* glibrl_view_test.c - GLiBRL's views whitened and predictions against batch posteriors, their
 * invariance, where anchors lie, and the parameters that keep features still. */
#include "../../plugins/inference/glibrl/anchors.h"
#include "../../plugins/inference/glibrl/learn.h"
#include "../../plugins/inference/glibrl/posterior.h"
#include "../../plugins/inference/glibrl/whitening.h"
#include "glibrl_algebra.h"

#define SMALL                                                                          \
  "transition_features: 6, reward_features: 9, hidden_units: 16, batch: 4, start: 2, " \
  "buffer: 20, updates: 3, anchors: 5, "

/* The posterior of a row's first n steps; free *memory. */
static HnMnw posterior_of(Fixture *b, const GlibrlModel *k, const Design *of, int64_t n,
                          void **memory) {
  HnMnw prior;
  const bool reward = k == &b->g->reward;
  return batch_posterior(b, k, n, reward ? 1 : of->live, reward ? of->cr : of->ct,
                         reward ? of->yr : of->yt, memory, &prior);
}

/* E[Sigma_jj] of q (known noise: its variance). */
static double noise_of(const Fixture *b, const HnMnw *q, int64_t j) {
  if (b->params.noise) return b->params.noise_variance;
  return q->psi[j * (q->m + 1)] / (q->nu - (double)q->m - 1);
}

/* ---- predictions ---- */

/* One model's part of a belief: means [anchors, whole] of columns `live`, then, at `rest`, log
 * standard deviations in two terms. */
static void check_predictions_of(Fixture *b, const GlibrlModel *k, const HnMnw *q, int64_t whole,
                                 const int32_t *live, const float *means, const float *rest) {
  const int64_t anchors = b->params.anchors;
  const float *c32 = glibrl_step_features(b->g, k, anchors, b->g->anchor);
  for (int64_t i = 0; i < anchors; i++) {
    double c[16], mean[4];
    for (int64_t j = 0; j < k->d; j++) c[j] = (double)c32[i * k->d + j];
    const double s = hn_mnw_predictive(q, c, mean);
    for (int64_t j = 0, to = 0; j < whole; j++) {
      const double stddev = exp((double)rest[i] + (double)rest[anchors + j]);
      if (live[j]) {
        g_assert_cmpfloat_with_epsilon(means[i * whole + j], mean[to], 1e-5);
        near_to(stddev, sqrt(s * noise_of(b, q, to)), 1e-5), to++;
      } else
        g_assert_true(means[i * whole + j] == 0 && rest[anchors + j] == 0);
    }
  }
  fake_host_reset(&b->fake, (FakeMark){0});
}

/* Means and variances are those of the batch posterior, from the prior on. */
static void test_predictions(void) {
  for (int32_t noise = 0; noise < 3; noise++) {
    Experience data = masses(90, 3, 60, 0, 4);
    GlibrlParams p = params_of(SMALL "view: predictions");
    p.noise = noise;
    Fixture *b = fixture_new(p, &data, 60);
    learn_all(b, &data);
    Beliefs s = infer_all(b, &data);
    const Glibrl *g = b->g;
    const int64_t row = 1, N = 59, o = data.obs_dim, K = p.anchors;
    Design k = design_of(b, &data, row, N);
    g_assert_cmpint(k.live, ==, 2);
    g_assert_cmpint(b->spec.belief_dim, ==, K * o + K + K + o + K + 1 + 1);
    for (int64_t n = 0; n <= N; n += n < 3 ? 1 : 14) {
      const float *belief = s.belief + (n * data.rows + row) * b->spec.belief_dim;
      const float *rest = belief + K * o + K;
      const int32_t one = 1;
      void *memory;
      HnMnw q = posterior_of(b, &g->transition, &k, n, &memory);
      check_predictions_of(b, &g->transition, &q, o, g->scale.live, belief, rest);
      g_aligned_free(memory);
      q = posterior_of(b, &g->reward, &k, n, &memory);
      check_predictions_of(b, &g->reward, &q, 1, &one, belief + K * o, rest + K + o);
      g_aligned_free(memory);
      g_assert_cmpfloat_with_epsilon(rest[K + o + K + 1], log(1 + (double)n), 1e-6);
    }
    design_free(&k), beliefs_free(&s), fixture_free(b), experience_free(&data);
  }
}

/* In place of a log standard deviation for each anchor their mean, by the batch posterior. */
static void test_mean_stddev(void) {
  Experience data = masses(90, 3, 60, 0, 4);
  Fixture *b = fixture_new(
      params_of(SMALL "view: predictions, belief_of: reward, anchor_stddev: mean"), &data, 60);
  learn_all(b, &data);
  Beliefs s = infer_all(b, &data);
  const int64_t row = 2, n = 40, K = b->params.anchors;
  const GlibrlModel *k = &b->g->reward;
  g_assert_cmpint(b->spec.belief_dim, ==, K + 1 + 1 + 1);
  const float *belief = s.belief + (n * data.rows + row) * b->spec.belief_dim;
  Design of = design_of(b, &data, row, n);
  void *memory;
  HnMnw q = posterior_of(b, k, &of, n, &memory);
  const float *c32 = glibrl_step_features(b->g, k, K, b->g->anchor);
  double logs = 0;
  for (int64_t i = 0; i < K; i++) {
    double c[16], mean;
    for (int64_t j = 0; j < k->d; j++) c[j] = (double)c32[i * k->d + j];
    logs += log(hn_mnw_predictive(&q, c, &mean)) / 2;
    g_assert_cmpfloat_with_epsilon(belief[i], mean, 1e-5);
  }
  g_assert_cmpfloat_with_epsilon(belief[K], logs / (double)K, 1e-5);
  g_assert_cmpfloat_with_epsilon(belief[K + 1], log(noise_of(b, &q, 0)) / 2, 1e-5);
  fake_host_reset(&b->fake, (FakeMark){0});
  g_aligned_free(memory), design_free(&of), beliefs_free(&s);
  fixture_free(b), experience_free(&data);
}

/* Columns of s' that never move leave predictions of the reward alone. */
static void test_predictions_of_nothing(void) {
  Experience data = sinusoids(80, 4, 40, 13);
  Fixture *b = fixture_new(params_of(SMALL "view: predictions"), &data, 40);
  learn_all(b, &data);
  g_assert_cmpint(glibrl_live_columns(b->g), ==, 0);
  Beliefs s = infer_all(b, &data);
  for (int64_t k = 0; k < (int64_t)(s.belief_bytes / sizeof(float)); k++)
    g_assert_true(isfinite(s.belief[k]));
  beliefs_free(&s), fixture_free(b), experience_free(&data);
}

/* Three kinds of trials, one of them rare: whatever the seed, k-means finds each of them. */
static void test_anchors_cover_families(void) {
  enum { STEPS = 20, ROWS = 100, RARE = 3 };
  for (uint64_t seed = 1; seed <= 10; seed++) {
    Experience data = experience_new(STEPS, ROWS, 4, 2);
    HnRng rng = hn_rng(seed, 0);
    for (int64_t at = 0; at < (STEPS + 1) * ROWS; at++) {
      const int64_t row = at % ROWS, family = row < RARE ? 2 : row % 2;
      data.begin[at] = at < ROWS || at >= STEPS * ROWS ? HN_NEW_TASK : HN_KEEP;
      for (int j = 0; j < 4; j++) {
        data.obs[at * 4 + j] = (float)(j == family ? 3 : 0) + (float)hn_rng_normal(&rng) * 0.1f;
        data.next[at * 4 + j] = data.obs[at * 4 + j] + (float)hn_rng_normal(&rng) * 0.1f;
      }
      data.reward[at] = (float)hn_rng_normal(&rng);
    }
    for (int64_t at = 0; at < (STEPS - 1) * ROWS; at++)
      memcpy(data.next + at * 4, data.obs + (at + ROWS) * 4, 4 * sizeof(float));
    GlibrlParams p = params_of(SMALL "view: predictions, belief_of: reward");
    p.buffer = 200, p.anchors = 6;
    Fixture *b = fixture_new(p, &data, STEPS);
    learn_all(b, &data);
    int found[3] = {0};
    for (int64_t i = 0; i < 6; i++)
      for (int64_t j = 0; j < 3; j++) found[j] += b->g->anchor[i * 10 + j] > 2;
    g_assert_cmpint(found[0] + found[1] + found[2], ==, 6);
    for (int j = 0; j < 3; j++) g_assert_cmpint(found[j], >=, 1);
    fixture_free(b), experience_free(&data);
  }
}

/* New anchors in iterations 1, 2 and 4; then they stay, and their features follow the networks. */
static void test_anchors_settle(void) {
  Experience data = masses(40, 4, 20, 0, 9);
  Fixture *b = fixture_new(params_of(SMALL "view: predictions, anchors_until: 7"), &data, 20);
  const size_t bytes = 5 * 10 * sizeof(float), c_bytes = 5 * 16 * sizeof(double);
  float *anchor = g_malloc0(bytes);
  double *c = g_malloc0(c_bytes);
  for (int iteration = 1; iteration <= 9; iteration++) {
    learn_all(b, &data);
    const bool changed = memcmp(anchor, b->g->anchor, bytes) != 0;
    g_assert_true(changed == (iteration == 1 || iteration == 2 || iteration == 4));
    g_assert_true(memcmp(c, b->g->reward.anchor_c, c_bytes) != 0);
    memcpy(anchor, b->g->anchor, bytes), memcpy(c, b->g->reward.anchor_c, c_bytes);
  }
  g_free(anchor), g_free(c), fixture_free(b), experience_free(&data);
}

/* ---- whitened ---- */

/* The view is M'R, with R the symmetric root of E[cc'] over a replay of which every step is drawn
 * (one trial of one step repeated would do; here E[cc'] is read from the plugin and R is checked).
 */
static void test_whitened(void) {
  Experience data = masses(50, 3, 60, 0, 4);
  GlibrlParams p = params_of(SMALL "view: whitened");
  p.start = 1;
  Fixture *b = fixture_new(p, &data, 60);
  data.begin[50 * 3] = HN_NEW_TASK; /* one trial is finished */
  learn_all(b, &data);
  Beliefs s = infer_all(b, &data);
  const Glibrl *g = b->g;
  const int64_t row = 1, n = data.steps, o = data.obs_dim, dt = g->transition.d, dr = g->reward.d;
  Design k = design_of(b, &data, row, n), first = design_of(b, &data, 0, n);
  g_assert_cmpint(b->spec.belief_dim, ==, o * dt + dr + 1 + o + 1 + 1 + 1);
  const float *belief = s.belief + (n * data.rows + row) * b->spec.belief_dim;
  const float *rest = belief + o * dt + dr;
  for (int model = 0; model < 2; model++) {
    const GlibrlModel *m = model ? &g->reward : &g->transition;
    const double *c = model ? first.cr : first.ct;
    const int64_t d = m->d, whole = model ? 1 : o;
    double trace = 0;
    for (int64_t i = 0; i < d; i++) trace += m->moment[i * (d + 1)];
    for (int64_t i = 0; i < d; i++)
      for (int64_t j = 0; j < d; j++) {
        double mean = 0, mean2 = 0, square = i == j ? -1e-6 * trace : 0;
        for (int64_t t = 0; t < n; t++) {
          const double x = c[t * d + i] * c[t * d + j];
          mean += x / (double)n, mean2 += x * x / (double)n;
        }
        for (int64_t l = 0; l < d; l++)
          square += (double)m->root[i * d + l] * (double)m->root[j * d + l];
        /* 512 of the trial's steps, drawn: within 5 standard errors */
        const double error = sqrt(fmax(mean2 - mean * mean, 0) / 512);
        g_assert_cmpfloat(fabs(m->moment[i * d + j] - mean), <=, 5 * error + 1e-6);
        near_to(square, m->moment[i * d + j], 1e-6);
        near_to((double)m->root[i * d + j], (double)m->root[j * d + i], 1e-6);
      }
    void *memory;
    HnMnw q = posterior_of(b, m, &k, n, &memory);
    for (int64_t j = 0, col = 0; j < whole; j++) {
      const bool live = model || g->scale.live[j];
      for (int64_t l = 0; l < d; l++) {
        double want = 0;
        for (int64_t i = 0; i < d && live; i++)
          want += q.mean[i * q.m + col] * (double)m->root[i * d + l];
        g_assert_cmpfloat_with_epsilon(belief[j * d + l], want, 1e-5);
      }
      const double noise = live ? q.psi[col * (q.m + 1)] / q.nu : 1;
      g_assert_cmpfloat_with_epsilon(rest[1 + j], log(noise), 1e-5);
      col += live;
    }
    g_assert_cmpfloat_with_epsilon(rest[0], -q.logdet_xi / (double)d, 1e-5);
    belief += whole * d, rest += 1 + whole;
    g_aligned_free(memory);
  }
  design_free(&k), design_free(&first), beliefs_free(&s), fixture_free(b), experience_free(&data);
}

/* Features that are all alike have a root, too, and so has what comes after them. */
static void test_one_direction(void) {
  Experience data = masses(40, 4, 20, 0, 9);
  GlibrlParams p = params_of(SMALL "view: whitened, belief_of: reward, whitening_rate: 1");
  p.reward_features = 256, p.updates = 0;
  Fixture *b = fixture_new(p, &data, 20);
  const HnTensor *w = b->g->reward.net.w[2];
  const size_t bytes = (size_t)(w->rows * w->cols) * sizeof(float);
  float *weights = g_memdup2(w->data, bytes);
  memset(w->data, 0, bytes); /* only the constant is left */
  learn_all(b, &data);
  learn_all(b, &data);
  memcpy(w->data, weights, bytes);
  learn_all(b, &data);
  Beliefs s = infer_all(b, &data);
  for (size_t k = 0; k < s.belief_bytes / sizeof(float); k++) g_assert_true(isfinite(s.belief[k]));
  g_free(weights), beliefs_free(&s), fixture_free(b), experience_free(&data);
}

/* ---- what a turn of the features changes ---- */

/* A random orthogonal q [d, d]. */
static double *rotation(int64_t d, HnRng *rng) {
  double *q = g_new(double, d *d);
  for (int64_t i = 0; i < d; i++) {
    double norm = 0, *row = q + i * d;
    for (int64_t j = 0; j < d; j++) row[j] = hn_rng_normal(rng);
    for (int64_t k = 0; k < i; k++) {
      double dot = 0;
      for (int64_t j = 0; j < d; j++) dot += row[j] * q[k * d + j];
      for (int64_t j = 0; j < d; j++) row[j] -= dot * q[k * d + j];
    }
    for (int64_t j = 0; j < d; j++) norm += row[j] * row[j];
    for (int64_t j = 0; j < d; j++) row[j] /= sqrt(norm);
  }
  return q;
}

/* a [rows, d] = a q'. */
static void turn_rows(int64_t rows, int64_t d, const double *q, float *a) {
  double x[64];
  for (int64_t i = 0; i < rows; i++, a += d) {
    for (int64_t j = 0; j < d; j++) {
      x[j] = 0;
      for (int64_t l = 0; l < d; l++) x[j] += (double)a[l] * q[j * d + l];
    }
    for (int64_t j = 0; j < d; j++) a[j] = (float)x[j];
  }
}

/* Features become Q c, and the frame of the whitened view Q R.  The prior is isotropic: it turns
 * into itself. */
static void turn_features(const GlibrlModel *k, HnRng *rng) {
  const int64_t d = k->d, last = k->net.layers - 1;
  double *q = rotation(d, rng);
  turn_rows(k->net.w[last]->rows, d, q, k->net.w[last]->data);
  turn_rows(1, d, q, k->net.b[last]->data);
  if (k->root) {
    float *flip = g_new(float, d *d);
    hn_transpose(d, d, k->root, flip);
    turn_rows(d, d, q, flip);
    hn_transpose(d, d, flip, k->root);
    g_free(flip);
  }
  g_free(q);
}

static size_t root_bytes(const GlibrlModel *k) {
  return (size_t)(k->d * k->d) * sizeof *k->root;
}

/* The largest difference that turning both models' features makes to the belief, relative to the
 * belief's size.  frame_moves: to an estimate from steps drawn anew, the same ones both times. */
static double change_by_turning(const char *view, bool frame_moves) {
  Experience data = masses(60, 3, 30, 0, 6);
  g_autofree char *settings = g_strdup_printf(
      SMALL "feature_output: linear, feature_constant: false, hidden_layers: 1, whitening_rate: 1, "
            "view: %s",
      view);
  Fixture *b = fixture_new(params_of(settings), &data, 30);
  learn_all(b, &data);
  GlibrlModel *model[] = {&b->g->transition, &b->g->reward};
  float *root[2] = {NULL};
  for (int m = 0; m < 2 && frame_moves; m++)
    root[m] = g_memdup2(model[m]->root, root_bytes(model[m]));
  Beliefs s[2];
  HnRng turns = hn_rng(2, 5);
  for (int k = 0; k < 2; k++) {
    for (int m = 0; m < 2 && k; m++) {
      if (root[m]) memcpy(model[m]->root, root[m], root_bytes(model[m]));
      turn_features(model[m], &turns);
    }
    HnRng draws = hn_rng(3, 5);
    if (b->g->anchor) glibrl_update_anchors(b->g);
    if (frame_moves) g_assert_cmpint(glibrl_update_whitening(b->g, &draws), ==, HN_OK);
    s[k] = infer_all(b, &data);
  }
  double worst = 0, size = 0;
  for (size_t i = 0; i < s[0].belief_bytes / sizeof(float); i++) {
    worst = fmax(worst, fabs((double)s[0].belief[i] - (double)s[1].belief[i]));
    size = fmax(size, fabs((double)s[0].belief[i]));
  }
  g_free(root[0]), g_free(root[1]);
  beliefs_free(&s[0]), beliefs_free(&s[1]), fixture_free(b), experience_free(&data);
  return worst / size;
}

static void test_turned_features(void) {
  const double means = change_by_turning("means", false),
               predictions = change_by_turning("predictions", false),
               whitened = change_by_turning("whitened", false),
               moved = change_by_turning("whitened", true);
  g_test_message("means %.2g, predictions %.2g, whitened %.2g and %.2g", means, predictions,
                 whitened, moved);
  g_assert_cmpfloat(means, >, 0.1);
  g_assert_cmpfloat(predictions, <, 1e-6);
  g_assert_cmpfloat(whitened, <, 1e-6);
  g_assert_cmpfloat(moved, <, 1e-6);
}

/* ---- what keeps features still ---- */

/* From 10 to 2 with a time constant of 5: 2 + 8 exp(-(n - 1) / 5). */
static void test_planned_updates(void) {
  GlibrlParams p = params_of("updates: 10, updates_final: 2, updates_decay: 5");
  static const int64_t want[] = {10, 9, 7, 6, 6, 5, 4, 4, 4, 3};
  for (int64_t n = 1; n <= 10; n++) g_assert_cmpint(glibrl_planned_updates(&p, n), ==, want[n - 1]);
  g_assert_cmpint(glibrl_planned_updates(&p, 100), ==, 2);
  p.updates_decay = 0;
  g_assert_cmpint(glibrl_planned_updates(&p, 100), ==, 10);

  Experience data = masses(40, 4, 20, 0, 9);
  Fixture *b = fixture_new(params_of("updates: 6, updates_final: 0, updates_decay: 1, start: 2, "
                                     "buffer: 20, batch: 2, hidden_units: 8"),
                           &data, 20);
  int64_t steps = 0; /* of Adam */
  static const int64_t planned[] = {6, 2, 1, 0};
  for (int n = 0; n < 4; n++) {
    learn_all(b, &data);
    g_assert_cmpint(b->g->store.clock[0] - steps, ==, planned[n]);
    steps = b->g->store.clock[0];
  }
  fixture_free(b), experience_free(&data);
}

/* The average is that of all weights since creation; it changes beliefs, not what is learnt. */
static void test_average(void) {
  enum { UPDATES = 4 };
  const double decay = 0.7;
  Experience data = masses(40, 4, 20, 0, 9);
  GlibrlParams p = params_of(SMALL "ema_decay: 0.7, view: compact");
  p.updates = 0;
  Fixture *b = fixture_new(p, &data, 20);
  learn_all(b, &data);
  const HnTensor *w = b->g->reward.net.w[1], *average = b->g->reward.belief_net.w[1];
  const int64_t n = w->rows * w->cols;
  double *want = g_new(double, n);
  for (int64_t i = 0; i < n; i++) want[i] = (double)w->data[i];
  for (int u = 0; u < UPDATES; u++) {
    g_assert_cmpint(glibrl_update(b->g, &b->rng), ==, HN_OK);
    for (int64_t i = 0; i < n; i++) want[i] = decay * want[i] + (1 - decay) * (double)w->data[i];
  }
  for (int64_t i = 0; i < n; i++) near_to((double)average->data[i], want[i], 1e-6);
  g_assert_cmpstr(average->name, ==, "reward.1.weight");
  g_assert_nonnull(fake_host_find(&b->fake, "reward.1.weight.average"));

  /* the same weights learnt by an instance without an average, then set to b's average */
  p.ema_decay = 0;
  Fixture *c = fixture_new(p, &data, 20);
  learn_all(c, &data);
  for (int u = 0; u < UPDATES; u++) g_assert_cmpint(glibrl_update(c->g, &c->rng), ==, HN_OK);
  g_assert_cmpmem(w->data, (size_t)n * 4, c->g->reward.net.w[1]->data, (size_t)n * 4);
  Beliefs averaged = infer_all(b, &data), plain = infer_all(c, &data);
  g_assert_cmpint(memcmp(averaged.belief, plain.belief, plain.belief_bytes), !=, 0);
  beliefs_free(&plain);
  const GlibrlModel *from[] = {&b->g->transition, &b->g->reward},
                    *to[] = {&c->g->transition, &c->g->reward};
  for (int m = 0; m < 2; m++)
    for (int64_t l = 0; l < to[m]->net.layers; l++) {
      const HnTensor *x = to[m]->net.w[l], *y = to[m]->net.b[l];
      memcpy(x->data, from[m]->belief_net.w[l]->data, (size_t)(x->rows * x->cols) * 4);
      memcpy(y->data, from[m]->belief_net.b[l]->data, (size_t)(y->rows * y->cols) * 4);
    }
  plain = infer_all(c, &data);
  assert_same(&averaged, &plain);
  g_free(want), beliefs_free(&averaged), beliefs_free(&plain);
  fixture_free(b), fixture_free(c), experience_free(&data);
}

/* A prediction needs a variance. */
static void test_refusal(void) {
  GlibrlParams p = params_of(SMALL "view: predictions, prior_dof: 1");
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
  g_assert_nonnull(strstr(fake.error, "prior_dof"));
  fake_host_close(&fake);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/glibrl-view/predictions", test_predictions);
  g_test_add_func("/glibrl-view/mean-stddev", test_mean_stddev);
  g_test_add_func("/glibrl-view/predictions-of-nothing", test_predictions_of_nothing);
  g_test_add_func("/glibrl-view/anchors-cover-families", test_anchors_cover_families);
  g_test_add_func("/glibrl-view/anchors-settle", test_anchors_settle);
  g_test_add_func("/glibrl-view/whitened", test_whitened);
  g_test_add_func("/glibrl-view/one-direction", test_one_direction);
  g_test_add_func("/glibrl-view/turned-features", test_turned_features);
  g_test_add_func("/glibrl-view/planned-updates", test_planned_updates);
  g_test_add_func("/glibrl-view/average", test_average);
  g_test_add_func("/glibrl-view/refusal", test_refusal);
  return g_test_run();
}
