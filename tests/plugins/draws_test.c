/* draws_test.c - actor and critic on draws of a belief say what they say of each draw alone. */
#include "../../plugins/policies/common/draws.h"
#include "fake_host.h"
#include <glib.h>
#include <math.h>

enum { ROWS = 5, SAMPLES = 4, ACTIONS = 3 };

typedef struct Case {
  const char *name;
  int64_t O, D, Z;
  ActorCriticParams p;
} Case;

#define COMMON                                                                       \
  .see_obs = true, .activation = ACTIVATION_LEAKY_RELU, .gain = 1.4, .head_gain = 1, \
  .std_init = 0.7, .std_floor = 1e-6
static const Case cases[] = {
    {"context", 0, 12, 5, {COMMON, .hidden = "16 8", .input_norm = INPUT_NORM_LAYER}},
    {"context_alone_is_shared", 4, 12, 5, {COMMON, .hidden = "9"}},
    {"observation_and_context",
     4,
     12,
     5,
     {COMMON, .hidden = "16 8", .input_norm = INPUT_NORM_LAYER, .init = INIT_LECUN}},
    {"observation", 3, 6, 6, {COMMON, .hidden = "7 7", .input_norm = INPUT_NORM_LAYER}},
    {"embedded", 4, 12, 5, {COMMON, .width = 10, .layers = 2, .obs_embed = 6}},
    {"squashed", 4, 12, 5, {COMMON, .hidden = "16", .squash = SQUASH_MEAN}},
};

static float *numbers(HnRng *rng, int64_t count, double mean, double stddev) {
  float *x = g_new(float, (gsize)count);
  for (int64_t k = 0; k < count; k++) x[k] = (float)(mean + stddev * hn_rng_normal(rng));
  return x;
}

/* Weights and norms that are not those of the start. */
static void disturb(const ActorCritic *net, HnRng *rng) {
  for (int64_t k = 0; k < net->store.count; k++)
    for (int64_t j = 0; j < net->store.tensor[k].rows * net->store.tensor[k].cols; j++)
      net->store.tensor[k].data[j] += (float)(0.2 * hn_rng_normal(rng));
}

static void assert_near(int64_t count, const float *x, const float *y) {
  for (int64_t k = 0; k < count; k++)
    g_assert_cmpfloat_with_epsilon(x[k], y[k], 5e-6 * fmax(1, fabs((double)y[k])));
}

static void test_draws(gconstpointer data) {
  const Case *c = data;
  FakeHost *f = g_new0(FakeHost, 1);
  const HnHost *host = fake_host_open(f);
  HnRng rng = hn_rng(4, 4);
  const int64_t discrete = c->p.squash == SQUASH_NONE ? ACTIONS : 0;
  const HnPolicySpec spec = {.struct_size = sizeof spec,
                             .obs_dim = c->O,
                             .belief_dim = c->D,
                             .latent_dim = c->Z,
                             .action_dim = discrete ? 0 : ACTIONS,
                             .action_count = discrete,
                             .rng = &rng};
  ActorCritic *net = g_new0(ActorCritic, 1);
  g_assert_cmpint(actor_critic_create(net, host, &c->p, &spec), ==, HN_OK);
  g_assert_true(draws_share(net, SAMPLES));
  g_assert_false(draws_share(net, 1));
  disturb(net, &rng);

  /* what draws share lies far from zero, where a norm's sums cancel */
  g_autofree float *obs = numbers(&rng, ROWS * c->O, 8, 1);
  g_autofree float *belief = numbers(&rng, ROWS * SAMPLES * c->D, 8, 1);
  for (int64_t k = 0; k < ROWS * SAMPLES; k++)
    memcpy(belief + k * c->D + c->Z, belief + k / SAMPLES * SAMPLES * c->D + c->Z,
           (gsize)(c->D - c->Z) * sizeof *belief);
  HnTape t = hn_tape_begin(host, false);
  Heads all =
      actor_critic_forward_raw(net, &t, ROWS, obs, belief, SAMPLES, HEADS_ACTION | HEADS_VALUE);
  HnVar *o = c->O ? hn_constant(&t, ROWS, c->O, obs) : NULL;
  double value[ROWS] = {0};
  for (int64_t s = 0; s < SAMPLES; s++) {
    float *one = hn_tape_room(&t, ROWS * c->D, sizeof *one);
    for (int64_t i = 0; i < ROWS; i++)
      memcpy(one + i * c->D, belief + (i * SAMPLES + s) * c->D, (gsize)c->D * sizeof *one);
    HnVar *b = hn_constant(&t, ROWS, c->D, one);
    Heads alone = actor_critic_forward(net, &t, o, &b, 1, HEADS_ACTION | HEADS_VALUE, NULL);
    assert_near(ROWS * ACTIONS, all.action[s]->data, alone.action[0]->data);
    for (int i = 0; i < ROWS; i++) value[i] += (double)alone.value->data[i] / SAMPLES;
    if (!discrete) assert_near(ACTIONS, all.logstd->data, alone.logstd->data);
  }
  for (int i = 0; i < ROWS; i++)
    g_assert_cmpfloat_with_epsilon(all.value->data[i], value[i], 5e-6 * fmax(1, fabs(value[i])));
  fake_host_close(f);
  g_free(net), g_free(f);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    g_autofree char *path = g_strdup_printf("/draws/%s", cases[k].name);
    g_test_add_data_func(path, &cases[k], test_draws);
  }
  return g_test_run();
}
