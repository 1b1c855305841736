/* varibad.c - what VariBAD costs, end to end in the real run loop: collecting, PPO, the evidence
 * bound, records and normalisers, with the configuration of experiments/varibad_gridworld.yaml (16
 * rows, 60 steps, 8 PPO steps and 3 steps on 25 whole trials of 61 x 60 terms an iteration).
 *
 *   bench_varibad [ITERATIONS [STUDY.yaml [ARM]]] */
#include "cells.h"
#include <sys/resource.h>

/* Frames/s of lmzintgraf/varibad 57e1795 on PyTorch 1.13, 16 environment processes: 48,000 frames
 * in 64.5 s, start-up subtracted, on a quiet 2-core Zen 4 machine. */
static const double reference = 744;

enum { SKIP = 50 }; /* the first updates fill the replay and the caches */
static const char *const phase[PHASES] = {"collect",  "policy", "inference",
                                          "evaluate", "trace",  "checkpoint"};

static int by_size(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return (d > 0) - (d < 0);
}

/* Phases in ms: their medians over updates, and what a tenth of updates stays below, which is less
 * disturbed by whatever else runs. */
static void sum_up(int64_t updates, const double *seconds, double *median, double *tenth) {
  int64_t from = MIN(SKIP, updates / 2), n = updates - from;
  double *took = g_new0(double, updates + 1);
  for (int p = 0; p < PHASES; p++) {
    for (int64_t k = 0; k < n; k++) took[k] = 1e3 * seconds[(from + k) * PHASES + p];
    qsort(took, (size_t)n, sizeof *took, by_size);
    median[p] = n ? took[n / 2] : 0, tenth[p] = n ? took[n / 10] : 0;
  }
  g_free(took);
}

static double processor_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void run(HnCell *cell, int64_t iterations, int64_t workers) {
  int64_t steps = cell->run.steps, frames = cell->run.rows * steps, updates;
  cell->run.frames = iterations * frames, cell->run.workers = workers;
  cell->run.checkpoint_every = cell->evaluation.every = 0, cell->evaluation.tasks = 1;
  double median[PHASES], tenth[PHASES], sum[2] = {0}, before = processor_seconds();
  gint64 start = g_get_monotonic_time();
  double *times = run_for_times(cell, NULL, NULL, &updates);
  double wall = 1e-6 * (double)(g_get_monotonic_time() - start);
  double used = processor_seconds() - before;
  sum_up(updates, times, median, tenth);
  printf("%d thread%s, ms an update (median, a tenth):", (int)workers, workers > 1 ? "s" : "");
  for (int p = 0; p < CHECKPOINT; p++) {
    printf("  %s %.2f, %.2f", phase[p], median[p], tenth[p]);
    sum[0] += median[p], sum[1] += tenth[p];
  }
  for (int k = 0; k < 2; k++) {
    double rate = 1e3 * (double)frames / sum[k];
    printf("\n  %-14s %8.0f frames/s, %4.0f times the reference",
           k ? "by the tenths" : "by the medians", rate, rate / reference);
  }
  double seconds = (double)cell->run.frames / wall;
  printf("\n  %-14s %8.0f frames/s of wall clock, %.0f per second of processor\n", "the whole run",
         seconds, (double)cell->run.frames / used);
  g_free(times);
}

int main(int argc, char **argv) {
  int64_t iterations = argc > 1 ? g_ascii_strtoll(argv[1], NULL, 10) : 500;
  g_setenv("HUNCH_PLUGIN_PATH", PLUGINS, FALSE);
  HnStudy *s = study_of(argc > 2 ? argv[2] : EXPERIMENTS "/varibad_gridworld.yaml");
  printf(
      "%d iterations; reference %.0f frames/s (lmzintgraf/varibad 57e1795, PyTorch 1.13, its own "
      "gridworld)\n",
      (int)iterations, reference);
  HnCell *cell = cell_of(s, argc > 3 ? argv[3] : "varibad");
  for (int64_t workers = 1; workers <= 2; workers++) run(cell, iterations, workers);
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  printf("peak resident memory %.0f MB\n", (double)u.ru_maxrss / 1024);
  hn_study_free(s);
  return 0;
}
