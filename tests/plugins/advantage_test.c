/* Advantages, their targets and the scale of rewards against numbers worked out by hand. */
#include "../../plugins/policies/common/advantage.h"
#include "fake_host.h"
#include <glib.h>
#include <math.h>

typedef struct Chain {
  int64_t steps;
  const float *reward;
  float value[8];
  uint8_t begin[8], terminated[8], truncated[8];
  ReturnRule r;
} Chain;

static void expect_returns(const Chain *c, const double *target, const double *advantage) {
  float a[8] = {0}, r[8] = {0};
  HnHistory h = {.struct_size = sizeof h,
                 .steps = c->steps,
                 .rows = 1,
                 .stride = 1,
                 .begin = c->begin,
                 .terminated = c->terminated,
                 .truncated = c->truncated};
  advantage_gae(&c->r, &h, c->reward, c->value, a, r);
  for (int64_t t = 0; t < c->steps; t++) {
    if (target) g_assert_cmpfloat_with_epsilon((double)r[t], target[t], 1e-6);
    if (advantage) g_assert_cmpfloat_with_epsilon((double)a[t], advantage[t], 1e-6);
  }
}

/* The values of the methods' cards, worked out by hand there. */
static void test_returns(void) {
  const float ones[] = {1, 1, 1}, mixed[] = {1, 0, 2, -1};
  Chain c = {.steps = 3,
             .reward = ones,
             .value = {.5f, .5f, .5f, .5f},
             .begin = {HN_NEW_TASK, 0, 0, HN_NEW_TASK},
             .r = {.gamma = .95, .gae_lambda = .95}};
  expect_returns(&c, (double[]){2.7621906, 1.92625, 1}, NULL);
  c.r.time_limit_bootstrap = true, c.truncated[2] = 1;
  expect_returns(&c, (double[]){2.3549375, 1.475, .5}, NULL);
  c.begin[2] = HN_NEW_EPISODE, c.begin[3] = HN_KEEP, c.truncated[1] = 1, c.truncated[2] = 0;
  expect_returns(&c, (double[]){1.475, .5, 1.475}, NULL);

  Chain d = {.steps = 4,
             .reward = mixed,
             .value = {.5f, .4f, .3f, .2f, 9},
             .begin = {HN_NEW_TASK, 0, 0, 0, HN_NEW_TASK},
             .r = {.gamma = .9, .gae_lambda = .95}};
  expect_returns(&d, NULL, (double[]){1.37314535, .60017, .854, -1.2});

  const float third[] = {0, 0, 1, 0};
  Chain e = {.steps = 4, /* an episode ends with the third step */
             .reward = third,
             .value = {.1f, .2f, .3f, .4f, .5f},
             .begin = {HN_NEW_TASK, 0, 0, HN_NEW_EPISODE, 0},
             .r = {.gamma = .9, .gae_lambda = .9, .episodes_end = true}};
  expect_returns(&e, NULL, (double[]){.59597, .637, .7, .05});
  e.r.gamma = 0; /* as if each step ended one: bandits */
  expect_returns(&e, (double[]){0, 0, 1, 0}, (double[]){-.1, -.2, .7, -.4});
}

/* Episodes inside a trial go on in its return unless told otherwise, whether truncated or
 * terminated; a cut that is also a true end is an end. */
static void test_returns_boundaries(void) {
  const float ones[] = {1, 1, 1};
  Chain c = {.steps = 3,
             .reward = ones,
             .value = {0, 0, 0, 2},
             .begin = {HN_NEW_TASK},
             .r = {.gamma = .5, .gae_lambda = 1}};
  const double through[] = {2, 2, 2}, stopped[] = {1.5, 1, 2};
  expect_returns(&c, through, NULL);
  c.begin[2] = HN_NEW_EPISODE, c.terminated[1] = 1;
  expect_returns(&c, through, NULL);
  c.r.episodes_end = true;
  expect_returns(&c, stopped, NULL);
  c.r.time_limit_bootstrap = true, c.truncated[1] = 1;
  expect_returns(&c, stopped, NULL);
  c.terminated[1] = 0; /* now a time limit: V = 0 there, and before it 1 + V / 2 */
  expect_returns(&c, (double[]){1, 0, 2}, NULL);
}

/* Two windows of two rows; row 1 begins a task inside each. */
static void test_reward_scale(void) {
  FakeHost fake;
  const HnHost *host = fake_host_open(&fake);
  HnNormaliser z = hn_normaliser_make(host, "z", 1);
  ReturnRule r = {.gamma = .5};
  const uint8_t begin[2][6] = {{2, 2, 0, 2, 0, 0}, {0, 0, 0, 2, 0, 0}};
  const float paid[2][4] = {{1, 2, 3, 4}, {-1, 0, 2, 50}},
              seen[2][4] = {{1, 2, 3, 4}, {7, 0, 2, 1e6f}};
  double so_far[2] = {99, 99}; /* left by an older task */
  /* returns: 1 2 | 1/2 + 3, 4 | 7/4 - 1, 2 | 3/8 + 2, 50 */
  const double all[] = {1, 2, 3.5, 4, .75, 2, 2.375, 50};
  for (int w = 0; w < 2; w++) {
    float reward[4];
    HnHistory h = {.struct_size = sizeof h,
                   .steps = 2,
                   .rows = 2,
                   .stride = 2,
                   .begin = begin[w],
                   .reward = seen[w],
                   .true_reward = paid[w]};
    advantage_scale_rewards(&r, &h, &z, so_far, reward);
    double mean = 0, square = 0, n = 4 * w + 4;
    for (int k = 0; k < 4 * w + 4; k++) mean += all[k] / n;
    for (int k = 0; k < 4 * w + 4; k++) square += pow(all[k] - mean, 2);
    for (int k = 0; k < 4; k++)
      g_assert_cmpfloat_with_epsilon(
          (double)reward[k], CLAMP((double)seen[w][k] / sqrt(square / n + 1e-8), -10, 10), 1e-5);
  }
  g_assert_cmpfloat_with_epsilon(so_far[0], 2.375, 1e-9);
  g_assert_cmpfloat_with_epsilon(so_far[1], 50, 1e-9);
  fake_host_close(&fake);
}

/* Episodes of 5 steps in a trial of 10, each step paid 1.  Where they end the return it is worth
 * 1 .. (1 - g^5) / (1 - g) twice, also across windows; else 1 .. (1 - g^10) / (1 - g). */
static void test_reward_scale_of_episodes(void) {
  enum { STEPS = 10 };
  const double g = 0.99;
  float paid[STEPS], reward[STEPS];
  uint8_t begin[STEPS + 1] = {[0] = HN_NEW_TASK, [5] = HN_NEW_EPISODE, [10] = HN_NEW_TASK};
  for (int t = 0; t < STEPS; t++) paid[t] = 1;
  for (int ends = 0; ends < 2; ends++) {
    FakeHost fake;
    HnNormaliser z = hn_normaliser_make(fake_host_open(&fake), "z", 1);
    ReturnRule r = {.gamma = g, .episodes_end = ends};
    double so_far = 0, mean = 0, square = 0;
    for (int from = 0; from < STEPS; from += 2) { /* windows of two steps */
      HnHistory h = {.struct_size = sizeof h,
                     .steps = 2,
                     .rows = 1,
                     .stride = 1,
                     .begin = begin + from,
                     .reward = paid + from,
                     .true_reward = paid + from};
      advantage_scale_rewards(&r, &h, &z, &so_far, reward);
    }
    for (int t = 0; t < STEPS; t++) {
      double x = (1 - pow(g, (ends ? t % 5 : t) + 1)) / (1 - g);
      mean += x / STEPS, square += x * x / STEPS;
    }
    g_assert_cmpfloat_with_epsilon(z.m2[0] / z.count[0], square - mean * mean, 1e-5);
    fake_host_close(&fake);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/returns/cards", test_returns);
  g_test_add_func("/returns/boundaries", test_returns_boundaries);
  g_test_add_func("/returns/reward_scale", test_reward_scale);
  g_test_add_func("/returns/reward_scale_of_episodes", test_reward_scale_of_episodes);
  return g_test_run();
}
