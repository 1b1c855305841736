/* kills_test.c - cells of five families are killed at any time, on disk and in memory, and go on:
 * what they leave in the end is what an undisturbed one leaves.  HUNCH_KILLS=300 is the long form.
 */
#include "families_fixture.h"
#include <signal.h>

static Folder *calm;
enum { KILLS = 3 }; /* of each cell */

/* Kills the cell a few times, uniformly over the time that it takes, and lets it go on. */
static void kill_often(const char *cell, const char *whole, double seconds, GRand *random) {
  g_autoptr(GString) story = g_string_new("killed");
  for (int64_t i = 0; i < KILLS; i++) {
    const double after = g_rand_double_range(random, 0, seconds);
    GSubprocess *p = families_begin(cell, NULL);
    g_usleep((gulong)(1e6 * after));
    g_subprocess_send_signal(p, SIGKILL);
    g_subprocess_wait(p, NULL, NULL);
    g_object_unref(p);
    g_string_append_printf(story, " after %.4f s", after);
  }
  families_finish(cell, whole, story->str);
}

/* Cells of one family in one place, one after another. */
static void kill_in(const char *place, const char *whole, int64_t rounds, GRand *random) {
  g_autofree char *pattern = g_build_filename(place, "hunch-kills-XXXXXX", NULL);
  g_autoptr(Folder) dir = g_strdup(g_mkdtemp(pattern));
  g_assert_nonnull(dir);
  g_autofree char *first = families_new_cell(dir, whole);
  const int64_t before = g_get_monotonic_time();
  families_finish(first, whole, "undisturbed");
  const double seconds = 1e-6 * (double)(g_get_monotonic_time() - before);
  for (int64_t round = 0; round < rounds; round++) {
    g_autofree char *cell = families_new_cell(dir, whole);
    kill_often(cell, whole, seconds, random);
    fake_remove(cell);
  }
}

static void test_family(gconstpointer data) {
  const char *family = data;
  const int64_t rounds =
      MAX(1, families_setting("HUNCH_KILLS", 0) / (FAMILIES * 2 * (int64_t)KILLS));
  g_autofree char *whole = g_build_filename(calm, "runs/s", family, "0", NULL);
  g_autoptr(GRand) random = g_rand_new_with_seed((guint32)g_str_hash(family));
  kill_in(g_get_tmp_dir(), whole, rounds, random);
  if (g_file_test("/dev/shm", G_FILE_TEST_IS_DIR)) kill_in("/dev/shm", whole, rounds, random);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  calm = folder();
  families_run(calm, NULL);
  for (guint i = 0; i < FAMILIES; i++) {
    g_autofree char *path = g_strconcat("/kills/", families[i], NULL);
    g_test_add_data_func(path, families[i], test_family);
  }
  const int result = g_test_run();
  remove_folder(calm);
  return result;
}
