/* trpo_returns_test.c - what TRPO learns from, over two windows whose rows are at different points
 * of their episodes and trials: advantages, inputs and gradient against a naive float64 twin. */
#include "actor_fixture.h"
#include "advantage_naive.h"
#include "numbers.h"
#include "policy_fixture.h"

extern const HnPlugin trpo_LTX_hn_plugin;

enum { T = 50, B = 3, O = 2, D = 2, I = O + D, A = 2, P = I * A + 2 * A, WINDOWS = 2, N = T * B };

/* A row's first step in its trial, and the steps of its episodes and trials: windows end within
 * both. */
static const int64_t start[B] = {3, 0, 12}, episode[B] = {7, 10, 8}, trial[B] = {21, 20, 24};

/* The twin has no hidden layer; its weights lie side by side. */
static const Twin twin = {.O = I, .A = A, .P = P, .w1 = 0, .b1 = I * A, .logstd = I * A + A};

typedef struct Story {
  PolicyFixture *f;
  Log *g;
  int64_t window;
  bool trials;                    /* returns run over a trial */
  double coef[2 * I + 4];         /* of the baseline, from window to window */
  double sum[I], square[I], seen; /* of inputs in the windows before */
  float input[(T + 1) * B * I], time[(T + 1) * B];
} Story;

static int64_t place(const Story *s, int64_t t, int64_t i) {
  return (start[i] + s->window * T + t) % trial[i];
}
static bool return_ends(const Story *s, int64_t t, int64_t i) {
  const int64_t next = place(s, t + 1, i);
  return next == 0 || (!s->trials && next % episode[i] == 0);
}

static void act(Story *s, int64_t t, HnRng *rng) {
  Log *g = s->g;
  int64_t in_episode[B], in_trial[B];
  for (int64_t i = 0; i < B; i++)
    in_trial[i] = place(s, t, i), in_episode[i] = in_trial[i] % episode[i];
  HnActBatch a = {.struct_size = sizeof a,
                  .rows = B,
                  .episode_step = in_episode,
                  .trial_step = in_trial,
                  .obs = g->obs + t * B * O,
                  .belief = g->belief + t * B * D,
                  .rng = rng,
                  .action = g->action + t * B * A,
                  .aux = g->aux + t * B * s->f->spec.aux_dim};
  g_assert_cmpint(s->f->method->act(s->f->self, &a), ==, HN_OK);
  policy_fixture_end_call(s->f);
}

/* The next window: inputs away from 0, rewards of the time in the trial and of what was done. */
static void collect(Story *s, HnRng *noise, HnRng *rng) {
  Log *g = s->g;
  for (int64_t k = 0; k < (T + 1) * B * O; k++) g->obs[k] = (float)(1 + 2 * hn_rng_normal(noise));
  for (int64_t k = 0; k < (T + 1) * B * D; k++)
    g->belief[k] = (float)(0.5 * hn_rng_normal(noise) - 1);
  for (int64_t t = 0; t <= T; t++)
    for (int64_t i = 0; i < B; i++) {
      const int64_t at = t * B + i, now = place(s, t, i);
      g->begin[at] = now % episode[i] ? HN_KEEP : now ? HN_NEW_EPISODE : HN_NEW_TASK;
      if (t < T) g->truncated[at] = place(s, t + 1, i) % episode[i] == 0;
      s->time[at] = (float)(s->trials ? now : now % episode[i]);
      memcpy(s->input + at * I, g->obs + at * O, O * sizeof(float));
      memcpy(s->input + at * I + O, g->belief + at * D, D * sizeof(float));
    }
  for (int64_t t = 0; t < T; t++) {
    act(s, t, rng);
    for (int64_t k = t * B; k < (t + 1) * B; k++)
      g->reward[k] = g->action[A * k] + 0.1f * s->time[k] + g->obs[O * k] / 2;
  }
}

/* advantage [N] by values of the window's observations, and by the given lambda. */
static void advantages_of(const Story *s, const float *value, double lambda, double *advantage) {
  const double gamma = policy_fixture_get(s->f, "gamma");
  for (int64_t i = 0; i < B; i++) {
    double reward[T], v[T + 1], found[T];
    bool end[T];
    for (int64_t t = 0; t <= T; t++) {
      v[t] = (double)value[t * B + i];
      if (t < T) reward[t] = (double)s->g->reward[t * B + i], end[t] = return_ends(s, t, i);
    }
    naive_advantages(T, reward, v, end, gamma, lambda, found);
    for (int64_t t = 0; t < T; t++) advantage[t * B + i] = found[t];
  }
}

/* As TRPO takes them: returns to the window's end, where the fit of before says what is left, then
 * advantages by the new fit. */
static double take_advantages(Story *s, double *advantage) {
  const HnHost *host = &s->f->fake.host;
  float value[N + B] = {0}, target[N];
  linear_baseline_predict(host, B, I, s->input + N * I, s->time + N, s->coef, value + N);
  advantages_of(s, value, 1, advantage);
  for (int64_t k = 0; k < N; k++) target[k] = (float)advantage[k];
  linear_baseline_fit(host, N, I, s->input, s->time, target, s->coef);
  linear_baseline_predict(host, N + B, I, s->input, s->time, s->coef, value);
  policy_fixture_end_call(s->f);
  advantages_of(s, value, policy_fixture_get(s->f, "gae_lambda"), advantage);
  return naive_standardise((int)policy_fixture_get(s->f, "advantages"), N, advantage);
}

/* The inputs standardised by the windows before, the first one as they are; then those windows
 * hold this one, too. */
static void standardise_inputs(Story *s, float *x) {
  for (int64_t j = 0; j < I; j++) {
    const double mean = s->seen > 0 ? s->sum[j] / s->seen : 0;
    const double variance = s->seen > 0 ? s->square[j] / s->seen - mean * mean : 1;
    for (int64_t k = 0; k < N; k++) {
      const double now = (double)s->input[k * I + j];
      x[k * I + j] = (float)((now - mean) / sqrt(variance));
      s->sum[j] += now, s->square[j] += now * now;
    }
  }
  s->seen += N;
}

/* The norm of the loss's gradient where w acted. */
static double gradient_norm(Story *s, const double *w, const double *advantage) {
  static const int64_t raw_at = 1; /* in aux, of a squashed action */
  const int64_t aux_dim = s->f->spec.aux_dim;
  float x[N * I], action[N * A], scaled[N];
  double grad[P] = {0}, sum = 0;
  standardise_inputs(s, x);
  for (int64_t k = 0; k < N; k++) scaled[k] = (float)advantage[k];
  memcpy(action, s->g->action, sizeof action);
  for (int64_t k = 0; k < N && policy_fixture_get(s->f, "squash") > 0; k++)
    for (int64_t j = 0; j < A; j++) {
      action[k * A + j] = s->g->aux[k * aux_dim + raw_at + j];
      near((double)s->g->action[k * A + j], tanh((double)action[k * A + j]), 3e-7);
    }
  const Sample sample = {.n = N, .obs = x, .action = action, .advantage = scaled};
  twin_loss(&twin, w, &sample, LOSS_LOGP, 0, NULL, 1, grad);
  for (int j = 0; j < P; j++) sum += grad[j] * grad[j];
  return sqrt(sum);
}

static void read_weights(PolicyFixture *f, double *w) {
  static const char *name[] = {"action.0.weight", "action.0.bias", "logstd"};
  const int64_t at[] = {twin.w1, twin.b1, twin.logstd};
  for (int k = 0; k < 3; k++) {
    const FakeArray *a = policy_fixture_find(f, name[k]);
    for (int64_t j = 0; j < a->count; j++) w[at[k] + j] = (double)((const float *)a->data)[j];
  }
}

static void test_windows(gconstpointer settings) {
  Story s = {.f = policy_fixture_open(&trpo_LTX_hn_plugin, 5)};
  policy_fixture_set_all(s.f, "layers 0 head_gain 1 std_init 0.6 gamma 0.9 gae_lambda 0.7");
  policy_fixture_set_all(s.f, settings);
  s.trials = policy_fixture_get(s.f, "episode_boundary") < 1;
  s.f->spec.obs_dim = O, s.f->spec.belief_dim = D, s.f->spec.action_dim = A;
  s.f->spec.rows = B, s.f->spec.steps = T;
  g_assert_cmpint(policy_fixture_create(s.f), ==, HN_OK);
  s.g = log_new(s.f, T, B, 0, 3);
  HnRng noise = hn_rng(7, 7), rng[B] = {hn_rng(8, 0), hn_rng(8, 1), hn_rng(8, 2)}, batch = noise;
  for (; s.window < WINDOWS; s.window++) {
    double w[P], advantage[N], mean = 0;
    read_weights(s.f, w);
    collect(&s, &noise, rng);
    const double stddev = take_advantages(&s, advantage), norm = gradient_norm(&s, w, advantage);
    for (int64_t k = 0; k < N; k++) mean += advantage[k] / N;
    g_assert_cmpint(policy_fixture_learn(s.f, s.g, &batch, N, N), ==, HN_OK);
    g_assert_cmpfloat(policy_fixture_metric_of(s.f, "accepted"), ==, 1);
    near(policy_fixture_metric_of(s.f, "advantage_stddev"), stddev, 3e-8 * stddev);
    near(policy_fixture_metric_of(s.f, "loss"), -mean, 4e-8 * (1 + fabs(mean)));
    near(policy_fixture_metric_of(s.f, "grad_norm"), norm, 1e-6 * norm);
  }
  log_free(s.g), policy_fixture_close(s.f);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/trpo_returns/trial", "", test_windows);
  g_test_add_data_func("/trpo_returns/episode", "episode_boundary 1 advantages 1", test_windows);
  g_test_add_data_func("/trpo_returns/squashed", "squash 2 advantages 2", test_windows);
  return g_test_run();
}
