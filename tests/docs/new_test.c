/* new_test.c - what `hunch new` writes, from an installed tree alone: the commands of its README
 * run as they stand, by the very line of its CI file, and leave what closed forms say. */
#include "installed_fixture.h"
#include "table_fixture.h"
#include <stdio.h>

static Installed installed;

/* ---- each template ---- */

/* The last value of a column of an arm, mean over its seeds. */
static double final(const char *study, const char *arm, const char *column) {
  double sum = 0;
  for (int seed = 0; seed < 3; seed++) {
    g_autofree char *cell = g_strdup_printf("%s/%s/%d", study, arm, seed);
    Rows r = rows_read(cell, "metrics.csv");
    sum += rows_at(&r, r.count - 1, column);
    rows_clear(&r);
  }
  return sum / 3;
}

static Rows trial_of(const char *study, const char *cell) {
  g_autofree char *dir = g_build_filename(study, cell, NULL);
  Rows r = rows_read(dir, "trial.csv");
  g_assert_cmpint(r.count, >, 30);
  return r;
}

/* An action moves the point by up to 0.2 m, and the reward is the distance to the place. */
static void check_env(const char *study) {
  Rows r = trial_of(study, "oracle/0");
  int moves = 0;
  for (gint64 i = 0; i < r.count; i++) {
    if (!*rows_text(&r, i, "reward")) continue; /* the end of a trial */
    const double u = CLAMP(rows_at(&r, i, "act_0"), -1, 1), next = rows_at(&r, i, "next_obs_0");
    g_assert_cmpfloat(fabs(next - rows_at(&r, i, "obs_0") - 0.2 * u), <, 1e-6);
    g_assert_cmpfloat(fabs(rows_at(&r, i, "reward") + fabs(next - rows_at(&r, i, "task_0"))), <,
                      1e-6);
    moves += fabs(u) > 0.01;
  }
  g_assert_cmpint(moves, >, 10);
  rows_clear(&r);
  g_assert_cmpfloat(final(study, "oracle", "eval.return"), >,
                    final(study, "none", "eval.return") + 2);
}

/* The belief agrees with a Kalman filter for each arm of the bandit; with it, more is earned. */
static void check_inference(const char *study) {
  Rows r = trial_of(study, "mine/0");
  double mean[5], variance[5];
  for (gint64 i = 0; i < r.count; i++) {
    const bool begins = rows_at(&r, i, "begin") == 2;
    for (int a = 0; a < 5; a++) {
      g_autofree char *m = g_strdup_printf("belief_%d", a),
                      *v = g_strdup_printf("belief_%d", 5 + a);
      if (begins) mean[a] = 0.2, variance[a] = 0.1;
      g_assert_cmpfloat(fabs(rows_at(&r, i, m) - mean[a]), <, 1e-5);
      g_assert_cmpfloat(fabs(exp(rows_at(&r, i, v)) - variance[a]), <, 1e-5);
    }
    if (!*rows_text(&r, i, "reward")) continue;
    const int a = (int)rows_at(&r, i, "action_index");
    const double gain = variance[a] / (variance[a] + 0.05);
    mean[a] += gain * (rows_at(&r, i, "reward") - mean[a]), variance[a] *= 1 - gain;
  }
  rows_clear(&r);
  g_assert_cmpfloat(final(study, "mine", "eval.return"), >,
                    final(study, "none", "eval.return") + 2);
}

/* A step within reach of the goal earns at most 1, and 30 are taken. */
static void check_policy(const char *study) {
  const double mine = final(study, "mine", "eval.return");
  g_assert_cmpfloat(mine, >, final(study, "random", "eval.return") + 5);
  g_assert_cmpfloat(mine, <, 30);
}

/* Behind the place of the robot stands how much of an episode of 30 steps is over. */
static void check_wrapper(const char *study) {
  Rows r = trial_of(study, "oracle/0");
  double steps = 0;
  for (gint64 i = 0; i < r.count; i++, steps++) {
    if (rows_at(&r, i, "begin") > 0) steps = 0;
    g_assert_cmpfloat(fabs(rows_at(&r, i, "obs_2") - steps / 30), <, 1e-6);
  }
  rows_clear(&r);
}

typedef struct Template {
  const char *kind, *option, *compiler;
  void (*check)(const char *study);
} Template;

static const Template templates[] = {
    {"env", "", "cc", check_env},
    {"env", "--cpp", "c++", check_env},
    {"env", "--rust", "rustc", check_env},
    {"inference", "", "cc", check_inference},
    {"inference", "--cpp", "c++", check_inference},
    {"inference", "--rust", "rustc", check_inference},
    {"policy", "", "cc", check_policy},
    {"policy", "--cpp", "c++", check_policy},
    {"policy", "--rust", "rustc", check_policy},
    {"wrapper", "", "cc", check_wrapper},
    {"wrapper", "--cpp", "c++", check_wrapper},
};

/* The CI file's line that runs the commands of README.md. */
static char *line_of_ci(const char *folder) {
  g_autofree char *text = fake_read(folder, ".github/workflows/check.yml");
  g_auto(GStrv) parts = g_strsplit(text, "          sed -n ", 2);
  g_assert_cmpuint(g_strv_length(parts), ==, 2);
  parts[1][strcspn(parts[1], "\n")] = '\0';
  return g_strconcat("sed -n ", parts[1], NULL);
}

static bool is_missing(const char *compiler) {
  g_autofree char *found = g_find_program_in_path(compiler);
  if (!found) g_test_skip_printf("no %s here", compiler);
  return !found;
}

static char *name_of(const char *kind, const char *option) {
  return g_strconcat("own_", kind, *option ? option + 2 : "", NULL);
}

static void test_commands(gconstpointer data) {
  const Template *t = data;
  if (is_missing(t->compiler)) return;
  g_autofree char *name = name_of(t->kind, t->option);
  g_autofree char *new = g_strdup_printf("hunch new %s %s %s", t->kind, name, t->option);
  g_autofree char *folder = g_build_filename(installed.dir, name, NULL);
  g_autofree char *study = g_build_filename(folder, "runs", name, NULL);
  g_autofree char *said = installed_must(&installed, installed.dir, new);
  g_autofree char *line = line_of_ci(folder);
  g_autofree char *out = installed_must(&installed, folder, line);
  expect(out, "hunch check"), expect(out, " kept, 0 broken"), expect(out, "hunch run study.yaml");
  expect(out, "report.html");
  t->check(study);
}

/* In every language a template says the same: what was learnt with it differs in no bit.  After the
 * tests that run the templates. */
static void test_same(void) {
  static const char *const arms[][2] = {{"env", "rl2"}, {"inference", "mine"}, {"policy", "mine"}};
  static const char *const languages[][2] = {{"--cpp", "c++"}, {"--rust", "rustc"}};
  for (guint k = 0; k < G_N_ELEMENTS(languages); k++) {
    if (is_missing(languages[k][1])) return;
    for (guint i = 0; i < G_N_ELEMENTS(arms); i++) {
      g_autofree char *in_c = name_of(arms[i][0], ""), *name = name_of(arms[i][0], languages[k][0]);
      g_autofree char *cell_in_c =
          g_build_filename(installed.dir, in_c, "runs", in_c, arms[i][1], "1", NULL);
      g_autofree char *cell =
          g_build_filename(installed.dir, name, "runs", name, arms[i][1], "1", NULL);
      same_file(cell_in_c, cell, "metrics.csv");
    }
  }
}

/* ---- Rust's headers ---- */

/* How Rust has to write the name of a field. */
static const char *in_rust(const char *field) {
  if (strcmp(field, "self") == 0) return "self_";
  return strcmp(field, "type") == 0 ? "r#type" : strcmp(field, "impl") == 0 ? "r#impl" : field;
}

/* A program that says of every struct and field in `layout` where Rust has it, and what it should
 * say: the layout without types. */
static char *layout_program(const char *layout, GString *expected) {
  g_auto(GStrv) lines = g_strsplit(layout, "\n", -1);
  GString *out =
      g_string_new("mod hunch; use hunch::*; use std::mem::{size_of, MaybeUninit};\n"
                   "fn size<T>(_: *const T) -> usize { size_of::<T>() }\n"
                   "fn main() { println!(\"ABI {}.{}\", HN_ABI >> 16, HN_ABI & 0xffff);\n");
  g_string_append_printf(expected, "%s\n", lines[0]);
  for (char **line = lines + 1; *line; line++) {
    char type[64], field[64];
    int offset, size;
    if (sscanf(*line, "struct %63s %d", type, &size) == 2) {
      g_string_append_printf(expected, "%s\n", *line);
      g_string_append_printf(out, "println!(\"struct %s {}\", size_of::<%s>());\n", type, type);
    }
    if (sscanf(*line, "field %63[^.].%63s %d %d", type, field, &offset, &size) != 4) continue;
    g_string_append_printf(expected, "field %s.%s %d %d\n", type, field, offset, size);
    g_string_append_printf(
        out,
        "{ let u = MaybeUninit::<%s>::uninit();\n"
        "let p = unsafe { std::ptr::addr_of!((*u.as_ptr()).%s) };\n"
        "println!(\"field %s.%s {} {}\", p as usize - u.as_ptr() as usize, size(p)); }\n",
        type, in_rust(field), type, field);
  }
  return g_string_free(g_string_append(out, "}\n"), FALSE);
}

static void test_layout(void) {
  if (is_missing("rustc")) return;
  g_autoptr(GString) expected = g_string_new(NULL);
  g_autofree char *folder = g_build_filename(installed.dir, "layout", NULL);
  g_autofree char *layout = fake_read(GOLDEN, "abi.txt");
  g_autofree char *program = layout_program(layout, expected);
  g_assert_cmpuint(strlen(program), >, 1000);
  g_free(installed_must(&installed, installed.dir, "hunch new env layout --rust"));
  fake_write(folder, "main.rs", program);
  g_autofree char *out =
      installed_must(&installed, folder, "rustc --edition 2021 main.rs -o main 2>&1 && ./main");
  g_assert_cmpstr(out, ==, expected->str);
}

/* A command that is wrong is no success of CI's. */
static void test_wrong_command(void) {
  g_autofree char *folder = g_build_filename(installed.dir, "wrong", NULL);
  g_free(installed_must(&installed, installed.dir, "hunch new env wrong"));
  g_autofree char *line = line_of_ci(folder);
  fake_patch(folder, "README.md", "meson test", "meson tset");
  g_auto(Run) run = installed_shell(&installed, folder, line);
  g_assert_cmpint(run.code, !=, 0);
  expect(run.out, "tset");
}

/* Templates are those of the installed tree; without them, nothing is written. */
static void test_templates(void) {
  g_autofree char *moved = g_strdup_printf(
      "cd \"%s%s\"/hunch\n"
      "printf '\\nmy_plugin!\\n' >> templates/env/README.md\n"
      "hunch new env marked -o \"$HOME/marked\" && grep -x 'marked!' \"$HOME/marked/README.md\"\n"
      "mv templates away\n"
      "hunch new env lost -o \"$HOME/lost\" || echo \"code $?\"\n"
      "mv away templates\n"
      "test ! -e \"$HOME/lost\"\n",
      installed.prefix, "/" DATADIR);
  g_autofree char *out = installed_must(&installed, installed.dir, moved);
  expect(out, "the templates are not there");
  expect(out, "code 1");
}

/* What is installed beside program and plugins: the manual page, and studies to start from. */
static void test_installed_files(void) {
  g_autofree char *script =
      g_strdup_printf("cd '%s'\n"
                      "hunch manual | cmp - " MANDIR "/man1/hunch.1\n"
                      "ls " DATADIR "/hunch/examples\n"
                      "hunch validate " DATADIR "/hunch/examples/quick_noise_point_robot.yaml",
                      installed.prefix);
  g_autofree char *out = installed_must(&installed, installed.dir, script);
  expect(out, "quick_noise_ablation.yaml"), expect(out, "quick_noise_ml1_reach.yaml");
}

/* The kit's library is found where it was installed. */
static void test_kit(void) {
  g_free(installed_must(
      &installed, installed.dir,
      "hunch new policy with_kit\ncd with_kit\n"
      "cc -shared -fPIC $(pkg-config --cflags hunch-kit) -include hunch/kit.h with_kit.c "
      "-Wl,-z,defs,-z,now $(pkg-config --libs hunch-kit) -lm -o with_kit.so\n"
      "hunch inspect ./with_kit.so"));
}

/* ---- refusals ---- */

static bool is_empty(const char *dir) {
  g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
  return !g_dir_read_name(d);
}

static void test_refusals(void) {
  static const struct {
    const char *arguments, *said;
  } wrong[] = {
      {"new env", "expected a kind and a name"},
      {"new env one two", "expected a kind and a name"},
      {"new evn maze", "no kind 'evn'; did you mean 'env'?"},
      {"new env my-maze", "did you mean 'my_maze'?"},
      {"new env 2d", "no digit begins it"},
      {"new env ../maze", "cannot be a plugin's name"},
      {"new env ppo", "there is a plugin 'ppo' already"},
      {"new env test", "a target of Meson's"},
      {"new env my_plugin", "a file of the templates"},
      {"new env hunch", "a file of the templates"},
      {"new wrapper maze --rust", "no template of kind wrapper in rust"},
      {"new env maze --cpp --rust", "not both"},
      {"new env maze -o no/where", "no to write it in"},
      {"new env maze --otuput x", "did you mean --output?"},
  };
  g_autoptr(Folder) dir = folder();
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_auto(Run) run = hunch(dir, wrong[i].arguments);
    if (run.code != 2) g_error("%s: %d, %s", wrong[i].arguments, run.code, run.err);
    expect(run.err, wrong[i].said);
    g_assert_cmpstr(run.out, ==, "");
  }
  g_assert_true(is_empty(dir));
}

/* What is there already stays as it is: a folder, an empty one, a file, a dangling link. */
static void test_existing(void) {
  static const char *const kept[] = {"full", "empty", "file", "link"};
  g_autoptr(Folder) dir = folder();
  g_autofree char *full = g_build_filename(dir, "full", NULL);
  g_autofree char *empty = g_build_filename(dir, "empty", NULL);
  g_autofree char *link = g_build_filename(dir, "link", NULL);
  fake_write(full, "maze.c", "mine"), fake_write(dir, "file", "mine");
  g_assert_true(g_mkdir(empty, 0777) == 0 && symlink("nowhere", link) == 0);
  for (guint i = 0; i < G_N_ELEMENTS(kept); i++) {
    g_autofree char *arguments = g_strdup_printf("new env maze -o %s", kept[i]);
    g_auto(Run) run = hunch(dir, arguments);
    g_assert_cmpint(run.code, ==, 2);
    expect(run.err, "is there already");
  }
  g_autofree char *text = fake_read(full, "maze.c"), *file = fake_read(dir, "file");
  g_assert_true(g_str_equal(text, "mine") && g_str_equal(file, "mine") && is_empty(empty));
  g_auto(Run) again = hunch(dir, "new env maze -o full/maze");
  g_assert_cmpint(again.code, ==, 0);
}

/* With a disk that is full from the k-th write or new file on, there is the whole folder or none.
 */
static void test_full_disk(void) {
  if (!*FAILING_IO || !INSTALLED_IS_PLAIN) {
    g_test_skip("system calls cannot be filtered");
    return;
  }
  const char *argv[] = {HUNCH, "new", "env", "maze", NULL};
  int refused = 0;
  for (int k = 1, done = false; !done; k++) {
    g_assert_cmpint(k, <, 200);
    g_autoptr(Folder) dir = folder();
    g_autofree char *number = g_strdup_printf("%d", k), *log = g_strconcat(dir, ".log", NULL);
    g_autofree char *folder = g_build_filename(dir, "maze", NULL);
    g_autoptr(GSubprocessLauncher) l =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_subprocess_launcher_set_cwd(l, dir);
    const char *const set[][2] = {{"LD_PRELOAD", FAILING_IO},
                                  {"FAILING_IO_UNDER", dir},
                                  {"FAILING_IO_LOG", log},
                                  {"FAILING_IO_AT", number}};
    for (guint i = 0; i < G_N_ELEMENTS(set); i++)
      g_subprocess_launcher_setenv(l, set[i][0], set[i][1], TRUE);
    g_auto(Run) run = end(g_subprocess_launcher_spawnv(l, argv, NULL));
    if (strstr(run.err, "cannot be filtered")) {
      g_test_skip("system calls cannot be filtered here");
      return;
    }
    done = run.code == 0, refused += run.code == 1;
    g_assert_true(done || run.code == 1);
    g_assert_true(done ? g_file_test(folder, G_FILE_TEST_IS_DIR) : is_empty(dir));
    if (!done) expect(run.err, g_strerror(ENOSPC));
    g_unlink(log);
  }
  g_assert_cmpint(refused, >, 5);
}

static void add_installed(void) {
  installed = installed_new();
  for (guint i = 0; i < G_N_ELEMENTS(templates); i++) {
    const Template *t = &templates[i];
    g_autofree char *path = g_strdup_printf("/new/commands/%s%s", t->kind, t->option);
    g_test_add_data_func(path, t, test_commands);
  }
  g_test_add_func("/new/languages/same", test_same);
  g_test_add_func("/new/languages/layout", test_layout);
  g_test_add_func("/new/wrong_command", test_wrong_command);
  g_test_add_func("/new/templates", test_templates);
  g_test_add_func("/new/installed_files", test_installed_files);
  g_test_add_func("/new/kit", test_kit);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  if (INSTALLED_IS_PLAIN) add_installed();
  g_test_add_func("/new/refusals", test_refusals);
  g_test_add_func("/new/existing", test_existing);
  g_test_add_func("/new/full_disk", test_full_disk);
  const int result = g_test_run();
  if (installed.dir) installed_clear(&installed);
  return result;
}
