/* cells.h - cells of a study run for their times, in the real run loop. */
#ifndef BENCH_CELLS_H
#define BENCH_CELLS_H
#include "run.h"
#include "study.h"
#include <stdio.h>
#include <string.h>

/* Phases of timing.csv. */
enum { COLLECTING, POLICY, INFERENCE, EVALUATING, TRACING, CHECKPOINT, PHASES };

/* Findings go to stderr and end the program. */
static inline HnStudy *study_of(const char *path) {
  HnDiag *d = hn_diag_new();
  HnStudy *s = hn_study_read(path, NULL, d);
  if (!s) {
    char *text = hn_diag_text(d);
    fputs(text, stderr);
    exit(2);
  }
  hn_diag_free(d);
  /* this process loads whatever kernels it is told to */
  for (guint k = 0; k < s->cells->len; k++)
    ((HnCell *)s->cells->pdata[k])->run.determinism = HN_FAST;
  return s;
}

static inline HnCell *cell_of(const HnStudy *s, const char *arm) {
  for (guint k = 0; k < s->cells->len; k++) {
    HnCell *c = s->cells->pdata[k];
    if (!strcmp(c->arm, arm)) return c;
  }
  g_error("no arm %s", arm);
}

/* Leaves out what is not training, but for the evaluation in which every run ends: an episode of
 * five test tasks. */
static inline void cell_trains_only(HnCell *cell) {
  cell->run.checkpoint_every = cell->evaluation.every = 0;
  cell->evaluation.protocol = 0, cell->evaluation.episodes = 1;
  cell->evaluation.split = "test", cell->evaluation.tasks = 5;
}

/* Runs a cell in a folder of its own, and removes that.  Returns seconds [updates, PHASES], to be
 * freed with g_free. */
static inline double *run_for_times(const HnCell *cell, HnRunProgress *progress, void *arg,
                                    int64_t *updates) {
  GError *error = NULL;
  char *dir = g_dir_make_tmp("hunch-bench-XXXXXX", &error), *text = NULL;
  if (!dir || !hn_run_cell(cell, dir, NULL, progress, arg, &error)) g_error("%s", error->message);
  char *path = g_build_filename(dir, "timing.csv", NULL);
  if (!g_file_get_contents(path, &text, NULL, &error)) g_error("%s", error->message);
  char **line = g_strsplit(text, "\n", -1);
  double *seconds = g_new0(double, g_strv_length(line) * PHASES);
  *updates = 0;
  for (guint k = 1; line[k]; k++) {
    char **cells = g_strsplit(line[k], ",", -1);
    if (g_strv_length(cells) == PHASES + 2) {
      for (int p = 0; p < PHASES; p++)
        seconds[*updates * PHASES + p] = g_ascii_strtod(cells[p + 2], NULL);
      ++*updates;
    }
    g_strfreev(cells);
  }
  const char *argv[] = {"rm", "-rf", dir, NULL};
  g_spawn_sync(NULL, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
               NULL, NULL);
  g_strfreev(line), g_free(text), g_free(path), g_free(dir);
  return seconds;
}

/* For g_array_sort and qsort of doubles. */
static inline int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Runs a cell for its times with so many workers, and appends to `taken` the seconds of training of
 * each update but the first and, at the end, `left_out` others. */
static inline void add_times(HnCell *cell, int64_t workers, int64_t left_out, GArray *taken) {
  int64_t updates;
  cell->run.workers = workers;
  double *seconds = run_for_times(cell, NULL, NULL, &updates);
  for (int64_t k = 1; k < updates - left_out; k++) {
    double sum = 0;
    for (int p = COLLECTING; p < CHECKPOINT; p++)
      sum += p == EVALUATING ? 0 : seconds[k * PHASES + p];
    g_array_append_val(taken, sum);
  }
  g_free(seconds);
}
#endif
