/* rl2.c - what RL2 costs: microseconds per env step of acting, and of one gradient step over a
 * whole window by phases, at the sizes of VariBAD's comparison (arXiv 1910.08348).
 *
 * A gradient step is forward, the gradient back through its tapes (`back`), shards added up
 * (`add`), Adam.  PPO asks for epochs times as many per env step.  `again` is what a
 * gradient costs more where tapes are not kept; 0 where they are too large to be kept anyway. */
#include "../plugins/inference/rl2/rl2.h"
#include "../tests/support/fake_host.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 7 };

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct Size {
  const char *name;
  int64_t obs, action_dim, action_count, rows, steps;
  Rl2Params p;
} Size;

/* Random steps -1 .. T; one task. */
typedef struct Walk {
  uint8_t *begin;
  float *obs, *action, *reward;
  int32_t *action_index;
} Walk;

static Walk walk_new(const Size *s) {
  size_t n = (size_t)((s->steps + 2) * s->rows);
  Walk w = {calloc(n, 1), calloc(n * (size_t)s->obs, 4), calloc(n * (size_t)s->action_dim + 1, 4),
            calloc(n, 4), calloc(n, 4)};
  HnRng rng = hn_rng(1, 1);
  for (size_t k = 0; k < n * (size_t)s->obs; k++) w.obs[k] = (float)hn_rng_normal(&rng);
  for (size_t k = 0; k < n * (size_t)s->action_dim; k++) w.action[k] = (float)hn_rng_normal(&rng);
  for (size_t k = 0; k < n; k++) w.reward[k] = (float)hn_rng_normal(&rng);
  for (size_t k = 0; k < n && s->action_count; k++)
    w.action_index[k] = (int32_t)hn_rng_below(&rng, s->action_count);
  return w;
}

static HnHistory window(const Size *s, const Walk *w, int64_t from, int64_t steps) {
  int64_t at = (from + 1) * s->rows;
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = steps,
                     .rows = s->rows,
                     .stride = s->rows,
                     .begin = w->begin + at,
                     .obs = w->obs + at * s->obs,
                     .action = w->action + at * s->action_dim,
                     .action_index = w->action_index + at,
                     .reward = w->reward + at};
}

/* Microseconds per row and step of each phase. */
typedef struct Times {
  double act, forward, back, add, adam, again;
} Times;

static void clear_gradient(HnStore *s) {
  for (int64_t k = 0; k < s->count; k++)
    memset(s->tensor[k].grad, 0, (size_t)(s->tensor[k].rows * s->tensor[k].cols) * sizeof(float));
}

/* Seconds of backward. */
static double time_backward(Rl2 *m, const HnBeliefUpdate *q, const float *d) {
  double mark = seconds(), norm2;
  if (rl2_backward(m, q, d, &norm2)) abort();
  return seconds() - mark;
}

static Times round_of(Rl2 *m, FakeHost *f, const Size *s, const Walk *w, HnBeliefUpdate *q,
                      const float *d) {
  Times t;
  double mark = seconds();
  for (int64_t step = 0; step < s->steps; step++) {
    HnHistory now = window(s, w, step, 0);
    HnBeliefUpdate one = *q;
    one.history = &now;
    if (rl2_infer(m, &one)) abort();
    fake_host_reset(f, (FakeMark){0});
  }
  t.act = seconds() - mark, mark = seconds();
  if (rl2_forward(m, q)) abort();
  t.forward = seconds() - mark;
  t.back = time_backward(m, q, d);
  m->tape = NULL; /* as if tapes were too large to keep */
  clear_gradient(&m->store);
  t.again = time_backward(m, q, d) - t.back, mark = seconds();
  if (rl2_step(m, 1, 1)) abort();
  t.adam = seconds() - mark, mark = seconds();
  hn_store_refresh(&m->store);
  hn_store_reduce(&m->store, m->tasks, m->flat);
  hn_store_norm2(&m->store);
  t.add = seconds() - mark, t.back -= t.add;
  clear_gradient(&m->store);
  fake_host_reset(f, (FakeMark){0});
  return t;
}

static int by_size(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return (d > 0) - (d < 0);
}

static void run(const Size *s, int32_t cell) {
  FakeHost *f = malloc(sizeof *f);
  Rl2 *m = calloc(1, sizeof *m);
  Rl2Params p = s->p;
  HnRng rng = hn_rng(2, 2);
  HnBeliefSpec spec = {.struct_size = sizeof spec,
                       .obs_dim = s->obs,
                       .action_dim = s->action_dim,
                       .action_count = s->action_count,
                       .rng = &rng};
  p.cell = cell, p.see_obs = p.see_act = p.see_reward = p.see_episodes = true;
  if (rl2_create(m, fake_host_open(f), &p, &spec)) abort();
  Walk w = walk_new(s);
  HnHistory h = window(s, &w, 0, s->steps);
  int64_t n = (s->steps + 1) * s->rows * spec.belief_dim;
  float *belief = calloc((size_t)n, 4), *d = calloc((size_t)n, 4);
  for (int64_t k = 0; k < n; k++) d[k] = 1e-4f;
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = calloc((size_t)s->rows, spec.row_size),
                      .belief = belief};
  double took[sizeof(Times) / sizeof(double)][ROUNDS], us = 1e6 / (double)(s->steps * s->rows);
  for (int r = 0; r < ROUNDS; r++) {
    Times t = round_of(m, f, s, &w, &q, d);
    const double all[] = {t.act, t.forward, t.back, t.add, t.adam, t.again};
    for (int k = 0; k < 6; k++) took[k][r] = all[k] * us;
  }
  double sum = 0;
  for (int k = 0; k < 6; k++) {
    qsort(took[k], ROUNDS, sizeof(double), by_size);
    if (k > 0 && k < 5) sum += took[k][ROUNDS / 2];
  }
  printf("%-8s %-4s  act %5.2f   step %6.2f = forward %5.2f + back %6.2f + add %5.2f + adam %5.2f"
         "   (again %5.2f)\n",
         s->name, cell == HN_RNN_GRU ? "gru" : "lstm", took[0][ROUNDS / 2], sum,
         took[1][ROUNDS / 2], took[2][ROUNDS / 2], took[3][ROUNDS / 2], took[4][ROUNDS / 2],
         took[5][ROUNDS / 2]);
  free(w.begin), free(w.obs), free(w.action), free(w.reward), free(w.action_index);
  free(belief), free(d), free(q.state), fake_host_close(f), free(m), free(f);
}

int main(void) {
  const Size sizes[] = {
      {"grid",
       2,
       0,
       5,
       16,
       60,
       {.hidden = 64, .obs_embed = 8, .reward_embed = 8, .bottleneck = 64, .lr = 7e-4}},
      {"grid/4",
       2,
       0,
       5,
       4,
       60, /* a minibatch of a quarter of the rows */
       {.hidden = 64, .obs_embed = 8, .reward_embed = 8, .bottleneck = 64, .lr = 7e-4}},
      {"cheetah",
       20,
       6,
       0,
       16,
       200,
       {.hidden = 128, .obs_embed = 32, .act_embed = 16, .reward_embed = 16, .bottleneck = 256}},
      {"ml10",
       39,
       4,
       0,
       10,
       500,
       {.hidden = 256, .obs_embed = 32, .act_embed = 16, .reward_embed = 16}},
      {"ml10/50",
       39,
       4,
       0,
       10,
       500, /* truncated after 50 steps */
       {.hidden = 256, .obs_embed = 32, .act_embed = 16, .reward_embed = 16, .truncate = 50}}};
  printf("us per env step, CPU time of one thread, medians of %d; kit %s\n", ROUNDS, hn_kit_isa());
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
    for (int32_t cell = HN_RNN_GRU; cell <= HN_RNN_LSTM; cell++) run(&sizes[k], cell);
  return 0;
}
