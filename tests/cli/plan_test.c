/* plan_test.c - `hunch validate` and `hunch plan` as users meet them: exit code, stdout, stderr. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/wait.h>

static const char study[] = "hunch: 1\nname: noise\nseeds: {root: 1234567, count: 2}\n"
                            "base:\n  env: {plugin: gridworld}\n  inference: {plugin: none}\n"
                            "  policy: {plugin: uniform}\n  run: {frames: 500}\n"
                            "arms:\n  none: {}\n  oracle: {inference: {plugin: oracle}}\n";

typedef struct Run {
  char *out, *err;
  int code;
} Run;

static void clear(Run *run) {
  g_free(run->out);
  g_free(run->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, clear)

static char *folder;

/* Runs "hunch ARGUMENTS", split at spaces, where s.yaml is. */
static Run hunch(const char *arguments) {
  Run run = {NULL, NULL, -1};
  g_autofree char *line = g_strconcat(HUNCH " ", arguments, NULL);
  g_auto(GStrv) argv = g_strsplit(line, " ", -1);
  g_auto(GStrv) environment = g_environ_unsetenv(g_get_environ(), "HUNCH_PLUGIN_PATH");
  g_autoptr(GError) error = NULL;
  int status;
  g_spawn_sync(folder, argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &run.out, &run.err, &status,
               &error);
  g_assert_no_error(error);
  g_assert_true(WIFEXITED(status));
  run.code = WEXITSTATUS(status);
  return run;
}

static void expect(const char *arguments, int code, const char *out, const char *err) {
  g_auto(Run) run = hunch(arguments);
  g_assert_cmpstr(run.err, ==, err);
  g_assert_cmpstr(run.out, ==, out);
  g_assert_cmpint(run.code, ==, code);
}

/* The first line; what cells take is behind it, see run_sizes_test.c. */
static void expect_first(const char *arguments, const char *line) {
  g_auto(Run) run = hunch(arguments);
  g_assert_cmpstr(run.err, ==, "");
  g_assert_true(g_str_has_prefix(run.out, line));
  g_assert_cmpint(run.code, ==, 0);
}

static void test_validate(void) {
  /* updates are of 16 rows and 30 steps, 480 frames: 500 are 960, 1000 are 1440 */
  expect_first("validate s.yaml", "noise: cells 4, arms 2, seeds 2, frames 3840\n");
  expect_first("validate s.yaml seeds.count=3 arms.none.run.frames=1e3",
               "noise: cells 6, arms 2, seeds 3, frames 7200\n");
  expect("validate s.yaml env.sice=3 run.rows=0", 2, "",
         "command line: env.sice=3: error: env gridworld: unknown key 'sice'; did you mean "
         "'size'?\ncommand line: run.rows=0: error: 'rows: 0' is out of range: expected an integer "
         "in [1, 65536]\n");
  expect("validate none.yaml", 2, "",
         "none.yaml: error: cannot be read: No such file or directory\n");
  g_auto(Run) nothing = hunch("validate");
  g_assert_cmpint(nothing.code, ==, 2);
  g_assert_cmpstr(nothing.out, ==, "");
}

static void test_plan(void) {
  g_auto(Run) run = hunch("plan s.yaml -o d");
  g_auto(GStrv) lines = g_strsplit(run.out, "\n", -1);
  g_assert_cmpint(run.code, ==, 0);
  g_assert_cmpstr(run.err, ==, "d: 4 cells, 4 run\n");
  g_assert_cmpuint(g_strv_length(lines), ==, 6);
  g_assert_cmpstr(lines[0], ==, "ARM     SEED      FRAMES  IDENTITY      STATE    REASON");
  g_assert_true(g_str_has_prefix(lines[1], "none       0         500  "));
  g_assert_true(g_str_has_suffix(lines[4], "  run      new"));
  g_assert_true(g_str_has_prefix(lines[4], "oracle     1         500  "));
}

static void test_plan_json(void) {
  g_auto(Run) run = hunch("plan s.yaml --json");
  g_autoptr(JsonParser) parser = json_parser_new();
  g_assert_true(json_parser_load_from_data(parser, run.out, -1, NULL));
  JsonObject *o = json_node_get_object(json_parser_get_root(parser));
  g_assert_cmpstr(json_object_get_string_member(o, "folder"), ==, "runs/noise");
  JsonArray *cells = json_object_get_array_member(o, "cells");
  g_assert_cmpuint(json_array_get_length(cells), ==, 4);
  JsonObject *last = json_array_get_object_element(cells, 3);
  g_assert_cmpstr(json_object_get_string_member(last, "arm"), ==, "oracle");
  g_assert_cmpint(json_object_get_int_member(last, "seed_index"), ==, 1);
  g_assert_cmpstr(json_object_get_string_member(last, "seed"), ==, "3203168211198807973");
  g_assert_cmpstr(json_object_get_string_member(last, "folder"), ==, "runs/noise/oracle/1");
  g_assert_cmpstr(json_object_get_string_member(last, "state"), ==, "run");
  g_assert_cmpuint(strlen(json_object_get_string_member(last, "identity")), ==, 64);
}

/* Identity of the first cell of a study whose env is folder/NAME/good.so with these bytes. */
static char *identity_of(const char *name, const char *bytes, gsize length) {
  g_autofree char *parent = g_build_filename(folder, name, NULL);
  g_autofree char *file = g_build_filename(parent, "good.so", NULL);
  g_mkdir(parent, 0777);
  g_assert_true(g_file_set_contents(file, bytes, (gssize)length, NULL));
  g_autofree char *arguments = g_strdup_printf(
      "plan s.yaml --json arms.oracle.inference.plugin=none arms.oracle.run.frames=600 "
      "env.plugin=./%s/good.so",
      name);
  g_auto(Run) run = hunch(arguments);
  g_assert_cmpstr(run.err, ==, "");
  g_autoptr(JsonParser) parser = json_parser_new();
  g_assert_true(json_parser_load_from_data(parser, run.out, -1, NULL));
  JsonObject *o = json_node_get_object(json_parser_get_root(parser));
  o = json_array_get_object_element(json_object_get_array_member(o, "cells"), 0);
  g_unlink(file);
  g_rmdir(parent);
  return g_strdup(json_object_get_string_member(o, "identity"));
}

/* A plugin's bytes are part of a cell, its place is not. */
static void test_plugin_bytes(void) {
  gsize length;
  g_autofree char *bytes = NULL;
  g_assert_true(g_file_get_contents(FAKES "/good.so", &bytes, &length, NULL));
  bytes = g_realloc(bytes, length + 1);
  bytes[length] = 0;
  g_autofree char *first = identity_of("a", bytes, length);
  g_autofree char *moved = identity_of("b", bytes, length);
  g_autofree char *changed = identity_of("a", bytes, length + 1);
  g_assert_cmpstr(first, ==, moved);
  g_assert_cmpstr(first, !=, changed);
}

/* Arms that an override made the same are a warning, once, of every verb that would run them. */
static void test_same_arms(void) {
  static const char *const verbs[] = {"validate", "plan", "run"};
  for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
    g_autofree char *line =
        g_strdup_printf("%s s.yaml inference.plugin=none run.frames=4", verbs[i]);
    g_autofree char *said = g_strdup_printf("hunch %s: warning: arms none and oracle are the same: "
                                            "inference.plugin=none sets both\n",
                                            verbs[i]);
    g_auto(Run) run = hunch(line);
    g_assert_cmpint(run.code, ==, 0);
    g_assert_true(g_str_has_prefix(run.err, said));
    g_assert_null(strstr(run.err + strlen(said), "are the same"));
  }
}

/* Arms of a sweep have '=' in their names, as overrides do. */
static void test_resolved_sweep(void) {
  g_autofree char *path = g_build_filename(folder, "sweep.yaml", NULL);
  g_autofree char *text =
      g_strconcat(study, "sweep: {arms: [none], parameters: {env.size: [4, 6]}}\n", NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
  g_auto(Run) run =
      hunch("plan sweep.yaml --resolved none_size=6 run.frames=80 evaluation.tasks=12");
  g_assert_cmpstr(run.err, ==, "");
  g_assert_cmpint(run.code, ==, 0);
  g_assert_true(g_str_has_prefix(run.out, "# none_size=6 changes of the base:\n#   env.size: 6"));
  g_assert_nonnull(strstr(run.out, "frames: 80"));
  g_assert_null(strstr(run.out, "none_size=4"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  folder = g_dir_make_tmp("hunch-plan-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(folder, "s.yaml", NULL);
  g_assert_true(g_file_set_contents(path, study, -1, NULL));
  g_test_add_func("/plan/validate", test_validate);
  g_test_add_func("/plan/table", test_plan);
  g_test_add_func("/plan/json", test_plan_json);
  g_test_add_func("/plan/resolved-sweep", test_resolved_sweep);
  g_test_add_func("/plan/same-arms", test_same_arms);
  g_test_add_func("/plan/plugin-bytes", test_plugin_bytes);
  int code = g_test_run();
  g_unlink(path);
  g_rmdir(folder);
  g_free(folder);
  return code;
}
