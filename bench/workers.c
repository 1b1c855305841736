/* workers.c - `./dev bench workers [quick|all|STUDY.yaml [ARM ..]]`: what a second worker thread
 * gains in training, arm by arm over the studies of experiments/, in frames/s of wall clock.
 *
 *   quick   of each study the first arm with each combination of plugins and size of a window, and
 *           windows of at most 2,000 frames (the default; a minute and more for an arm with a
 *           transformer, seconds for the others)
 *   all     every arm that trains from its own first weights, windows as they are
 *
 * A cell is reduced to a first update, as many as fit into a second, and a last one; both numbers
 * of workers take turns.  A rate is that of the fastest fourth of the updates between, which is
 * less disturbed by whatever else runs.  Arms that cannot begin, because files of their environment
 * are missing, are left out with the reason.  At the end stand those that gain less than 1.6, and
 * among them those that lose. */
#include "cells.h"
#include "session.h"

enum { ROUNDS = 2, UPDATES_MOST = 200, FRAMES_MOST = 2000, STEPS_LEAST = 50 };
static const double budget = 1; /* s of measured updates, by round and number of workers */
static const double wanted = 1.6;

/* What was found, for the end. */
typedef struct Found {
  char *name; /* "study: arm" */
  double ratio;
} Found;

static GArray *found;

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Appends the seconds of so many updates, after a first one and before the last. */
static void add_round(HnCell *cell, int64_t workers, int64_t updates, int64_t frames,
                      GArray *taken) {
  cell->run.frames = (updates + 2) * frames;
  add_times(cell, workers, 1, taken);
}

/* Seconds of an update: the mean of the fastest fourth, of one at least. */
static double fastest(GArray *taken) {
  const guint n = MAX(taken->len / 4, 1);
  double sum = 0;
  g_array_sort(taken, by_value);
  for (guint k = 0; k < n; k++) sum += g_array_index(taken, double, k) / n;
  return sum;
}

/* Frames of an update and steps of a window, as the plugins ask for; false where they cannot
 * begin. */
static bool frames_of(const HnCell *cell, int64_t *steps, int64_t *frames, GError **error) {
  HnSession *s = hn_session_new(cell, NULL, error);
  if (!s) return false;
  *steps = s->steps, *frames = hn_session_frames(s);
  hn_session_free(s);
  return true;
}

/* Rates in frames/s with one worker and with two. */
static void measure(HnCell *cell, int64_t frames, double rate[2]) {
  GArray *taken[2] = {g_array_new(FALSE, FALSE, sizeof(double)),
                      g_array_new(FALSE, FALSE, sizeof(double))};
  add_round(cell, 1, 1, frames, taken[0]);
  const double fit = budget / fastest(taken[0]);
  const int64_t updates = fit < 1 ? 1 : fit < UPDATES_MOST ? (int64_t)fit : UPDATES_MOST;
  const int rounds = fit < 1 ? 1 : ROUNDS; /* slow ones are disturbed less by the start of a run */
  g_array_set_size(taken[0], 0);
  for (int r = 0; r < rounds; r++)
    for (int w = 0; w < 2; w++) add_round(cell, w + 1, updates, frames, taken[w]);
  for (int w = 0; w < 2; w++) rate[w] = (double)frames / fastest(taken[w]), g_array_unref(taken[w]);
}

static void bench(const char *study, HnCell *cell, bool quick) {
  g_autoptr(GError) error = NULL;
  int64_t steps, frames;
  double rate[2];
  cell->run.checkpoint_every = cell->run.keep_every = cell->evaluation.every = 0;
  cell->evaluation.protocol = 0, cell->evaluation.episodes = 1, cell->evaluation.tasks = 1;
  printf("%-26.26s %-22.22s ", study, cell->arm), fflush(stdout);
  bool begins = frames_of(cell, &steps, &frames, &error);
  const int64_t most = MAX(FRAMES_MOST / cell->run.rows, STEPS_LEAST);
  if (begins && quick && steps > most) {
    cell->run.steps = most;
    begins = frames_of(cell, &steps, &frames, &error);
  }
  if (!begins) {
    printf("left out: %s\n", error->message);
    return;
  }
  measure(cell, frames, rate);
  const Found here = {g_strdup_printf("%s: %s", study, cell->arm), rate[1] / rate[0]};
  g_array_append_val(found, here);
  printf("%4d x %-5d %10.0f %10.0f %7.2f\n", (int)cell->run.rows, (int)steps, rate[0], rate[1],
         here.ratio);
  fflush(stdout);
}

/* Plugins and size of a cell; g_free. */
static char *kind_of(const HnCell *c) {
  GString *text = g_string_new(NULL);
  for (const HnPluginChoice *p = &c->env; p; p = p->inner)
    g_string_append_printf(text, "%s ", p->plugin->name);
  g_string_append_printf(text, "%s %s %d x %d, %d", c->inference.plugin->name,
                         c->policy.plugin->name, (int)c->run.rows, (int)c->run.steps,
                         (int)c->run.samples);
  return g_string_free(text, FALSE);
}

/* Of the arms named, or of all, the first of each kind if `quick`. */
static void run_study(const char *path, char **arms, bool quick) {
  HnStudy *s = study_of(path);
  g_autofree char *name = g_path_get_basename(path);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  if (g_str_has_suffix(name, ".yaml")) name[strlen(name) - strlen(".yaml")] = '\0';
  for (guint k = 0; k < s->cells->len; k++) {
    HnCell *cell = s->cells->pdata[k];
    const bool asked = !*arms || g_strv_contains((const char *const *)arms, cell->arm);
    if (cell->seed_index || !asked || !cell->run.frames || cell->warm_start) continue;
    const bool first = g_hash_table_add(seen, kind_of(cell));
    if (first || !quick) bench(name, cell, quick);
  }
  hn_study_free(s);
}

static void run_all(bool quick) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GDir) folder = g_dir_open(EXPERIMENTS, 0, &error);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  if (!folder) g_error("%s", error->message);
  for (const char *name; (name = g_dir_read_name(folder));)
    if (g_str_has_suffix(name, ".yaml")) g_ptr_array_add(names, g_strdup(name));
  g_ptr_array_sort(names, by_name);
  for (guint k = 0; k < names->len; k++) {
    g_autofree char *path = g_build_filename(EXPERIMENTS, names->pdata[k], NULL);
    run_study(path, (char *[]){NULL}, quick);
  }
}

static void print_below(double limit) {
  printf("\nbelow %.1f:\n", limit);
  for (guint k = 0; k < found->len; k++) {
    const Found *x = &g_array_index(found, Found, k);
    if (x->ratio < limit) printf("  %-50s %5.2f\n", x->name, x->ratio);
  }
}

int main(int argc, char **argv) {
  g_setenv("HUNCH_PLUGIN_PATH", PLUGINS, FALSE);
  g_setenv("OPENBLAS_NUM_THREADS", "1", TRUE); /* as cells have it */
  found = g_array_new(FALSE, FALSE, sizeof(Found));
  printf("%-26s %-22s %12s %10s %10s %7s\n", "study", "arm", "rows x steps", "1 worker",
         "2 workers", "ratio");
  if (argc > 1 && g_str_has_suffix(argv[1], ".yaml"))
    run_study(argv[1], argv + 2, false);
  else
    run_all(argc < 2 || strcmp(argv[1], "all") != 0);
  print_below(wanted), print_below(1);
  for (guint k = 0; k < found->len; k++) g_free(g_array_index(found, Found, k).name);
  g_array_unref(found);
  return 0;
}
