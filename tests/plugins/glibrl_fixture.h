/* glibrl_fixture.h - what tests of GLiBRL believe in: experience made up here, an instance of the
 * plugin on the fake host, and what it says of a life. */
#ifndef GLIBRL_SUBJECT_H
#define GLIBRL_SUBJECT_H
#include "../../plugins/inference/glibrl.c"
#include "fake_host.h"
#include <glib.h>

/* ---- experience made up here ---- */

/* Steps 0 .. steps-1 of rows, [steps + 1, rows, ..]; windows are cut out of it. */
typedef struct Life {
  int64_t steps, rows, obs_dim, action_dim;
  uint8_t *begin, *none;
  float *obs, *action, *reward, *next;
} Life;

static Life life_new(int64_t steps, int64_t rows, int64_t obs_dim, int64_t action_dim) {
  int64_t n = (steps + 1) * rows;
  Life l = {.steps = steps, .rows = rows, .obs_dim = obs_dim, .action_dim = action_dim};
  l.begin = g_new0(uint8_t, n), l.none = g_new0(uint8_t, n);
  l.obs = g_new0(float, n *obs_dim), l.next = g_new0(float, n *obs_dim);
  l.action = g_new0(float, n *action_dim), l.reward = g_new0(float, n);
  return l;
}

static void life_free(Life *l) {
  g_free(l->begin), g_free(l->none), g_free(l->obs), g_free(l->next), g_free(l->action),
      g_free(l->reward);
}

/* Steps from .. from + steps - 1 of rows first .. first + rows - 1. */
static HnHistory window(const Life *l, int64_t from, int64_t steps, int64_t first, int64_t rows) {
  int64_t at = from * l->rows + first;
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = steps,
                     .rows = rows,
                     .stride = l->rows,
                     .begin = l->begin + at,
                     .obs = l->obs + at * l->obs_dim,
                     .action = l->action + at * l->action_dim,
                     .reward = l->reward + at,
                     .true_reward = l->reward + at,
                     .next_obs = l->next + at * l->obs_dim,
                     .terminated = l->none + at,
                     .truncated = l->none + at};
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

/* Fills the life: tasks of `task_steps` steps, two episodes each; row i is shifted by i * shift. */
static Life life_of_masses(int64_t steps, int64_t rows, int64_t task_steps, int64_t shift,
                           uint64_t seed) {
  Life l = life_new(steps, rows, 4, 2);
  for (int64_t i = 0; i < rows; i++) {
    HnRng rng = hn_rng(seed, (uint64_t)i);
    Task task = {0};
    for (int64_t t = 0; t <= steps; t++) {
      int64_t at = t * rows + i, age = (t + i * shift) % task_steps;
      l.begin[at] = t == 0 || age == 0 ? HN_NEW_TASK : age == task_steps / 2 ? HN_NEW_EPISODE : 0;
      if (l.begin[at] == HN_NEW_TASK) draw_task(&task, &rng);
      if (l.begin[at])
        task.state[0] = hn_rng_uniform(&rng, -1, 1), task.state[1] = hn_rng_uniform(&rng, -1, 1);
      observe(task.state, l.obs + at * 4);
      double *s = task.state, a = hn_rng_uniform(&rng, -1, 1), b = hn_rng_uniform(&rng, -1, 1);
      l.action[at * 2] = (float)a, l.action[at * 2 + 1] = (float)b;
      s[1] = 0.8 * s[1] + task.push * (a - 0.5 * b * b) + task.noise * hn_rng_normal(&rng);
      s[0] += 0.3 * s[1];
      observe(task.state, l.next + at * 4);
      l.reward[at] = (float)(-fabs(s[0] - task.goal) + task.noise * hn_rng_normal(&rng));
    }
  }
  return l;
}

/* Sinusoids a sin(x + phase) over a random x; amplitudes spread 25 fold and the noise with them. */
static Life life_of_sinusoids(int64_t steps, int64_t rows, int64_t task_steps, uint64_t seed) {
  Life l = life_new(steps, rows, 1, 1);
  for (int64_t i = 0; i < rows; i++) {
    HnRng rng = hn_rng(seed, (uint64_t)i);
    double size = 0, phase = 0;
    for (int64_t t = 0; t <= steps; t++) {
      int64_t at = t * rows + i;
      l.begin[at] = t % task_steps == 0 ? HN_NEW_TASK : HN_KEEP;
      if (l.begin[at])
        size = 0.2 * pow(25, hn_rng_uniform(&rng, 0, 1)), phase = hn_rng_uniform(&rng, 0, G_PI);
      double x = hn_rng_uniform(&rng, -3, 3);
      l.obs[at] = l.next[at] = (float)x, l.action[at] = 0;
      l.reward[at] = (float)(size * (sin(x + phase) + 0.1 * hn_rng_normal(&rng)));
    }
  }
  return l;
}

/* ---- an instance ---- */

static HnThisParams presets(void) {
  HnThisParams p = {0};
  for (const HnParam *k = hn_this_params; k->name; k++) {
    void *to = (char *)&p + k->offset;
    if (k->kind == HN_REAL) *(double *)to = k->preset;
    if (k->kind == HN_INT) *(int64_t *)to = (int64_t)k->preset;
    if (k->kind == HN_FLAG) *(bool *)to = k->preset != 0;
    if (k->kind != HN_CHOICE) continue;
    char **choice = g_strsplit(k->choices, "|", -1);
    int32_t index = 0;
    while (choice[index] && strcmp(choice[index], k->text)) index++;
    g_assert_nonnull(choice[index]);
    *(int32_t *)to = index;
    g_strfreev(choice);
  }
  return p;
}

/* Small networks, no features fixed by learning alone. */
static HnThisParams small(void) {
  HnThisParams p = presets();
  p.transition_features = 6, p.reward_features = 9, p.hidden_units = 16;
  p.batch = 4, p.start = 2, p.buffer = 20, p.updates = 3;
  return p;
}

typedef struct Subject {
  HnThisParams params;
  FakeHost fake;
  Glibrl *g;
  HnBeliefSpec spec;
  HnRng rng;
} Subject;

static Subject *subject_new(HnThisParams p, const Life *l, int64_t lifetime) {
  Subject *b = g_new0(Subject, 1);
  const HnHost *host = fake_host_open(&b->fake);
  b->params = p, b->g = g_new0(Glibrl, 1);
  b->rng = hn_rng(7, 1);
  b->spec = (HnBeliefSpec){.struct_size = sizeof(HnBeliefSpec),
                           .obs_dim = l->obs_dim,
                           .action_dim = l->action_dim,
                           .horizon = lifetime,
                           .lifetime = lifetime,
                           .rows = l->rows,
                           .steps = l->steps,
                           .rng = &b->rng};
  HnStatus status = create(b->g, host, &b->params, &b->spec);
  g_assert_cmpint(status, ==, HN_OK);
  return b;
}

static void subject_free(Subject *b) {
  fake_host_close(&b->fake);
  g_free(b->g), g_free(b);
}

/* One learn on a window of all rows. */
static void learn_from(Subject *b, const HnHistory *h) {
  const HnHistory *phase[] = {h};
  HnTrainBatch l = {.struct_size = sizeof l, .rng = &b->rng, .phases = 1, .phase = phase};
  g_assert_cmpint(learn(b->g, &l), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
}

static void learn_life(Subject *b, const Life *l) {
  HnHistory h = window(l, 0, l->steps, 0, l->rows);
  learn_from(b, &h);
}

/* What believe gave on a life: everything of [steps + 1, rows, ..], and the row memory after. */
typedef struct Seen {
  float *belief, *info;
  char *state;
  size_t belief_bytes, info_bytes, state_bytes;
} Seen;

static Seen seen_new(const Subject *b, const Life *l) {
  int64_t n = (l->steps + 1) * l->rows;
  Seen s = {.belief_bytes = (size_t)(n * b->spec.belief_dim) * sizeof(float),
            .info_bytes = (size_t)(n * info_count) * sizeof(float),
            .state_bytes = (size_t)l->rows * b->spec.row_size};
  s.belief = g_malloc0(s.belief_bytes), s.info = g_malloc0(s.info_bytes);
  s.state = g_aligned_alloc0(1, s.state_bytes, 64);
  return s;
}

static void seen_free(Seen *s) {
  g_free(s->belief), g_free(s->info), g_aligned_free(s->state);
}

/* Believes steps from .. from + steps of rows first .. first + rows - 1 into s. */
static void believe_part(Subject *b, const Life *l, int64_t from, int64_t steps, int64_t first,
                         int64_t rows, Seen *s) {
  HnHistory h = window(l, from, steps, first, rows);
  int64_t n = (steps + 1) * rows, dim = b->spec.belief_dim;
  float *belief = g_new0(float, n *dim), *info = g_new0(float, n *info_count);
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .belief = belief,
                      .info = info,
                      .state = s->state + (size_t)first * b->spec.row_size};
  g_assert_cmpint(believe(b->g, &q), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  for (int64_t t = 0; t <= steps; t++)
    for (int64_t i = 0; i < rows; i++) {
      int64_t at = (from + t) * l->rows + first + i, of = t * rows + i;
      memcpy(s->belief + at * dim, belief + of * dim, (size_t)dim * sizeof *belief);
      memcpy(s->info + at * info_count, info + of * info_count, info_count * sizeof *info);
    }
  g_free(belief), g_free(info);
}

static Seen believe_life(Subject *b, const Life *l) {
  Seen s = seen_new(b, l);
  believe_part(b, l, 0, l->steps, 0, l->rows, &s);
  return s;
}

static void assert_same(const Seen *a, const Seen *b) {
  g_assert_cmpmem(a->belief, a->belief_bytes, b->belief, b->belief_bytes);
  g_assert_cmpmem(a->info, a->info_bytes, b->info, b->info_bytes);
  g_assert_cmpmem(a->state, a->state_bytes, b->state, b->state_bytes);
}
#endif
