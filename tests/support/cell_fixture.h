/* cell_fixture.h - cells made by hand, and the folders they run in, for tests of the real run loop.
 */
#ifndef HN_CELL_FIXTURE_H
#define HN_CELL_FIXTURE_H
#include "error.h"
#include "run.h"
#include <math.h>
#include <string.h>

/* A plugin with its parameters from "key: value, .."; "": its defaults. */
static inline HnPluginChoice part_of(const HnPlugin *p, const char *settings) {
  HnSchema s = hn_schema_of(p);
  HnDiag *d = hn_diag_new();
  char *text = g_strdup_printf("{%s}", settings);
  HnNode *map = hn_yaml_parse("test", text, strlen(text), d);
  void *params = g_malloc0(s.size);
  hn_params_fill(&s, map, NULL, params, d);
  char *findings = hn_diag_text(d);
  g_assert_cmpstr(findings, ==, "");
  g_free(findings), g_free(text), hn_node_free(map), hn_diag_free(d);
  return (HnPluginChoice){.plugin = p, .name = (char *)(guintptr)p->name, .params = params};
}

/* A wrapper that holds `inner`, and is cleared with it. */
static inline HnPluginChoice around(HnPluginChoice wrapper, HnPluginChoice inner) {
  wrapper.inner = g_memdup2(&inner, sizeof inner);
  return wrapper;
}

static inline void cell_clear(HnCell *c) {
  for (HnPluginChoice *p = c->env.inner, *next; p; p = next)
    next = p->inner, g_free(p->params), g_free(p);
  c->env.inner = NULL;
  g_free(c->env.params), g_free(c->inference.params), g_free(c->policy.params);
}

/* A short run of parts that clear it with the cell: three blocks of rows, the last of them short,
 * and windows that begin in mid-trial where trials do not last a multiple of 10 steps. */
static inline HnCell cell_of_parts(HnPluginChoice env, HnPluginChoice inference,
                                   HnPluginChoice policy) {
  return (HnCell){
      .study = "test",
      .arm = "only",
      .seed = 12345,
      .env = env,
      .inference = inference,
      .policy = policy,
      .run = {.frames = 1900,
              .rows = 19,
              .steps = 10,
              .episodes = 2,
              .workers = 1,
              .trace_every = 1,
              .checkpoint_every = 3},
      .evaluation = {
          .every = 4, .tasks = 7, .split = "", .greedy = true, .samples = -1, .record_rows = 3}};
}

static inline char *folder_new(void) {
  char *dir = g_dir_make_tmp("hunch-cell-XXXXXX", NULL);
  g_assert_nonnull(dir);
  return dir;
}

/* Removes a folder of the test's own and frees its name. */
static inline void folder_free(char *dir) {
  const char *argv[] = {"rm", "-rf", dir, NULL};
  g_spawn_sync(NULL, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
               NULL, NULL);
  g_free(dir);
}

static inline char *file_in(const char *dir, const char *name, gsize *length) {
  char *path = g_build_filename(dir, name, NULL), *text = NULL;
  g_assert_true(g_file_get_contents(path, &text, length, NULL));
  g_free(path);
  return text;
}

/* A column of metrics.csv without empty cells and "nan"; ends with NaN. */
static inline double *metrics_column(const char *dir, const char *name) {
  gsize length, count = 0;
  char *text = file_in(dir, "metrics.csv", &length), **line = g_strsplit(text, "\n", -1);
  char **head = g_strsplit(line[0], ",", -1);
  double *x = g_new(double, g_strv_length(line) + 1);
  guint at = 0;
  while (head[at] && strcmp(head[at], name) != 0) at++;
  g_assert_nonnull(head[at]);
  for (gsize k = 1; line[k] && *line[k]; k++) {
    char **cell = g_strsplit(line[k], ",", -1);
    double value = *cell[at] ? g_ascii_strtod(cell[at], NULL) : (double)NAN;
    if (!isnan(value)) x[count++] = value;
    g_strfreev(cell);
  }
  x[count] = (double)NAN;
  g_free(text), g_strfreev(line), g_strfreev(head);
  return x;
}

/* ---- the same bits ---- */

static inline void run_whole(const HnCell *c, const char *dir) {
  GError *error = NULL;
  gboolean ok = hn_run_cell(c, dir, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_true(ok);
}

typedef struct Stopper {
  int64_t at; /* frames */
  volatile int stop;
} Stopper;
static inline void stop_at(void *arg, int64_t frames, int64_t total) {
  Stopper *s = arg;
  (void)total;
  s->stop = frames >= s->at;
}

/* The same run, stopped and resumed three times. */
static inline void run_in_parts(const HnCell *c, const char *dir) {
  for (int64_t at = 500; at < c->run.frames; at += 500) {
    Stopper s = {.at = at};
    GError *error = NULL;
    g_assert_false(hn_run_cell(c, dir, &s.stop, stop_at, &s, &error));
    g_assert_error(error, HN_ERROR, HN_ERROR_INTERRUPTED);
    g_error_free(error);
  }
  run_whole(c, dir);
}

static inline void assert_same_run(const char *a, const char *b) {
  static const char *const name[] = {"metrics.csv", "episodes.csv", "steps.csv", "trial.csv",
                                     "trace.bin"};
  for (guint i = 0; i < G_N_ELEMENTS(name); i++) {
    gsize n = 0, m = 0;
    char *x = file_in(a, name[i], &n), *y = file_in(b, name[i], &m);
    g_assert_cmpuint(n, >, 32);
    g_assert_cmpmem(x, n, y, m);
    g_free(x), g_free(y);
  }
}

/* Any number of workers, and being stopped and resumed in mid-trial: the same bits. */
static inline void assert_same_bits(HnCell *c) {
  char *one = folder_new(), *three = folder_new(), *parts = folder_new();
  run_whole(c, one);
  run_in_parts(c, parts);
  assert_same_run(one, parts);
  c->run.workers = 3;
  run_whole(c, three);
  assert_same_run(one, three);
  folder_free(one), folder_free(three), folder_free(parts);
}
#endif
