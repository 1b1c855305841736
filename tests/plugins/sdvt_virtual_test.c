/* sdvt_virtual_test.c - virtual training: how often, from what, and what is learnt from then. */
#include "sdvt_fixture.h"

#define LATENTS                                                             \
  NETS ", subtasks: 1, virtual_source: latents, virtual_probability: 0.1, " \
       "virtual_growth: 0, updates: 0"

/* ---- how often ---- */

/* The paper's schedules: ML10 at the end of its 2.5e8 steps, ML45 of 4e8; LDM's is constant. */
static void test_probability(void) {
  VaribadParams p = {.virtual_growth = 0.05};
  near(varibad_virtual_probability(&p, 0), 0, 0);
  near(varibad_virtual_probability(&p, 250000000), 0.125, 1e-12);
  p.virtual_growth = 0.025;
  near(varibad_virtual_probability(&p, 400000000), 0.1, 1e-12);
  p.virtual_growth = 0, p.virtual_probability = 0.1;
  near(varibad_virtual_probability(&p, 400000000), 0.1, 0);
  p.virtual_growth = 1;
  near(varibad_virtual_probability(&p, 400000000), 1, 0);
}

/* The first iteration is real; then the chance is met within five standard deviations. */
static void test_rate(void) {
  enum { N = 4000 };
  Experience *x = experience_new();
  Fixture *b = fixture_new(SMALL ", virtual_probability: 0.3, virtual_growth: 0, updates: 0");
  HnHistory none = window(x, 0, 0);
  g_assert_cmpint(*b->v.virtual.active, ==, 0);
  int64_t count = 0;
  for (int k = 0; k < N; k++) {
    learn(b, &none);
    count += *b->v.virtual.active;
  }
  near((double)count / N, 0.3, 5 * sqrt(0.3 * 0.7 / N));
  g_assert_cmpint(*b->v.virtual.count, ==, count - *b->v.virtual.active);
  near(b->fake.metric[varibad_metric_virtual], (double)*b->v.virtual.count, 0);
  near(b->fake.metric[varibad_metric_virtual_probability], 0.3 * N, 1e-6 * N);
  fixture_free(b), g_free(x);
}

/* Of SD no iteration is ever virtual, and nothing of the kind is kept. */
static void test_never(void) {
  Fixture *b = fixture_new(SMALL ", virtual_growth: 0");
  g_assert_null(fake_host_find(&b->fake, "virtual.active"));
  g_assert_null(fake_host_find(&b->fake, "replay.forgotten"));
  g_assert_nonnull(fake_host_find(&b->fake, "decoder.disperse.0.weight"));
  fixture_free(b);
}

/* However high the chance, none is virtual before there is a latent to draw from. */
static void test_ready(void) {
  Experience *x = experience_new();
  Fixture *b = fixture_new(LATENTS);
  ((VaribadParams *)b->part.params)->virtual_probability = 1;
  HnHistory none = window(x, 0, 0);
  for (int k = 0; k < 3; k++) {
    learn(b, &none);
    g_assert_cmpint(*b->v.virtual.active, ==, 0);
  }
  *b->v.virtual.latents = 1;
  learn(b, &none);
  g_assert_cmpint(*b->v.virtual.active, ==, 1);
  fixture_free(b), g_free(x);
}

/* ---- from what ---- */

static void test_dirichlet(void) {
  enum { N = 20000, K = 4 };
  static const double alpha[K] = {0.05, 0.2, 0.35, 1.4};
  double sum[K] = {0}, square[K] = {0}, all = 2;
  HnRng rng = hn_rng(5, 1);
  for (int i = 0; i < N; i++) {
    float x[K];
    double total = 0;
    varibad_dirichlet(&rng, K, alpha, x);
    for (int k = 0; k < K; k++) {
      g_assert_cmpfloat(x[k], >=, 0);
      sum[k] += (double)x[k] / N, square[k] += (double)x[k] * (double)x[k] / N;
      total += (double)x[k];
    }
    near(total, 1, 2.5e-7);
  }
  for (int k = 0; k < K; k++) {
    double mean = alpha[k] / all, variance = mean * (1 - mean) / (all + 1);
    near(sum[k], mean, 5 * sqrt(variance / N));
    near(square[k] - sum[k] * sum[k], variance, 0.05 * variance);
  }
  /* where a gamma variate underflows, one of them has it all */
  static const double small[] = {1e-8, 1e-8};
  double first = 0;
  for (int i = 0; i < 1000; i++) {
    float x[2];
    varibad_dirichlet(&rng, 2, small, x);
    near((double)(x[0] + x[1]), 1, 1e-6);
    first += (double)x[0] / 1000;
  }
  near(first, 0.5, 5 * 0.5 / sqrt(1000));
}

/* Before any virtual iteration y is uniform on a simplex of three subtasks; later it is drawn by
 * use. */
static void test_subtasks(void) {
  enum { N = 8000 };
  Fixture *b = fixture_new(SMALL);
  HnRng rng = hn_rng(5, 2);
  double sum[4] = {0}, square = 0;
  float y[4];
  for (int i = 0; i < N; i++) {
    int some = 0;
    varibad_draw_virtual(&b->v, &rng, y);
    for (int k = 0; k < 4; k++) {
      some += y[k] > 0, sum[k] += (double)y[k] / N;
      square += (double)y[k] * (double)y[k] / N;
    }
    g_assert_cmpint(some, ==, 3);
  }
  for (int k = 0; k < 4; k++) near(sum[k], 0.25, 5 * 0.26 / sqrt(N)); /* variance 1/8 - 1/16 */
  near(square, 0.5, 0.02);
  *b->v.virtual.count = 1;
  for (int k = 0; k < 4; k++) b->v.virtual.usage.mean[k] = k == 2 ? 0.997 : 0.001, sum[k] = 0;
  for (int i = 0; i < N; i++) {
    varibad_draw_virtual(&b->v, &rng, y);
    for (int k = 0; k < 4; k++) sum[k] += (double)y[k] / N;
  }
  near(sum[2], 0.997, 5 * sqrt(0.003 / 2 / N));
  fixture_free(b);
}

/* LDM mixes latents, or takes one of them; a trial has one z. */
static void test_latents(void) {
  static const char *settings[] = {LATENTS, LATENTS ", virtual_mix: 1"};
  Experience *x = experience_new();
  for (int k = 0; k < 2; k++) {
    Fixture *b = fixture_new(settings[k]);
    HnRng own[ROWS] = {hn_rng(21, 0), hn_rng(21, 1)}, rng[ROWS] = {hn_rng(33, 0), hn_rng(33, 1)};
    static const float latent[6] = {1, 2, 3, 4, 6, 5};
    memcpy(b->v.virtual.latent, latent, sizeof latent);
    *b->v.virtual.latents = 2, *b->v.virtual.active = 1;
    void *state = g_malloc0(ROWS * b->spec.row_size);
    float z[2][ROWS][3], reward[ROWS];
    HnHistory h = window(x, 0, 0), next = window(x, 1, 0);
    for (int s = 0; s < 2; s++) {
      g_free(infer(b, s ? &next : &h, 0, state, own));
      HnHistory now = window(x, s, 1);
      g_assert_cmpint(varibad_relabel(&b->v, &now, state, rng, reward), ==, HN_OK);
      fake_host_reset(&b->fake, (FakeMark){0});
      for (int i = 0; i < ROWS; i++)
        memcpy(z[s][i], varibad_code_of(&b->v, state, i), sizeof z[s][i]);
    }
    g_assert_cmpmem(z[0], sizeof z[0], z[1], sizeof z[1]);
    for (int i = 0; i < ROWS; i++) { /* on the line between both */
      double at = ((double)z[0][i][0] - 1) / 3;
      near((double)z[0][i][1], 2 + 4 * at, 8e-7), near((double)z[0][i][2], 3 + 2 * at, 8e-7);
      g_assert_true(k ? at == 0 || at == 1 : at > 0 && at < 1);
    }
    g_free(state), fixture_free(b);
  }
  g_free(x);
}

/* ---- what is learnt from ---- */

static Fixture *active_in(const char *settings, bool active) {
  Fixture *b = fixture_new(settings);
  *b->v.virtual.active = active;
  return b;
}

/* Trials with a virtual step are left out, also those that began before or end after it. */
static void test_replay(void) {
  static const int64_t finished[] = {2, 2, 3, 5};
  Experience *x = experience_new();
  Fixture *b = active_in(SMALL ", virtual_growth: 1, updates: 0", false);
  HnHistory h = window(x, 0, STEPS);
  for (int k = 0; k < 4; k++) {
    *b->v.virtual.active = k == 1;
    learn(b, &h);
    g_assert_cmpint(hn_trial_replay_count(&b->v.replay), ==, finished[k]);
  }
  /* of row 1, the trial of 6 steps, and that of 2 and 6 steps over the last two windows */
  static const int64_t steps[] = {8, 6, 8, 8, 8};
  for (int k = 0; k < 5; k++)
    g_assert_cmpint(b->v.replay.steps[b->v.replay.finished[k]], ==, steps[k]);
  g_assert_cmpint(b->v.replay.steps[b->v.replay.running[0]], ==, 0);
  g_assert_cmpint(b->v.replay.steps[b->v.replay.running[1]], ==, 2);
  fixture_free(b), g_free(x);
}

/* Use is the mean of pi over the steps of all iterations; the beliefs here are made up. */
static void test_usage(void) {
  enum { D = 10 };
  Experience *x = experience_new();
  Fixture *b = active_in(SMALL ", updates: 0", false);
  float belief[(STEPS + 1) * ROWS * D] = {0};
  for (int k = 0; k < (STEPS + 1) * ROWS; k++)
    for (int j = 0; j < 4; j++) belief[k * D + 6 + j] = (float)(j == k % 4);
  HnHistory h = window(x, 0, STEPS);
  h.belief = belief;
  learn(b, &h);
  for (int j = 0; j < 4; j++) near(b->v.virtual.usage.mean[j], 0.25, 1e-6);
  for (int k = 0; k < STEPS * ROWS; k++)
    for (int j = 0; j < 4; j++) belief[k * D + 6 + j] = (float)(j == 0);
  *b->v.virtual.active = 1; /* virtual ones count, too */
  learn(b, &h);
  near(b->v.virtual.usage.mean[0], 0.625, 1e-6), near(b->v.virtual.usage.mean[3], 0.125, 1e-6);
  fixture_free(b), g_free(x);
}

/* The last beliefs of real trials are what latents are drawn from. */
static void test_last_latents(void) {
  enum { D = 6 };
  Experience *x = experience_new();
  Fixture *b = active_in(LATENTS, true);
  float belief[(STEPS + 1) * ROWS * D];
  for (int k = 0; k < (STEPS + 1) * ROWS; k++)
    for (int j = 0; j < D; j++) belief[k * D + j] = j < 3 ? (float)(10 * k + j) : -40;
  HnHistory h = window(x, 0, STEPS);
  h.belief = belief;
  learn(b, &h);
  g_assert_cmpint(*b->v.virtual.latents, ==, 0);
  *b->v.virtual.active = 0;
  learn(b,
        &h); /* row 1's first trial began in the virtual iteration; row 0's at time step 7 ends */
  g_assert_cmpint(*b->v.virtual.latents, ==, 1);
  for (int j = 0; j < 3; j++) near((double)b->v.virtual.latent[j], 10 * (7 * ROWS) + j, 1e-3);
  *b->v.virtual.active = 0;
  learn(b, &h); /* both rows; row 1's ends at time step 5, before */
  g_assert_cmpint(*b->v.virtual.latents, ==, 3);
  for (int j = 0; j < 3; j++)
    near((double)b->v.virtual.latent[3 + j], 10 * (5 * ROWS + 1) + j, 1e-3);
  fixture_free(b), g_free(x);
}

/* With samples the belief's mean is a draw already, and its first sample is kept as it is. */
static void test_last_samples(void) {
  enum { D = 6, S = 2 };
  Experience *x = experience_new();
  Fixture *b = active_in(LATENTS, true);
  float belief[(STEPS + 1) * ROWS * S * D];
  for (int k = 0; k < (STEPS + 1) * ROWS * S; k++)
    for (int j = 0; j < D; j++) belief[k * D + j] = j < 3 ? (float)(10 * k + j) : 1;
  HnHistory h = window(x, 0, STEPS);
  h.belief = belief, h.samples = S;
  learn(b, &h);
  *b->v.virtual.active = 0;
  learn(b, &h);
  g_assert_cmpint(*b->v.virtual.latents, ==, 1);
  for (int j = 0; j < 3; j++)
    g_assert_cmpfloat((double)b->v.virtual.latent[j], ==, 10 * (7 * ROWS * S) + j);
  fixture_free(b), g_free(x);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/sdvt_virtual/probability", test_probability);
  g_test_add_func("/sdvt_virtual/rate", test_rate);
  g_test_add_func("/sdvt_virtual/never", test_never);
  g_test_add_func("/sdvt_virtual/ready", test_ready);
  g_test_add_func("/sdvt_virtual/dirichlet", test_dirichlet);
  g_test_add_func("/sdvt_virtual/subtasks", test_subtasks);
  g_test_add_func("/sdvt_virtual/latents", test_latents);
  g_test_add_func("/sdvt_virtual/replay", test_replay);
  g_test_add_func("/sdvt_virtual/usage", test_usage);
  g_test_add_func("/sdvt_virtual/last_latents", test_last_latents);
  g_test_add_func("/sdvt_virtual/last_samples", test_last_samples);
  return g_test_run();
}
