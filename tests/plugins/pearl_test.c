/* pearl_test.c - PEARL's belief against the product of Gaussians in closed form, with a plain
 * encoder of the test's own; the order of steps; what is held through an episode; the gradient of
 * its loss against central differences. */
#include "inference_fixture.h"
#include <math.h>

extern const HnPlugin pearl_LTX_hn_plugin;

enum { T = 6, B = 2, O = 2, A = 1, Z = 3, H = 4, INPUTS = O + A + 1 };
static const Case small = {"small", "latent: 3, hidden: '4', kl_weight: 0.7", O, A, 0};

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

/* ---- asking the plugin ---- */

typedef struct Asked {
  float *belief, *info;
  double loss, norm2;
} Asked;

/* d_belief NULL: infer; else forward and backward. */
static Asked ask(Fixture *f, const HnHistory *h, int64_t samples, const float *d_belief) {
  gsize n = (gsize)((h->steps + 1) * h->rows), S = (gsize)MAX(samples, 1);
  Asked y = {.belief = g_new0(float, n *S *Z), .info = g_new0(float, n * 2)};
  char *state = g_malloc0((gsize)h->rows * f->spec.row_size);
  HnRng *rng = streams_new(h->rows);
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
  g_free(state), g_free(rng);
  return y;
}

static void asked_free(Asked *y) {
  g_free(y->belief), g_free(y->info);
}

/* ---- the closed form ---- */

static const float *weights(Fixture *f, const char *name) {
  return fake_host_find(&f->fake, name)->data;
}

/* The factor of step t of a row: mu and sigma^2. */
static void factor(Fixture *f, const Steps *x, int t, int row, double *mu, double *var) {
  double in[INPUTS], hidden[H];
  int at = t * B + row;
  for (int k = 0; k < O; k++) in[k] = (double)x->obs[at * O + k];
  in[O] = (double)x->action[at], in[O + 1] = (double)x->reward[at];
  for (int j = 0; j < H; j++) {
    double sum = (double)weights(f, "encoder.0.bias")[j];
    for (int k = 0; k < INPUTS; k++)
      sum += in[k] * (double)weights(f, "encoder.0.weight")[k * H + j];
    hidden[j] = fmax(sum, 0);
  }
  for (int j = 0; j < 2 * Z; j++) {
    double sum = (double)weights(f, "encoder.1.bias")[j];
    for (int k = 0; k < H; k++)
      sum += hidden[k] * (double)weights(f, "encoder.1.weight")[k * 2 * Z + j];
    if (j < Z)
      mu[j] = sum;
    else
      var[j - Z] = log(1 + exp(sum));
  }
}

/* Mean and variance of the product of the factors of steps from .. to - 1. */
static void product(Fixture *f, const Steps *x, int from, int to, int row, double *mean,
                    double *var) {
  double precision[Z] = {0}, weighted[Z] = {0}, mu[Z], v[Z];
  for (int t = from; t < to; t++) {
    factor(f, x, t, row, mu, v);
    for (int j = 0; j < Z; j++) precision[j] += 1 / v[j], weighted[j] += mu[j] / v[j];
  }
  for (int j = 0; j < Z; j++) {
    var[j] = to > from ? 1 / precision[j] : 1;
    mean[j] = to > from ? weighted[j] / precision[j] : 0;
  }
}

static void assert_near(double x, double wanted, double tolerance) {
  if (fabs(x - wanted) > tolerance) g_error("%.9g is not %.9g, within %g", x, wanted, tolerance);
}

/* A trial of three steps, one more episode of one step, then a new task: at each step the belief is
 * the product of all factors of its task, or holds that which the episode began with. */
static void test_product(gconstpointer data) {
  bool each = GPOINTER_TO_INT(data);
  static const uint8_t begin[T] = {HN_KEEP, HN_KEEP, HN_NEW_EPISODE, HN_NEW_TASK, HN_KEEP, HN_KEEP};
  static const int task[T + 1] = {0, 0, 0, 0, 4, 4, 4}, episode[T + 1] = {0, 0, 0, 3, 4, 4, 4};
  Steps *x = steps_new(begin);
  Fixture *f = fixture_new(&pearl_LTX_hn_plugin, &small, each ? ", update: step" : "");
  g_assert_cmpint(f->spec.belief_dim, ==, Z);
  g_assert_cmpint(f->spec.latent_dim, ==, Z);
  Asked y = ask(f, &x->h, 0, NULL);
  for (int t = 0; t <= T; t++)
    for (int i = 0; i < B; i++) {
      double mean[Z], var[Z], kl = 0, entropy = 0;
      product(f, x, task[t], each ? t : episode[t], i, mean, var);
      for (int j = 0; j < Z; j++) assert_near((double)y.belief[(t * B + i) * Z + j], mean[j], 2e-6);
      product(f, x, task[t], t, i, mean, var);
      for (int j = 0; j < Z; j++) {
        kl += 0.5 * (var[j] + mean[j] * mean[j] - 1 - log(var[j]));
        entropy += 0.5 * log(2 * G_PI * G_E * var[j]);
      }
      assert_near((double)y.info[(t * B + i) * 2], kl, 1e-5);
      assert_near((double)y.info[(t * B + i) * 2 + 1], entropy, 1e-5);
    }
  asked_free(&y), fixture_free(f), g_free(x);
}

/* Samples have the moments of the product, and are held through an episode. */
static void test_samples(void) {
  enum { S = 4000 };
  static const uint8_t begin[T] = {HN_KEEP, HN_KEEP, HN_NEW_EPISODE, HN_KEEP, HN_KEEP, HN_KEEP};
  Steps *x = steps_new(begin);
  Fixture *f = fixture_new(&pearl_LTX_hn_plugin, &small, "");
  Asked y = ask(f, &x->h, S, NULL);
  for (int i = 0; i < B; i++)
    for (int j = 0; j < Z; j++) {
      double mean[Z], var[Z], sum = 0, square = 0;
      product(f, x, 0, 3, i, mean, var);
      for (int s = 0; s < S; s++) {
        double z = (double)y.belief[((5 * B + i) * S + s) * Z + j];
        sum += z / S, square += (z - mean[j]) * (z - mean[j]) / S;
        g_assert_true(y.belief[((3 * B + i) * S + s) * Z + j] ==
                      y.belief[((6 * B + i) * S + s) * Z + j]);
      }
      assert_near(sum, mean[j], 5 * sqrt(var[j] / S));
      assert_near(square, var[j], 5 * var[j] * sqrt(2.0 / S));
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
  Asked a = ask(f, &x->h, 0, NULL), b = ask(f, &other->h, 0, NULL);
  double apart = 0;
  for (int k = 0; k < B * Z; k++) {
    assert_near((double)a.belief[T * B * Z + k], (double)b.belief[T * B * Z + k], 1e-6);
    apart += fabs((double)(a.belief[3 * B * Z + k] - b.belief[3 * B * Z + k]));
  }
  g_assert_cmpfloat(apart, >, 0.01); /* on the way there they differ */
  asked_free(&a), asked_free(&b), fixture_free(f), g_free(x), g_free(other);
}

/* ---- gradients ---- */

/* A random linear function of samples, plus the method's own loss. */
static double loss_of(Fixture *f, const HnHistory *h, int64_t S, const float *d, Asked *y) {
  *y = ask(f, h, S, d);
  double sum = y->loss;
  for (int64_t k = 0; k < (T + 1) * B * S * Z; k++) sum += (double)d[k] * (double)y->belief[k];
  return sum;
}

static void test_gradient(gconstpointer data) {
  enum { S = 2 };
  static const uint8_t begin[T] = {HN_KEEP,     HN_NEW_EPISODE, HN_KEEP,
                                   HN_NEW_TASK, HN_KEEP,        HN_NEW_EPISODE};
  Steps *x = steps_new(begin);
  Fixture *f = fixture_new(&pearl_LTX_hn_plugin, &small, data);
  float d[(T + 1) * B * S * Z];
  HnRng rng = hn_rng(9, 0);
  for (gsize k = 0; k < G_N_ELEMENTS(d); k++) d[k] = (float)(0.2 * hn_rng_normal(&rng));
  Asked y;
  loss_of(f, &x->h, S, d, &y);
  g_assert_cmpfloat(y.loss, >, 0);
  asked_free(&y);
  double norm2 = 0, told = y.norm2;
  float *gradient[4];
  static const char *const name[4] = {"encoder.0.weight", "encoder.0.bias", "encoder.1.weight",
                                      "encoder.1.bias"};
  for (int w = 0; w < 4; w++) {
    const FakeArray *a = fake_host_find(&f->fake, name[w]);
    gradient[w] = g_memdup2(a->grad, (gsize)a->count * sizeof(float));
  }
  for (int w = 0; w < 4; w++) {
    FakeArray *a = fake_host_find(&f->fake, name[w]);
    for (int64_t k = 0; k < a->count; k++) {
      float *at = (float *)a->data + k, was = *at;
      const double h = 2e-3;
      *at = was + (float)h;
      double above = loss_of(f, &x->h, S, d, &y);
      asked_free(&y);
      *at = was - (float)h;
      double below = loss_of(f, &x->h, S, d, &y);
      asked_free(&y);
      *at = was;
      double g = (double)gradient[w][k], slope = (above - below) / (2 * h);
      assert_near(g, slope, 2e-3 * (1 + fabs(slope)));
      norm2 += g * g;
    }
  }
  assert_near(told, norm2, 1e-4 * norm2);
  for (int w = 0; w < 4; w++) g_free(gradient[w]);
  fixture_free(f), g_free(x);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/pearl/product/episode", GINT_TO_POINTER(0), test_product);
  g_test_add_data_func("/pearl/product/step", GINT_TO_POINTER(1), test_product);
  g_test_add_func("/pearl/samples", test_samples);
  g_test_add_func("/pearl/order", test_order);
  g_test_add_data_func("/pearl/gradient/episode", "", test_gradient);
  g_test_add_data_func("/pearl/gradient/step", ", update: step, kl_times: all", test_gradient);
  return g_test_run();
}
