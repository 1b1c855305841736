/* tensorboard_test.c - run.tensorboard: the event file holds what metrics.csv holds, by a decoder
 * that shares nothing with hunch and by TensorBoard itself, once for each step after any kill; and
 * nothing else of a run knows of it. */
#include "cli_fixture.h"
#include "csv.h"
#include "json.h"
#include "run_dir.h"
#include "tiny_study_fixture.h"
#include <math.h>
#include <string.h>

#define CELL "runs/tiny/belief/0"
#define LONG "run.frames=480 run.checkpoint_every=3 policy.anneal=false"

/* What the Python program prints of the cell's events, sorted; NULL: it cannot be run. */
static char *decoded(const char *dir, const char *option) {
  g_autofree char *python = g_find_program_in_path("python3"), *out = NULL, *err = NULL;
  int status = 1;
  g_autofree char *sort =
      g_strdup_printf("set -o pipefail; python3 " SOURCE "/tests/cli/read_events.py %s " CELL
                      "/events.out.tfevents.hunch | sort",
                      option);
  const char *argv[] = {"bash", "-c", sort, NULL};
  if (!python) return NULL;
  g_assert_true(g_spawn_sync(dir, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                             &out, &err, &status, NULL));
  if (status == 0) return g_steal_pointer(&out);
  if (!strstr(err, "ModuleNotFoundError")) g_error("%s", err);
  return NULL;
}

/* "STEP TAG VALUE" of every number in metrics.csv. */
static GHashTable *expected(const char *dir) {
  g_autofree char *cell = g_build_filename(dir, CELL, NULL), *text = fake_read(cell, "metrics.csv");
  GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  HnCsvReader r = hn_csv_reader("metrics.csv", text, strlen(text));
  g_assert_true(hn_csv_next(&r, NULL));
  g_auto(GStrv) names = g_strdupv(r.field);
  while (hn_csv_next(&r, NULL))
    for (int64_t i = 2; i < r.width; i++) {
      const double x = *r.field[i] ? g_ascii_strtod(r.field[i], NULL) : (double)NAN;
      g_auto(GStrv) parts = g_strsplit(names[i], ".", 2);
      g_autofree char *tag = g_strjoinv("/", parts);
      if (isfinite(x))
        g_hash_table_add(all, g_strdup_printf("%s %s %.9g", r.field[1], tag, (double)(float)x));
    }
  hn_csv_reader_clear(&r);
  return all;
}

static void expect_events(const char *dir, const char *option) {
  g_autofree char *text = decoded(dir, option);
  g_autoptr(GHashTable) wanted = expected(dir);
  if (!text) {
    g_test_skip(*option ? "Python has no tensorboard" : "there is no Python");
    return;
  }
  g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
  g_assert_cmpuint(g_hash_table_size(wanted), >, 50);
  g_assert_cmpuint(g_strv_length(lines), ==, g_hash_table_size(wanted)); /* none twice */
  for (char **line = lines; *line; line++)
    if (!g_hash_table_contains(wanted, *line)) g_error("not in metrics.csv: %s", *line);
}

static void run(const char *dir, const char *arguments, int code) {
  g_autofree char *all = g_strconcat("run tiny.yaml --arm belief --seed 0 ", arguments, NULL);
  g_auto(Run) r = hunch(dir, all);
  if (r.code != code) g_error("%s: %d: %s", all, r.code, r.err);
}

static Folder *study_folder(void) {
  Folder *dir = folder();
  fake_write(dir, "tiny.yaml", tiny_study);
  return dir;
}

static void test_values(void) {
  g_autoptr(Folder) dir = study_folder();
  run(dir, LONG " run.tensorboard=true", 0);
  expect_events(dir, "");
}

static void test_tensorboard_itself(void) {
  g_autoptr(Folder) dir = study_folder();
  run(dir, LONG " run.tensorboard=true", 0);
  expect_events(dir, "--tensorboard");
}

/* Copies a run's files, as of another moment. */
static void copy(const char *from, const char *to, const char *name) {
  g_autofree char *source = g_build_filename(from, CELL, name, NULL), *bytes = NULL;
  g_autofree char *target = g_build_filename(to, CELL, name, NULL);
  gsize n;
  g_assert_true(g_file_get_contents(source, &bytes, &n, NULL));
  g_assert_true(g_file_set_contents(target, bytes, (gssize)n, NULL));
}

/* A run that was killed long after its checkpoint, in the middle of a record, goes on with each
 * step once. */
static void test_kill(void) {
  g_autoptr(Folder) whole = study_folder(), killed = study_folder();
  g_autofree char *cell = g_build_filename(killed, CELL, NULL), *bytes = NULL;
  g_autofree char *path = g_build_filename(cell, "events.out.tfevents.hunch", NULL);
  gsize n;
  run(whole, LONG " run.tensorboard=true", 0);
  g_assert_cmpint(g_mkdir_with_parents(cell, 0700), ==, 0);
  copy(whole, killed, "config.resolved.yaml");
  g_auto(Run) first = hunch(killed, "cell " CELL " 4");
  g_assert_cmpint(first.code, ==, 75);
  copy(whole, killed, "events.out.tfevents.hunch");
  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  g_assert_true(g_file_set_contents(path, bytes, (gssize)n - 9, NULL));
  g_auto(Run) second = hunch(killed, "cell " CELL);
  g_assert_cmpint(second.code, ==, 0);
  expect_events(killed, "");
}

/* Turned on half way, the file begins there; off again, it stays as it is. */
static void test_half_way(void) {
  g_autoptr(Folder) dir = study_folder();
  run(dir, "run.frames=96 policy.anneal=false", 0);
  g_autofree char *path = g_build_filename(dir, CELL, "events.out.tfevents.hunch", NULL);
  g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
  run(dir, "run.frames=192 policy.anneal=false run.tensorboard=true", 0);
  g_autofree char *text = decoded(dir, "");
  if (!text) {
    g_test_skip("there is no Python");
    return;
  }
  g_autoptr(GHashTable) wanted = expected(dir);
  g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
  for (char **line = lines; *line; line++) {
    g_assert_true(g_hash_table_contains(wanted, *line));
    g_assert_cmpint(g_ascii_strtoll(*line, NULL, 10), >, 96);
  }
  g_assert_cmpuint(g_strv_length(lines), >, 20);
}

/* It is no part of what a cell is, nor of the bits of its results. */
static void test_identity(void) {
  g_autoptr(Folder) with = study_folder(), without = study_folder();
  run(with, "run.tensorboard=true", 0);
  run(without, "run.workers=1", 0);
  g_autofree char *a = g_build_filename(with, CELL, NULL),
                  *b = g_build_filename(without, CELL, NULL);
  same_file(a, b, "metrics.csv"), same_file(a, b, "episodes.csv"), same_file(a, b, "trace.bin");
  g_auto(Run) plan = hunch(with, "plan tiny.yaml --json");
  g_auto(Run) other = hunch(with, "plan tiny.yaml --json run.tensorboard=true");
  g_assert_cmpstr(plan.out, ==, other.out);
  expect(plan.out, "\"state\" : \"done\"");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/tensorboard/values", test_values);
  g_test_add_func("/tensorboard/tensorboard_itself", test_tensorboard_itself);
  g_test_add_func("/tensorboard/kill", test_kill);
  g_test_add_func("/tensorboard/half_way", test_half_way);
  g_test_add_func("/tensorboard/identity", test_identity);
  return g_test_run();
}
