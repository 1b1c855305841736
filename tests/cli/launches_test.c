/* launches_test.c - several `hunch run` on one folder at once, as schedulers of clusters start
 * them, on a local filesystem and on one that behaves like NFS: every cell runs exactly once, and
 * each launch ends well or says who runs what it left alone.
 *
 *   HUNCH_LAUNCHES=200 launches_test    so many rounds of each, instead of one */
#include "cli_fixture.h"

static const char study[] =
    "hunch: 1\nname: s\nseeds: {root: 3, count: 2}\nbase:\n"
    "  env: {plugin: trouble, delay: 300, says: true}\n"
    "  inference: {plugin: none}\n  policy: {plugin: uniform}\n"
    "  run: {frames: 400, rows: 4, checkpoint_every: 3}\n  evaluation: {tasks: 5, every: 4}\n"
    "arms:\n  plain: {}\n  other: {run: {rows: 8}}\nreport: {baseline: plain}\n";

static guint count_of(const char *text, const char *part) {
  guint n = 0;
  for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) n++;
  return n;
}

/* 0, or 4 with the process that runs each cell that is not in its table. */
static void judge_launch(const Run *run) {
  if (run->code != 0 && run->code != 4) g_error("%d %s", run->code, run->err);
  const guint alone = count_of(run->err, "another process is running it (process ");
  if (count_of(run->err, "left alone") != alone || strstr(run->err, "failed"))
    g_error("%s", run->err);
  g_assert_cmpint(run->code, ==, alone ? 4 : 0);
}

/* A cell of `updates` updates that was run by one process, once. */
static void judge_cell(const char *dir, const char *arm, int seed, guint updates) {
  g_autofree char *cell = g_strdup_printf("%s/runs/s/%s/%d", dir, arm, seed);
  g_autofree char *log = fake_read(cell, "log.txt");
  g_autofree char *metrics = fake_read(cell, "metrics.csv");
  g_autofree char *facts = fake_read(cell, "run.json");
  g_auto(GStrv) rows = g_strsplit(metrics, "\n", -1);
  if (count_of(log, "made by process ") != 1) g_error("%s: %s", cell, log);
  g_assert_cmpuint(g_strv_length(rows), ==, updates + 2); /* the header, and nothing at the end */
  for (guint i = 1; i <= updates; i++) {
    int update = -1, frames = -1;
    g_assert_cmpint(sscanf(rows[i], "%d,%d,", &update, &frames), ==, 2);
    g_assert_cmpint(update, ==, (int)i);
    g_assert_cmpint(frames, ==, (int)(400 / updates * i));
  }
  expect(facts, "\"status\" : \"done\"");
}

static guint rounds(void) {
  const char *n = g_getenv("HUNCH_LAUNCHES");
  return n ? (guint)atoi(n) : 1;
}

/* As begin() of the fixture, with the library `preload` unless it is NULL. */
static GSubprocess *begin_with(const char *preload, const char *dir, const char *arguments) {
  g_autofree char *line = g_strconcat(HUNCH " ", arguments, NULL);
  g_auto(GStrv) argv = g_strsplit(line, " ", -1);
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_subprocess_launcher_set_cwd(launcher, dir);
  g_subprocess_launcher_setenv(launcher, "HUNCH_PLUGIN_PATH", TROUBLE, TRUE);
  if (preload) g_subprocess_launcher_setenv(launcher, "LD_PRELOAD", preload, TRUE);
  g_autoptr(GError) error = NULL;
  GSubprocess *p = g_subprocess_launcher_spawnv(launcher, (const char *const *)argv, &error);
  g_assert_no_error(error);
  return p;
}

static void launch(guint n, const char *preload) {
  g_autoptr(Folder) dir = folder();
  GSubprocess *p[8];
  fake_write(dir, "s.yaml", study);
  for (guint i = 0; i < n; i++)
    p[i] = begin_with(preload, dir, i % 2 ? "run s.yaml -j 2 run.workers=2" : "run s.yaml -j 2");
  for (guint i = 0; i < n; i++) {
    g_auto(Run) run = end(p[i]);
    judge_launch(&run);
  }
  for (int seed = 0; seed < 2; seed++)
    judge_cell(dir, "plain", seed, 10), judge_cell(dir, "other", seed, 5);
  g_auto(Run) again = end(begin_with(preload, dir, "run s.yaml"));
  g_assert_cmpint(again.code, ==, 0);
  expect(again.err, "4 cells, 4 done before");
}

static void at_once(gconstpointer n) {
  for (guint i = rounds(); i > 0; i--) launch(GPOINTER_TO_UINT(n), NULL);
}

static void on_nfs(gconstpointer n) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  (void)n;
  g_test_skip("a sanitizer must be loaded before anything else");
#else
  for (guint i = rounds(); i > 0; i--) launch(GPOINTER_TO_UINT(n), NFS);
#endif
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (guint n = 2; n <= 8; n *= 2) {
    g_autofree char *plain = g_strdup_printf("/launches/plain/%u", n);
    g_autofree char *nfs = g_strdup_printf("/launches/nfs/%u", n);
    g_test_add_data_func(plain, GUINT_TO_POINTER(n), at_once);
    g_test_add_data_func(nfs, GUINT_TO_POINTER(n), on_nfs);
  }
  return g_test_run();
}
