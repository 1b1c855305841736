/* portable.c - what run.determinism: portable costs on this machine: the same work in processes
 * that load the kernels of either setting, in turn.  Processor time of one thread, so that whatever
 * else runs counts little; the least of the rounds is the number to look at, the median shows the
 * noise.
 */
#include "cells.h"
#include "collect_cell.h"
#include "determinism.h"
#include <gio/gio.h>
#include <hunch/kit/gemm.h>
#include <hunch/kit/mnw.h>
#include <math.h>

enum { ROUNDS = 7, WORKS = 7, LONGEST = 5000, WIDEST = 256 };
#include "timing.h"

static const HnMnwPrior prior = {.noise = HN_MNW_INFERRED, .xi = 1, .psi = 0.1, .nu0 = 50};

/* Evidence and gradient of n steps, d features and m targets. */
static void train(int64_t n, int64_t d, int64_t m, int times) {
  HnRng rng = hn_rng(1, 2);
  float *c = room(n * d, sizeof *c), *dc = room(n * d, sizeof *dc);
  double *y = room(n * m, sizeof *y);
  for (int64_t i = 0; i < n * d; i++) c[i] = (float)tanh(hn_rng_normal(&rng));
  for (int64_t i = 0; i < n * m; i++) y[i] = hn_rng_normal(&rng);
  const HnMnwTrial trial = {.n = n, .d = d, .m = m, .c = c, .ldc = d, .y64 = y, .ldy = m};
  void *work = room(1, hn_mnw_train_size(n, d, m));
  for (int i = 0; i < times; i++) {
    HnMnwEvidence result = {.dc = dc, .lddc = d};
    if (hn_mnw_train(&prior, &trial, &result, work)) abort();
  }
}

static void train_small(void) {
  train(400, 32, 1, 400);
}
static void train_large(void) {
  train(LONGEST, WIDEST, 1, 4);
}

/* Posteriors of every prefix, at the chunk that is fastest. */
static void prefixes(void) {
  enum { STEPS = 1000, CHUNK = 64 };
  HnRng rng = hn_rng(3, 4);
  double *c = room(STEPS * WIDEST, sizeof *c), *y = room(STEPS, sizeof *y);
  for (int64_t i = 0; i < (int64_t)STEPS * WIDEST; i++) c[i] = tanh(hn_rng_normal(&rng));
  for (int64_t i = 0; i < STEPS; i++) y[i] = hn_rng_normal(&rng);
  HnMnw q = hn_mnw_place(WIDEST, 1, room(1, hn_mnw_size(WIDEST, 1)));
  void *work = room(1, hn_mnw_prefixes_size(CHUNK, WIDEST, 1));
  for (int i = 0; i < 6; i++) {
    hn_mnw_prior_isotropic(&q, prior.xi, prior.psi, prior.nu0);
    if (hn_mnw_prefixes(&q, STEPS, c, y, CHUNK, NULL, NULL, room(STEPS, sizeof(double)), work))
      abort();
  }
}

/* A belief that takes in a step at a time. */
static void online(void) {
  enum { STEPS_SEEN = 1000, FEATURES = 64 };
  HnRng rng = hn_rng(5, 6);
  float *c = room(STEPS_SEEN * FEATURES, sizeof *c);
  for (int64_t i = 0; i < (int64_t)STEPS_SEEN * FEATURES; i++)
    c[i] = (float)tanh(hn_rng_normal(&rng));
  void *belief = room(1, hn_mnw_belief_size(FEATURES, 1));
  void *work = room(1, hn_mnw_belief_work_size(FEATURES, 1));
  for (int i = 0; i < 50; i++) {
    hn_mnw_belief_start(belief, FEATURES, 1, &prior);
    for (int64_t t = 0; t < STEPS_SEEN; t++) {
      const double y = hn_rng_normal(&rng);
      HnMnwScore score;
      hn_mnw_belief_update(belief, c + t * FEATURES, &y, NULL, &score, work);
    }
  }
}

/* Some updates of an arm in the real run loop. */
static void updates(const char *study, const char *arm, int64_t count) {
  HnStudy *s = study_of(study);
  HnCell *cell = cell_of(s, arm);
  cell->run.frames = count * cell->run.rows * cell->run.steps;
  cell->run.checkpoint_every = cell->evaluation.every = 0, cell->evaluation.tasks = 1;
  int64_t done;
  g_free(run_for_times(cell, NULL, NULL, &done));
  hn_study_free(s);
}

static void varibad(void) {
  updates(EXPERIMENTS "/varibad_gridworld.yaml", "varibad", 60);
}
static void quick_study(void) {
  updates(EXPERIMENTS "/quick_noise_ablation.yaml", "inferred", 3);
}

static void collecting(void) {
  HnCell *cell = collect_cell(1);
  HnSession *s = collect_session(cell);
  for (int i = 0; i < 4; i++) collect_window(s);
  hn_session_free(s), hn_cell_free(cell);
}

static const struct {
  const char *what;
  void (*work)(void);
} works[WORKS] = {
    {"evidence and gradient, 400 steps, 32 features", train_small},
    {"evidence and gradient, 5000 steps, 256 features", train_large},
    {"every prefix of 1000 steps, 256 features", prefixes},
    {"belief, step by step, 1000 steps, 64 features", online},
    {"4 windows collected of cheetah_vel, 64 features", collecting},
    {"60 updates of varibad_gridworld", varibad},
    {"3 updates of quick_noise_ablation", quick_study},
};

static void measure(void) {
  printf("%s %s\n", hn_kit_isa(), hn_kit_blas());
  for (int k = 0; k < WORKS; k++) {
    const double start = now();
    works[k].work();
    printf("%.9g\n", now() - start);
  }
}

/* Times of a process of this setting; returns its kernels, to be freed with g_free. */
static char *measure_apart(bool portable, double *seconds) {
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autofree char *self = g_file_read_link("/proc/self/exe", NULL), *text = NULL;
  g_autoptr(GError) error = NULL;
  g_subprocess_launcher_unsetenv(launcher, "HUNCH_ISA");
  g_subprocess_launcher_unsetenv(launcher, "OPENBLAS_CORETYPE");
  if (portable) g_subprocess_launcher_setenv(launcher, "OPENBLAS_CORETYPE", HN_PORTABLE_BLAS, TRUE);
  g_autoptr(GSubprocess) child =
      g_subprocess_launcher_spawn(launcher, &error, self, "measure", NULL);
  if (!child || !g_subprocess_communicate_utf8(child, NULL, NULL, &text, NULL, &error))
    g_error("%s", error->message);
  g_auto(GStrv) line = g_strsplit(text, "\n", -1);
  if (g_strv_length(line) < WORKS + 1) g_error("a process ended early");
  for (int k = 0; k < WORKS; k++) seconds[k] = g_ascii_strtod(line[k + 1], NULL);
  return g_strdup(line[0]);
}

int main(int argc, char **argv) {
  static double time[2][WORKS][ROUNDS];
  (void)argv;
  g_setenv("HUNCH_PLUGIN_PATH", PLUGINS, FALSE);
  g_setenv("OPENBLAS_NUM_THREADS", "1", TRUE);
  if (argc > 1) return measure(), 0;
  char *kernels[2] = {NULL};
  for (int r = 0; r < ROUNDS; r++)
    for (int which = 0; which < 2; which++) {
      double seconds[WORKS];
      g_free(kernels[which]);
      kernels[which] = measure_apart(which, seconds);
      for (int k = 0; k < WORKS; k++) time[which][k][r] = seconds[k];
    }
  printf("fast: %s; portable: %s; ms of processor, of %d rounds\n%-50s %9s %9s %6s %14s\n",
         kernels[0], kernels[1], ROUNDS, "", "fast", "portable", "ratio", "of the medians");
  for (int k = 0; k < WORKS; k++) {
    const double fast = median(time[0][k]), portable = median(time[1][k]); /* sorts */
    printf("%-50s %9.1f %9.1f %6.3f %14.3f\n", works[k].what, 1e3 * time[0][k][0],
           1e3 * time[1][k][0], time[1][k][0] / time[0][k][0], portable / fast);
  }
  g_free(kernels[0]), g_free(kernels[1]);
  return 0;
}
