/* families_fixture.h - a short cell of each of five families of methods: run undisturbed once, and
 * again in other folders where things happen to them, after which their results must be the same.
 */
#ifndef HN_FAMILIES_FIXTURE_H
#define HN_FAMILIES_FIXTURE_H
#include "cli_fixture.h"
#include "run_dir.h"
#include <glib/gstdio.h>
#include <sys/wait.h>

static const char *const families[] = {"none", "glibrl", "rl2", "varibad", "laplace_vrnn"};
enum { FAMILIES = G_N_ELEMENTS(families) };

/* Twelve updates of sixty frames, a checkpoint every second; three evaluations. */
#define FAMILIES_STUDY                                                                           \
  "hunch: 1\nname: s\nseeds: {root: 11, count: 1}\nbase:\n"                                      \
  "  env: {plugin: gridworld}\n"                                                                 \
  "  policy: {plugin: ppo, n_epochs: 1, n_minibatches: 2, hidden: 8}\n"                          \
  "  run: {frames: 720, rows: 4, steps: 15, episodes: 2, checkpoint_every: 2}\n"                 \
  "  evaluation: {every: 4, tasks: 4, record_rows: 2}\n"                                         \
  "arms:\n"                                                                                      \
  "  none:\n    env: {plugin: trouble}\n    inference: {plugin: none}\n"                         \
  "    policy: {plugin: uniform}\n"                                                              \
  "  glibrl:\n    env: {plugin: point_robot}\n    inference: {plugin: glibrl, "                  \
  "transition_features: 4, reward_features: 6, hidden_units: 8, updates: 1, batch: 2, "          \
  "start: 2, buffer: 6}\n"                                                                       \
  "    run: {trial_steps: 30}\n"                                                                 \
  "  rl2:\n    inference: {plugin: rl2, hidden: 8}\n"                                            \
  "  varibad:\n    inference: {plugin: varibad, hidden: 8, reward_layers: 8, batch: 2, "         \
  "buffer: 6, start: 0}\n"                                                                       \
  "  laplace_vrnn:\n    env: {plugin: gridworld_laplace}\n    inference: {plugin: "              \
  "laplace_vrnn, hidden: 6, latent: 4, embed: 8, context: bamdp, buffer: 3, accumulate: none}\n" \
  "    policy: {plugin: ppo, n_epochs: 1, n_minibatches: 2, hidden: 8, loss_belief: point}\n"    \
  "    run: {trial_steps: 30, samples: 2}\n"                                                     \
  "    evaluation: {trial_steps: 30, samples: 2}\n"                                              \
  "report: {metric: eval.return}\n"

/* The value of an environment variable, or what the suite takes. */
static inline int64_t families_setting(const char *name, int64_t otherwise) {
  const char *text = g_getenv(name);
  return text ? g_ascii_strtoll(text, NULL, 10) : otherwise;
}

/* Runs the named families, of all if NULL, to their end. */
static inline void families_run(const char *dir, const char *only) {
  fake_write(dir, "s.yaml", FAMILIES_STUDY);
  g_autofree char *line =
      g_strdup_printf("run s.yaml -j 1%s%s", only ? " --arm " : "", only ? only : "");
  g_auto(Run) run = hunch(dir, line);
  if (run.code != 0) g_error("%d %s", run.code, run.err);
}

/* ---- files ---- */

static inline void families_copy(const char *from, const char *to) {
  const char *argv[] = {"cp", "-r", from, to, NULL};
  int status = -1;
  g_spawn_sync(NULL, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
               &status, NULL);
  g_assert_cmpint(status, ==, 0);
}

/* A folder with nothing but the configuration of the cell in `whole`. */
static inline char *families_new_cell(const char *below, const char *whole) {
  g_autofree char *template = g_build_filename(below, "cell-XXXXXX", NULL);
  char *dir = g_strdup(g_mkdtemp(template));
  g_assert_nonnull(dir);
  g_autofree char *config = fake_read(whole, "config.resolved.yaml");
  fake_write(dir, "config.resolved.yaml", config);
  return dir;
}

static inline bool families_is_result(HnRunFile f) {
  return f != HN_FILE_JSON && f != HN_FILE_TIMING && f != HN_FILE_LOG && f != HN_FILE_LOCK;
}

/* The name of a result that differs between two finished cells, or is in one alone, or of a file
 * that was never renamed; NULL: there is none.  If b was `stopped`, it may have kept the
 * checkpoint of that later update beside its last, in place of a regular one.  g_free. */
static inline char *families_difference(const char *a, const char *b, bool stopped) {
  for (HnRunFile f = 0; f < HN_RUN_FILE_COUNT; f++) {
    g_autofree char *x = hn_run_file(a, f), *y = hn_run_file(b, f), *in_x = NULL, *in_y = NULL;
    gsize n = 0, m = 0;
    if (!families_is_result(f)) continue;
    const bool has = g_file_get_contents(x, &in_x, &n, NULL);
    if (has != g_file_get_contents(y, &in_y, &m, NULL) || n != m ||
        (has && memcmp(in_x, in_y, n) != 0))
      return g_strdup(hn_run_file_name(f));
  }
  g_autoptr(GPtrArray) in_a = hn_run_checkpoints(a, NULL), in_b = hn_run_checkpoints(b, NULL);
  if (in_a->len != in_b->len) return g_strdup_printf("%u checkpoints", in_b->len);
  for (guint i = 0; i < in_a->len; i++) {
    g_autofree char *name_a = g_path_get_basename(in_a->pdata[i]), *x = NULL, *y = NULL;
    g_autofree char *name_b = g_path_get_basename(in_b->pdata[i]);
    gsize n = 0, m = 0;
    if (stopped && strcmp(name_b, name_a) > 0 && i + 1 < in_a->len) continue;
    g_assert_true(g_file_get_contents(in_a->pdata[i], &x, &n, NULL));
    g_assert_true(g_file_get_contents(in_b->pdata[i], &y, &m, NULL));
    if (n != m || memcmp(x, y, n) != 0) return g_strdup(in_b->pdata[i]);
  }
  g_autofree char *ckpt = hn_run_checkpoint_folder(b);
  const char *const places[] = {b, ckpt};
  for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
    g_autoptr(GDir) d = g_dir_open(places[i], 0, NULL);
    for (const char *name; (name = g_dir_read_name(d));)
      if (hn_run_is_leftover(name) && strcmp(name, "lock") != 0 && strcmp(name, "log.txt") != 0)
        return g_strdup(name);
  }
  return NULL;
}

/* Starts `hunch cell DIR`, with settings of its environment if it is not NULL. */
static inline GSubprocess *families_begin(const char *cell, GSubprocessLauncher *launcher) {
  g_autoptr(GSubprocessLauncher) own =
      launcher ? g_object_ref(launcher)
               : g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                           G_SUBPROCESS_FLAGS_STDERR_PIPE);
  const char *argv[] = {HUNCH, "cell", cell, NULL};
  g_autoptr(GError) error = NULL;
  g_subprocess_launcher_setenv(own, "HUNCH_PLUGIN_PATH", TROUBLE, TRUE);
  GSubprocess *p = g_subprocess_launcher_spawnv(own, argv, &error);
  g_assert_no_error(error);
  return p;
}

/* Lets the cell go on to its end, where its results are those of the undisturbed one. */
static inline void families_finish(const char *cell, const char *whole, const char *story) {
  g_auto(Run) run = end(families_begin(cell, NULL));
  if (run.code != 0) g_error("%s: exit code %d: %s", story, run.code, run.err);
  g_autofree char *difference = families_difference(whole, cell, false);
  if (difference) g_error("%s: another %s in %s", story, difference, cell);
}
#endif
