/* ppo_test.c - PPO's gradients and densities against numbers worked out independently, what a step
 * does with them, and the same bits on any number of threads. */
#include "../../plugins/policies/ppo/ppo.h"
#include "ppo_fixture.h"
#include "ppo_naive.h"

/* ---- gradients ---- */

/* The gradient of the last of `epochs` updates, from Adam's first moment. */
static void moments_of(Naive *z, double *m1) {
  for (int k = 0; k < z->f->fake.array_count; k++) {
    if (z->offset[k] < 0) continue;
    char *name = g_strdup_printf("%s.m1", z->f->fake.array[k].spec.name);
    const FakeArray *moment = policy_fixture_find(z->f, name);
    for (int64_t j = 0; j < z->f->fake.array[k].count; j++)
      m1[z->offset[k] + j] = (double)((const float *)moment->data)[j];
    g_free(name);
  }
}

/* The first update starts at ratios of 1; after it they lie on both sides of the clip, and the
 * second update's gradient is what its moment has beyond the first's. */
static void test_gradient(gconstpointer data) {
  const Case *c = data;
  double *x = NULL, *m1[2] = {NULL, NULL};
  for (int epochs = 1; epochs <= 2; epochs++) {
    PolicyFixture *f = open_case(c, 5);
    policy_fixture_set(f, "n_epochs", epochs);
    Log *g = experience(f, steps_of(c), 4, c->S);
    Naive *z = naive_new(f, g);
    if (!x) x = g_new(double, (gsize)z->size);
    if (epochs == 1) naive_weights(z, x);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(policy_fixture_learn(f, g, &rng, z->n, 1000), ==, HN_OK);
    double *m = m1[epochs - 1] = g_new(double, (gsize)z->size), most = 0, worst = 0, kl;
    moments_of(z, m);
    naive_hold(z, x);
    double loss = naive_loss(z, x, &kl);
    if (epochs == 1) {
      g_assert_cmpfloat_with_epsilon(policy_fixture_metric_of(f, "loss"), loss, 6e-7);
      g_assert_cmpfloat_with_epsilon(policy_fixture_metric_of(f, "ratio"), z->ratio,
                                     3e-7 * z->ratio);
      g_assert_cmpfloat_with_epsilon(policy_fixture_metric_of(f, "approx_kl"), kl,
                                     z->point ? 2e-7 : 1e-12);
      if (z->point) g_assert_cmpfloat(kl, >, 1e-4);
    } else if (!z->point) {
      g_assert_cmpfloat_with_epsilon(2 * policy_fixture_metric_of(f, "approx_kl"), kl, 1.5e-7);
      g_assert_cmpfloat(policy_fixture_metric_of(f, "clip_fraction"), >, 0.1);
      g_assert_cmpfloat(policy_fixture_metric_of(f, "clip_fraction"), <,
                        0.45); /* of both: half are 0 */
    }
    for (int64_t k = 0; k < z->size; k++) {
      double slope = naive_slope(z, x, &x[k]);
      double mine = (m[k] - (epochs == 2 ? 0.9 * m1[0][k] : 0)) / 0.1;
      most = fmax(most, fabs(slope)), worst = fmax(worst, fabs(slope - mine));
    }
    g_test_message("%s, update %d: error %.2g of %.3g", c->name, epochs, worst, most);
    g_assert_cmpfloat(most, >, 0.01);
    g_assert_cmpfloat(worst, <, 1e-6 * (1 + most));
    if (epochs == 1) naive_weights(z, x); /* where the second update begins */
    naive_free(z), log_free(g), policy_fixture_close(f);
  }
  g_free(x), g_free(m1[0]), g_free(m1[1]);
}

/* The clipped surrogate's four pairs, clip range 0.2: what the loss is, and its slope by the ratio.
 * One action of N(0, 1/4), so that the slope by the mean is ratio a / sigma^2 times that. */
static void test_clip(void) {
  static const struct {
    double ratio, advantage, loss, slope;
  } pairs[] = {{1.3, 1, -1.2, 0}, {1.3, -1, 1.3, 1}, {0.7, 1, -0.7, -1}, {0.7, -1, 0.8, 0}};
  const Case c = {.settings = COMMON "layers 0 ent_coef 0 vf_coef 0 clip_range 0.2 std_init 0.5",
                  .O = 1,
                  .action_dim = 1};
  PolicyFixture *f = open_case(&c, 5);
  const Ppo *m = f->self;
  float obs = 0, action = 0.4f, logp, value, target = 0, advantage;
  const HnHistory h = {.struct_size = sizeof h, .action = &action, .aux = &target};
  const PpoBatch b = {.h = &h,
                      .count = 1,
                      .S = 1,
                      .obs = &obs,
                      .advantage = &advantage,
                      .target = &target,
                      .logp = &logp,
                      .value = &value};
  PpoSums sums;
  PpoMinibatch mb = {.m = m, .batch = &b, .n = 1, .shard_size = 1, .advantage_scale = 1};
  mb.place = (const int64_t[]){0}, mb.sums = &sums;
  mb.flat = g_new(float, (gsize)m->net.store.size);
  g_assert_cmpint(ppo_shard_old_policy(&mb, 0), ==, HN_OK);
  const float now = logp;
  for (int k = 0; k < 4; k++) {
    logp = now - (float)log(pairs[k].ratio), advantage = (float)pairs[k].advantage;
    g_assert_cmpint(ppo_shard_loss(&mb, 0), ==, HN_OK);
    g_assert_cmpfloat_with_epsilon(sums.policy, pairs[k].loss, 2.5e-7);
    g_assert_cmpfloat(sums.clipped, ==, 1);
    g_assert_cmpfloat_with_epsilon((double)mb.flat[m->net.actor.head.b[0]->offset],
                                   pairs[k].slope * pairs[k].ratio * 0.4 / 0.25, 4e-7);
    policy_fixture_end_call(f);
  }
  g_free(mb.flat), policy_fixture_close(f);
}

/* ---- through the inference ---- */

/* An inference whose weights are the beliefs themselves. */
typedef struct Way {
  Log *g;
  HnHistory gathered;
  int64_t n, index[8], D;
  bool point;
  float d[1024];
  double scale, rate;
  int calls, inferred;
  int64_t frames_total;
} Way;

static int64_t way_width(const Way *w) {
  return (w->g->S > 1 && !w->point ? w->g->S : 1) * w->D;
}

static const HnHistory *way_rows(const HnTrainBatch *l, int64_t phase, int64_t n,
                                 const int64_t *index) {
  Way *w = l->impl;
  g_assert_cmpint(phase, ==, 0);
  w->n = n, w->gathered = w->g->history, w->gathered.rows = w->gathered.stride = n;
  memcpy(w->index, index, (size_t)n * sizeof *index);
  return &w->gathered;
}

static HnStatus way_infer(const HnTrainBatch *l, const HnHistory *h, int64_t samples,
                          float *belief) {
  Way *w = l->impl;
  g_assert_cmpint(samples, ==, w->point ? 0 : w->g->S);
  if (h != &w->gathered) { /* all of it, before the first minibatch */
    g_assert_true(w->point && h == &w->g->history && !w->inferred);
    for (int64_t i = w->n = 0; i < w->g->B; i++) w->index[w->n++] = i;
  }
  w->inferred++;
  for (int64_t t = 0; t <= w->g->T; t++)
    for (int64_t i = 0; i < w->n; i++)
      log_beliefs(w->g, w->D, samples, t * w->g->B + w->index[i],
                  belief + (t * w->n + i) * way_width(w));
  return HN_OK;
}

static HnStatus way_backward(const HnTrainBatch *l, const float *d_belief, double *norm2) {
  Way *w = l->impl;
  memcpy(w->d, d_belief, (size_t)((w->g->T + 1) * w->n * way_width(w)) * 4);
  *norm2 = 9;
  return HN_OK;
}

static HnStatus way_step(const HnTrainBatch *l, double scale, double rate) {
  Way *w = l->impl;
  w->scale = scale, w->rate = rate, w->calls++;
  return HN_OK;
}

static int64_t way_frames_total(const HnTrainBatch *l) {
  return ((const Way *)l->impl)->frames_total;
}

/* One update on g in whole sequences. */
static HnStatus learn_through(PolicyFixture *f, Way *w, int64_t frames, int64_t total) {
  const HnHistory *phase[] = {&w->g->history};
  HnRng rng = hn_rng(1, 1);
  w->frames_total = total;
  HnTrainBatch l = {.struct_size = sizeof l,
                    .impl = w,
                    .frames = frames,
                    .frames_total = way_frames_total,
                    .rng = &rng,
                    .phases = 1,
                    .phase = phase,
                    .rows = way_rows,
                    .infer = way_infer,
                    .backward = way_backward,
                    .step = way_step};
  HnStatus status = f->method->learn(f->self, &l);
  policy_fixture_end_call(f);
  return status;
}

/* d(loss)/d(belief) against central differences; both parties step by one scale and one rate. */
static void test_through(gconstpointer data) {
  Case c = *(const Case *)data;
  PolicyFixture *f = open_case(&c, 5);
  policy_fixture_set_all(f, "n_epochs 1 max_grad_norm 0.5 anneal 1");
  int64_t T = steps_of(data);
  Way w = {.g = experience(f, T, 4, c.S), .D = c.D};
  Naive *z = naive_new(f, w.g);
  w.point = z->point;
  double *x = g_new(double, (gsize)z->size), *m1 = g_new(double, (gsize)z->size), norm2 = 9;
  naive_weights(z, x);
  naive_hold(z, x);
  g_assert_cmpint(learn_through(f, &w, 100 + 4 * T, 200), ==, HN_OK);
  g_assert_cmpint(w.calls, ==, 1);
  g_assert_cmpint(w.inferred, ==, 1);
  g_assert_cmpfloat_with_epsilon(w.rate, 0.5, 1e-12); /* 100 of 200 frames came before */
  int64_t width = z->S * c.D;
  double most = 0;
  for (int64_t t = 0; t <= T; t++)
    for (int64_t i = 0; i < 4; i++)
      for (int64_t d = 0; d < width; d++) {
        double mine = (double)w.d[(t * 4 + i) * width + d], slope = 0;
        if (t < T) slope = naive_slope(z, x, &z->belief[(t * 4 + w.index[i]) * width + d]);
        g_assert_cmpfloat_with_epsilon(mine, slope, t < T ? 2e-7 : 1e-30);
        most = fmax(most, fabs(slope));
      }
  g_assert_cmpfloat(most, >, 0.01);
  moments_of(z, m1);
  for (int64_t k = 0; k < z->size; k++) norm2 += pow(naive_slope(z, x, &x[k]), 2);
  g_assert_cmpfloat_with_epsilon(w.scale, 0.5 / sqrt(norm2), 3e-8);
  g_assert_cmpfloat_with_epsilon(policy_fixture_metric_of(f, "grad_norm"), sqrt(norm2), 1.2e-6);
  for (int64_t k = 0; k < z->size; k++)
    g_assert_cmpfloat_with_epsilon(m1[k] / 0.1 / w.scale, naive_slope(z, x, &x[k]), 1.4e-6);
  g_free(x), g_free(m1), naive_free(z), log_free(w.g), policy_fixture_close(f);
}

/* Minibatches on point beliefs: all of them once, then each minibatch's; the last ones anew where
 * a second pass follows. */
static void test_inferred(void) {
  const struct {
    const char *settings;
    int inferred, steps;
  } points[] = {{"n_epochs 1", 1, 1}, {"n_epochs 3", 3, 3}, {"n_epochs 2 n_minibatches 2", 5, 4}};
  for (gsize k = 0; k < G_N_ELEMENTS(points); k++) {
    Case c = {"", COMMON "loss_belief 1", 3, 2, 3, 0, 4};
    PolicyFixture *f = open_case(&c, 5);
    policy_fixture_set_all(f, points[k].settings);
    Way w = {.g = experience(f, 8, 4, 3), .D = 2, .point = true};
    g_assert_cmpint(learn_through(f, &w, 32, 200), ==, HN_OK);
    g_assert_cmpint(w.inferred, ==, points[k].inferred);
    g_assert_cmpint(w.calls, ==, points[k].steps);
    log_free(w.g), policy_fixture_close(f);
  }
}

/* The two samples give the first action .9 and .2, the point belief, half way between their logits,
 * .6.  Noted is log .55, or, as published, (log .9 + log .2) / 2; and so goes the ratio. */
static void test_mixture_density(void) {
  for (int upstream = 0; upstream < 2; upstream++) {
    Case c = {"", COMMON "layers 0 loss_belief 1 normalise_belief 0 n_epochs 1", 0, 2, 2, 0, 2};
    PolicyFixture *f = open_case(&c, 5);
    policy_fixture_set(f, "upstream_mixture", upstream);
    g_assert_cmpint(f->spec.aux_dim, ==, 2);
    float *w = policy_fixture_find(f, "action.0.weight")->data; /* [2, A] */
    w[0] = logf(9), w[1] = 0, w[2] = -logf(4), w[3] = 0;
    Log *g = log_new(f, 1, 8, 2, 9);
    memset(g->begin, HN_NEW_TASK, 16);
    for (int64_t i = 0; i < 16; i++) memcpy(g->belief + 4 * i, (float[]){1, 0, 0, 1}, 16);
    g_assert_cmpint(policy_fixture_act(f, g, 0, 0, 8, false), ==, HN_OK);
    double exact[] = {-0.597837, log(0.45)}, jensen[] = {-0.857399, log(0.1 * 0.8) / 2}, mean = 0;
    const double *want = upstream ? jensen : exact;
    double point = 1 / (1 + exp(-(log(9) - log(4)) / 2)); /* 3/5 */
    int seen[2] = {0};
    for (int i = 0; i < 8; i++) {
      int k = g->action_index[i];
      g_assert_cmpfloat_with_epsilon(g->aux[2 * i + 1], want[k], 1e-6);
      mean += (k ? 1 - point : point) / exp(want[k]) / 8, seen[k]++;
      g->reward[i] = g->true_reward[i] = (float)i;
    }
    g_assert_true(seen[0] && seen[1]);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(policy_fixture_learn(f, g, &rng, 8, 1000), ==, HN_OK);
    g_assert_cmpfloat_with_epsilon(policy_fixture_metric_of(f, "ratio"), mean, 9e-7);
    log_free(g), policy_fixture_close(f);
  }
}

/* ---- what a step does with the gradient ---- */

/* No gradient at all reaches the critic, whose weights keep their bits; the loss is the same. */
static void test_upstream_critic(void) {
  double loss[2];
  for (int upstream = 0; upstream < 2; upstream++) {
    PolicyFixture *f = open_case(&cases[0], 5);
    policy_fixture_set_all(f, "n_epochs 1 huber 0"),
        policy_fixture_set(f, "upstream_critic", upstream);
    static const char *const part[] = {"critic.0.weight", "critic.0.bias",  "critic.1.weight",
                                       "critic.1.bias",   "value.0.weight", "value.0.bias"};
    Log *g = experience(f, 8, 4, 0);
    HnRng rng = hn_rng(1, 1);
    float *before[6];
    for (int k = 0; k < 6; k++) {
      const FakeArray *a = policy_fixture_find(f, part[k]);
      before[k] = g_memdup2(a->data, (gsize)a->count * sizeof(float));
    }
    g_assert_cmpint(policy_fixture_learn(f, g, &rng, 32, 1000), ==, HN_OK);
    loss[upstream] = policy_fixture_metric_of(f, "value_loss");
    for (int k = 0; k < 6; k++) {
      const FakeArray *a = policy_fixture_find(f, part[k]);
      char *name = g_strdup_printf("%s.m1", part[k]);
      const float *m1 = policy_fixture_find(f, name)->data;
      double most = 0;
      for (int64_t j = 0; j < a->count; j++) most = fmax(most, fabs((double)m1[j]));
      bool same = memcmp(a->data, before[k], (gsize)a->count * sizeof(float)) == 0;
      g_assert_true(upstream ? most == 0 && same : most > 0 && !same);
      g_free(name), g_free(before[k]);
    }
    log_free(g), policy_fixture_close(f);
  }
  g_assert_cmpfloat(loss[0], ==, loss[1]);
  g_assert_cmpfloat(loss[0], >, 0);
}

/* One step of the same gradient: plain, and with its elements limited before its norm, and weights
 * that decay. */
static void test_limits_and_decay(void) {
  const double clip = 0.02, norm = 0.05, lr = 0.05, decay = 0.3;
  PolicyFixture *f[2];
  float *weight[2] = {NULL, NULL};
  double *m1[2];
  Naive *z[2];
  for (int k = 0; k < 2; k++) {
    f[k] = open_case(&cases[0], 5);
    policy_fixture_set(f[k], "n_epochs", 1);
    if (k)
      policy_fixture_set(f[k], "max_grad_value", clip),
          policy_fixture_set(f[k], "max_grad_norm", norm);
    if (k) policy_fixture_set(f[k], "weight_decay", decay);
    Log *g = experience(f[k], 8, 4, 0);
    z[k] = naive_new(f[k], g);
    double *x = g_new(double, (gsize)z[k]->size);
    naive_weights(z[k], x);
    weight[k] = g_new(float, (gsize)z[k]->size);
    for (int64_t j = 0; j < z[k]->size; j++) weight[k][j] = (float)x[j];
    m1[k] = g_new(double, (gsize)z[k]->size);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(policy_fixture_learn(f[k], g, &rng, 32, 1000), ==, HN_OK);
    moments_of(z[k], m1[k]);
    naive_weights(z[k], x);
    for (int64_t j = 0; k && j < z[k]->size; j++) { /* a first Adam step is lr g / (|g| + eps) */
      double g1 = m1[1][j] / 0.1, step = lr * g1 / (fabs(g1) + 1e-5);
      double want = (double)weight[1][j] * (1 - lr * decay) - step;
      g_assert_cmpfloat_with_epsilon(x[j], want, 4e-7);
    }
    log_free(g), g_free(x);
  }
  double square = 0, over = 0;
  for (int64_t j = 0; j < z[0]->size; j++) {
    double d = CLAMP(m1[0][j] / 0.1, -clip, clip);
    square += d * d, over += fabs(m1[0][j] / 0.1) > clip;
  }
  g_assert_true(over > 5 && over < 0.9 * (double)z[0]->size && sqrt(square) > norm);
  g_assert_cmpfloat_with_epsilon(policy_fixture_metric_of(f[1], "grad_norm"), sqrt(square), 3e-8);
  for (int64_t j = 0; j < z[0]->size; j++) {
    double d = CLAMP(m1[0][j] / 0.1, -clip, clip) * norm / sqrt(square);
    g_assert_cmpfloat_with_epsilon(m1[1][j] / 0.1, d, 1e-7);
  }
  for (int k = 0; k < 2; k++)
    g_free(weight[k]), g_free(m1[k]), naive_free(z[k]), policy_fixture_close(f[k]);
}

/* ---- advantages that are all equal ---- */

/* A hash of all that is kept. */
static char *kept_hash(PolicyFixture *f) {
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  const int size[] = {0, 4, 8, 4, 8, 1};
  for (int64_t k = 0; k < f->fake.array_count; k++)
    g_checksum_update(sum, f->fake.array[k].data,
                      f->fake.array[k].count * size[f->fake.array[k].spec.type]);
  char *text = g_strdup(g_checksum_get_string(sum));
  g_checksum_free(sum);
  return text;
}

/* Minibatches of one step learn what the moments of the batch say. */
static void test_minibatch_of_one(void) {
  char *hash[3];
  for (int k = 0; k < 3; k++) { /* by the minibatch, by the batch, not at all */
    PolicyFixture *f = open_case(&cases[0], 5);
    policy_fixture_set_all(f, "n_epochs 1 n_minibatches 32 ent_coef 0");
    policy_fixture_set(f, "advantages", k);
    Log *g = experience(f, 8, 4, 0);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(policy_fixture_learn(f, g, &rng, 32, 1000), ==, HN_OK);
    g_assert_cmpfloat(fabs(policy_fixture_metric_of(f, "policy_loss")), >, 0.01);
    g_assert_cmpstr(f->fake.logged, ==,
                    k ? ""
                      : "all advantages of a minibatch of size 1 are equal: standardised over the "
                        "batch (logged once)");
    hash[k] = kept_hash(f);
    log_free(g), policy_fixture_close(f);
  }
  g_assert_cmpstr(hash[0], ==, hash[1]);
  g_assert_cmpstr(hash[0], !=, hash[2]);
  for (int k = 0; k < 3; k++) g_free(hash[k]);
}

/* A batch of one step, and of several whose advantages are all 2: taken as they are. */
static void test_equal_batch(void) {
  for (int64_t steps = 1; steps <= 8; steps += 7)
    for (int over = 0; over < 2; over++) {
      PolicyFixture *f = open_case(&cases[0], 5);
      policy_fixture_set_all(
          f, "n_epochs 1 n_minibatches 2 ent_coef 0 lr 0 gamma 0 normalise_reward 0");
      policy_fixture_set(f, "advantages", over);
      FakeArray *value = policy_fixture_find(f, "value.0.weight");
      memset(value->data, 0, (gsize)value->count * sizeof(float));
      Log *g = log_new(f, steps, 1, 0, 3);
      g->begin[0] = HN_NEW_TASK;
      for (int64_t t = 0; t < steps; t++) {
        g_assert_cmpint(policy_fixture_act(f, g, t, 0, 1, false), ==, HN_OK);
        g->reward[t] = g->true_reward[t] = 2;
      }
      HnRng rng = hn_rng(1, 1);
      g_assert_cmpint(policy_fixture_learn(f, g, &rng, steps, 1000), ==, HN_OK);
      g_assert_cmpfloat_with_epsilon(policy_fixture_metric_of(f, "policy_loss"), -2, 1e-6);
      g_assert_nonnull(strstr(f->fake.logged, "are equal: not standardised"));
      log_free(g), policy_fixture_close(f);
    }
}

/* ---- bits, schedules, sizes ---- */

/* Shards backwards, and on two threads: the same bits; 700 elements are eight shards. */
static void test_threads(gconstpointer data) {
  char *hash[3];
  for (int order = 0; order < 3; order++) {
    PolicyFixture *f = open_case(data, 5);
    policy_fixture_set_all(f, "n_epochs 3 n_minibatches 2");
    f->order = order;
    Log *g = experience(f, 350, 4, ((const Case *)data)->S);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(policy_fixture_learn(f, g, &rng, 1400, 10000), ==, HN_OK);
    hash[order] = kept_hash(f);
    log_free(g), policy_fixture_close(f);
  }
  g_assert_cmpstr(hash[0], ==, hash[1]);
  g_assert_cmpstr(hash[0], ==, hash[2]);
  for (int k = 0; k < 3; k++) g_free(hash[k]);
}

/* Told not to see the observation, the policy is what it is where there is none. */
static void test_blind(void) {
  Case c = {"", COMMON "n_epochs 2 see_obs 0", 3, 2, 0, 0, 3};
  PolicyFixture *f[2];
  char *hash[2];
  Log *g = NULL;
  for (int k = 0; k < 2; k++) {
    f[k] = open_case(&c, 5);
    if (k == 0) g = experience(f[0], 8, 4, 0);
    g_assert_null(policy_fixture_find(f[k], "obs_norm.mean"));
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(policy_fixture_learn(f[k], g, &rng, 32, 1000), ==, HN_OK);
    hash[k] = kept_hash(f[k]);
    c.O = 0, c.settings = COMMON "n_epochs 2";
  }
  g_assert_cmpstr(hash[0], ==, hash[1]);
  for (int k = 0; k < 2; k++) g_free(hash[k]), policy_fixture_close(f[k]);
  log_free(g);
  expect_refusal(&(Case){"", "see_obs 0", 3, 0, 0, 0, 2}, HN_E_SHAPE, "neither observation");
}

static void test_anneal(void) {
  const struct {
    int64_t frames;
    double anneal, lr;
  } points[] = {{32, 1, 0.05}, {532, 1, 0.025}, {1000, 1, 0.0016}, {532, 0, 0.05}};
  for (gsize k = 0; k < G_N_ELEMENTS(points); k++) {
    PolicyFixture *f = open_case(&cases[0], 5);
    policy_fixture_set(f, "anneal", points[k].anneal);
    Log *g = experience(f, 8, 4, 0);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(policy_fixture_learn(f, g, &rng, points[k].frames, 1000), ==, HN_OK);
    g_assert_cmpfloat_with_epsilon(policy_fixture_metric_of(f, "lr"), points[k].lr, 1e-12);
    log_free(g), policy_fixture_close(f);
  }
}

static void test_target_kl(void) {
  for (int stop = 0; stop < 2; stop++) {
    PolicyFixture *f = open_case(&cases[0], 5);
    if (stop) policy_fixture_set(f, "target_kl", 0.005);
    Log *g = experience(f, 8, 4, 0);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(policy_fixture_learn(f, g, &rng, 32, 1000), ==, HN_OK);
    /* the first pass is one step from ratios of 1; the second sees what it did */
    g_assert_cmpfloat(policy_fixture_metric_of(f, "epochs"), ==, stop ? 2 : 10);
    log_free(g), policy_fixture_close(f);
  }
}

/* VariBAD's gridworld policy (arXiv 1910.08348): x, y and a flag; 5 means and 5 log-variances. */
static void expect_size(Case c, int64_t want) {
  PolicyFixture *f = open_case(&c, 1);
  int64_t count = 0;
  for (int64_t k = 0; k < f->fake.array_count; k++) {
    const HnArray *a = &f->fake.array[k].spec;
    count += a->role == HN_WEIGHT && a->type == HN_F32 ? f->fake.array[k].count : 0;
  }
  g_assert_cmpint(count, ==, want);
  policy_fixture_close(f);
}

static void test_varibad_size(void) {
  expect_size((Case){"", "obs_embed 16 belief_embed 16 width 32 layers 1", 3, 10, 0, 0, 5}, 2550);
}

/* Policy and value heads of the Laplace VRNN (arXiv 2505.18591): its whole agents have 802,821
 * parameters in the gridworld and 932,744 in the bandit at 64 latent dimensions, 782,181 and
 * 903,848 at 32, of which embedders, memory, read-out and the bandit's reward head take the rest.
 */
static void test_laplace_size(void) {
  const char *heads = "see_obs 0 hidden 256,256,64 input_norm 1";
  const int64_t memory = 4 * 128 * (512 + 128 + 1), read_out[] = {64 * 129, 32 * 129};
  const int64_t action = 256 * (1 + 1) + 257 * 256 + 512; /* embeds one number */
  const int64_t place = 256 * (10 + 1) + 257 * 256 + 512, bandit = 2 * action + memory;
  const int64_t reward[] = {198210, 189954};
  for (int k = 0; k < 2; k++) {
    int64_t F = k ? 32 : 64, all[] = {k ? 782181 : 802821, k ? 903848 : 932744};
    expect_size((Case){"", heads, 10, F + 256, 10, 0, 4},
                all[0] - place - action - memory - read_out[k]);
    expect_size((Case){"", heads, 1, F + 128, 10, 0, 5}, all[1] - bandit - read_out[k] - reward[k]);
  }
  expect_size((Case){"", heads, 10, 320, 10, 0, 4}, 330437);
  expect_size((Case){"", heads, 1, 192, 10, 0, 5}, 264454);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_cases("gradient", NULL, G_N_ELEMENTS(cases), test_gradient);
  add_cases("through", (int[]){0, 1, 6, 9, 10, 13, 14}, 7, test_through);
  add_cases("threads", (int[]){0, 9, 13}, 3, test_threads);
  g_test_add_func("/ppo/clip", test_clip);
  g_test_add_func("/ppo/inferred", test_inferred);
  g_test_add_func("/ppo/mixture_density", test_mixture_density);
  g_test_add_func("/ppo/upstream_critic", test_upstream_critic);
  g_test_add_func("/ppo/limits_and_decay", test_limits_and_decay);
  g_test_add_func("/ppo/minibatch_of_one", test_minibatch_of_one);
  g_test_add_func("/ppo/equal_batch", test_equal_batch);
  g_test_add_func("/ppo/blind", test_blind);
  g_test_add_func("/ppo/anneal", test_anneal);
  g_test_add_func("/ppo/target_kl", test_target_kl);
  g_test_add_func("/ppo/varibad_size", test_varibad_size);
  g_test_add_func("/ppo/laplace_size", test_laplace_size);
  return g_test_run();
}
