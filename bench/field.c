/* field.c - `./dev bench field [STUDY.yaml [ARM]]`: what every method costs end to end at its
 * paper's sizes, in the real run loop: for each arm of experiments/field_ml10.yaml, or of another
 * study, microseconds a frame of collecting, learning and keeping records, and frames a second, on
 * one and on two worker threads. */
#include "cells.h"

enum { WARM = 50000, MEASURED = 100000 }; /* frames at least, in whole updates */

/* Microseconds of wall clock a frame by phase; returns frames a second.  The update in which the
 * run ends is left out. */
static double measure(HnCell *cell, int64_t workers, double us[PHASES]) {
  const int64_t frames = cell->run.rows * cell->run.steps;
  const int64_t warm = (WARM + frames - 1) / frames, measured = (MEASURED + frames - 1) / frames;
  int64_t updates;
  double total = 0;
  cell->run.workers = workers, cell->run.frames = (warm + measured + 1) * frames;
  double *seconds = run_for_times(cell, NULL, NULL, &updates);
  if (updates != warm + measured + 1) g_error("%s: %d updates", cell->arm, (int)updates);
  for (int p = 0; p < PHASES; p++) {
    us[p] = 0;
    for (int64_t k = warm; k < warm + measured; k++) us[p] += seconds[k * PHASES + p];
    us[p] *= 1e6 / (double)(measured * frames), total += us[p];
  }
  g_free(seconds);
  return 1e6 / total;
}

static void bench(HnCell *cell) {
  double rate[2], us[PHASES];
  cell_trains_only(cell);
  for (int64_t workers = 1; workers <= 2; workers++) {
    rate[workers - 1] = measure(cell, workers, us);
    printf("%-16s %7d %8.1f %8.1f %10.1f %8.1f %10.0f", workers == 1 ? cell->arm : "", (int)workers,
           us[COLLECTING], us[POLICY], us[INFERENCE], us[EVALUATING] + us[TRACING] + us[CHECKPOINT],
           rate[workers - 1]);
    if (workers == 2) printf(" %6.2f", rate[1] / rate[0]);
    printf("\n"), fflush(stdout);
  }
}

int main(int argc, char **argv) {
  g_setenv("HUNCH_PLUGIN_PATH", PLUGINS, FALSE);
  HnStudy *s = study_of(argc > 1 ? argv[1] : EXPERIMENTS "/field_ml10.yaml");
  const char *last = "";
  printf("us a frame of wall clock, mean of %d frames after %d\n%-16s workers  collect   policy  "
         "inference  records   frames/s  ratio\n",
         (int)MEASURED, (int)WARM, "");
  for (guint k = 0; k < s->cells->len; k++) { /* the first cell of each arm */
    HnCell *cell = s->cells->pdata[k];
    if (strcmp(cell->arm, last) != 0 && (argc < 3 || strcmp(cell->arm, argv[2]) == 0)) bench(cell);
    last = cell->arm;
  }
  hn_study_free(s);
  return 0;
}
