/* full_disk_test.c - the disk below a cell's folder is full from one write, fsync, rename or new
 * file on, or for one of them alone, or takes half of a write: the cell names the file, and once
 * there is room it goes on to the results of an undisturbed one.  HUNCH_FULL_DISKS=60 is the long
 * form.  Also: what a checkpoint relies on is on the disk before its name is. */
#include "families_fixture.h"

static Folder *calm;

static GSubprocessLauncher *launcher_of(const char *cell, const char *log) {
  GSubprocessLauncher *l =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_subprocess_launcher_setenv(l, "LD_PRELOAD", FAILING_IO, TRUE);
  g_subprocess_launcher_setenv(l, "FAILING_IO_UNDER", cell, TRUE);
  g_subprocess_launcher_setenv(l, "FAILING_IO_LOG", log, TRUE);
  return l;
}

/* All that an undisturbed cell does to its files, a line each; NULL where that cannot be seen. */
static GStrv operations_of(const char *dir, const char *whole) {
  g_autofree char *cell = families_new_cell(dir, whole), *text = NULL;
  g_autofree char *log = g_build_filename(dir, "operations", NULL);
  g_autoptr(GSubprocessLauncher) l = launcher_of(cell, log);
  g_auto(Run) run = end(families_begin(cell, l));
  if (strstr(run.err, "cannot be filtered")) return NULL;
  g_assert_cmpint(run.code, ==, 0);
  g_autofree char *difference = families_difference(whole, cell, false);
  g_assert_null(difference);
  text = fake_read(dir, "operations");
  g_assert_cmpint(g_unlink(log), ==, 0);
  return g_strsplit(g_strchomp(text), "\n", -1);
}

typedef enum Kind { FROM_THEN_ON, ONCE, SHORT, KINDS } Kind;

/* Messages and the note of who has the lock are no results, and GLib has a folder on the disk after
 * each file that it renames, which the host does by itself where it matters. */
static bool may_be_lost(GStrv operations, int64_t i) {
  const bool renamed = i > 0 && g_str_has_prefix(operations[i - 1], "rename ") &&
                       !g_str_has_suffix(operations[i - 1], ".safetensors");
  return strstr(operations[i], "/log.txt") || strstr(operations[i], "/lock") ||
         (renamed && g_str_has_prefix(operations[i], "fsync "));
}

/* The disk is full at operation k. */
static void fill_disk(const char *dir, const char *whole, int64_t k, Kind kind) {
  static const char *const names[] = {"from then on", "once", "in the middle of it"};
  g_autofree char *cell = families_new_cell(dir, whole), *number = NULL;
  g_autofree char *log = g_build_filename(dir, "operations", NULL);
  g_autoptr(GSubprocessLauncher) l = launcher_of(cell, log);
  number = g_strdup_printf("%" G_GINT64_FORMAT, k);
  g_subprocess_launcher_setenv(l, "FAILING_IO_AT", number, TRUE);
  if (kind == ONCE) g_subprocess_launcher_setenv(l, "FAILING_IO_COUNT", "1", TRUE);
  if (kind == SHORT) g_subprocess_launcher_setenv(l, "FAILING_IO_SHORT", "1", TRUE);
  g_auto(Run) run = end(families_begin(cell, l));
  g_autofree char *text = fake_read(dir, "operations");
  g_auto(GStrv) done = g_strsplit(text, "\n", -1);
  g_assert_cmpint(g_strv_length(done), >=, k);
  g_autofree char *story = g_strdup_printf("%s is refused %s", done[k - 1], names[kind]);
  g_unlink(log);
  if (run.code == 0 && !may_be_lost(done, k - 1)) g_error("%s, and the cell says nothing", story);
  if (run.code != 0 && !strstr(run.err, cell))
    g_error("%s, and no file is named: %s", story, run.err);
  if (run.code != 0 && !strstr(run.err, g_strerror(ENOSPC)))
    g_error("%s, and the reason is not said: %s", story, run.err);
  families_finish(cell, whole, story);
  fake_remove(cell);
}

static bool skipped(GStrv operations) {
  if (!operations) g_test_skip("system calls cannot be filtered here");
  return !operations;
}

/* The first write that comes in the middle of an update, because a table is longer than the
 * stream's memory, or -1: it fails long before the stream is asked whether all went well. */
static int64_t first_part(GStrv operations) {
  for (int64_t i = 0; operations[i] && operations[i + 1]; i++)
    if (g_str_has_prefix(operations[i], "write ") && g_str_has_suffix(operations[i], ".csv") &&
        strcmp(operations[i], operations[i + 1]) == 0)
      return i;
  return -1;
}

static void test_family(gconstpointer data) {
  const char *family = data;
  const int64_t count = MAX(KINDS, families_setting("HUNCH_FULL_DISKS", 0) / FAMILIES);
  g_autofree char *whole = g_build_filename(calm, "runs/s", family, "0", NULL);
  g_autoptr(GRand) random = g_rand_new_with_seed((guint32)g_str_hash(family));
  g_autoptr(Folder) dir = folder();
  g_auto(GStrv) operations = operations_of(dir, whole);
  if (skipped(operations)) return;
  const int32_t all = (int32_t)g_strv_length(operations);
  g_assert_cmpint(all, >, 50);
  const int64_t part = first_part(operations);
  if (part >= 0) fill_disk(dir, whole, part + 1, ONCE);
  for (int64_t i = 0; i < count; i++)
    fill_disk(dir, whole, g_rand_int_range(random, 1, all + 1), (Kind)(i % KINDS));
}

/* Before a checkpoint has its name, every write to another file of the run is followed by an fsync
 * of that file, and every new name by one of its folder; the checkpoint's name too. */
static void test_order(void) {
  g_autofree char *whole = g_build_filename(calm, "runs/s/none/0", NULL);
  g_autoptr(Folder) dir = folder();
  g_auto(GStrv) operations = operations_of(dir, whole);
  if (skipped(operations)) return;
  g_autoptr(GHashTable) dirty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  guint checkpoints = 0;
  for (guint i = 0; operations[i]; i++) {
    char *path = strchr(operations[i], ' ') + 1;
    g_autofree char *parent = g_path_get_dirname(path);
    const bool names = g_str_has_prefix(operations[i], "rename ");
    if (g_str_has_prefix(operations[i], "write ")) g_hash_table_add(dirty, g_strdup(path));
    /* a checkpoint goes before its name; run.json comes anew after each */
    if (g_str_has_prefix(operations[i], "create ") && !g_str_has_suffix(path, ".part") &&
        !strstr(path, "/run.json"))
      g_hash_table_add(dirty, g_strdup(parent));
    if (g_str_has_prefix(operations[i], "fsync ")) g_hash_table_remove(dirty, path);
    if (!names || !g_str_has_suffix(path, ".safetensors")) continue;
    GHashTableIter each;
    gpointer file;
    g_hash_table_iter_init(&each, dirty);
    while (g_hash_table_iter_next(&each, &file, NULL))
      if (!g_str_has_suffix(file, "/lock") && !g_str_has_suffix(file, "/log.txt"))
        g_error("%s has its name before %s is on the disk", path, (char *)file);
    g_autofree char *next = g_strconcat("fsync ", parent, NULL);
    g_assert_cmpstr(operations[i + 1], ==, next);
    checkpoints++;
  }
  g_assert_cmpuint(checkpoints, ==, 6);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
  return puts("1..0 # SKIP a sanitizer wants to be loaded first"), 0;
#endif
  if (!*FAILING_IO) return puts("1..0 # SKIP not made for this machine"), 0;
  calm = folder();
  families_run(calm, NULL);
  g_test_add_func("/full_disk/order", test_order);
  for (guint i = 0; i < FAMILIES; i++) {
    g_autofree char *path = g_strconcat("/full_disk/", families[i], NULL);
    g_test_add_data_func(path, families[i], test_family);
  }
  const int result = g_test_run();
  remove_folder(calm);
  return result;
}
