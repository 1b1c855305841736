/* pearl_test.c - PEARL's belief against the product of Gaussians in closed form, with a plain
 * encoder of the test's own; the order of steps; what is held through an episode; beliefs and the
 * gradient of its loss against a naive float64 twin, also of a window that begins amid a task. */
#include "inference_fixture.h"
#include "numbers.h"

extern const HnPlugin pearl_LTX_hn_plugin;

enum { T = 6, B = 2, O = 2, A = 1, Z = 3, H = 4, S = 2, INPUTS = 2 * O + A + 1 };
static const Case small = {"small", "latent: 3, hidden: '4', kl_weight: 0.7", O, A, 0};
static const double kl_weight = 0.7;

typedef struct Kind {
  const char *settings;
  bool each, all, next_obs; /* update: step; kl_times: all */
  double floor;             /* of variances */
} Kind;
static const Kind episode = {.settings = ""};
static const Kind each_step = {", update: step, kl_times: all", .each = true, .all = true};
static const Kind led_to = {", next_obs: true", .next_obs = true};
static const Kind floored = {", update: step, variance_floor: 0.7", .each = true, .floor = 0.7};

/* ---- a window of random steps ---- */

/* `begin` of times 1 .. T, the same in both rows. */
typedef struct Steps {
  uint8_t begin[(T + 1) * B], terminated[T * B], truncated[T * B];
  float obs[(T + 1) * B * O], next_obs[T * B * O], action[T * B * A], reward[T * B];
  HnHistory h;
} Steps;

static Steps *steps_new(const uint8_t *begin) {
  Steps *x = g_new0(Steps, 1);
  HnRng rng = hn_rng(8, 0);
  for (int k = 0; k < B; k++) x->begin[k] = HN_NEW_TASK;
  for (int k = B; k < (T + 1) * B; k++) x->begin[k] = begin[k / B - 1];
  for (int k = 0; k < (T + 1) * B * O; k++) x->obs[k] = (float)hn_rng_normal(&rng);
  for (int k = 0; k < T * B * O; k++) x->next_obs[k] = (float)hn_rng_normal(&rng);
  for (int k = 0; k < T * B; k++)
    x->action[k] = (float)hn_rng_normal(&rng), x->reward[k] = (float)hn_rng_normal(&rng);
  x->h = (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = T,
                     .rows = B,
                     .stride = B,
                     .begin = x->begin,
                     .obs = x->obs,
                     .action = x->action,
                     .reward = x->reward,
                     .next_obs = x->next_obs,
                     .terminated = x->terminated,
                     .truncated = x->truncated};
  return x;
}

static HnHistory window(const Steps *x, int from, int to) {
  HnHistory h = x->h;
  h.begin += from * B, h.obs += from * B * O, h.next_obs += from * B * O;
  h.action += from * B * A, h.reward += from * B, h.steps = to - from;
  h.terminated += from * B, h.truncated += from * B;
  return h;
}

/* ---- asking the plugin ---- */

typedef struct Asked {
  float *belief, *info;
  double loss, norm2;
} Asked;

/* d_belief NULL: infer; else forward and backward. */
static Asked ask_from(Fixture *f, const HnHistory *h, int64_t samples, const float *d_belief,
                      void *state, HnRng *rng) {
  gsize n = (gsize)((h->steps + 1) * h->rows), wide = (gsize)MAX(samples, 1) * Z;
  Asked y = {.belief = g_new0(float, n *wide), .info = g_new0(float, n * 2)};
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = h,
                      .state = state,
                      .samples = samples,
                      .rng = rng,
                      .belief = y.belief,
                      .info = y.info,
                      .loss = &y.loss};
  HnStatus status = (d_belief ? f->methods->forward : f->methods->infer)(f->self, &q);
  if (!status && d_belief) status = f->methods->backward(f->self, &q, d_belief, &y.norm2);
  g_assert_cmpint(status, ==, HN_OK);
  fake_host_reset(&f->fake, (FakeMark){0});
  return y;
}

/* The same from where nothing was seen. */
static Asked ask(Fixture *f, const HnHistory *h, int64_t samples) {
  char *state = g_malloc0((gsize)h->rows * f->spec.row_size);
  HnRng *rng = streams_new(h->rows);
  Asked y = ask_from(f, h, samples, NULL, state, rng);
  g_free(state), g_free(rng);
  return y;
}

static void asked_free(Asked *y) {
  g_free(y->belief), g_free(y->info);
}

/* ---- the closed form ---- */

/* The encoder's weights, tensor by tensor. */
typedef struct Net {
  const Kind *kind;
  int inputs, count;
  double w[INPUTS * H + H + H * 2 * Z + 2 * Z];
} Net;
static const char *const tensors[] = {"encoder.0.weight", "encoder.0.bias", "encoder.1.weight",
                                      "encoder.1.bias"};

/* Tensors' values, or their gradients, side by side in w; returns how many numbers. */
static int read_tensors(Fixture *f, bool gradients, double *w) {
  int n = 0;
  for (int k = 0; k < 4; k++) {
    const FakeArray *a = fake_host_find(&f->fake, tensors[k]);
    for (int64_t j = 0; j < a->count; j++)
      w[n++] = (double)((const float *)(gradients ? a->grad : a->data))[j];
  }
  return n;
}

static Net net_of(Fixture *f, const Kind *kind) {
  Net net = {.kind = kind, .inputs = O + A + 1 + (kind->next_obs ? O : 0)};
  net.count = read_tensors(f, false, net.w);
  g_assert_cmpint(net.count, ==, net.inputs * H + H + H * 2 * Z + 2 * Z);
  return net;
}

/* The factor of step t of a row: mu and sigma^2. */
static void factor(const Net *net, const Steps *x, int t, int row, double *mu, double *var) {
  const double *w0 = net->w, *b0 = w0 + net->inputs * H, *w1 = b0 + H, *b1 = w1 + H * 2 * Z;
  double in[INPUTS], hidden[H];
  int at = t * B + row;
  for (int k = 0; k < O; k++) {
    in[k] = (double)x->obs[at * O + k];
    in[O + A + 1 + k] = (double)x->next_obs[at * O + k];
  }
  in[O] = (double)x->action[at], in[O + 1] = (double)x->reward[at];
  for (int j = 0; j < H; j++) {
    double sum = b0[j];
    for (int k = 0; k < net->inputs; k++) sum += in[k] * w0[k * H + j];
    hidden[j] = fmax(sum, 0);
  }
  for (int j = 0; j < 2 * Z; j++) {
    double sum = b1[j];
    for (int k = 0; k < H; k++) sum += hidden[k] * w1[k * 2 * Z + j];
    if (j < Z)
      mu[j] = sum;
    else
      var[j - Z] = fmax(log(1 + exp(sum)), net->kind->floor);
  }
}

/* Mean and variance of the product of the factors of steps from .. to - 1. */
static void product(const Net *net, const Steps *x, int from, int to, int row, double *mean,
                    double *var) {
  double precision[Z] = {0}, weighted[Z] = {0}, mu[Z], v[Z];
  for (int t = from; t < to; t++) {
    factor(net, x, t, row, mu, v);
    for (int j = 0; j < Z; j++) precision[j] += 1 / v[j], weighted[j] += mu[j] / v[j];
  }
  for (int j = 0; j < Z; j++) {
    var[j] = to > from ? 1 / precision[j] : 1;
    mean[j] = to > from ? weighted[j] / precision[j] : 0;
  }
}

/* A trial of three steps, one more episode of one step, then a new task: at each step the belief is
 * the product of all factors of its task, or holds that which the episode began with. */
static void test_product(gconstpointer data) {
  const Kind *kind = data;
  static const uint8_t begin[T] = {HN_KEEP, HN_KEEP, HN_NEW_EPISODE, HN_NEW_TASK, HN_KEEP, HN_KEEP};
  static const int task[T + 1] = {0, 0, 0, 0, 4, 4, 4}, held[T + 1] = {0, 0, 0, 3, 4, 4, 4};
  Steps *x = steps_new(begin);
  Fixture *f = fixture_new(&pearl_LTX_hn_plugin, &small, kind->settings);
  const Net net = net_of(f, kind);
  g_assert_cmpint(f->spec.belief_dim, ==, Z);
  g_assert_cmpint(f->spec.latent_dim, ==, Z);
  Asked y = ask(f, &x->h, 0);
  for (int t = 0; t <= T; t++)
    for (int i = 0; i < B; i++) {
      double mean[Z], var[Z], kl = 0, entropy = 0;
      product(&net, x, task[t], kind->each ? t : held[t], i, mean, var);
      for (int j = 0; j < Z; j++) near((double)y.belief[(t * B + i) * Z + j], mean[j], 2.5e-7);
      product(&net, x, task[t], t, i, mean, var);
      for (int j = 0; j < Z; j++) {
        kl += 0.5 * (var[j] + mean[j] * mean[j] - 1 - log(var[j]));
        entropy += 0.5 * log(2 * G_PI * G_E * var[j]);
      }
      near((double)y.info[(t * B + i) * 2], kl, 4e-7);
      near((double)y.info[(t * B + i) * 2 + 1], entropy, 9e-7);
    }
  asked_free(&y), fixture_free(f), g_free(x);
}

/* Samples have the moments of the product, and are held through an episode. */
static void test_samples(void) {
  enum { MANY = 4000 };
  static const uint8_t begin[T] = {HN_KEEP, HN_KEEP, HN_NEW_EPISODE, HN_KEEP, HN_KEEP, HN_KEEP};
  Steps *x = steps_new(begin);
  Fixture *f = fixture_new(&pearl_LTX_hn_plugin, &small, "");
  const Net net = net_of(f, &episode);
  Asked y = ask(f, &x->h, MANY);
  for (int i = 0; i < B; i++)
    for (int j = 0; j < Z; j++) {
      double mean[Z], var[Z], sum = 0, square = 0;
      product(&net, x, 0, 3, i, mean, var);
      for (int s = 0; s < MANY; s++) {
        double z = (double)y.belief[((5 * B + i) * MANY + s) * Z + j];
        sum += z / MANY, square += (z - mean[j]) * (z - mean[j]) / MANY;
        g_assert_true(y.belief[((3 * B + i) * MANY + s) * Z + j] ==
                      y.belief[((6 * B + i) * MANY + s) * Z + j]);
      }
      near(sum, mean[j], 5 * sqrt(var[j] / MANY));
      near(square, var[j], 5 * var[j] * sqrt(2.0 / MANY));
    }
  asked_free(&y), fixture_free(f), g_free(x);
}

/* Steps in another order lead to the same belief. */
static void test_order(void) {
  static const uint8_t keep[T] = {0};
  static const int order[T] = {3, 5, 0, 2, 4, 1};
  Steps *x = steps_new(keep), *other = steps_new(keep);
  for (int t = 0; t < T; t++)
    for (int i = 0; i < B; i++) {
      int to = t * B + i, from = order[t] * B + i;
      memcpy(other->obs + to * O, x->obs + from * O, sizeof(float) * O);
      other->action[to] = x->action[from], other->reward[to] = x->reward[from];
    }
  Fixture *f = fixture_new(&pearl_LTX_hn_plugin, &small, ", update: step");
  Asked a = ask(f, &x->h, 0), b = ask(f, &other->h, 0);
  double apart = 0;
  for (int k = 0; k < B * Z; k++) {
    near((double)a.belief[T * B * Z + k], (double)b.belief[T * B * Z + k], 2e-7);
    apart += fabs((double)(a.belief[3 * B * Z + k] - b.belief[3 * B * Z + k]));
  }
  g_assert_cmpfloat(apart, >, 0.01); /* on the way there they differ */
  asked_free(&a), asked_free(&b), fixture_free(f), g_free(x), g_free(other);
}

/* ---- the twin ---- */

/* Row memory: precision and precision times mean of all that was seen, and as the episode began. */
typedef struct Memory {
  double precision[Z], weighted[Z], held_precision[Z], held_weighted[Z], noise[S * Z];
  HnRng rng;
} Memory;

static void advance(const Net *net, const Steps *x, int t, int i, Memory *m) {
  const uint8_t begin = x->begin[t * B + i];
  double mu[Z], var[Z];
  if (begin != HN_NEW_TASK) factor(net, x, t - 1, i, mu, var);
  for (int j = 0; j < Z; j++) {
    if (begin == HN_NEW_TASK)
      m->precision[j] = m->weighted[j] = 0;
    else
      m->precision[j] += 1 / var[j], m->weighted[j] += mu[j] / var[j];
    if (begin == HN_KEEP) continue;
    m->held_precision[j] = m->precision[j], m->held_weighted[j] = m->weighted[j];
  }
  for (int k = 0; k < S * Z && begin != HN_KEEP; k++) m->noise[k] = hn_rng_normal(&m->rng);
}

/* 0: nothing was seen. */
static void moments(double precision, double weighted, double *mean, double *var) {
  *var = precision > 0 ? 1 / precision : 1, *mean = weighted * *var;
}

/* Of the window from time `from` on: d times its samples, which go to belief, and the method's own
 * loss, kl; both begin with `memory` [B], a constant. */
static double window_loss(const Net *net, const Steps *x, int from, const Memory *memory,
                          const float *d, double *belief, double *kl) {
  const bool each = net->kind->each, all = net->kind->all;
  double sum = *kl = 0, mean, var;
  for (int i = 0; i < B; i++) {
    Memory m = memory[i];
    for (int t = from; t <= T; t++) {
      advance(net, x, t, i, &m);
      for (int k = 0; k < S * Z; k++) {
        const int j = k % Z, at = ((t - from) * B + i) * S * Z + k;
        moments((each ? m.precision : m.held_precision)[j],
                (each ? m.weighted : m.held_weighted)[j], &mean, &var);
        belief[at] = mean + sqrt(var) * m.noise[k], sum += (double)d[at] * belief[at];
      }
      for (int j = 0; j < Z && (all || t == T); j++) {
        moments(m.precision[j], m.weighted[j], &mean, &var);
        *kl +=
            kl_weight * 0.5 * (var + mean * mean - 1 - log(var)) / (B * (all ? T - from + 1 : 1));
      }
    }
  }
  return sum + *kl;
}

/* A window of its own, and one that goes on from another amid an episode. */
static void check_gradient(const Kind *kind, int from) {
  static const uint8_t begin[T] = {HN_KEEP, HN_NEW_EPISODE, HN_KEEP, HN_KEEP, HN_NEW_EPISODE};
  Steps *x = steps_new(begin);
  x->begin[5 * B + 1] = HN_NEW_TASK;
  Fixture *f = fixture_new(&pearl_LTX_hn_plugin, &small, kind->settings);
  Net net = net_of(f, kind);
  HnRng *stream = streams_new(B), rng = hn_rng(9, 0);
  char *state = g_malloc0(B * f->spec.row_size);
  Memory memory[B] = {{.rng = stream[0]}, {.rng = stream[1]}};
  const HnHistory before = window(x, 0, from - 1), h = window(x, from, T);
  for (int t = 0; t < from; t++)
    for (int i = 0; i < B; i++) advance(&net, x, t, i, &memory[i]);
  if (from > 0) {
    Asked y = ask_from(f, &before, S, NULL, state, stream);
    asked_free(&y);
  }
  float d[(T + 1) * B * S * Z];
  double belief[(T + 1) * B * S * Z], gradient[G_N_ELEMENTS(net.w)], norm2 = 0, kl, ignored;
  for (gsize k = 0; k < G_N_ELEMENTS(d); k++) d[k] = (float)(0.2 * hn_rng_normal(&rng));
  Asked y = ask_from(f, &h, S, d, state, stream);
  window_loss(&net, x, from, memory, d, belief, &kl);
  for (int k = 0; k < (T + 1 - from) * B * S * Z; k++) near((double)y.belief[k], belief[k], 4e-7);
  near(y.loss, kl, 5e-8);
  read_tensors(f, true, gradient);
  for (int k = 0; k < net.count; k++) {
    const double was = net.w[k], step = 1e-5;
    net.w[k] = was + step;
    double slope = window_loss(&net, x, from, memory, d, belief, &ignored);
    net.w[k] = was - step;
    slope = (slope - window_loss(&net, x, from, memory, d, belief, &ignored)) / (2 * step);
    net.w[k] = was;
    near(gradient[k], slope, 4e-7 * (1 + fabs(slope)));
    norm2 += slope * slope;
  }
  g_assert_cmpfloat(norm2, >, 0.01);
  near(y.norm2, norm2, 6e-7 * norm2);
  asked_free(&y), g_free(state), g_free(stream), fixture_free(f), g_free(x);
}

static void test_gradient(gconstpointer kind) {
  check_gradient(kind, 0), check_gradient(kind, 3);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/pearl/product/episode", &episode, test_product);
  g_test_add_data_func("/pearl/product/step", &each_step, test_product);
  g_test_add_data_func("/pearl/product/next_obs", &led_to, test_product);
  g_test_add_data_func("/pearl/product/floor", &floored, test_product);
  g_test_add_func("/pearl/samples", test_samples);
  g_test_add_func("/pearl/order", test_order);
  g_test_add_data_func("/pearl/gradient/episode", &episode, test_gradient);
  g_test_add_data_func("/pearl/gradient/step", &each_step, test_gradient);
  g_test_add_data_func("/pearl/gradient/next_obs", &led_to, test_gradient);
  g_test_add_data_func("/pearl/gradient/floor", &floored, test_gradient);
  return g_test_run();
}
