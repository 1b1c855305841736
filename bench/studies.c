/* studies.c - what hunch itself costs where studies are large: reading verbs on 100 arms x 10 seeds
 * of finished cells, which are made of one real cell, and scheduling on 200 tiny ones.
 *
 *   ./dev bench studies [FOLDER]    keeps the large study in FOLDER, for other verbs to be tried on
 */
#include "cells.h"
#include "checksum.h"
#include "json.h"
#include "run_dir.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARMS = 100, SEEDS = 10, TINY_ARMS = 20, TINY_SEEDS = 10, ROUNDS = 5 };

static double seconds(void) {
  return (double)g_get_monotonic_time() * 1e-6;
}

static void check(bool ok, GError *error) {
  if (!ok) g_error("%s", error ? error->message : g_strerror(errno));
}

/* ---- the program, measured ---- */

typedef struct Cost {
  double wall, processor; /* s */
  double own;             /* of the processor, without that of the cells it waited for */
} Cost;

/* Processor time of a process that has ended and was not waited for yet, without its children's. */
static double own_time(pid_t pid) {
  g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid), *text = NULL;
  unsigned long user = 0, system = 0;
  check(g_file_get_contents(path, &text, NULL, NULL), NULL);
  const char *name_end = strrchr(text, ')');
  if (!name_end || sscanf(name_end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                          &system) != 2)
    g_error("%s: %s", path, text);
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Runs `hunch ARGUMENTS`, split at spaces, without its output. */
static Cost hunch(const char *format, ...) G_GNUC_PRINTF(1, 2);
static Cost hunch(const char *format, ...) {
  va_list list;
  va_start(list, format);
  g_autofree char *arguments = g_strdup_vprintf(format, list);
  va_end(list);
  g_autofree char *line = g_strconcat(HUNCH " ", arguments, NULL);
  g_auto(GStrv) argv = g_strsplit(line, " ", -1);
  const double start = seconds();
  const pid_t child = fork();
  if (child == 0) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO), dup2(nowhere, STDERR_FILENO);
    execv(*argv, argv);
    _exit(127);
  }
  int status;
  struct rusage used;
  check(waitid(P_PID, (id_t)child, &(siginfo_t){0}, WEXITED | WNOWAIT) == 0, NULL);
  const double own = own_time(child);
  if (wait4(child, &status, 0, &used) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    g_error("hunch %s: status %d", arguments, status);
  return (Cost){seconds() - start,
                (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                    1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
                own};
}

/* The least of some rounds: what else runs on the machine only adds. */
static void print_verb(const char *verb, const char *arguments) {
  Cost least = {.wall = G_MAXDOUBLE, .processor = G_MAXDOUBLE};
  for (int i = 0; i < ROUNDS; i++) {
    const Cost c = hunch("%s %s", verb, arguments);
    least.wall = MIN(least.wall, c.wall), least.processor = MIN(least.processor, c.processor);
  }
  printf("%-8s %8.2f s of a processor %8.2f s by the clock\n", verb, least.processor, least.wall);
  fflush(stdout);
}

/* ---- studies ---- */

/* A study of gridworlds whose arms differ in a learning rate; g_free. */
static char *study_text(int arms, int seeds, const char *run) {
  GString *out = g_string_new(NULL);
  g_string_printf(out,
                  "hunch: 1\nname: large\nseeds: {root: 3, count: %d}\nbase:\n"
                  "  env: {plugin: gridworld, size: 4, horizon: 6}\n"
                  "  inference: {plugin: gridworld_belief, size: 4}\n"
                  "  policy: {plugin: ppo, width: 8, layers: 1, n_epochs: 1, n_minibatches: 1}\n"
                  "  run: {rows: 4, episodes: 2, %s}\n  evaluation: {every: 10, tasks: 4}\n"
                  "arms:\n",
                  seeds, run);
  for (int a = 0; a < arms; a++)
    g_string_append_printf(out, "  arm_%03d: {policy: {lr: %.6g}}\n", a, 1e-4 * (a + 1));
  return g_string_free(out, FALSE);
}

static char *write_study(const char *dir, const char *text) {
  char *path = g_build_filename(dir, "study.yaml", NULL);
  GError *error = NULL;
  check(g_file_set_contents(path, text, -1, &error), error);
  return path;
}

static void copy_file(const char *from, const char *to, HnRunFile file) {
  g_autofree char *a = hn_run_file(from, file), *b = hn_run_file(to, file), *bytes = NULL;
  gsize n;
  GError *error = NULL;
  if (g_file_get_contents(a, &bytes, &n, NULL))
    check(g_file_set_contents(b, bytes, (gssize)n, &error), error);
}

/* Makes the folder of a cell one that is done with the tables of the cell in `real`. */
static void make_cell(const HnCell *cell, const char *real, const char *dir) {
  GError *error = NULL;
  check(g_mkdir_with_parents(dir, 0777) == 0, NULL);
  for (HnRunFile f = 0; f < HN_RUN_FILE_COUNT; f++)
    if (f != HN_FILE_JSON && f != HN_FILE_CONFIG) copy_file(real, dir, f);
  g_autoptr(HnNode) node = hn_cell_node(cell);
  g_autofree char *yaml = hn_node_write(node), *config = hn_run_file(dir, HN_FILE_CONFIG);
  check(g_file_set_contents(config, yaml, -1, &error), error);
  g_autoptr(JsonObject) facts = hn_run_facts(real, &error);
  check(facts, error);
  g_autofree char *identity = hn_cell_identity(cell);
  g_autofree char *seed = g_strdup_printf("%" PRIu64, cell->seed);
  g_autofree char *sum = hn_checksum_file(config, &(int64_t){0});
  json_object_set_string_member(facts, "arm", cell->arm);
  json_object_set_int_member(facts, "seed_index", cell->seed_index);
  json_object_set_string_member(facts, "seed", seed);
  json_object_set_string_member(facts, "identity", identity);
  JsonObject *said =
      hn_json_object(hn_json_object(facts, "files"), hn_run_file_name(HN_FILE_CONFIG));
  json_object_set_int_member(said, "bytes", (gint64)strlen(yaml));
  json_object_set_string_member(said, "checksum", sum);
  g_autofree char *text = hn_json_sealed_text(facts), *path = hn_run_file(dir, HN_FILE_JSON);
  check(g_file_set_contents(path, text, -1, &error), error);
}

/* Runs the first cell, and makes the others of it. */
static void make_large(const char *file, const char *dir) {
  hunch("run %s -o %s --arm arm_000 --seed 0", file, dir);
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnStudy) s = hn_study_read(file, NULL, d);
  if (!s) g_error("%s", hn_diag_text(d));
  g_autofree char *real = hn_run_dir(dir, "arm_000", 0);
  for (guint i = 1; i < s->cells->len; i++) {
    const HnCell *cell = s->cells->pdata[i];
    g_autofree char *folder = hn_run_dir(dir, cell->arm, cell->seed_index);
    make_cell(cell, real, folder);
  }
}

static void remove_folder(const char *dir) {
  const char *argv[] = {"rm", "-rf", dir, NULL};
  g_spawn_sync(NULL, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
               NULL, NULL);
}

static void bench_reading(const char *below, const char *kept) {
  g_autofree char *text = study_text(ARMS, SEEDS, "frames: 4800");
  g_autofree char *file = write_study(below, text);
  g_autofree char *dir = kept ? g_strdup(kept) : g_build_filename(below, "large", NULL);
  g_autofree char *planned = g_strdup_printf("%s -o %s", file, dir);
  make_large(file, dir);
  printf("%d arms x %d seeds, done, each of 100 updates:\n", ARMS, SEEDS);
  print_verb("plan", planned), print_verb("status", dir), print_verb("compare", dir);
  print_verb("runs", dir);
}

/* What `hunch run` takes beyond its cells' own processes, each of which is run again alone, and
 * beyond what it does where all is done: the table and the page. */
static void bench_scheduling(const char *below) {
  enum { CELLS = TINY_ARMS * TINY_SEEDS };
  g_autofree char *text = study_text(TINY_ARMS, TINY_SEEDS, "frames: 96");
  g_autofree char *file = write_study(below, text);
  g_autofree char *dir = g_build_filename(below, "tiny", NULL);
  const Cost all = hunch("run %s -o %s -j 1", file, dir);
  const Cost nothing = hunch("run %s -o %s -j 1", file, dir);
  double alone = 0;
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnStudy) s = hn_study_read(file, NULL, d);
  for (guint i = 0; i < s->cells->len; i++) {
    const HnCell *cell = s->cells->pdata[i];
    g_autofree char *from = hn_run_dir(dir, cell->arm, cell->seed_index);
    g_autofree char *again = hn_run_dir(below, "again", i);
    check(g_mkdir_with_parents(again, 0777) == 0, NULL);
    copy_file(from, again, HN_FILE_CONFIG);
    alone += hunch("cell %s", again).wall;
  }
  const double each = 1e3 / CELLS;
  printf(
      "%d tiny cells by `hunch run -j 1`: %.1f ms each, %.1f ms alone; for scheduling %.1f ms by "
      "the clock, %.1f ms of a processor\n",
      CELLS, each * (all.wall - nothing.wall), each * alone,
      each * (all.wall - nothing.wall - alone), each * (all.own - nothing.own));
}

int main(int argc, char **argv) {
  g_setenv("HUNCH_PLUGIN_PATH", PLUGINS, TRUE);
  g_setenv("OPENBLAS_NUM_THREADS", "1", TRUE); /* as cells have it */
  g_autofree char *below = g_dir_make_tmp("hunch-bench-XXXXXX", NULL);
  check(below, NULL);
  bench_reading(below, argc > 1 ? argv[1] : NULL);
  bench_scheduling(below);
  remove_folder(below);
  return 0;
}
