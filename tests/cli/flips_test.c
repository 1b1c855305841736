/* flips_test.c - a bit flips in a file of a study's folder, of any kind, of a finished cell or of
 * one that was interrupted.  `hunch compare` and `hunch run` then say which file it is, or the
 * results are those that nothing happened to; never others, and never a crash.  HUNCH_FLIPS=1000 is
 * the long form. */
#include "families_fixture.h"
#include <signal.h>

#define STUDY                                                                           \
  "hunch: 1\nname: s\nseeds: {root: 11, count: 2}\nbase:\n  env: {plugin: gridworld}\n" \
  "  inference: {plugin: glibrl, transition_features: 4, reward_features: 6, "          \
  "hidden_units: 8, updates: 1, batch: 2, start: 2, buffer: 6}\n"                       \
  "  policy: {plugin: ppo, n_epochs: 1, n_minibatches: 2, hidden: 8}\n"                 \
  "  run: {frames: 720, rows: 4, steps: 15, episodes: 2, checkpoint_every: 2}\n"        \
  "  evaluation: {every: 4, tasks: 4, record_rows: 2}\narms:\n  only: {}\n"             \
  "report: {metric: eval.return}\n"
#define CELL "runs/s/only/0"

/* Folders with the study, in which the first cell is done and is interrupted, and what compare says
 * of each. */
static Folder *calm[2];
static Run said[2];

/* Puts a cell in the place of the finished one that was told to end after its second checkpoint. */
static void interrupt(const char *dir, const char *whole) {
  g_autofree char *cell = g_build_filename(dir, CELL, NULL);
  g_autofree char *second = g_build_filename(cell, "ckpt/00000004.safetensors", NULL);
  for (int attempt = 0; attempt < 20; attempt++) { /* it may be done before it hears */
    fake_remove(cell);
    g_assert_cmpint(g_mkdir(cell, 0777), ==, 0);
    g_autofree char *config = fake_read(whole, "config.resolved.yaml");
    fake_write(cell, "config.resolved.yaml", config);
    GSubprocess *p = families_begin(cell, NULL);
    for (int i = 0; i < 60000 && !g_file_test(second, G_FILE_TEST_EXISTS); i++) g_usleep(500);
    g_subprocess_send_signal(p, SIGTERM);
    g_auto(Run) run = end(p);
    if (run.code == 75) return;
    g_assert_cmpint(run.code, ==, 0);
  }
  g_error("no cell was interrupted");
}

static void prepare(void) {
  calm[0] = folder(), calm[1] = folder();
  fake_write(calm[0], "s.yaml", STUDY);
  g_auto(Run) run = hunch(calm[0], "run s.yaml -j 1");
  if (run.code != 0) g_error("%d %s", run.code, run.err);
  g_autofree char *from = g_strconcat(calm[0], "/.", NULL);
  families_copy(from, calm[1]);
  g_autofree char *whole = g_build_filename(calm[0], CELL, NULL);
  interrupt(calm[1], whole);
  for (int i = 0; i < 2; i++) {
    said[i] = hunch(calm[i], "compare runs/s");
    g_assert_cmpint(said[i].code, ==, 0);
  }
}

/* Every file of the study's folder and of the cell's, but what is only shown: the page. */
static void add_files(GPtrArray *names, const char *dir, const char *below) {
  g_autofree char *folder = g_build_filename(dir, below, NULL);
  g_autoptr(GDir) d = g_dir_open(folder, 0, NULL);
  for (const char *name; (name = g_dir_read_name(d));) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR) && strcmp(name, "report.html") != 0)
      g_ptr_array_add(names, g_build_filename(below, name, NULL));
  }
}

/* Flips a bit; where files are long, their headers get more than their share. */
static char *flip(const char *dir, const char *name, GRand *random) {
  g_autofree char *path = g_build_filename(dir, name, NULL), *bytes = NULL;
  gsize length;
  g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
  if (length == 0) return NULL;
  const gsize within = g_rand_boolean(random) ? MIN(length, 4096) : length;
  const int32_t at = g_rand_int_range(random, 0, (gint32)within);
  const int32_t bit = g_rand_int_range(random, 0, 8);
  bytes[at] ^= (char)(1 << bit);
  FILE *f = fopen(path, "wb"); /* in place: a file's times and owner are not what is noticed */
  g_assert_true(f && fwrite(bytes, 1, length, f) == length && fclose(f) == 0);
  return g_strdup_printf("%s, bit %d of byte %d of %" G_GSIZE_FORMAT, name, bit, at, length);
}

static bool names(const Run *run, const char *name) {
  g_autofree char *base = g_path_get_basename(name);
  return strstr(run->out, base) || strstr(run->err, base);
}

static bool is_same(const Run *run, const Run *other) {
  return run->code == other->code && strcmp(run->out, other->out) == 0;
}

/* One flip in a copy of calm[which]. */
static void flip_once(int which, const char *name, GRand *random) {
  g_autoptr(Folder) dir = folder();
  g_autofree char *from = g_strconcat(calm[which], "/.", NULL);
  g_autofree char *whole = g_build_filename(calm[0], CELL, NULL);
  g_autofree char *cell = g_build_filename(dir, CELL, NULL);
  families_copy(from, dir);
  g_autofree char *story = flip(dir, name, random);
  if (!story) return;
  g_auto(Run) before = hunch(dir, "compare runs/s");
  if (!is_same(&before, &said[which]) && !names(&before, name))
    g_error("%s: compare: %d\n%s%s", story, before.code, before.out, before.err);
  g_auto(Run) run = hunch(dir, "run s.yaml -j 1");
  g_auto(Run) after = hunch(dir, "compare runs/s");
  g_autofree char *difference = families_difference(whole, cell, false);
  /* nobody reads a finished cell's checkpoint but who starts from it, and is then told */
  const bool unread = which == 0 && difference && g_str_has_suffix(difference, name);
  const bool healed = run.code == 0 && (!difference || unread) && is_same(&after, &said[0]);
  const bool told = names(&run, name) && (run.code != 0 || names(&after, name));
  if (run.code > 4 || (!healed && !told))
    g_error("%s: run: %d\n%s%s\ncompare: %d\n%s%s\nanother: %s", story, run.code, run.out, run.err,
            after.code, after.out, after.err, difference ? difference : "nothing");
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void test_flips(gconstpointer data) {
  const int which = GPOINTER_TO_INT(data);
  g_autoptr(GRand) random = g_rand_new_with_seed(17 + (guint32)which);
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  add_files(files, calm[which], "runs/s");
  add_files(files, calm[which], CELL);
  add_files(files, calm[which], CELL "/ckpt");
  g_assert_cmpuint(files->len, >, 12);
  g_ptr_array_sort(files, by_name); /* folders have no order */
  /* the suite takes every other file, which the other state has not had */
  const int64_t flips = families_setting("HUNCH_FLIPS", 0);
  const int64_t each = MAX(1, flips / (2 * (int64_t)files->len));
  for (guint i = flips ? 0 : (guint)which; i < files->len; i += flips ? 1 : 2)
    for (int64_t k = 0; k < each; k++) flip_once(which, files->pdata[i], random);
}

/* Until a run ends, some tables are headers that no checkpoint speaks of. */
static void test_headers(void) {
  g_autoptr(GRand) random = g_rand_new_with_seed(29);
  for (int k = 0; k < 3; k++) flip_once(1, CELL "/trial.csv", random);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  prepare();
  g_test_add_data_func("/flips/finished", GINT_TO_POINTER(0), test_flips);
  g_test_add_data_func("/flips/interrupted", GINT_TO_POINTER(1), test_flips);
  g_test_add_func("/flips/headers", test_headers);
  const int result = g_test_run();
  for (int i = 0; i < 2; i++) clear(&said[i]), remove_folder(calm[i]);
  return result;
}
