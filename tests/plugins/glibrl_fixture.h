/* glibrl_fixture.h - experience made up for tests of GLiBRL, an instance of it on the fake host,
 * and the beliefs that it infers. */
#ifndef HN_TESTS_GLIBRL_FIXTURE_H
#define HN_TESTS_GLIBRL_FIXTURE_H
#include "../../plugins/inference/glibrl/glibrl.h"
#include "cell_fixture.h"
#include "fake_host.h"
#include <glib.h>

/* ---- experience made up here ---- */

/* Steps 0 .. steps-1 of rows, [steps + 1, rows, ..]; windows are cut out of it. */
typedef struct Experience {
  int64_t steps, rows, obs_dim, action_dim;
  uint8_t *begin, *none;
  float *obs, *action, *reward, *next;
} Experience;

static Experience experience_new(int64_t steps, int64_t rows, int64_t obs_dim, int64_t action_dim) {
  int64_t n = (steps + 1) * rows;
  Experience data = {.steps = steps, .rows = rows, .obs_dim = obs_dim, .action_dim = action_dim};
  data.begin = g_new0(uint8_t, n), data.none = g_new0(uint8_t, n);
  data.obs = g_new0(float, n *obs_dim), data.next = g_new0(float, n *obs_dim);
  data.action = g_new0(float, n *action_dim), data.reward = g_new0(float, n);
  return data;
}

static void experience_free(Experience *data) {
  g_free(data->begin), g_free(data->none), g_free(data->obs), g_free(data->next),
      g_free(data->action), g_free(data->reward);
}

/* Steps from .. from + steps - 1 of rows first .. first + rows - 1. */
static HnHistory window(const Experience *data, int64_t from, int64_t steps, int64_t first,
                        int64_t rows) {
  int64_t at = from * data->rows + first;
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = steps,
                     .rows = rows,
                     .stride = data->rows,
                     .begin = data->begin + at,
                     .obs = data->obs + at * data->obs_dim,
                     .action = data->action + at * data->action_dim,
                     .reward = data->reward + at,
                     .true_reward = data->reward + at,
                     .next_obs = data->next + at * data->obs_dim,
                     .terminated = data->none + at,
                     .truncated = data->none + at};
}

/* A mass pushed about: obs (position, speed, a constant but for its last bit, a combination of the
 * first two); tasks differ in push, goal and noise. */
typedef struct Task {
  double push, goal, noise, state[2];
} Task;

static void draw_task(Task *task, HnRng *rng) {
  task->push = hn_rng_uniform(rng, 0.2, 1), task->goal = hn_rng_uniform(rng, -2, 2);
  task->noise = hn_rng_uniform(rng, 0.01, 0.1);
}

static void observe(const double *state, float *obs) {
  obs[0] = (float)state[0], obs[1] = (float)state[1];
  obs[2] = state[0] > 0 ? 3 : nextafterf(3, 4), obs[3] = obs[0] + 0.5f * obs[1];
}

/* Tasks of `task_steps` steps, two episodes each; row i is shifted by i * shift. */
static Experience masses(int64_t steps, int64_t rows, int64_t task_steps, int64_t shift,
                         uint64_t seed) {
  Experience data = experience_new(steps, rows, 4, 2);
  for (int64_t i = 0; i < rows; i++) {
    HnRng rng = hn_rng(seed, (uint64_t)i);
    Task task = {0};
    for (int64_t t = 0; t <= steps; t++) {
      int64_t at = t * rows + i, age = (t + i * shift) % task_steps;
      data.begin[at] = t == 0 || age == 0      ? HN_NEW_TASK
                       : age == task_steps / 2 ? HN_NEW_EPISODE
                                               : 0;
      if (data.begin[at] == HN_NEW_TASK) draw_task(&task, &rng);
      if (data.begin[at])
        task.state[0] = hn_rng_uniform(&rng, -1, 1), task.state[1] = hn_rng_uniform(&rng, -1, 1);
      observe(task.state, data.obs + at * 4);
      double *s = task.state, a = hn_rng_uniform(&rng, -1, 1), b = hn_rng_uniform(&rng, -1, 1);
      data.action[at * 2] = (float)a, data.action[at * 2 + 1] = (float)b;
      s[1] = 0.8 * s[1] + task.push * (a - 0.5 * b * b) + task.noise * hn_rng_normal(&rng);
      s[0] += 0.3 * s[1];
      observe(task.state, data.next + at * 4);
      data.reward[at] = (float)(-fabs(s[0] - task.goal) + task.noise * hn_rng_normal(&rng));
    }
  }
  return data;
}

/* Sinusoids a sin(x + phase) over a random x; amplitudes spread 25 fold and the noise with them. */
static inline Experience sinusoids(int64_t steps, int64_t rows, int64_t task_steps, uint64_t seed) {
  Experience data = experience_new(steps, rows, 1, 1);
  for (int64_t i = 0; i < rows; i++) {
    HnRng rng = hn_rng(seed, (uint64_t)i);
    double size = 0, phase = 0;
    for (int64_t t = 0; t <= steps; t++) {
      int64_t at = t * rows + i;
      data.begin[at] = t % task_steps == 0 ? HN_NEW_TASK : HN_KEEP;
      if (data.begin[at])
        size = 0.2 * pow(25, hn_rng_uniform(&rng, 0, 1)), phase = hn_rng_uniform(&rng, 0, G_PI);
      double x = hn_rng_uniform(&rng, -3, 3);
      data.obs[at] = data.next[at] = (float)x, data.action[at] = 0;
      data.reward[at] = (float)(size * (sin(x + phase) + 0.1 * hn_rng_normal(&rng)));
    }
  }
  return data;
}

/* ---- an instance ---- */

extern const HnPlugin glibrl_LTX_hn_plugin;

/* The plugin's parameters from "key: value, .."; "": its defaults. */
static GlibrlParams params_of(const char *settings) {
  HnPluginChoice part = part_of(&glibrl_LTX_hn_plugin, settings);
  GlibrlParams p = *(const GlibrlParams *)part.params;
  g_free(part.params);
  return p;
}

/* Small networks, no features fixed by learning alone. */
static inline GlibrlParams small(void) {
  return params_of("transition_features: 6, reward_features: 9, hidden_units: 16, batch: 4, "
                   "start: 2, buffer: 20, updates: 3");
}

typedef struct Fixture {
  GlibrlParams params;
  FakeHost fake;
  Glibrl *g;
  HnBeliefSpec spec;
  HnRng rng;
} Fixture;

static Fixture *fixture_new(GlibrlParams p, const Experience *data, int64_t lifetime) {
  Fixture *b = g_new0(Fixture, 1);
  const HnHost *host = fake_host_open(&b->fake);
  b->params = p, b->g = g_new0(Glibrl, 1);
  b->rng = hn_rng(7, 1);
  b->spec = (HnBeliefSpec){.struct_size = sizeof(HnBeliefSpec),
                           .obs_dim = data->obs_dim,
                           .action_dim = data->action_dim,
                           .horizon = lifetime,
                           .lifetime = lifetime,
                           .episodes = lifetime,
                           .rows = data->rows,
                           .steps = data->steps,
                           .rng = &b->rng};
  HnStatus status = glibrl_create(b->g, host, &b->params, &b->spec);
  g_assert_cmpint(status, ==, HN_OK);
  return b;
}

static void fixture_free(Fixture *b) {
  fake_host_close(&b->fake);
  g_free(b->g), g_free(b);
}

/* One learn on a window of all rows. */
static void learn_window(Fixture *b, const HnHistory *h) {
  const HnHistory *phase[] = {h};
  HnTrainBatch batch = {.struct_size = sizeof batch, .rng = &b->rng, .phases = 1, .phase = phase};
  g_assert_cmpint(glibrl_learn(b->g, &batch), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
}

static void learn_all(Fixture *b, const Experience *data) {
  HnHistory h = window(data, 0, data->steps, 0, data->rows);
  learn_window(b, &h);
}

/* All that was inferred: [steps + 1, rows, ..], and the row memory after. */
typedef struct Beliefs {
  float *belief, *info;
  char *state;
  size_t belief_bytes, info_bytes, state_bytes;
} Beliefs;

static Beliefs beliefs_new(const Fixture *b, const Experience *data) {
  int64_t n = (data->steps + 1) * data->rows;
  Beliefs s = {.belief_bytes = (size_t)(n * b->spec.belief_dim) * sizeof(float),
               .info_bytes = (size_t)(n * glibrl_info_count) * sizeof(float),
               .state_bytes = (size_t)data->rows * b->spec.row_size};
  s.belief = g_malloc0(s.belief_bytes), s.info = g_malloc0(s.info_bytes);
  s.state = g_aligned_alloc0(1, s.state_bytes, 64);
  return s;
}

static void beliefs_free(Beliefs *s) {
  g_free(s->belief), g_free(s->info), g_aligned_free(s->state);
}

static Beliefs infer_all(Fixture *b, const Experience *data) {
  Beliefs s = beliefs_new(b, data);
  HnHistory h = window(data, 0, data->steps, 0, data->rows);
  HnBeliefUpdate q = {
      .struct_size = sizeof q, .history = &h, .belief = s.belief, .info = s.info, .state = s.state};
  g_assert_cmpint(glibrl_infer(b->g, &q), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  return s;
}

static inline void assert_same(const Beliefs *a, const Beliefs *b) {
  g_assert_cmpmem(a->belief, a->belief_bytes, b->belief, b->belief_bytes);
  g_assert_cmpmem(a->info, a->info_bytes, b->info, b->info_bytes);
  g_assert_cmpmem(a->state, a->state_bytes, b->state, b->state_bytes);
}

/* Parameters in which every choice takes every value. */
static inline void variants(void (*test)(GlibrlParams p)) {
  for (int32_t noise = 0; noise < 3; noise++)
    for (int32_t belief = 0; belief < 5; belief++) {
      GlibrlParams p = small();
      p.noise = noise, p.view = belief, p.belief_of = (noise + belief) % 3;
      p.transition_target = belief == 1, p.next_input = noise, p.feature_scaling = noise == 1;
      p.feature_constant = belief != 2, p.reward_scaling = noise, p.normalise_targets = belief != 0;
      p.normalise_inputs = noise != 2, p.regulariser_per_step = belief != 3;
      test(p);
    }
}
#endif
