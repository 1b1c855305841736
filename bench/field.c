/* field.c - `./dev bench field [STUDY.yaml [ARM [FRAMES]]]`: what every method costs end to end at
 * its paper's sizes, in the real run loop: for each arm of experiments/field_ml10.yaml, or of
 * another study, microseconds a frame of collecting, learning and keeping records, and frames a
 * second, on one and on two worker threads.
 *
 * RL2 and MAML-TRPO on ML10 stand beside those of the JAX package metaworld-algorithms, of the same
 * batch and sizes, on all cores it is given: field_jax.py, by $HUNCH_BENCH_PYTHON or python3, with
 * a checkout's folder in $HUNCH_BENCH_METAWORLD_ALGORITHMS.  It takes turns with one worker and
 * with two; both its turns count.  `policy` is then its whole update, and `ratio` what the better
 * of one worker and two is of it; of two workers it is what the second gains. */
#include "cells.h"
#include "python.h"

enum { FRAMES = 100000 }; /* at least, in whole updates, behind half as many */

/* As words; the key must be there. */
static const char *setting(const HnNode *cell, const char *block, const char *key) {
  return hn_node_get(hn_node_get(cell, block), key)->text;
}

static int64_t number(const HnNode *cell, const char *block, const char *key) {
  return g_ascii_strtoll(setting(cell, block, key), NULL, 10);
}

/* Policies that adapt take an inner step behind each window of an update but the last. */
static int64_t frames_of_update(const HnCell *cell) {
  g_autoptr(HnNode) all = hn_cell_node(cell);
  const bool adapts = hn_node_get(hn_node_get(all, "policy"), "inner_steps");
  const int64_t windows = adapts ? 1 + number(all, "policy", "inner_steps") : 1;
  return windows * cell->run.rows * cell->run.steps;
}

/* Microseconds of wall clock a frame by phase; returns frames a second.  The update in which the
 * run ends is left out. */
static double measure(HnCell *cell, int64_t workers, int64_t least, double us[PHASES]) {
  const int64_t frames = frames_of_update(cell);
  const int64_t warm = (least / 2 + frames - 1) / frames, measured = (least + frames - 1) / frames;
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

static void print_row(const char *arm, const char *workers, const double us[PHASES], double rate) {
  printf("%-16s %7s %8.1f %8.1f %10.1f %8.1f %10.0f", arm, workers, us[COLLECTING], us[POLICY],
         us[INFERENCE], us[EVALUATING] + us[TRACING] + us[CHECKPOINT], rate);
}

/* ---- metaworld-algorithms ---- */

enum { CLASSES = 10 }; /* of ML10: the package has as many rows of each */

/* What field_jax.py is asked of an arm, without the number of iterations; NULL: the package has no
 * such method there. */
static char *question_of(const HnCell *cell) {
  if (strcmp(cell->env.name, "metaworld") != 0 || cell->run.rows % CLASSES) return NULL;
  g_autoptr(HnNode) all = hn_cell_node(cell);
  if (strcmp(setting(all, "env", "benchmark"), "ml10") != 0) return NULL;
  const int rows = (int)cell->run.rows, steps = (int)cell->run.steps;
  const char *horizon = setting(all, "env", "horizon");
  if (!strcmp(cell->inference.name, "rl2") && !strcmp(cell->policy.name, "ppo"))
    return g_strdup_printf(
        "rl2 %d %d %s %s %s %d %s", rows, steps, horizon, setting(all, "policy", "n_epochs"),
        setting(all, "inference", "truncate"),
        (int)(number(all, "inference", "obs_embed") + number(all, "inference", "act_embed") +
              number(all, "inference", "reward_embed")),
        setting(all, "inference", "hidden"));
  if (!strcmp(cell->inference.name, "none") && !strcmp(cell->policy.name, "maml_trpo"))
    return g_strdup_printf("maml_trpo %d %d %s %s %s %s", rows, steps, horizon,
                           setting(all, "policy", "inner_steps"), setting(all, "policy", "layers"),
                           setting(all, "policy", "width"));
  return NULL;
}

/* A turn of half of `least` frames: adds seconds of collecting and of updating; returns frames. */
static int64_t add_turn(const Python *python, const char *question, int64_t frames, int64_t least,
                        double seconds[2]) {
  const int64_t iterations = (least / 2 + frames - 1) / frames;
  g_autofree char *line = g_strdup_printf("%s %d", question, (int)iterations);
  double taken[2];
  python_ask(python, line, 2, taken);
  seconds[0] += taken[0], seconds[1] += taken[1];
  return iterations * frames;
}

static void print_package(const Python *python, const double seconds[2], int64_t frames,
                          double best) {
  const double rate = (double)frames / (seconds[0] + seconds[1]);
  const double us[PHASES] = {[COLLECTING] = 1e6 * seconds[0] / (double)frames,
                             [POLICY] = 1e6 * seconds[1] / (double)frames};
  print_row("", "jax", us, rate);
  printf(" %6.2f  metaworld-algorithms, %s\n", best / rate, python->version);
}

static void bench(HnCell *cell, int64_t least) {
  double rate[2], us[PHASES], seconds[2] = {0};
  int64_t frames = 0;
  g_autofree char *question = question_of(cell);
  Python python = {0};
  if (question) python = python_open(python_chosen(), "field_jax.py");
  cell_trains_only(cell);
  for (int workers = 1; workers <= 2; workers++) {
    rate[workers - 1] = measure(cell, workers, least, us);
    print_row(workers == 1 ? cell->arm : "", workers == 1 ? "1" : "2", us, rate[workers - 1]);
    if (workers == 2) printf(" %6.2f", rate[1] / rate[0]);
    printf("\n"), fflush(stdout);
    if (python.ask) frames += add_turn(&python, question, frames_of_update(cell), least, seconds);
  }
  if (python.ask)
    print_package(&python, seconds, frames, MAX(rate[0], rate[1]));
  else if (question)
    printf("%-16s %7s not installed: metaworld-algorithms\n", "", "jax");
  fflush(stdout);
  python_close(&python);
}

int main(int argc, char **argv) {
  g_setenv("HUNCH_PLUGIN_PATH", PLUGINS, FALSE);
  HnStudy *s = study_of(argc > 1 ? argv[1] : EXPERIMENTS "/field_ml10.yaml");
  const int64_t least = argc > 3 ? g_ascii_strtoll(argv[3], NULL, 10) : FRAMES;
  const char *last = "";
  printf("us a frame of wall clock, mean of at least %d frames after %d\n%-16s workers  collect   "
         "policy  inference  records   frames/s  ratio\n",
         (int)least, (int)least / 2, "");
  for (guint k = 0; k < s->cells->len; k++) { /* the first cell of each arm */
    HnCell *cell = s->cells->pdata[k];
    if (strcmp(cell->arm, last) != 0 && (argc < 3 || strcmp(cell->arm, argv[2]) == 0))
      bench(cell, least);
    last = cell->arm;
  }
  hn_study_free(s);
  return 0;
}
