/* recurrent.c - what whole training of recurrent agents reaches, in frames/s with one worker and
 * with two, beside JAX: the studies of the Laplace VRNN paper (arXiv 2505.18591) in their sizes and
 * in small ones.  Of any other study `./dev bench workers STUDY.yaml` says it, without JAX.
 *
 *   ./dev bench recurrent                         regression, bandit and grid by method and size
 *   ./dev bench recurrent regression|bandit|grid [METHOD]
 *
 * One worker, two and JAX (recurrent_jax.py; by $HUNCH_BENCH_PYTHON or python3, on all cores it is
 * given) take turns; each rate is what a tenth of the updates reaches, which is less disturbed by
 * whatever else runs.  `gain` is of the second worker; `ratio` the better of both over JAX. */
#include "cells.h"
#include "python.h"

enum { ROUNDS = 3, UPDATES = 4, SMALL = 16000 }; /* frames of a round, where 4 updates are fewer */

typedef struct Size {
  int64_t rows, steps;
} Size;

typedef struct Task {
  const char *name, *study;
  Size size[2];
} Task;

static const Task tasks[] = {
    {"regression", "laplace_regression.yaml", {{16, 50}, {256, 50}}},
    {"bandit", "laplace_bandit.yaml", {{16, 50}, {256, 50}}},
    {"grid", "laplace_gridworld.yaml", {{16, 50}, {256, 100}}},
};
static const char *const methods[] = {"deterministic", "vrnn_full", "laplace"};

/* Behind those in `taken`, the seconds of each update of a round of JAX but the first; the question
 * is without the number of updates. */
static void add_jax_round(const Python *jax, const char *question, int64_t updates, GArray *taken) {
  g_autofree double *seconds = g_new(double, updates);
  g_autofree char *line = g_strdup_printf("%s %d", question, (int)updates);
  python_ask(jax, line, (int)updates, seconds);
  g_array_append_vals(taken, seconds + 1, (guint)(updates - 1));
}

/* Prints frames/s of a cell, reduced to a few updates without evaluation. */
static void print_rates(HnCell *cell, const Python *jax, const char *question) {
  const double frames = (double)(cell->run.rows * cell->run.steps);
  const int64_t updates = MAX(UPDATES, (int64_t)(SMALL / frames));
  const bool beside = jax->ask != NULL;
  double rate[3];
  cell->run.frames = updates * (int64_t)frames;
  cell->run.checkpoint_every = cell->run.keep_every = cell->evaluation.every = 0;
  cell->evaluation.tasks = 1;
  GArray *taken[3];
  for (int w = 0; w < 3; w++) taken[w] = g_array_new(FALSE, FALSE, sizeof(double));
  for (int r = 0; r < ROUNDS; r++) {
    for (int w = 0; w < 2; w++) add_times(cell, w + 1, 0, taken[w]);
    if (beside) add_jax_round(jax, question, updates, taken[2]);
  }
  for (int w = 0; w < 3; w++) {
    g_array_sort(taken[w], by_value);
    rate[w] = taken[w]->len ? frames / g_array_index(taken[w], double, taken[w]->len / 10) : 0;
    g_array_unref(taken[w]);
  }
  printf("%4d x %-4d %12.0f %12.0f %9.2f", (int)cell->run.rows, (int)cell->run.steps, rate[0],
         rate[1], rate[1] / rate[0]);
  if (beside)
    printf(" %12.0f %9.2f", rate[2], MAX(rate[0], rate[1]) / rate[2]);
  else
    printf(" %12s %9s", "no jax", "-");
  printf("\n"), fflush(stdout);
}

static void print_head(const Python *jax) {
  if (jax->ask) printf("ratio: to %s\n", jax->version);
  printf("%-12s %-16s %11s %12s %12s %9s %12s %9s\n", "study", "arm", "rows, steps", "1 worker",
         "2 workers", "gain", "jax", "ratio");
}

/* By all methods, or by `only`. */
static void run_task(const Task *x, const Python *jax, const char *only) {
  g_autofree char *path = g_build_filename(EXPERIMENTS, x->study, NULL);
  for (guint m = 0; m < G_N_ELEMENTS(methods); m++)
    for (guint k = 0; k < G_N_ELEMENTS(x->size) && (!only || !strcmp(only, methods[m])); k++) {
      HnStudy *s = study_of(path); /* anew: a cell is changed */
      HnCell *cell = cell_of(s, methods[m]);
      cell->run.rows = x->size[k].rows, cell->run.steps = x->size[k].steps;
      if (cell->run.trial_steps) cell->run.trial_steps = x->size[k].steps;
      g_autofree char *question = g_strdup_printf("%s %s %d %d", x->name, methods[m],
                                                  (int)cell->run.rows, (int)cell->run.steps);
      printf("%-12s %-16s ", x->name, methods[m]);
      print_rates(cell, jax, question);
      hn_study_free(s);
    }
}

/* Ends the program where a name is none of those there are; NULL is all. */
static void require_known(const char *what, const char *name, bool known, const char *names) {
  if (!name || known) return;
  fprintf(stderr, "bench_recurrent: no %s '%s'; there are: %s\n", what, name, names);
  exit(2);
}

/* A task, and one of its methods. */
static void check_names(const char *task, const char *method) {
  bool has_task = false, has_method = false;
  for (guint k = 0; k < G_N_ELEMENTS(tasks); k++) has_task |= !g_strcmp0(task, tasks[k].name);
  for (guint k = 0; k < G_N_ELEMENTS(methods); k++) has_method |= !g_strcmp0(method, methods[k]);
  require_known("task", task, has_task, "regression, bandit, grid");
  require_known("method", method, has_method, "deterministic, vrnn_full, laplace");
}

int main(int argc, char **argv) {
  g_setenv("HUNCH_PLUGIN_PATH", PLUGINS, FALSE);
  const char *task = argc > 1 ? argv[1] : NULL, *method = argc > 2 ? argv[2] : NULL;
  check_names(task, method);
  Python jax = python_open(python_chosen(), "recurrent_jax.py"); /* has its own threads */
  g_setenv("OPENBLAS_NUM_THREADS", "1", TRUE);
  print_head(&jax);
  for (guint k = 0; k < G_N_ELEMENTS(tasks); k++)
    if (!task || !strcmp(task, tasks[k].name)) run_task(&tasks[k], &jax, method);
  python_close(&jax);
  return 0;
}
