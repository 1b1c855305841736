/* PPO: gradients and densities against numbers worked out independently, the same bits on any
 * number of threads, and small problems it must solve. */
#include "ppo_naive.h"
#include <math.h>

extern const HnPlugin ppo_LTX_hn_plugin;

/* ---- gradients ---- */

typedef struct Case {
  const char *name, *settings;
  int64_t O, D, S, action_dim, action_count;
} Case;

#define COMMON \
  "max_grad_norm 0 n_minibatches 1 anneal 0 lr 0.05 layers 2 width 5 head_gain 1 ent_coef 0.1 "
/* Those of the Laplace VRNN, but for their size; alone or on the point belief. */
#define HEADS                                                                            \
  "hidden 5,4 input_norm 1 activation 2 init 2 loss_belief 1 clip_range_vf 0 vf_coef 1 " \
  "advantages 2 normalise_obs 0 normalise_belief 0 normalise_reward 0"
static const Case cases[] = {
    {"discrete", COMMON "obs_embed 4 belief_embed 3", 3, 2, 0, 0, 4},
    {"relu_raw_inputs", COMMON "activation 1 normalise_obs 0 normalise_belief 0", 3, 2, 0, 0, 4},
    {"linear_no_belief", COMMON "lr 0.3 layers 0 advantages 2 normalise_reward 0", 3, 0, 0, 0, 3},
    {"belief_alone", COMMON "init 1 clip_range_vf 0", 0, 3, 0, 0, 3},
    {"continuous", COMMON "std_init 0.7 belief_embed 3", 3, 2, 0, 2, 0},
    {"softclip_mean", COMMON "squash 1 std_bounds 1 huber 0.3", 3, 2, 0, 2, 0},
    {"squashed", COMMON "squash 2 obs_embed 4", 3, 2, 0, 2, 0},
    {"limits", COMMON "time_limit_bootstrap 1 episode_boundary 1", 3, 2, 0, 0, 4},
    {"mixture", COMMON "belief_embed 3", 3, 2, 3, 0, 4},
    {"mixture_continuous", COMMON "squash 2", 3, 2, 3, 2, 0},
    {"laplace_heads", COMMON HEADS, 3, 2, 0, 0, 4},
    {"upstream_critic", COMMON "upstream_critic 1 belief_embed 3", 3, 2, 0, 0, 4},
    {"upstream_mixture", COMMON "upstream_mixture 1", 3, 2, 3, 0, 4},
    {"point", COMMON HEADS, 3, 2, 3, 0, 4},
    {"point_upstream", COMMON "loss_belief 1 upstream_mixture 1 upstream_critic 1", 3, 2, 3, 2, 0},
    {"point_squashed", COMMON "loss_belief 1 squash 2", 3, 2, 3, 2, 0},
};

/* Of a window of 4 rows: the first case fills two shards. */
static int64_t steps_of(const Case *c) {
  return c == cases ? 33 : 8;
}

static Lab *open_case(const Case *c, uint64_t seed) {
  Lab *lab = lab_open(&ppo_LTX_hn_plugin, seed);
  lab_set_all(lab, c->settings);
  lab->spec.obs_dim = c->O, lab->spec.belief_dim = c->D, lab->spec.samples = c->S;
  lab->spec.action_dim = c->action_dim, lab->spec.action_count = c->action_count;
  lab->spec.rows = 4, lab->spec.steps = 8;
  g_assert_cmpint(lab_create(lab), ==, HN_OK);
  return lab;
}

/* Random experience: row 1 meets a new task, row 2 a time limit, row 3 a true end; in row 0 the
 * window ends with a task. */
static Log *experience(Lab *lab, int64_t T, int64_t B, int64_t S) {
  Log *g = log_new(lab, T, B, S, 3);
  HnRng rng = hn_rng(11, 0);
  const HnPolicySpec *s = &lab->spec;
  for (int64_t k = 0; k < (T + 1) * B * s->obs_dim; k++)
    g->obs[k] = (float)(0.5 + 2 * hn_rng_normal(&rng));
  for (int64_t k = 0; k < (T + 1) * B * (S > 1 ? S : 1) * s->belief_dim; k++)
    g->belief[k] = (float)(-1 + 0.3 * hn_rng_normal(&rng));
  memset(g->begin, HN_NEW_TASK, (size_t)B);
  g->begin[3 * B + 1] = HN_NEW_TASK;
  g->begin[4 * B + 2] = HN_NEW_EPISODE, g->truncated[3 * B + 2] = 1;
  g->begin[2 * B + 3] = HN_NEW_EPISODE, g->terminated[B + 3] = 1;
  g->begin[T * B] = HN_NEW_TASK, g->truncated[(T - 1) * B] = 1;
  for (int64_t t = 0; t < T; t++) {
    g_assert_cmpint(lab_act(lab, g, t, 0, B, false), ==, HN_OK);
    for (int64_t i = 0; i < B; i++) {
      g->true_reward[t * B + i] = (float)hn_rng_normal(&rng);
      g->reward[t * B + i] = g->true_reward[t * B + i] + (t == 2 ? 1 : 0); /* relabelled */
    }
  }
  return g;
}

/* The gradient of the last of `epochs` updates, from Adam's first moment. */
static void moments_of(Naive *z, double *m1) {
  for (int k = 0; k < z->lab->fake.array_count; k++) {
    if (z->offset[k] < 0) continue;
    char *name = g_strdup_printf("%s.m1", z->lab->fake.array[k].spec.name);
    const FakeArray *moment = lab_find(z->lab, name);
    for (int64_t j = 0; j < z->lab->fake.array[k].count; j++)
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
    Lab *lab = open_case(c, 5);
    lab_set(lab, "n_epochs", epochs);
    Log *g = experience(lab, steps_of(c), 4, c->S);
    Naive *z = naive_new(lab, g);
    if (!x) x = g_new(double, (gsize)z->size);
    if (epochs == 1) naive_weights(z, x);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(lab_learn(lab, g, &rng, z->n, 1000), ==, HN_OK);
    double *m = m1[epochs - 1] = g_new(double, (gsize)z->size), most = 0, worst = 0, kl;
    moments_of(z, m);
    naive_hold(z, x);
    double loss = naive_loss(z, x, &kl);
    if (epochs == 1) {
      g_assert_cmpfloat_with_epsilon(lab_metric_of(lab, "loss"), loss, 2e-5);
      g_assert_cmpfloat_with_epsilon(lab_metric_of(lab, "ratio"), z->ratio, 1e-5 * z->ratio);
      g_assert_cmpfloat_with_epsilon(lab_metric_of(lab, "approx_kl"), kl, z->point ? 2e-5 : 1e-12);
      if (z->point) g_assert_cmpfloat(kl, >, 1e-4);
    } else if (!z->point) {
      g_assert_cmpfloat_with_epsilon(2 * lab_metric_of(lab, "approx_kl"), kl, 2e-4 * (kl + 0.01));
      g_assert_cmpfloat(lab_metric_of(lab, "clip_fraction"), >, 0.1);
      g_assert_cmpfloat(lab_metric_of(lab, "clip_fraction"), <, 0.45); /* of both: half are 0 */
    }
    for (int64_t k = 0; k < z->size; k++) {
      double slope = naive_slope(z, x, &x[k]);
      double mine = (m[k] - (epochs == 2 ? 0.9 * m1[0][k] : 0)) / 0.1;
      most = fmax(most, fabs(slope)), worst = fmax(worst, fabs(slope - mine));
    }
    g_test_message("%s, update %d: error %.2g of %.3g", c->name, epochs, worst, most);
    g_assert_cmpfloat(most, >, 0.01);
    g_assert_cmpfloat(worst, <, 2e-6 * (1 + most));
    if (epochs == 1) naive_weights(z, x); /* where the second update begins */
    naive_free(z), log_free(g), lab_close(lab);
  }
  g_free(x), g_free(m1[0]), g_free(m1[1]);
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
  int calls, believed;
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

static HnStatus way_believe(const HnTrainBatch *l, const HnHistory *h, int64_t samples,
                            float *belief) {
  Way *w = l->impl;
  g_assert_cmpint(samples, ==, w->point ? 0 : w->g->S);
  if (h != &w->gathered) { /* all of it, before the first minibatch */
    g_assert_true(w->point && h == &w->g->history && !w->believed);
    for (int64_t i = w->n = 0; i < w->g->B; i++) w->index[w->n++] = i;
  }
  w->believed++;
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

/* One lesson of g in whole sequences. */
static HnStatus learn_through(Lab *lab, Way *w, int64_t frames, int64_t total) {
  const HnHistory *phase[] = {&w->g->history};
  HnRng rng = hn_rng(1, 1);
  HnTrainBatch l = {.struct_size = sizeof l,
                    .impl = w,
                    .frames = frames,
                    .frames_total = total,
                    .rng = &rng,
                    .phases = 1,
                    .phase = phase,
                    .rows = way_rows,
                    .infer = way_believe,
                    .backward = way_backward,
                    .step = way_step};
  HnStatus status = lab->method->learn(lab->self, &l);
  lab_end_call(lab);
  return status;
}

/* d(loss)/d(belief) against central differences; both parties step by one scale and one rate. */
static void test_through(gconstpointer data) {
  Case c = *(const Case *)data;
  Lab *lab = open_case(&c, 5);
  lab_set_all(lab, "n_epochs 1 max_grad_norm 0.5 anneal 1");
  int64_t T = steps_of(data);
  Way w = {.g = experience(lab, T, 4, c.S), .D = c.D};
  Naive *z = naive_new(lab, w.g);
  w.point = z->point;
  double *x = g_new(double, (gsize)z->size), *m1 = g_new(double, (gsize)z->size), norm2 = 9;
  naive_weights(z, x);
  naive_hold(z, x);
  g_assert_cmpint(learn_through(lab, &w, 100 + 4 * T, 200), ==, HN_OK);
  g_assert_cmpint(w.calls, ==, 1);
  g_assert_cmpint(w.believed, ==, 1);
  g_assert_cmpfloat_with_epsilon(w.rate, 0.5, 1e-12); /* 100 of 200 frames came before */
  int64_t width = z->S * c.D;
  double most = 0;
  for (int64_t t = 0; t <= T; t++)
    for (int64_t i = 0; i < 4; i++)
      for (int64_t d = 0; d < width; d++) {
        double mine = (double)w.d[(t * 4 + i) * width + d], slope = 0;
        if (t < T) slope = naive_slope(z, x, &z->belief[(t * 4 + w.index[i]) * width + d]);
        g_assert_cmpfloat_with_epsilon(mine, slope, t < T ? 1e-6 : 1e-30);
        most = fmax(most, fabs(slope));
      }
  g_assert_cmpfloat(most, >, 0.01);
  moments_of(z, m1);
  for (int64_t k = 0; k < z->size; k++) norm2 += pow(naive_slope(z, x, &x[k]), 2);
  g_assert_cmpfloat_with_epsilon(w.scale, 0.5 / sqrt(norm2), 1e-6);
  g_assert_cmpfloat_with_epsilon(lab_metric_of(lab, "grad_norm"), sqrt(norm2), 1e-4);
  for (int64_t k = 0; k < z->size; k++)
    g_assert_cmpfloat_with_epsilon(m1[k] / 0.1 / w.scale, naive_slope(z, x, &x[k]), 1e-5);
  g_free(x), g_free(m1), naive_free(z), log_free(w.g), lab_close(lab);
}

/* Minibatches on point beliefs: all of them once, then each minibatch's; the last ones anew where
 * a second pass follows. */
static void test_believed(void) {
  const struct {
    const char *settings;
    int believed, steps;
  } points[] = {{"n_epochs 1", 1, 1}, {"n_epochs 3", 3, 3}, {"n_epochs 2 n_minibatches 2", 5, 4}};
  for (gsize k = 0; k < G_N_ELEMENTS(points); k++) {
    Case c = {"", COMMON "loss_belief 1", 3, 2, 3, 0, 4};
    Lab *lab = open_case(&c, 5);
    lab_set_all(lab, points[k].settings);
    Way w = {.g = experience(lab, 8, 4, 3), .D = 2, .point = true};
    g_assert_cmpint(learn_through(lab, &w, 32, 200), ==, HN_OK);
    g_assert_cmpint(w.believed, ==, points[k].believed);
    g_assert_cmpint(w.calls, ==, points[k].steps);
    log_free(w.g), lab_close(lab);
  }
}

/* The two samples give the first action .9 and .2, the point belief, half way between their logits,
 * .6.  Noted is log .55, or, as published, (log .9 + log .2) / 2; and so goes the ratio. */
static void test_mixture_density(void) {
  for (int upstream = 0; upstream < 2; upstream++) {
    Case c = {"", COMMON "layers 0 loss_belief 1 normalise_belief 0 n_epochs 1", 0, 2, 2, 0, 2};
    Lab *lab = open_case(&c, 5);
    lab_set(lab, "upstream_mixture", upstream);
    g_assert_cmpint(lab->spec.aux_dim, ==, 2);
    float *w = lab_find(lab, "action.0.weight")->data; /* [2, A] */
    w[0] = logf(9), w[1] = 0, w[2] = -logf(4), w[3] = 0;
    Log *g = log_new(lab, 1, 8, 2, 9);
    memset(g->begin, HN_NEW_TASK, 16);
    for (int64_t i = 0; i < 16; i++) memcpy(g->belief + 4 * i, (float[]){1, 0, 0, 1}, 16);
    g_assert_cmpint(lab_act(lab, g, 0, 0, 8, false), ==, HN_OK);
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
    g_assert_cmpint(lab_learn(lab, g, &rng, 8, 1000), ==, HN_OK);
    g_assert_cmpfloat_with_epsilon(lab_metric_of(lab, "ratio"), mean, 1e-5);
    log_free(g), lab_close(lab);
  }
}

/* ---- what a step does with the gradient ---- */

/* No gradient at all reaches the critic, whose weights keep their bits; the loss is the same. */
static void test_upstream_critic(void) {
  double loss[2];
  for (int upstream = 0; upstream < 2; upstream++) {
    Lab *lab = open_case(&cases[0], 5);
    lab_set_all(lab, "n_epochs 1 huber 0"), lab_set(lab, "upstream_critic", upstream);
    static const char *const part[] = {"critic.0.weight", "critic.0.bias",  "critic.1.weight",
                                       "critic.1.bias",   "value.0.weight", "value.0.bias"};
    Log *g = experience(lab, 8, 4, 0);
    HnRng rng = hn_rng(1, 1);
    float *before[6];
    for (int k = 0; k < 6; k++) {
      const FakeArray *a = lab_find(lab, part[k]);
      before[k] = g_memdup2(a->data, (gsize)a->count * sizeof(float));
    }
    g_assert_cmpint(lab_learn(lab, g, &rng, 32, 1000), ==, HN_OK);
    loss[upstream] = lab_metric_of(lab, "value_loss");
    for (int k = 0; k < 6; k++) {
      const FakeArray *a = lab_find(lab, part[k]);
      char *name = g_strdup_printf("%s.m1", part[k]);
      const float *m1 = lab_find(lab, name)->data;
      double most = 0;
      for (int64_t j = 0; j < a->count; j++) most = fmax(most, fabs((double)m1[j]));
      bool same = memcmp(a->data, before[k], (gsize)a->count * sizeof(float)) == 0;
      g_assert_true(upstream ? most == 0 && same : most > 0 && !same);
      g_free(name), g_free(before[k]);
    }
    log_free(g), lab_close(lab);
  }
  g_assert_cmpfloat(loss[0], ==, loss[1]);
  g_assert_cmpfloat(loss[0], >, 0);
}

/* One step of the same gradient: plain, and with its elements limited before its norm, and weights
 * that decay. */
static void test_limits_and_decay(void) {
  const double clip = 0.02, norm = 0.05, lr = 0.05, decay = 0.3;
  Lab *lab[2];
  float *weight[2] = {NULL, NULL};
  double *m1[2];
  Naive *z[2];
  for (int k = 0; k < 2; k++) {
    lab[k] = open_case(&cases[0], 5);
    lab_set(lab[k], "n_epochs", 1);
    if (k) lab_set(lab[k], "max_grad_value", clip), lab_set(lab[k], "max_grad_norm", norm);
    if (k) lab_set(lab[k], "weight_decay", decay);
    Log *g = experience(lab[k], 8, 4, 0);
    z[k] = naive_new(lab[k], g);
    double *x = g_new(double, (gsize)z[k]->size);
    naive_weights(z[k], x);
    weight[k] = g_new(float, (gsize)z[k]->size);
    for (int64_t j = 0; j < z[k]->size; j++) weight[k][j] = (float)x[j];
    m1[k] = g_new(double, (gsize)z[k]->size);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(lab_learn(lab[k], g, &rng, 32, 1000), ==, HN_OK);
    moments_of(z[k], m1[k]);
    naive_weights(z[k], x);
    for (int64_t j = 0; k && j < z[k]->size; j++) { /* a first Adam step is lr g / (|g| + eps) */
      double g1 = m1[1][j] / 0.1, step = lr * g1 / (fabs(g1) + 1e-5);
      double want = (double)weight[1][j] * (1 - lr * decay) - step;
      g_assert_cmpfloat_with_epsilon(x[j], want, 2e-6);
    }
    log_free(g), g_free(x);
  }
  double square = 0, over = 0;
  for (int64_t j = 0; j < z[0]->size; j++) {
    double d = CLAMP(m1[0][j] / 0.1, -clip, clip);
    square += d * d, over += fabs(m1[0][j] / 0.1) > clip;
  }
  g_assert_true(over > 5 && over < 0.9 * (double)z[0]->size && sqrt(square) > norm);
  g_assert_cmpfloat_with_epsilon(lab_metric_of(lab[1], "grad_norm"), sqrt(square), 1e-6);
  for (int64_t j = 0; j < z[0]->size; j++) {
    double d = CLAMP(m1[0][j] / 0.1, -clip, clip) * norm / sqrt(square);
    g_assert_cmpfloat_with_epsilon(m1[1][j] / 0.1, d, 1e-7);
  }
  for (int k = 0; k < 2; k++) g_free(weight[k]), g_free(m1[k]), naive_free(z[k]), lab_close(lab[k]);
}

/* ---- advantages that are all equal ---- */

/* A hash of all that is kept. */
static char *kept_hash(Lab *lab) {
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  const int size[] = {0, 4, 8, 4, 8, 1};
  for (int64_t k = 0; k < lab->fake.array_count; k++)
    g_checksum_update(sum, lab->fake.array[k].data,
                      lab->fake.array[k].count * size[lab->fake.array[k].spec.type]);
  char *text = g_strdup(g_checksum_get_string(sum));
  g_checksum_free(sum);
  return text;
}

/* Minibatches of one step learn what the moments of the batch say. */
static void test_minibatch_of_one(void) {
  char *hash[3];
  for (int k = 0; k < 3; k++) { /* by the minibatch, by the batch, not at all */
    Lab *lab = open_case(&cases[0], 5);
    lab_set_all(lab, "n_epochs 1 n_minibatches 32 ent_coef 0");
    lab_set(lab, "advantages", k);
    Log *g = experience(lab, 8, 4, 0);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(lab_learn(lab, g, &rng, 32, 1000), ==, HN_OK);
    g_assert_cmpfloat(fabs(lab_metric_of(lab, "policy_loss")), >, 0.01);
    g_assert_cmpstr(lab->fake.logged, ==,
                    k ? ""
                      : "all advantages of a minibatch of size 1 are equal: standardised over the "
                        "batch (logged once)");
    hash[k] = kept_hash(lab);
    log_free(g), lab_close(lab);
  }
  g_assert_cmpstr(hash[0], ==, hash[1]);
  g_assert_cmpstr(hash[0], !=, hash[2]);
  for (int k = 0; k < 3; k++) g_free(hash[k]);
}

/* A batch of one step, and of several whose advantages are all 2: taken as they are. */
static void test_equal_batch(void) {
  for (int64_t steps = 1; steps <= 8; steps += 7)
    for (int over = 0; over < 2; over++) {
      Lab *lab = open_case(&cases[0], 5);
      lab_set_all(lab, "n_epochs 1 n_minibatches 2 ent_coef 0 lr 0 gamma 0 normalise_reward 0");
      lab_set(lab, "advantages", over);
      FakeArray *value = lab_find(lab, "value.0.weight");
      memset(value->data, 0, (gsize)value->count * sizeof(float));
      Log *g = log_new(lab, steps, 1, 0, 3);
      g->begin[0] = HN_NEW_TASK;
      for (int64_t t = 0; t < steps; t++) {
        g_assert_cmpint(lab_act(lab, g, t, 0, 1, false), ==, HN_OK);
        g->reward[t] = g->true_reward[t] = 2;
      }
      HnRng rng = hn_rng(1, 1);
      g_assert_cmpint(lab_learn(lab, g, &rng, steps, 1000), ==, HN_OK);
      g_assert_cmpfloat_with_epsilon(lab_metric_of(lab, "policy_loss"), -2, 1e-6);
      g_assert_nonnull(strstr(lab->fake.logged, "are equal: not standardised"));
      log_free(g), lab_close(lab);
    }
}

/* ---- bits, schedules, sizes ---- */

/* Shards backwards, and on two threads: the same bits; 700 elements are eight shards. */
static void test_threads(gconstpointer data) {
  char *hash[3];
  for (int order = 0; order < 3; order++) {
    Lab *lab = open_case(data, 5);
    lab_set_all(lab, "n_epochs 3 n_minibatches 2");
    lab->order = order;
    Log *g = experience(lab, 350, 4, ((const Case *)data)->S);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(lab_learn(lab, g, &rng, 1400, 10000), ==, HN_OK);
    hash[order] = kept_hash(lab);
    log_free(g), lab_close(lab);
  }
  g_assert_cmpstr(hash[0], ==, hash[1]);
  g_assert_cmpstr(hash[0], ==, hash[2]);
  for (int k = 0; k < 3; k++) g_free(hash[k]);
}

/* Acting on rows together or one by one: the same bits. */
static void test_rows_alone(gconstpointer data) {
  const Case *c = data;
  Lab *lab = open_case(c, 5);
  Log *g[2];
  for (int k = 0; k < 2; k++) {
    g[k] = experience(lab, 8, 7, c->S);
    for (int64_t i = 0; i < 7; i++) g[k]->rng[i] = hn_rng(8, (uint64_t)i);
  }
  g_assert_cmpint(lab_act(lab, g[0], 0, 0, 7, false), ==, HN_OK);
  for (int64_t i = 0; i < 7; i++) g_assert_cmpint(lab_act(lab, g[1], 0, i, 1, false), ==, HN_OK);
  g_assert_cmpmem(g[0]->action, (gsize)(7 * c->action_dim) * 4, g[1]->action,
                  (gsize)(7 * c->action_dim) * 4);
  g_assert_cmpmem(g[0]->action_index, 7 * 4, g[1]->action_index, 7 * 4);
  g_assert_cmpmem(g[0]->aux, (gsize)(7 * lab->spec.aux_dim) * 4, g[1]->aux,
                  (gsize)(7 * lab->spec.aux_dim) * 4);
  for (int64_t i = 0; i < 7; i++)
    if (c->action_dim > 0) /* both cases squash their draws, which the note keeps raw */
      g_assert_cmpfloat_with_epsilon(g[0]->action[2 * i + 1],
                                     tanh((double)g[0]->aux[i * lab->spec.aux_dim + 2]), 1e-6);
  log_free(g[0]), log_free(g[1]), lab_close(lab);
}

static void expect_refusal(const Case *c, HnStatus status, const char *part) {
  Lab *lab = lab_open(&ppo_LTX_hn_plugin, 1);
  lab_set_all(lab, c->settings);
  lab->spec.obs_dim = c->O, lab->spec.belief_dim = c->D, lab->spec.rows = 4;
  lab->spec.action_dim = c->action_dim, lab->spec.action_count = c->action_count;
  g_assert_cmpint(lab_create(lab), ==, status);
  g_assert_nonnull(strstr(lab->fake.error, part));
  lab_close(lab);
}

/* Told not to see the observation, the policy is what it is where there is none. */
static void test_blind(void) {
  Case c = {"", COMMON "n_epochs 2 see_obs 0", 3, 2, 0, 0, 3};
  Lab *lab[2];
  char *hash[2];
  Log *g = NULL;
  for (int k = 0; k < 2; k++) {
    lab[k] = open_case(&c, 5);
    if (k == 0) g = experience(lab[0], 8, 4, 0);
    g_assert_null(lab_find(lab[k], "obs_norm.mean"));
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(lab_learn(lab[k], g, &rng, 32, 1000), ==, HN_OK);
    hash[k] = kept_hash(lab[k]);
    c.O = 0, c.settings = COMMON "n_epochs 2";
  }
  g_assert_cmpstr(hash[0], ==, hash[1]);
  for (int k = 0; k < 2; k++) g_free(hash[k]), lab_close(lab[k]);
  log_free(g);
  expect_refusal(&(Case){"", "see_obs 0", 3, 0, 0, 0, 2}, HN_E_SHAPE, "neither observation");
}

static void test_anneal(void) {
  const struct {
    int64_t frames;
    double anneal, lr;
  } points[] = {{32, 1, 0.05}, {532, 1, 0.025}, {1000, 1, 0.0016}, {532, 0, 0.05}};
  for (gsize k = 0; k < G_N_ELEMENTS(points); k++) {
    Lab *lab = open_case(&cases[0], 5);
    lab_set(lab, "anneal", points[k].anneal);
    Log *g = experience(lab, 8, 4, 0);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(lab_learn(lab, g, &rng, points[k].frames, 1000), ==, HN_OK);
    g_assert_cmpfloat_with_epsilon(lab_metric_of(lab, "lr"), points[k].lr, 1e-12);
    log_free(g), lab_close(lab);
  }
}

static void test_target_kl(void) {
  for (int stop = 0; stop < 2; stop++) {
    Lab *lab = open_case(&cases[0], 5);
    if (stop) lab_set(lab, "target_kl", 0.005);
    Log *g = experience(lab, 8, 4, 0);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(lab_learn(lab, g, &rng, 32, 1000), ==, HN_OK);
    /* the first pass is one step from ratios of 1; the second sees what it did */
    g_assert_cmpfloat(lab_metric_of(lab, "epochs"), ==, stop ? 2 : 10);
    log_free(g), lab_close(lab);
  }
}

/* VariBAD's gridworld policy (arXiv 1910.08348): x, y and a flag; 5 means and 5 log-variances. */
static void expect_size(Case c, int64_t want) {
  Lab *lab = open_case(&c, 1);
  int64_t count = 0;
  for (int64_t k = 0; k < lab->fake.array_count; k++) {
    const HnArray *a = &lab->fake.array[k].spec;
    count += a->role == HN_WEIGHT && a->type == HN_F32 ? lab->fake.array[k].count : 0;
  }
  g_assert_cmpint(count, ==, want);
  lab_close(lab);
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

/* ---- acting ---- */

/* exp(entropy - entropy of N(0, 1)) of one action.  Within bounds, 0.996805 at logstd 0, and the
 * bounds; above a floor. */
static void test_stddev(void) {
  const struct {
    const char *settings;
    double logstd, stddev;
  } points[] = {{"std_bounds 1", 0, 0.996805},
                {"std_bounds 1", 50, 1.5},
                {"std_bounds 1", -50, 0.5},
                {"std_floor 0.3", -50, 0.3},
                {"std_floor 0.3", -1, 0.36787944}};
  for (gsize k = 0; k < G_N_ELEMENTS(points); k++) {
    Case c = {"", COMMON "n_epochs 1", 3, 2, 0, 1, 0};
    char *settings = g_strdup_printf("%s %s", c.settings, points[k].settings);
    c.settings = settings;
    Lab *lab = open_case(&c, 5);
    *(float *)lab_find(lab, "logstd")->data = (float)points[k].logstd;
    Log *g = experience(lab, 8, 4, 0);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(lab_learn(lab, g, &rng, 32, 1000), ==, HN_OK);
    double entropy = lab_metric_of(lab, "entropy");
    g_assert_cmpfloat_with_epsilon(exp(entropy - 1.4189385332), points[k].stddev, 2e-6);
    log_free(g), lab_close(lab), g_free(settings);
  }
}

/* Frequencies of actions against the mean of softmaxes of both samples, of moments against those of
 * two Gaussians; and greedy actions. */
static void test_mixture(void) {
  enum { ROWS = 20000 };
  for (int discrete = 0; discrete < 2; discrete++) {
    Case c = {"",
              COMMON "normalise_belief 0 std_init 0.5 layers 0",
              0,
              2,
              2,
              discrete ? 0 : 1,
              discrete ? 3 : 0};
    Lab *lab = open_case(&c, 5);
    float *w = lab_find(lab, "action.0.weight")->data; /* [2, A]: rows of logits or means */
    for (int k = 0; k < (discrete ? 6 : 2); k++) w[k] = (float[]){1, -1, 0, 0, 1, -2}[k];
    Log *g = log_new(lab, 1, ROWS, 2, 9);
    for (int64_t i = 0; i < ROWS; i++) /* the samples (1, 0) and (0, 1) */
      memcpy(g->belief + 4 * i, (float[]){1, 0, 0, 1}, 4 * sizeof(float));
    g_assert_cmpint(lab_act(lab, g, 0, 0, ROWS, false), ==, HN_OK);
    if (discrete) {
      double p[3] = {0}, count[3] = {0};
      for (int s = 0; s < 2; s++)
        for (int k = 0; k < 3; k++)
          p[k] += 0.5 * exp((double)w[3 * s + k]) /
                  (exp((double)w[3 * s]) + exp((double)w[3 * s + 1]) + exp((double)w[3 * s + 2]));
      for (int i = 0; i < ROWS; i++) count[g->action_index[i]]++;
      for (int k = 0; k < 3; k++)
        g_assert_cmpfloat_with_epsilon(count[k] / ROWS, p[k], 4 * sqrt(p[k] * (1 - p[k]) / ROWS));
      g_assert_cmpint(lab_act(lab, g, 0, 0, 1, true), ==, HN_OK);
      g_assert_cmpint(g->action_index[0], ==, p[0] > p[1] ? 0 : 1);
    } else { /* means 1 and -1, deviation 1/2: variance 1.25, and hardly a draw near 0 */
      double mean = 0, square = 0;
      for (int i = 0; i < ROWS; i++)
        mean += (double)g->action[i] / ROWS, square += pow((double)g->action[i], 2) / ROWS;
      g_assert_cmpfloat_with_epsilon(mean, 0, 4 * sqrt(1.25 / ROWS));
      g_assert_cmpfloat_with_epsilon(square, 1.25, 4 * sqrt(1.125 / ROWS)); /* var x^2 = 9/8 */
      g_assert_cmpint(lab_act(lab, g, 0, 0, 1, true), ==, HN_OK);
      g_assert_cmpfloat_with_epsilon(g->action[0], 0, 1e-6);
    }
    log_free(g), lab_close(lab);
  }
}

static void test_refusals(void) {
  expect_refusal(&(Case){"", "", 3, 2, 0, 0, 0}, HN_E_SHAPE, "no actions");
  expect_refusal(&(Case){"", "", 0, 0, 0, 0, 2}, HN_E_SHAPE, "neither observation nor belief");
  expect_refusal(&(Case){"", "squash 2", 3, 0, 0, 0, 2}, HN_E_PARAM, "squash");
  expect_refusal(&(Case){"", "std_bounds 1 std_low 2", 3, 0, 0, 1, 0}, HN_E_PARAM, "std_low (2)");
  expect_refusal(&(Case){"", "hidden 64,x", 3, 0, 0, 0, 2}, HN_E_PARAM, "hidden: '64,x' is not");
  expect_refusal(&(Case){"", "hidden 1,1,1,1,1,1,1,1,1", 3, 0, 0, 0, 2}, HN_E_PARAM, "1 to 8");
}

static void test_not_finite(void) {
  Lab *lab = open_case(&cases[0], 5);
  Log *g = experience(lab, 8, 4, 0);
  g->reward[5] = g->true_reward[5] = NAN;
  HnRng rng = hn_rng(1, 1);
  g_assert_cmpint(lab_learn(lab, g, &rng, 32, 1000), ==, HN_E_NUMERIC);
  g->obs[1] = NAN;
  g_assert_cmpint(lab_act(lab, g, 0, 0, 4, false), ==, HN_E_NUMERIC);
  log_free(g), lab_close(lab);
}

/* ---- learning ---- */

/* Two states.  Action 1 leads to state 1 at a price of 0.3, action 0 to state 0 for nothing; being
 * in state 1 pays 1 with the next action.  A learner that looks one step ahead never pays. */
static void test_two_states(void) {
  Case c = {
      "", "layers 1 width 16 n_epochs 4 n_minibatches 4 lr 0.01 gamma 0.9 anneal 0", 1, 0, 0, 0, 2};
  Lab *lab = open_case(&c, 2);
  Log *g = log_new(lab, 16, 4, 0, 4);
  HnRng rng = hn_rng(1, 1);
  for (int iteration = 0; iteration < 40; iteration++) {
    memset(g->begin, iteration ? HN_KEEP : HN_NEW_TASK, 4);
    for (int64_t t = 0; t < 16; t++) {
      g_assert_cmpint(lab_act(lab, g, t, 0, 4, false), ==, HN_OK);
      for (int64_t k = 4 * t; k < 4 * t + 4; k++) {
        g->reward[k] = g->true_reward[k] = g->obs[k] - 0.3f * (float)g->action_index[k];
        g->obs[k + 4] = (float)g->action_index[k];
      }
    }
    g_assert_cmpint(lab_learn(lab, g, &rng, 64 * (iteration + 1), 64 * 40), ==, HN_OK);
    memcpy(g->obs, g->obs + 64, 4 * sizeof(float));
  }
  g->obs[0] = 0, g->obs[1] = 1;
  g_assert_cmpint(lab_act(lab, g, 0, 0, 2, true), ==, HN_OK);
  g_assert_cmpint(g->action_index[0], ==, 1);
  g_assert_cmpint(g->action_index[1], ==, 1);
  log_free(g), lab_close(lab);
}

/* Trials of one step; the belief says where the best action is, and loss is squared distance. */
static void test_targets(gconstpointer settings) {
  Case c = {"", settings, 1, 1, 0, 1, 0};
  Lab *lab = open_case(&c, 2);
  lab_set_all(lab, "layers 1 width 16 n_epochs 8 n_minibatches 4 lr 0.01 std_init 0.5");
  Log *g = log_new(lab, 32, 4, 0, 4);
  HnRng rng = hn_rng(1, 1), world = hn_rng(2, 2);
  memset(g->begin, HN_NEW_TASK, 33 * 4);
  for (int iteration = 0; iteration < 25; iteration++) {
    for (int64_t k = 0; k < 33 * 4; k++) g->belief[k] = hn_rng_below(&world, 2) ? 0.6f : -0.6f;
    for (int64_t t = 0; t < 32; t++) {
      g_assert_cmpint(lab_act(lab, g, t, 0, 4, false), ==, HN_OK);
      for (int64_t k = 4 * t; k < 4 * t + 4; k++)
        g->reward[k] = g->true_reward[k] = -powf(g->action[k] - g->belief[k], 2);
    }
    g_assert_cmpint(lab_learn(lab, g, &rng, 128 * (iteration + 1), 128 * 25), ==, HN_OK);
  }
  g->belief[0] = 0.6f, g->belief[1] = -0.6f;
  g_assert_cmpint(lab_act(lab, g, 0, 0, 2, true), ==, HN_OK);
  g_test_message("%.3f %.3f", (double)g->action[0], (double)g->action[1]);
  g_assert_cmpfloat_with_epsilon(g->action[0], 0.6, 0.1);
  g_assert_cmpfloat_with_epsilon(g->action[1], -0.6, 0.1);
  log_free(g), lab_close(lab);
}

static void add_cases(const char *folder, const int *which, int count, GTestDataFunc test) {
  for (int k = 0; k < count; k++) {
    const Case *c = &cases[which ? which[k] : k];
    char *path = g_strdup_printf("/ppo/%s/%s", folder, c->name);
    g_test_add_data_func(path, c, test);
    g_free(path);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_cases("gradient", NULL, G_N_ELEMENTS(cases), test_gradient);
  add_cases("through", (int[]){0, 1, 6, 9, 10, 13, 14}, 7, test_through);
  add_cases("threads", (int[]){0, 9, 13}, 3, test_threads);
  add_cases("rows_alone", (int[]){0, 6, 9, 13, 15}, 5, test_rows_alone);
  g_test_add_func("/ppo/believed", test_believed);
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
  g_test_add_func("/ppo/stddev", test_stddev);
  g_test_add_func("/ppo/mixture", test_mixture);
  g_test_add_func("/ppo/refusals", test_refusals);
  g_test_add_func("/ppo/not_finite", test_not_finite);
  g_test_add_func("/ppo/two_states", test_two_states);
  g_test_add_data_func("/ppo/targets/gaussian", "squash 0", test_targets);
  g_test_add_data_func("/ppo/targets/squashed", "squash 2", test_targets);
  return g_test_run();
}
