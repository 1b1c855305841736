/* folder_test.c - `hunch run` into folders that others, or a run that was killed, have left in some
 * state: it goes on where it can, and otherwise says why and touches nothing. */
#include "cli_fixture.h"
#include "tiny_study_fixture.h"
#include <glib/gstdio.h>

static Folder *furnished(const char *arguments) {
  Folder *dir = folder();
  fake_write(dir, "s.yaml", tiny_study);
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code != 0) g_error("%s", run.err);
  return dir;
}

static char *in(const char *dir, const char *name) {
  return g_build_filename(dir, name, NULL);
}

/* Arms of other seeds would be paired with those that are there. */
static void test_other_root(void) {
  g_autoptr(Folder) dir = furnished("run s.yaml -o out -j 1 --arm none");
  g_autofree char *before = fake_read(dir, "out/study.json"), *arm = in(dir, "out/belief");
  g_auto(Run) run = hunch(dir, "run s.yaml -o out -j 1 --arm belief seeds.root=8");
  g_assert_cmpint(run.code, ==, 2);
  expect(run.err, "out/none/0: configuration differs from the folder's: seed was ");
  expect(run.err, "(and 1 more cells); choose another folder with -o");
  g_autofree char *after = fake_read(dir, "out/study.json");
  g_assert_cmpstr(before, ==, after);
  g_assert_false(g_file_test(arm, G_FILE_TEST_EXISTS));
}

/* Checkpoints that are there but cannot be listed are not taken for none, from which the cell would
 * begin again. */
static void test_checkpoints_unreadable(void) {
  g_autoptr(Folder) dir = furnished("run s.yaml -o out -j 1 --arm none --seed 0");
  g_autofree char *cell = in(dir, "out/none/0"), *saved = in(cell, "ckpt");
  g_autofree char *metrics = fake_read(cell, "metrics.csv");
  fake_patch(cell, "run.json", "\"status\" : \"done\"", "\"status\" : \"interrupted\"");
  fake_remove(saved);
  fake_write(cell, "ckpt", "");
  g_auto(Run) run = hunch(dir, "run s.yaml -o out -j 1 --arm none --seed 0");
  g_assert_cmpint(run.code, ==, 2);
  expect(run.err, "out/none/0/ckpt");
  expect(run.err, "choose another folder with -o");
  g_autofree char *after = fake_read(cell, "metrics.csv");
  g_assert_cmpstr(metrics, ==, after);
}

/* Begins in `dir`, where the files `half` were being written, and removes them. */
static void goes_on(const char *dir, const char *const *half) {
  for (const char *const *h = half; *h; h++) fake_write(dir, *h, "{\"stu");
  g_auto(Run) run = hunch(dir, "run s.yaml -o out -j 1 --arm none");
  if (run.code != 0) g_error("%s", run.err);
  expect(run.out, "2 of 4 cells done");
  for (const char *const *h = half; *h; h++) {
    g_autofree char *path = in(dir, *h);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
  }
}

/* What a refused prolongation leaves: everything as it was, and a done cell. */
static void expect_kept(const char *dir, const char *why) {
  g_autofree char *facts = fake_read(dir, "out/none/0/run.json"),
                  *config = fake_read(dir, "out/none/0/config.resolved.yaml");
  g_auto(Run) longer = hunch(dir, "run s.yaml -o out -j 1 run.frames=192 policy.anneal=false");
  g_assert_cmpint(longer.code, ==, 2);
  expect(longer.err, ": done at 96 steps, and cannot go on to 192: ");
  expect(longer.err, why);
  expect(longer.err, "choose another folder with -o");
  g_autofree char *facts_after = fake_read(dir, "out/none/0/run.json"),
                  *config_after = fake_read(dir, "out/none/0/config.resolved.yaml");
  g_assert_cmpstr(facts, ==, facts_after);
  g_assert_cmpstr(config, ==, config_after);
  g_auto(Run) again = hunch(dir, "run s.yaml -o out -j 1 policy.anneal=false");
  expect(again.err, "4 cells, 4 done before");
  g_assert_cmpint(again.code, ==, 0);
}

/* Longer, but nothing to go on from: the checkpoints are cut or gone, or are a package's. */
static void test_not_prolonged(void) {
  g_autoptr(Folder) dir = furnished("run s.yaml -o out -j 1 policy.anneal=false");
  g_auto(Run) pack = hunch(dir, "pack out -o a.zip --dirty");
  g_assert_cmpint(pack.code, ==, 0);
  g_assert_cmpint(shell(dir, "truncate -s 100 out/none/0/ckpt/*"), ==, 0);
  expect_kept(dir, ".safetensors: ");
  g_auto(Run) cut = hunch(dir, "pack out -o b.zip --dirty");
  g_assert_cmpint(cut.code, ==, 1);
  expect(cut.err, "; to run the cell again, remove out/none/0\n");
  g_assert_cmpint(shell(dir, "rm out/none/0/ckpt/*"), ==, 0);
  expect_kept(dir, "it has no checkpoint");
  g_auto(Run) gone = hunch(dir, "pack out -o b.zip --dirty");
  g_assert_cmpint(gone.code, ==, 2);
  expect(gone.err, "its weights cannot be packed; to run the cell again, remove out/none/0\n");
  g_assert_cmpint(shell(dir, "mv out old && unzip -q a.zip -d un && mv un/study out"), ==, 0);
  expect_kept(dir, "holds weights only, as in a package, and no state of a run");
}

/* Killed while the study's first files were written, or a cell's: the same command begins. */
static void test_killed_early(void) {
  static const char *const of_study[] = {"out/study.json.IOZCZ3", "out/study.yaml.IOZCZ3", NULL};
  static const char *const of_cell[] = {"out/none/0/config.resolved.yaml.IOZCZ3",
                                        "out/none/0/run.json.IOZCZ3", NULL};
  g_autoptr(Folder) first = folder();
  g_autofree char *out = in(first, "out");
  g_assert_cmpint(g_mkdir(out, 0700), ==, 0);
  fake_write(first, "s.yaml", tiny_study), fake_write(first, "out/lock", "");
  goes_on(first, of_study);
  g_autoptr(Folder) second = furnished("run s.yaml -o out -j 1 --arm none --seed 0");
  g_autofree char *cell = in(second, "out/none/0");
  fake_remove(cell);
  g_assert_cmpint(g_mkdir(cell, 0700), ==, 0);
  fake_write(cell, "lock", "");
  goes_on(second, of_cell);
}

/* A film that fails leaves the file that was there. */
static void test_failed_film(void) {
  g_autoptr(Folder) dir = furnished("run s.yaml -o out -j 1 --arm none --seed 0");
  g_autofree char *path = g_strdup(g_getenv("PATH"));
  fake_write(dir, "thesis.txt", "my thesis\n");
  g_setenv("PATH", "/nowhere", TRUE);
  g_auto(Run) film = hunch(dir, "video out/none/0 -o thesis.txt");
  g_setenv("PATH", path, TRUE);
  g_assert_cmpint(film.code, !=, 0);
  expect(film.err, "hunch video: error: ");
  g_autofree char *after = fake_read(dir, "thesis.txt");
  g_assert_cmpstr(after, ==, "my thesis\n");
}

/* No time stands in a checkpoint: the same run again has the same bytes, and so the same SHA-256,
 * by which others start from it. */
static void test_same_bytes(void) {
  g_autoptr(Folder) a = furnished("run s.yaml -o out -j 1 --arm none --seed 0");
  g_autoptr(Folder) b = furnished("run s.yaml -o out -j 1 --arm none --seed 0");
  g_autofree char *saved = in(a, "out/none/0/ckpt"), *other = in(b, "out/none/0/ckpt");
  g_autoptr(GDir) all = g_dir_open(saved, 0, NULL);
  guint files = 0;
  for (const char *name; (name = g_dir_read_name(all)); files++) {
    g_autofree char *one = in(saved, name), *two = in(other, name), *x = NULL, *y = NULL;
    gsize n, m;
    g_assert_true(g_file_get_contents(one, &x, &n, NULL));
    g_assert_true(g_file_get_contents(two, &y, &m, NULL));
    g_assert_cmpmem(x, n, y, m);
  }
  g_assert_cmpuint(files, >, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/folder/other_root", test_other_root);
  g_test_add_func("/folder/checkpoints_unreadable", test_checkpoints_unreadable);
  g_test_add_func("/folder/not_prolonged", test_not_prolonged);
  g_test_add_func("/folder/killed_early", test_killed_early);
  g_test_add_func("/folder/failed_film", test_failed_film);
  g_test_add_func("/folder/same_bytes", test_same_bytes);
  return g_test_run();
}
