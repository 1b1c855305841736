/* laplace_test.c - laplace_vrnn against a naive one in float64, the acceptance values of its
 * method, and the promises of the ABI. */
#include "../../plugins/inference/vrnn/predict.h"
#include "vrnn_checks.h"

extern const HnPlugin laplace_vrnn_LTX_hn_plugin, recurrent_LTX_hn_plugin;

static Fixture *laplace_new(const Case *c, const char *more) {
  return fixture_new(&laplace_vrnn_LTX_hn_plugin, c, more);
}

static double *precision_of(const Fixture *b, char *state, int64_t row) {
  return vrnn_laplace_precision(b->self, state + (gsize)row * b->spec.row_size);
}

/* ---- the naive posterior ---- */

static void naive_prior(const Naive *z, double *precision) {
  for (int64_t j = 0; j < z->m->F; j++)
    precision[j * z->m->F + j] = 1 / z->m->p->prior_variance + z->m->p->jitter;
}

/* p += J J' for the input, J by central differences. */
static void add_curvature(const Naive *z, const Memory *k, const double *in, double scale,
                          double *p) {
  const Vrnn *m = z->m;
  int64_t H = m->H, F = m->F;
  double j[WIDE][WIDE];
  for (int64_t d = 0; d < H; d++) {
    double mean[2][WIDE], before[2 * WIDE], after[2 * WIDE], e = 1e-5;
    for (int s = 0; s < 2; s++) {
      memcpy(before, k->carry, sizeof before);
      before[d] += s ? e : -e;
      naive_cell(z, in, before, after);
      naive_mean(z, after, mean[s]);
    }
    for (int64_t f = 0; f < F; f++) j[f][d] = (mean[1][f] - mean[0][f]) / (2 * e);
  }
  for (int64_t a = 0; a < F; a++)
    for (int64_t b = 0; b < F; b++)
      for (int64_t d = 0; d < H; d++)
        if (a == b || z->m->p->covariance == COVARIANCE_FULL)
          p[a * F + b] += scale * j[a][d] * j[b][d];
}

static void naive_update(const Naive *z, const Memory *k, Point *p) {
  const VrnnParams *s = z->m->p;
  int64_t F = z->m->F, used = MIN(k->count, s->buffer);
  bool means = s->accumulate == ACCUMULATE_BOTH || s->accumulate == ACCUMULATE_MEAN;
  bool precisions = s->accumulate == ACCUMULATE_BOTH || s->accumulate == ACCUMULATE_PRECISION;
  for (int64_t f = 0; means && f < F; f++) p->q.mean[f] += p->before.mean[f];
  if (z->recorded) return; /* the precision is a constant to the gradient */
  for (int64_t f = 0; f < F * F; f++)
    p->q.precision[f] = precisions ? k->q.precision[f] : f % (F + 1) ? 0 : s->damping + s->jitter;
  for (int64_t i = 0; i < used; i++)
    add_curvature(z, k, k->inputs[i], s->normalize ? 1 / (double)used : 1, p->q.precision);
}

static void naive_offset(const Naive *z, const Point *p, const float *noise, double *offset) {
  int64_t F = z->m->F;
  double l[WIDE * WIDE] = {0};
  for (int64_t i = 0; i < F; i++)
    for (int64_t j = 0; j <= i; j++) {
      double sum = p->q.precision[i * F + j];
      for (int64_t k = 0; k < j; k++) sum -= l[i * F + k] * l[j * F + k];
      l[i * F + j] = i == j ? sqrt(sum) : sum / l[j * F + j];
    }
  for (int64_t i = F - 1; i >= 0; i--) {
    double sum = (double)noise[i];
    for (int64_t k = i + 1; k < F; k++) sum -= l[k * F + i] * offset[k];
    offset[i] = sum / l[i * F + i];
  }
}

static const NaivePosterior laplace = {.plugin = &laplace_vrnn_LTX_hn_plugin,
                                       .prior = naive_prior,
                                       .update = naive_update,
                                       .offset = naive_offset};

/* ---- cases ---- */

#define SMALL "hidden: 6, latent: 3, embed: 5, head_layers: 6 5 4, "
static const Case cases[] = {
    {"markov", SMALL "head: signal, model_samples: 0", 2, 2, 0},
    {"gru", SMALL "cell: gru, head: signal, model_samples: 1, context: rssm", 1, 2, 0},
    {"window", SMALL "buffer: 3, head: signal, model_samples: 3, see_first: false", 2, 1, 0},
    {"gru_window",
     SMALL "cell: gru, buffer: 2, head: none, context: bamdp, normalize: true, "
           "see_reward: true, see_episodes: true",
     2, 0, 4},
    {"diagonal", SMALL "covariance: diagonal, head: reward, model_samples: 3, context: bamdp", 1, 0,
     3},
    {"stationary",
     SMALL "accumulate: none, buffer: 4, damping: 0.5, head: reward, "
           "model_samples: 2, upstream_mixture: true, act_input: onehot",
     2, 0, 3},
    {"both",
     SMALL "accumulate: both, head: signal, model_samples: 2, upstream_aggregate: true, "
           "upstream_sigma: true, see_first: false, context: bamdp",
     1, 1, 0},
    {"mean",
     SMALL "accumulate: mean, covariance: diagonal, buffer: 2, head: signal, "
           "normalize: true, simplify: true, prior_variance: 2, context: rssm, see_first: false",
     2, 2, 0},
};

static void test_values(gconstpointer data) {
  check_values(&laplace, data, ", kl_weight: 0.5", 0);
  check_values(&laplace, data, ", kl_weight: 0.5", 3);
}

/* A large weight, so that the KL shows. */
static void test_gradient(gconstpointer data) {
  check_gradient(&laplace, data, ", max_grad_value: 0, kl_weight: 0.7", 0);
  check_gradient(&laplace, data, ", max_grad_value: 0, kl_weight: 0", 2);
}

static void test_windows(gconstpointer data) {
  check_windows(&laplace, data, "", 0), check_windows(&laplace, data, "", 3);
}

static void test_learn(gconstpointer data) {
  check_learn(&laplace, data, ", kl_weight: 2");
}

static void test_predict(void) {
  check_predict(&laplace, &cases[0], 0), check_predict(&laplace, &cases[1], 3);
  check_predict(&laplace, &cases[6], 2);
}

/* ---- the card's scalar chain (check A) ---- */

/* F = H = 1; inputs 1, -0.5, 0.25 come as embedded actions: none, 0 and 1.  An embedding is a
 * normalised vector of deviation 1 that begins with the input: [x, -x, s, -s]. */
static void set(Fixture *b, const char *name, int64_t n, const float *x) {
  FakeArray *a = fake_host_find(&b->fake, name);
  g_assert_cmpint(a->count, ==, n);
  memcpy(a->data, x, (size_t)n * sizeof *x);
}

static void set_chain(Fixture *b) {
  static const double input[] = {1, -0.5, 0.25};
  float none[4] = {0}, each[8], w1[16] = {0}, b1[4], zero[16] = {0}, one[4] = {1, 1, 1, 1};
  double v[3][4];
  for (int k = 0; k < 3; k++) {
    double s = sqrt(2 * (1 - 1e-6) - input[k] * input[k]), x = input[k];
    const double to[] = {x, -x, s, -s};
    for (int j = 0; j < 4; j++) v[k][j] = to[j] < 0 ? 100 * to[j] : to[j]; /* before leaky ReLU */
  }
  /* first layer: the value wanted, raised so that nothing bends; second: lowered again */
  for (int j = 0; j < 4; j++) {
    none[j] = (float)(v[0][j] + 500), b1[j] = -500, w1[j * 5] = 1;
    for (int k = 0; k < 2; k++) each[k * 4 + j] = (float)(v[k + 1][j] - v[0][j]);
  }
  set(b, "act_embed.0.weight", 8, each), set(b, "act_embed.0.bias", 4, none);
  set(b, "act_embed.1.weight", 16, w1), set(b, "act_embed.1.bias", 4, b1);
  set(b, "act_embed.norm.weight", 4, one), set(b, "act_embed.norm.bias", 4, zero);
  float in[8 * 4] = {0};
  const float of_x[] = {0.5f, 0.2f, -0.7f, 0.3f};
  memcpy(in + 4 * 4, of_x, sizeof of_x);
  set(b, "lstm.weight_ih", 32, in);
  set(b, "lstm.weight_hh", 4, (const float[]){-0.3f, 0.4f, 0.9f, 0.6f});
  set(b, "lstm.bias", 4, (const float[]){0.1f, 0, 0.05f, -0.2f});
  set(b, "mean.0.weight", 1, (const float[]){1.5f}),
      set(b, "mean.0.bias", 1, (const float[]){0.2f});
}

typedef struct Chain {
  const char *settings;
  double mean, precision, kl; /* after the third input */
} Chain;

static const Chain chains[] = {
    {"accumulate: precision", 0.1228441603, 1.1433273797, 0.0025587378},
    {"accumulate: precision, buffer: 2", 0.1228441603, 1.2295872850, 0.0044738009},
    {"accumulate: none", 0.1228441603, 1.0889432262, 0.0012452647},
    {"accumulate: none, buffer: 2", 0.1228441603, 1.1393967636, 0.0015091523},
    {"accumulate: both", 0.2102764567, 1.1433273797, 0.0095519933},
    {"accumulate: both, buffer: 2", 0.2102764567, 1.2295872850, 0.0117045436},
};
/* mean, J, P, entropy, KL of the first chain */
static const double scalar[3][5] = {
    {-0.078138911, 0.041942373, 1.001759163, 1.418059226, 0.003053620},
    {0.165571208, 0.229401375, 1.054384154, 1.392459631, 0.030393880},
    {0.122844160, 0.298233509, 1.143327380, 1.351966713, 0.002558738},
};

static void check_chain(const Chain *k, bool diagonal, bool whole) {
  Case c = {"", "hidden: 1, latent: 1, embed: 4, act_input: onehot, ", 1, 0, 2};
  char *more = g_strdup_printf("%s%s", k->settings, diagonal ? ", covariance: diagonal" : "");
  Fixture *b = laplace_new(&c, more);
  set_chain(b);
  Experience *xp = experience_new(2, 1, 1, 0, 2, 100, true);
  xp->action_index[1] = 0, xp->action_index[2] = 1; /* steps 0 and 1 */
  char *state = g_malloc0(b->spec.row_size);
  HnRng *rng = streams_new(1);
  int64_t columns = ((const Vrnn *)b->self)->info_count;
  float belief[3], *info = g_new0(float, 3 * columns);
  infer_window(b, xp, 2, 0, state, rng, belief, info);
  const double mean = 1.2e-6, factor = 7e-7, derived = 2e-7; /* carries and inputs are float32 */
  for (int t = 0; whole && t < 3; t++) {
    const float *x = info + t * columns;
    g_assert_cmpfloat_with_epsilon(belief[t], scalar[t][0], mean);
    g_assert_cmpfloat_with_epsilon(x[vrnn_info_jacobian_last2], scalar[t][1] * scalar[t][1],
                                   factor);
    g_assert_cmpfloat_with_epsilon(x[vrnn_info_entropy], scalar[t][3], derived);
    g_assert_cmpfloat_with_epsilon(x[vrnn_info_kl], scalar[t][4], derived);
  }
  g_assert_cmpfloat_with_epsilon(belief[2], k->mean, mean);
  g_assert_cmpfloat_with_epsilon(*precision_of(b, state, 0), k->precision, factor);
  g_assert_cmpfloat_with_epsilon(info[2 * columns + vrnn_info_kl], k->kl, derived);
  g_free(more), g_free(state), g_free(info), g_free(rng), experience_free(xp), fixture_free(b);
}

static void test_chain(void) {
  for (gsize k = 0; k < G_N_ELEMENTS(chains); k++)
    check_chain(&chains[k], false, k == 0), check_chain(&chains[k], true, k == 0);
}

/* ---- laid over what another agent has learnt (check G) ---- */

/* Every array of weights of one fake host, by name, into another; both must have the same. */
static int64_t copy_weights(FakeHost *from, FakeHost *to) {
  int64_t count = 0;
  for (int64_t k = 0; k < from->array_count; k++) {
    const FakeArray *a = &from->array[k];
    if (a->spec.role != HN_WEIGHT) continue;
    FakeArray *b = fake_host_find(to, a->spec.name);
    g_assert_nonnull(b);
    g_assert_cmpint(a->spec.rank, ==, b->spec.rank);
    g_assert_cmpmem(a->spec.dim, sizeof a->spec.dim, b->spec.dim, sizeof b->spec.dim);
    memcpy(b->data, a->data, (size_t)a->count * sizeof(float)), count++;
  }
  for (int64_t k = 0; k < to->array_count; k++) count -= to->array[k].spec.role == HN_WEIGHT;
  g_assert_cmpint(count, ==, 0); /* none is extra */
  return to->array_count;
}

static void check_post_hoc(const char *cell, const char *more, bool same) {
  char *settings = g_strdup_printf(SMALL "head: signal, context: rssm, cell: %s", cell);
  Case c = {"", settings, 2, 1, 0};
  Fixture *b = laplace_new(&c, more);
  const HnInference *other = recurrent_LTX_hn_plugin.methods;
  FakeHost *fake = g_new0(FakeHost, 1);
  HnPluginChoice part = part_of(&recurrent_LTX_hn_plugin, settings);
  void *agent = g_malloc0(recurrent_LTX_hn_plugin.self_size);
  HnRng rng = hn_rng(77, 1), *streams = streams_new(3);
  HnBeliefSpec spec = b->spec;
  spec.rng = &rng;
  g_assert_cmpint(other->create(agent, fake_host_open(fake), part.params, &spec), ==, HN_OK);
  g_assert_cmpint(copy_weights(fake, &b->fake), >, 20);
  g_assert_cmpint(spec.belief_dim, ==, b->spec.belief_dim);

  Experience *xp = experience_new(9, 3, 2, 1, 0, 100, true);
  HnHistory h = experience_window(xp, 0, 9, 0, 3);
  int64_t D = spec.belief_dim, n = 10 * 3 * D;
  float *mine = g_new0(float, n), *its = g_new0(float, n);
  char *state = g_malloc0(3 * spec.row_size);
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h, .state = state, .rng = streams};
  q.belief = its;
  g_assert_cmpint(other->infer(agent, &q), ==, HN_OK);
  g_free(state), state = g_malloc0(3 * b->spec.row_size);
  infer_window(b, xp, 9, 0, state, streams, mine, NULL);
  g_assert_cmpmem(mine, (gsize)(3 * D) * 4, its, (gsize)(3 * D) * 4); /* the first observation */
  for (int64_t t = 1; t < 10; t++)
    g_assert_cmpint(memcmp(mine + t * 3 * D, its + t * 3 * D, (gsize)(3 * D) * 4) == 0, ==, same);
  fake_host_close(fake), g_free(fake), g_free(agent), g_free(part.params);
  g_free(mine), g_free(its), g_free(state), g_free(streams), g_free(settings);
  experience_free(xp), fixture_free(b);
}

static void test_post_hoc(gconstpointer cell) {
  const char *const same[] = {"precision", "none"}, *const other[] = {"both", "mean"};
  for (int k = 0; k < 2; k++)
    for (int form = 0; form < 4; form++) {
      char *more = g_strdup_printf(", accumulate: %s, covariance: %s, buffer: %d", same[k],
                                   form % 2 ? "full" : "diagonal", form / 2 ? 3 : 1);
      check_post_hoc(cell, more, true);
      g_free(more);
      more = g_strdup_printf(", accumulate: %s", other[k]);
      check_post_hoc(cell, more, false);
      g_free(more);
    }
}

/* ---- what the gradient does not see (check H) ---- */

static float *gradient_of(Fixture *b) {
  HnStore *s = &((Vrnn *)b->self)->store;
  float *g = g_new0(float, s->size);
  for (int64_t k = 0; k < s->count; k++) {
    HnTensor *p = &s->tensor[k];
    memcpy(g + p->offset, p->grad, (gsize)(p->rows * p->cols) * sizeof *g);
    memset(p->grad, 0, (gsize)(p->rows * p->cols) * sizeof *g);
  }
  return g;
}

/* The KL's gradient in the mean is P_before times how far it moved, so it scales with P_before; and
 * the memory before, in which the prior lies, has none: the window's first KL does not move it. */
static void test_pull(void) {
  Case c = {"", SMALL "head: none, kl_weight: 1, jitter: 0", 2, 1, 0};
  Fixture *b = laplace_new(&c, "");
  Experience *xp = experience_new(3, 2, 2, 1, 0, 100, true);
  char *memory = state_before(b, xp, 2, 0);
  double norm2;
  forward_backward(b, xp, 2, 0, memory, NULL, &norm2); /* one step: one KL */
  float *g[2] = {gradient_of(b), NULL};
  for (int i = 0; i < 2; i++) {
    double *p = precision_of(b, memory, i);
    for (int64_t j = 0; j < hn_precision_count(3, false); j++) p[j] *= 3;
  }
  forward_backward(b, xp, 2, 0, memory, NULL, &norm2);
  g[1] = gradient_of(b);
  double most = 0;
  for (int64_t j = 0; j < ((const Vrnn *)b->self)->store.size; j++) {
    g_assert_cmpfloat_with_epsilon(g[1][j], 3 * g[0][j], 4e-7);
    most = fmax(most, fabs((double)g[0][j]));
  }
  g_assert_cmpfloat(most, >, 0.01);
  g_free(g[0]), g_free(g[1]), g_free(memory), experience_free(xp), fixture_free(b);
}

/* ---- the ring of inputs (check I) ---- */

/* Precisions of two rows after so many inputs. */
static double *precisions_after(const char *more, int64_t inputs) {
  Case c = {"", SMALL, 2, 1, 0};
  Fixture *b = laplace_new(&c, more);
  Experience *xp = experience_new(inputs, 2, 2, 1, 0, 100, true);
  char *state = state_before(b, xp, inputs, 0);
  int64_t n = hn_precision_count(3, false);
  double *p = g_new0(double, 2 * n);
  for (int i = 0; i < 2; i++) memcpy(p + i * n, precision_of(b, state, i), (gsize)n * sizeof *p);
  g_free(state), experience_free(xp), fixture_free(b);
  return p;
}

static bool alike(const double *x, const double *y, double digits) {
  for (int j = 0; j < 2 * 6; j++)
    if (fabs(x[j] - y[j]) > digits) return false;
  return true;
}

/* (That a window is what brute force over its inputs says is part of the naive comparison.) */
static void test_ring(void) {
  double *whole = precisions_after("accumulate: none, buffer: 7", 7);
  double *longer = precisions_after("accumulate: none, buffer: 20", 7);
  double *window = precisions_after("accumulate: none, buffer: 3", 7);
  double *early = precisions_after("accumulate: none, buffer: 3", 2);
  double *same = precisions_after("accumulate: none, buffer: 2", 2);
  g_assert_true(alike(whole, longer, 1e-6)); /* B >= T: the full history */
  g_assert_false(alike(whole, window, 1e-3));
  g_assert_true(alike(early, same, 1e-6)); /* not yet full: two terms */
  g_free(whole), g_free(longer), g_free(window), g_free(early), g_free(same);
}

/* ---- members (check K) ---- */

/* Two members {0.9, 0.1} and {0.2, 0.8} of the first class; two means {0, 2} of deviation 0.7. */
static void test_members(void) {
  static const float logits[] = {2.1972246f, 0, 0, 1.3862944f}, means[] = {0, 2};
  static const double logp[] = {-0.5978370008, -0.8573992140}, deviation[] = {1.2206555616, 0.49};
  Case c = {"", SMALL "head: signal, ", 1, 1, 0};
  for (int upstream = 0; upstream < 2; upstream++) {
    Fixture *b =
        laplace_new(&c, upstream ? "upstream_aggregate: true, upstream_mixture: true" : "");
    double mean, stddev, work[2];
    vrnn_signal_moments(b->self, 2, means, 1, 0.7, &mean, &stddev);
    g_assert_cmpfloat(mean, ==, 1);
    g_assert_cmpfloat_with_epsilon(stddev, deviation[upstream], 1e-9);
    vrnn_signal_moments(b->self, 1, means + 1, 1, 0.7, &mean,
                        &stddev); /* one alone keeps its own */
    g_assert_cmpfloat_with_epsilon(stddev, 0.7, 1e-12);
    g_assert_cmpfloat_with_epsilon(vrnn_class_logp(b->self, 2, logits, 2, 0, work), logp[upstream],
                                   2e-8);
    fixture_free(b);
  }
}

/* ---- sizes (check P), refusals ---- */

/* Regression's count is all of it; in the bandit and the gridworld a policy's two heads go with it,
 * of five and four actions. */
static void test_sizes(void) {
  static const struct {
    const char *settings;
    int64_t obs_dim, action_dim, action_count, latent, total;
  } task[] = {
      {"head: signal", 1, 1, 0, 64, 635203},
      {"head: signal, latent: 32", 1, 1, 0, 32, 622819},
      {"head: reward, context: rssm", 1, 0, 5, 64, 932744},
      {"head: reward, context: rssm, latent: 32", 1, 0, 5, 32, 903848},
      {"context: bamdp", 10, 0, 4, 64, 802821},
      {"context: bamdp, latent: 32", 10, 0, 4, 32, 782181},
  };
  for (gsize k = 0; k < G_N_ELEMENTS(task); k++) {
    Case c = {"", task[k].settings, task[k].obs_dim, task[k].action_dim, task[k].action_count};
    int64_t context = k < 2 ? 0 : k < 4 ? 128 : 256, in = task[k].latent + context;
    int64_t policy =
        task[k].action_count ? head_size(in, 1) + head_size(in, task[k].action_count) : 0;
    g_assert_cmpint(parameters_of(&laplace_vrnn_LTX_hn_plugin, &c) + policy, ==, task[k].total);
  }
}

static void test_refusals(void) {
  static const struct {
    Case c;
    const char *part;
    HnStatus status;
  } bad[] = {
      {{"", "head: signal, head_layers: many", 1, 1, 0}, "head_layers: 'many'", HN_E_PARAM},
      {{"", "head: none", 0, 1, 0}, "nothing to observe", HN_E_SHAPE},
      {{"", "head: signal, see_reward: true", 0, 1, 0}, "observations to predict", HN_E_SHAPE},
  };
  for (gsize k = 0; k < G_N_ELEMENTS(bad); k++) {
    Fixture *b = g_new0(Fixture, 1);
    g_assert_cmpint(fixture_try(b, &laplace_vrnn_LTX_hn_plugin, &bad[k].c, ""), ==, bad[k].status);
    g_assert_nonnull(strstr(b->fake.error, bad[k].part));
    fixture_free(b);
  }
  Case c = {"", SMALL "head: reward", 1, 0, 3};
  Fixture *b = laplace_new(&c, "");
  float x[8] = {0};
  g_assert_cmpint(vrnn_predict(b->self, x, 0, 1, x, x, x, NULL), ==, HN_E_UNSUPPORTED);
  g_assert_nonnull(strstr(b->fake.error, "head: signal"));
  fixture_free(b);
}

/* Without track, beliefs are the same, a window that begins with tasks learns the same, and one
 * that begins in mid-trial is refused. */
static void check_track(const char *accumulate) {
  char *settings = g_strconcat(
      SMALL "head: signal, model_samples: 2, buffer: 2, accumulate: ", accumulate, NULL);
  Case c = {"", settings, 2, 1, 0};
  float *g[2], *belief[2];
  for (int k = 0; k < 2; k++) {
    Fixture *b = laplace_new(&c, k ? "" : ", track: false");
    Experience *xp = experience_new(8, 3, 2, 1, 0, 100, true);
    char *memory = g_malloc0(3 * b->spec.row_size);
    HnRng *rng = streams_new(3);
    double norm2;
    forward_backward(b, xp, 0, 0, memory, NULL, &norm2);
    g[k] = gradient_of(b);
    belief[k] = g_new0(float, 9 * 3 * 3);
    infer_window(b, xp, 4, 0, memory, rng, belief[k], NULL);
    HnHistory h = experience_window(xp, 5, 3, 0, 3);
    const HnHistory *phase[] = {&h};
    h.state = memory;
    HnTrainBatch batch = {.struct_size = sizeof batch, .rng = rng, .phases = 1, .phase = phase};
    HnStatus status = vrnn_learn(b->self, &batch);
    g_assert_cmpint(status, ==, k ? HN_OK : HN_E_NUMERIC);
    if (!k) g_assert_nonnull(strstr(b->fake.error, "track: true"));
    g_free(memory), g_free(rng), experience_free(xp);
    gsize bytes = (gsize)((const Vrnn *)b->self)->store.size * sizeof(float);
    if (k) g_assert_cmpmem(g[0], bytes, g[1], bytes);
    fixture_free(b);
  }
  g_assert_cmpmem(belief[0], 9 * 3 * 3 * 4, belief[1], 9 * 3 * 3 * 4);
  for (int k = 0; k < 2; k++) g_free(g[k]), g_free(belief[k]);
  g_free(settings);
}

static void test_track(void) {
  check_track("precision"), check_track("none"), check_track("none, kl_weight: 0");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_cases("laplace/values", test_values, cases, G_N_ELEMENTS(cases));
  add_cases("laplace/gradient", test_gradient, cases, G_N_ELEMENTS(cases));
  add_cases("laplace/windows", test_windows, cases, G_N_ELEMENTS(cases));
  g_test_add_data_func("/laplace/learn/lstm", &cases[2], test_learn);
  g_test_add_data_func("/laplace/learn/gru", &cases[1], test_learn);
  g_test_add_func("/laplace/predict", test_predict);
  g_test_add_func("/laplace/chain", test_chain);
  g_test_add_data_func("/laplace/post_hoc/lstm", "lstm", test_post_hoc);
  g_test_add_data_func("/laplace/post_hoc/gru", "gru", test_post_hoc);
  g_test_add_func("/laplace/pull", test_pull);
  g_test_add_func("/laplace/ring", test_ring);
  g_test_add_func("/laplace/members", test_members);
  g_test_add_func("/laplace/sizes", test_sizes);
  g_test_add_func("/laplace/track", test_track);
  g_test_add_func("/laplace/refusals", test_refusals);
  return g_test_run();
}
