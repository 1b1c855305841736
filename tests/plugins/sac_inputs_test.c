/* sac_inputs_test.c - what soft actor-critic's networks see and what comes back through it, against
 * naive statistics and a naive actor; settings of actor and replay; that the inference learns. */
#include "sac_fixture.h"

/* Mean and deviation of what is there, and a number as networks see it. */
typedef struct Scale {
  double mean, stddev;
} Scale;

static Scale scale_of(int64_t n, const float *x) {
  double sum = 0, square = 0;
  for (int64_t k = 0; k < n; k++) sum += (double)x[k];
  for (int64_t k = 0; k < n; k++) square += pow((double)x[k] - sum / (double)n, 2);
  return (Scale){sum / (double)n, sqrt(square / (double)n)};
}

static double seen(Scale s, double x) {
  return fmin(fmax((x - s.mean) / s.stddev, -10), 10);
}

/* A life that has been learnt from, without updates, and beliefs small enough that some of those
 * inferred anew are cut. */
static Drawn *standardising(const char *more, Scale *obs, Scale *belief) {
  g_autofree char *settings = g_strdup_printf(
      "normalise_obs 1 normalise_belief 1 learning_starts 1000000 context_trials 5 %s", more);
  Drawn *x = drawn_new(settings);
  float *b = x->life->belief[0][0];
  for (int k = 0; k < (STEPS + 1) * ROWS * 2; k++) b[k] *= 0.01f;
  drawn_learn(x);
  *obs = scale_of(STEPS * ROWS, x->life->obs[0]), *belief = scale_of(STEPS * ROWS * 2, b);
  return x;
}

/* Observations and beliefs, before and after a step, are standardised, within +-10; some are cut.
 * What comes back to the belief is divided by its deviation, and nothing where it was cut. */
static void check_standardised(bool prefix) {
  Scale obs, belief;
  Drawn *x = standardising(prefix ? "replay_belief 1" : "", &obs, &belief);
  double handed[2] = {0};
  int cut_obs = 0, cut_belief = 0;
  drawn_draw(x);
  for (int64_t k = 0; k < x->b.n; k++) {
    const int number = (int)lrint((double)x->b.obs[k] * obs.stddev + obs.mean);
    const int t = number / 10, i = number % 10, s = (int)x->draw.sample[k];
    near((double)x->b.obs[k], seen(obs, (double)x->life->obs[t][i]), 2e-7);
    near((double)x->b.next_obs[k], seen(obs, (double)x->life->next_obs[t][i]), 2e-7);
    cut_obs += x->b.next_obs[k] == 10;
    double now = (double)x->life->belief[t][i][s];
    double next = (double)x->life->belief[t + (t % LIFE < LIFE - 1)][i][s];
    if (prefix) {
      now = 0;
      for (int at = t / LIFE * LIFE; at < t; at++) now += (s + 1) * (double)x->life->reward[at][i];
      next = now + (s + 1) * (double)x->life->reward[t][i];
      x->b.d_belief[k] = (float)(k + 1);
      if (seen(belief, now) < 10) handed[s] += (double)(k + 1) / belief.stddev;
    }
    near((double)x->b.belief[k], seen(belief, now), 3e-6);
    near((double)x->b.next_belief[k], seen(belief, next), 3e-6);
    cut_belief += x->b.belief[k] == 10;
  }
  g_assert_cmpint(cut_obs, >, 30);
  if (prefix) {
    double norm2;
    g_assert_cmpint(cut_belief, >, 10);
    g_assert_cmpint(sac_draw_backward(x->m, &x->counting.l, &x->draw, &x->b, &norm2), ==, HN_OK);
    for (int s = 0; s < 2; s++) near(x->counting.handed[s], handed[s], 2e-7 * handed[s]);
  }
  drawn_free(x);
}

static void test_standardised(void) {
  check_standardised(false), check_standardised(true);
}

/* The greedy action is tanh of the mean over samples of what an actor of one hidden layer says of
 * standardised inputs. */
static void test_acts(gconstpointer settings) {
  enum { H = 4, ACTS = 3 };
  Scale obs, belief;
  Drawn *x = standardising(settings, &obs, &belief);
  const bool is_tanh = policy_fixture_get(x->f, "activation") > 0;
  const float *w0 = policy_fixture_find(x->f, "actor.0.weight")->data;
  const float *b0 = policy_fixture_find(x->f, "actor.0.bias")->data;
  const float *w1 = policy_fixture_find(x->f, "actor.1.weight")->data;
  const float *b1 = policy_fixture_find(x->f, "actor.1.bias")->data;
  const float o[ACTS] = {-40, 100, 900}, b[ACTS][2] = {{3, -7}, {0, 20}, {-9, 9}};
  float action[ACTS];
  HnActBatch a = {.struct_size = sizeof a,
                  .rows = ACTS,
                  .samples = 2,
                  .obs = o,
                  .belief = b[0],
                  .action = action};
  g_assert_cmpint(x->f->method->act(x->m, &a), ==, HN_OK);
  for (int i = 0; i < ACTS; i++) {
    double u = (double)b1[0];
    for (int s = 0; s < 2; s++)
      for (int j = 0; j < H; j++) {
        const double in = (double)b0[j] + seen(obs, (double)o[i]) * (double)w0[j] +
                          seen(belief, (double)b[i][s]) * (double)w0[H + j];
        u += 0.5 * (is_tanh ? tanh(in) : fmax(in, 0)) * (double)w1[2 * j];
      }
    near((double)action[i], tanh(u), 2e-7);
  }
  drawn_free(x);
}

/* The log of the deviation is kept within its bounds: the entropy of a draw in closed form. */
static void test_log_std(void) {
  static const double says[] = {-1, 0.5, 3}, wanted[] = {0.25, 0.5, 0.75};
  Drawn *x = drawn_new("log_std_low 0.25 log_std_high 0.75");
  HnStore *store = &x->m->actor_store;
  for (int64_t k = 0; k < store->count; k++)
    memset(store->tensor[k].data, 0,
           (size_t)(store->tensor[k].rows * store->tensor[k].cols) * sizeof(float));
  const float zero = 0, noise = 0.7f;
  const SacBatch b = {.n = 1, .obs = &zero, .belief = &zero, .action = &zero, .noise = &noise};
  for (int k = 0; k < 3; k++) {
    SacSums sums = {0};
    store->tensor[store->count - 1].data[1] = (float)says[k];
    hn_store_refresh(store);
    const SacWork w = sac_work_begin(x->m, 1);
    g_assert_cmpint(sac_actor_gradient(x->m, &w, &b, &sums), ==, HN_OK);
    const double e = (double)noise, u = exp(wanted[k]) * e;
    near(sums.entropy, e * e / 2 + 0.5 * log(2 * G_PI) + wanted[k] + log(1 - tanh(u) * tanh(u)),
         1e-6);
    policy_fixture_end_call(x->f);
  }
  drawn_free(x);
}

/* Actions at a step and at what it led to have noise of their own: means, variances and covariance
 * of standard normals, within five standard errors. */
static void test_noise(void) {
  Drawn *x = draw("");
  const double n = (double)x->b.n, near_0 = 5 / sqrt(n);
  double sum[2] = {0}, square[2] = {0}, both = 0;
  for (int64_t k = 0; k < x->b.n; k++) {
    const double a = (double)x->b.noise[k], b = (double)x->b.next_noise[k];
    sum[0] += a / n, sum[1] += b / n, square[0] += a * a / n, square[1] += b * b / n;
    both += a * b / n;
  }
  for (int k = 0; k < 2; k++) near(sum[k], 0, near_0), near(square[k], 1, sqrt(2) * near_0);
  near(both, 0, near_0);
  drawn_free(x);
}

/* The replay holds as many whole trials as its steps make, and one at least. */
static void test_replay_size(void) {
  static const struct {
    const char *settings;
    int trials;
  } cases[] = {{"buffer_size 13", 2}, {"buffer_size 5", 1}, {"buffer_size 600", 8}};
  for (int k = 0; k < 3; k++) {
    Drawn *x = draw(cases[k].settings);
    g_assert_cmpint(hn_trial_replay_count(&x->m->replay), ==, cases[k].trials);
    drawn_free(x);
  }
}

/* A trial has as many episodes at most as were announced: here two of full length. */
static void test_trial_episodes(void) {
  Drawn *x = drawn_new("trial_episodes 1");
  g_assert_cmpint(hn_trial_replay_append(&x->m->replay, &x->life->h), ==, HN_E_SHAPE);
  drawn_free(x);
  drawn_free(draw("trial_episodes 2"));
}

/* After each gradient that the critics hand it the inference takes a step; none where beliefs are
 * stored. */
static void test_inference_steps(void) {
  const char *more = "learning_starts 0 updates_per_step 0.1 context_trials 5";
  for (int kind = 0; kind < 3; kind++) {
    g_autofree char *settings = g_strdup_printf("replay_belief %d %s", kind, more);
    Drawn *x = drawn_new(settings);
    drawn_learn(x);
    g_assert_cmpint(*x->m->critic_store.clock, ==, STEPS * ROWS / 10);
    g_assert_cmpint(x->counting.handings, ==, kind ? STEPS * ROWS / 10 : 0);
    g_assert_cmpint(x->counting.steps, ==, x->counting.handings);
    drawn_free(x);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/sac_inputs/standardised", test_standardised);
  g_test_add_data_func("/sac_inputs/acts/relu", "activation 0", test_acts);
  g_test_add_data_func("/sac_inputs/acts/tanh", "activation 1", test_acts);
  g_test_add_func("/sac_inputs/log_std", test_log_std);
  g_test_add_func("/sac_inputs/noise", test_noise);
  g_test_add_func("/sac_inputs/replay_size", test_replay_size);
  g_test_add_func("/sac_inputs/trial_episodes", test_trial_episodes);
  g_test_add_func("/sac_inputs/inference_steps", test_inference_steps);
  return g_test_run();
}
