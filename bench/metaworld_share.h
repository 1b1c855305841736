/* metaworld_share.h - how much of a whole training iteration of experiments/glibrl_ml10.yaml is the
 * simulator's: 50,000 frames collected with beliefs (D_T = 16, D_R = 256), PPO, the evidence,
 * records and normalisers, in the real run loop.
 *
 * The program defines MuJoCo's functions that the environment calls, which plugins therefore find
 * first, and which pass every call on: their time is the simulator's, on every thread. */
#ifndef BENCH_METAWORLD_SHARE_H
#define BENCH_METAWORLD_SHARE_H
#include "cells.h"
#include <dlfcn.h>
#include <mujoco/mujoco.h>
#include <stdatomic.h>
#include <time.h>

enum {
  WARM = 1,
  MEASURED = 3
}; /* updates; one more, whose evaluation simulates too, is left out */

static atomic_bool share_counts;
static atomic_llong share_spent;        /* ns in the simulator, of all threads */
static _Thread_local bool share_inside; /* MuJoCo calls its own functions */

static inline long long share_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* A function of MuJoCo's, passed on. */
#define PASS_ON(NAME)                                             \
  void NAME(const mjModel *m, mjData *d) {                        \
    static void (*_Atomic next)(const mjModel *, mjData *);       \
    void (*call)(const mjModel *, mjData *) = atomic_load(&next); \
    if (!call) {                                                  \
      void *found = dlsym(RTLD_NEXT, #NAME);                      \
      memcpy(&call, &found, sizeof call);                         \
      atomic_store(&next, call);                                  \
    }                                                             \
    if (!atomic_load(&share_counts) || share_inside) {            \
      call(m, d);                                                 \
      return;                                                     \
    }                                                             \
    const long long start = share_clock();                        \
    share_inside = true;                                          \
    call(m, d);                                                   \
    share_inside = false;                                         \
    atomic_fetch_add(&share_spent, share_clock() - start);        \
  }
PASS_ON(mj_step)
PASS_ON(mj_step1)
PASS_ON(mj_step2)
PASS_ON(mj_forward)
PASS_ON(mj_fwdPosition)
PASS_ON(mj_fwdVelocity)
PASS_ON(mj_fwdActuation)
PASS_ON(mj_fwdAcceleration)
PASS_ON(mj_fwdConstraint)

/* The simulator's seconds, a sum so far by update. */
typedef struct Marks {
  double at[WARM + MEASURED + 1];
  int count;
} Marks;

static void mark(void *arg, int64_t frames, int64_t total) {
  Marks *m = arg;
  (void)frames, (void)total;
  if (m->count < WARM + MEASURED + 1) m->at[m->count++] = 1e-9 * (double)atomic_load(&share_spent);
}

static void share_line(HnCell *cell, int64_t workers) {
  Marks m = {.count = 0};
  int64_t updates, frames = cell->run.rows * cell->run.steps;
  double sum[PHASES] = {0}, total = 0, by = 1e6 / (double)(MEASURED * frames);
  cell->run.workers = workers, cell->run.frames = (WARM + MEASURED + 1) * frames;
  atomic_store(&share_spent, 0);
  atomic_store(&share_counts, true);
  double *seconds = run_for_times(cell, mark, &m, &updates);
  atomic_store(&share_counts, false);
  for (int64_t k = WARM; k < WARM + MEASURED; k++)
    for (int p = 0; p < PHASES; p++) sum[p] += by * seconds[k * PHASES + p];
  for (int p = 0; p < PHASES; p++) total += sum[p];
  double spent = by * (m.at[WARM + MEASURED - 1] - m.at[WARM - 1]) / (double)workers;
  printf("%7d %10.1f %16.1f %6.1f %9.1f %8.1f %7.1f %7.3f\n", (int)workers, spent,
         sum[COLLECTING] - spent, sum[POLICY], sum[INFERENCE],
         sum[EVALUATING] + sum[TRACING] + sum[CHECKPOINT], total, spent / total);
  fflush(stdout), g_free(seconds);
}

/* Prints a line for one thread and one for two. */
static void bench_share(void) {
  g_setenv("HUNCH_PLUGIN_PATH", PLUGINS, FALSE);
  HnStudy *s = study_of(EXPERIMENTS "/glibrl_ml10.yaml");
  HnCell *cell = cell_of(s, "glibrl");
  cell_trains_only(cell);
  printf("\na training iteration of glibrl_ml10, us a frame of wall clock, mean of %d; the "
         "simulator's is "
         "that of a thread\n"
         "threads  simulator  rest of collect.    PPO  evidence  records   total   share\n",
         (int)MEASURED);
  for (int64_t workers = 1; workers <= 2; workers++) share_line(cell, workers);
  hn_study_free(s);
}
#endif
