/* includes_test.c - every #include of core and plugins against a written order of rooms: a file may
 * include what is in its own room and in those that its room's row names.
 *
 * A row may only name rooms that stand before it, so the order has no circle.  Whoever adds an
 * arrow adds it here, and sees whether it points down. */
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A room is a folder with those inside it that are no rooms themselves. */
static const struct {
  const char *room, *may; /* rooms, by their names or the ends of these */
} rooms[] = {
    {"core/include/hunch", ""},
    {"core/base", "hunch"},
    {"core/archive", "base"},
    {"core/kit", "hunch"},
    {"core/host/plugin", "hunch base"},
    {"core/host/config", "hunch base plugin"},
    {"core/host/run", "hunch base plugin config"},
    {"core/host/store", "hunch base plugin config host/run"},
    {"core/host/loop", "base config host/run store"},
    {"core/host/view", "base host/run store"},
    {"core/check", "hunch base plugin config host/run store"},
    {"core/study/stats", "hunch"},
    {"core/study/plan", "hunch base config store stats"},
    {"core/study/run", "base store plan"},
    {"core/study/results", "base store stats plan"},
    {"core/study/report", "base store stats results"},
    {"core/study/package", "base archive plugin config store stats plan results report"},
    {"core/study/serve", "base store results report"},
    {"core/cli",
     "hunch base plugin config store loop view check plan study/run results report serve package"},
    {"plugins/common", "hunch"},
    {"plugins/envs/mujoco", "hunch"},
    {"plugins/envs/metaworld", "hunch mujoco"},
    {"plugins/envs", "hunch mujoco metaworld"},
    {"plugins/inference/glibrl", "hunch common"},
    {"plugins/inference/rl2", "hunch common"},
    {"plugins/inference/transformer", "hunch common"},
    {"plugins/inference/varibad", "hunch common"},
    {"plugins/inference/vrnn", "hunch common"},
    {"plugins/inference", "hunch common glibrl rl2 transformer varibad vrnn"},
    {"plugins/policies/common", "hunch plugins/common"},
    {"plugins/policies/ppo", "hunch policies/common"},
    {"plugins/policies/sac", "hunch plugins/common policies/common"},
    {"plugins/policies/trpo", "hunch policies/common"},
    {"plugins/policies", "hunch plugins/common policies/common ppo sac trpo"},
};
enum { ROOMS = G_N_ELEMENTS(rooms) };

static GPtrArray *files; /* "core/..", "plugins/..", every .c and .h */
static guint64 may[ROOMS];

static void list_files(const char *folder) {
  g_autofree char *path = g_build_filename(SOURCE, folder, NULL);
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  g_assert_nonnull(dir);
  for (const char *name; (name = g_dir_read_name(dir));) {
    char *file = g_build_filename(folder, name, NULL);
    g_autofree char *full = g_build_filename(SOURCE, file, NULL);
    if (g_file_test(full, G_FILE_TEST_IS_DIR)) list_files(file);
    if (g_str_has_suffix(name, ".c") || g_str_has_suffix(name, ".h"))
      g_ptr_array_add(files, file);
    else
      g_free(file);
  }
}

static bool is_in(const char *file, const char *room) {
  size_t n = strlen(room);
  return strncmp(file, room, n) == 0 && file[n] == '/';
}

/* The innermost room of a file, -1: none. */
static int room_of(const char *file) {
  int best = -1;
  for (int k = 0; k < ROOMS; k++)
    if (is_in(file, rooms[k].room) &&
        (best < 0 || strlen(rooms[k].room) > strlen(rooms[best].room)))
      best = k;
  return best;
}

/* The room before `row` whose name is or ends in `name`; exactly one. */
static int named(int row, const char *name) {
  g_autofree char *end = g_strconcat("/", name, NULL);
  int found = -1;
  for (int k = 0; k < row; k++)
    if (g_str_equal(rooms[k].room, name) || g_str_has_suffix(rooms[k].room, end)) {
      if (found >= 0) g_error("%s: \"%s\" names two rooms", rooms[row].room, name);
      found = k;
    }
  if (found < 0)
    g_error("%s may not include \"%s\", which does not stand before it", rooms[row].room, name);
  return found;
}

static void read_rooms(void) {
  for (int k = 0; k < ROOMS; k++) {
    g_auto(GStrv) names = g_strsplit(rooms[k].may, " ", -1);
    may[k] = G_GUINT64_CONSTANT(1) << k;
    for (char **name = names; *name; name++)
      if (**name) may[k] |= G_GUINT64_CONSTANT(1) << named(k, *name);
  }
}

/* What an #include of a file means: the file beside it, else one that its room may include, else
 * any of that name; NULL for a header from elsewhere. */
static const char *included(const char *file, const char *header) {
  g_autofree char *folder = g_path_get_dirname(file), *end = g_strconcat("/", header, NULL);
  g_autofree char *near = g_build_filename("/", folder, header, NULL);
  g_autofree char *plain = g_canonicalize_filename(near, NULL);
  const char *other = NULL;
  for (guint k = 0; k < files->len; k++) {
    const char *candidate = files->pdata[k];
    if (!strcmp(candidate, plain + 1)) return candidate;
  }
  for (guint k = 0; k < files->len; k++) {
    const char *candidate = files->pdata[k];
    if (!g_str_has_suffix(candidate, end)) continue;
    int room = room_of(candidate);
    if (room >= 0 && may[room_of(file)] >> room & 1) return candidate;
    other = candidate;
  }
  return other;
}

/* Fails for each include of a file that points up or sideways. */
static void check_file(const char *file) {
  g_autofree char *path = g_build_filename(SOURCE, file, NULL), *text = NULL;
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  const int room = room_of(file);
  if (room < 0) {
    g_test_message("%s is in no room: add its folder to the table of this test", file);
    g_test_fail();
    return;
  }
  for (char **line = lines; *line; line++) {
    char header[256];
    if (sscanf(*line, " # include %*[\"<]%255[^\">]", header) != 1) continue;
    const char *other = included(file, header);
    int from = other ? room_of(other) : room;
    if (from < 0 || may[room] >> from & 1) continue;
    g_test_message("%s includes %s: %s may not include %s", file, other, rooms[room].room,
                   rooms[from].room);
    g_test_fail();
  }
}

static void test_order(void) {
  for (guint k = 0; k < files->len; k++) check_file(files->pdata[k]);
}

/* The walk finds what it ought to find, so that an empty table of findings means something. */
static void test_walk(void) {
  g_assert_cmpuint(files->len, >, 200);
  g_assert_cmpstr(included("core/host/run/session.c", "session.h"), ==, "core/host/run/session.h");
  g_assert_cmpstr(included("core/host/run/session.h", "protocol.h"), ==,
                  "core/host/config/protocol.h");
  g_assert_cmpstr(included("plugins/envs/ant_dir.c", "mujoco/ant.h"), ==,
                  "plugins/envs/mujoco/ant.h");
  g_assert_cmpstr(included("plugins/envs/ant_dir.c", "hunch/env.h"), ==,
                  "core/include/hunch/env.h");
  g_assert_null(included("core/base/json.c", "string.h"));
  /* learners of either kind keep a replay */
  g_assert_true(may[room_of("plugins/policies/x.c")] >> room_of("plugins/common/x.h") & 1);
  g_assert_true(may[room_of("plugins/inference/x.c")] >> room_of("plugins/common/x.h") & 1);
  /* arrows that this house does not have */
  int run = room_of("core/host/run/session.c");
  g_assert_cmpint(run, ==, room_of(included("core/host/run/x.c", "session.h")));
  g_assert_false(may[run] >> room_of("core/host/store/checkpoint.h") & 1);
  g_assert_false(may[room_of("plugins/envs/ant_dir.c")] >> room_of("core/host/run/session.h") & 1);
  g_assert_false(may[room_of("plugins/common/x.h")] >> room_of("plugins/policies/ppo.c") & 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  files = g_ptr_array_new_with_free_func(g_free);
  list_files("core"), list_files("plugins");
  read_rooms();
  g_test_add_func("/includes/order", test_order);
  g_test_add_func("/includes/walk", test_walk);
  int code = g_test_run();
  g_ptr_array_unref(files);
  return code;
}
