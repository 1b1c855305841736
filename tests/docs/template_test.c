/* template_test.c - the plugins in plugins/template compile by the README's own line, against this
 * tree and against what `meson install` installs, keep the laws of their kinds, and work. */
#include "cell_fixture.h"
#include "check.h"
#include "csv_table.h"
#include "stand_in.h"
#include <sys/wait.h>

static const char *const kinds[] = {"env", "inference", "policy", "wrapper"};
static char *dir;                 /* my_env.so, .. are here */
static const HnPlugin *plugin[4]; /* in that order */

/* Runs a shell's line in the folder; fails with what it prints. */
static void shell(const char *line) {
  g_autofree char *quoted = g_shell_quote(line);
  g_autofree char *full = g_strdup_printf("sh -c %s", quoted), *out = NULL, *err = NULL;
  g_auto(GStrv) argv = NULL;
  int status = -1;
  g_assert_true(g_shell_parse_argv(full, NULL, &argv, NULL));
  g_assert_true(
      g_spawn_sync(dir, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status, NULL));
  if (status != 0) g_error("%s: %d\n%s%s", line, WEXITSTATUS(status), out, err);
}

/* The README's line for plugins/template/env.c. */
static char *readme_line(void) {
  g_autoptr(GRegex) regex =
      g_regex_new("^cc .*plugins/template/env\\.c.*$", G_REGEX_MULTILINE, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  g_autofree char *page = file_in(SOURCE, "README.md", NULL);
  g_assert_true(g_regex_match(regex, page, 0, &match));
  return g_match_info_fetch(match, 0);
}

static char *replaced(const char *text, const char *from, const char *to) {
  g_auto(GStrv) parts = g_strsplit(text, from, -1);
  return g_strjoinv(to, parts);
}

static void build(void) {
  g_autofree char *line = readme_line();
  shell("ln -s " SOURCE "/core " SOURCE "/plugins .");
  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
    g_autofree char *source = g_strdup_printf("template/%s.c", kinds[k]);
    g_autofree char *object = g_strdup_printf("my_%s.so", kinds[k]);
    g_autofree char *half = replaced(line, "template/env.c", source);
    g_autofree char *whole = replaced(half, "my_env.so", object);
    g_autofree char *path = g_build_filename(dir, object, NULL);
    GError *error = NULL;
    shell(whole);
    plugin[k] = hn_plugins_load(path, k < 3 ? (HnKind)(k + 1) : HN_KIND_ENV, &error);
    g_assert_no_error(error);
  }
}

static void test_laws(void) {
  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++)
    for (const HnLaw *law = hn_check_laws(plugin[k]->kind); law->name; law++) {
      HnCell cell = hn_stand_in_cell(part_of(plugin[k], ""), false);
      g_autoptr(GString) why = g_string_new(NULL);
      HnVerdict verdict = hn_check_judge(law, &cell, why);
      if (verdict == HN_LAW_BROKEN)
        g_error("%s breaks %s: %s", plugin[k]->name, law->name, why->str);
      if (verdict == HN_LAW_SKIPPED) g_test_message("%s: %s", law->name, why->str);
      cell_clear(&cell);
    }
}

static HnPluginChoice choice(const char *name, HnKind kind) {
  GError *error = NULL;
  const HnPlugin *p = hn_plugins_load(name, kind, &error);
  g_assert_no_error(error);
  return part_of(p, "");
}

/* Runs a cell in a folder of its own, which the caller removes. */
static char *run(HnCell *c) {
  char *folder = folder_new();
  GError *error = NULL;
  hn_run_cell(c, folder, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  return folder;
}

/* A linear policy that is told where the goal is finds it; with nothing learnt it hardly does. */
static void test_policy_learns(void) {
  double success[2];
  for (int learns = 0; learns < 2; learns++) {
    HnCell c =
        cell_of_parts(choice("point_robot", HN_KIND_ENV), choice("oracle", HN_KIND_INFERENCE),
                      part_of(plugin[2], learns ? "lr: 0.05" : "lr: 0"));
    c.run.frames = 300000, c.run.rows = 16, c.run.steps = 0, c.run.episodes = 1;
    c.run.checkpoint_every = 0, c.evaluation.every = 0, c.evaluation.tasks = 20;
    char *folder = run(&c);
    const double *x = metrics_column(folder, "eval.success");
    success[learns] = x[0];
    g_free((void *)(guintptr)x), folder_free(folder), cell_clear(&c);
  }
  g_assert_cmpfloat(success[1], >=, 0.9);
  g_assert_cmpfloat(success[0], <, 0.2);
}

/* The belief agrees with a Kalman filter on the recorded rewards; with a mass of 1 kg a step is
 * Gymnasium's: x'' = 3 g / (2 l) sin x + 3 u / (m l^2), Euler's semi-implicit step of 0.05 s. */
static void test_numbers(void) {
  HnCell c = cell_of_parts(part_of(plugin[0], "mass_low: 1, mass_high: 1, horizon: 20"),
                           part_of(plugin[1], "prior_variance: 4, noise_variance: 0.25"),
                           part_of(plugin[2], ""));
  char *folder = run(&c);
  g_autofree char *path = g_build_filename(folder, "trial.csv", NULL);
  HnTable *t = hn_table_read(path, NULL);
  const int64_t begin = hn_table_find(t, "begin"), obs = hn_table_find(t, "obs_0"),
                act = hn_table_find(t, "act_0"), next = hn_table_find(t, "next_obs_0"),
                reward = hn_table_find(t, "reward"), belief = hn_table_find(t, "belief_0");
  double mean = 0, variance = 4;
  g_assert_cmpint(t->rows, >, 40);
  for (int64_t i = 0; i < t->rows; i++) {
    if (hn_table_at(t, i, begin) == 2) mean = 0, variance = 4;
    g_assert_cmpfloat(fabs(hn_table_at(t, i, belief) - mean), <, 1e-5);
    g_assert_cmpfloat(fabs(exp(hn_table_at(t, i, belief + 1)) - variance), <, 1e-5);
    if (!hn_table_filled(t, i, reward)) continue;
    const double r = hn_table_at(t, i, reward), gain = variance / (variance + 0.25);
    mean += gain * (r - mean), variance *= 1 - gain;
    const double x = atan2(hn_table_at(t, i, obs + 1), hn_table_at(t, i, obs));
    const double v = hn_table_at(t, i, obs + 2), u = 2 * CLAMP(hn_table_at(t, i, act), -1, 1);
    const double speed = CLAMP(v + (3 * 10 / 2.0 * sin(x) + 3 * u) * 0.05, -8, 8);
    g_assert_cmpfloat(fabs(r + x * x + 0.1 * v * v + 0.001 * u * u), <, 1e-4);
    g_assert_cmpfloat(fabs(hn_table_at(t, i, next + 2) - speed), <, 1e-4);
    g_assert_cmpfloat(fabs(hn_table_at(t, i, next) - cos(x + 0.05 * speed)), <, 1e-4);
  }
  hn_table_free(t), folder_free(folder), cell_clear(&c);
}

/* The wrapper shows how much of an episode of 20 steps is over, behind what the pendulum shows. */
static void test_wrapper(void) {
  HnCell c =
      cell_of_parts(around(part_of(plugin[3], "scale: 2"), part_of(plugin[0], "horizon: 20")),
                    part_of(plugin[1], ""), part_of(plugin[2], ""));
  char *folder = run(&c);
  g_autofree char *path = g_build_filename(folder, "trial.csv", NULL);
  HnTable *t = hn_table_read(path, NULL);
  const int64_t begin = hn_table_find(t, "begin"), obs = hn_table_find(t, "obs_0");
  double steps = 0;
  g_assert_cmpint(t->rows, >, 40);
  for (int64_t i = 0; i < t->rows; i++, steps++) {
    if (hn_table_at(t, i, begin) > 0) steps = 0;
    const double x = hn_table_at(t, i, obs), y = hn_table_at(t, i, obs + 1);
    g_assert_cmpfloat(fabs(x * x + y * y - 1), <, 1e-5);
    g_assert_cmpfloat(fabs(hn_table_at(t, i, obs + 3) - steps / 10), <, 1e-6);
  }
  hn_table_free(t), folder_free(folder), cell_clear(&c);
}

/* Elsewhere: what pkg-config says of an installed tree, without the kit and with it. */
static void test_installed(void) {
  shell("meson install -C " BUILD " --no-rebuild --quiet --destdir \"$PWD/root\"");
  shell(
      "export PKG_CONFIG_SYSROOT_DIR=\"$PWD/root\" "
      "PKG_CONFIG_PATH=\"$(dirname \"$(find \"$PWD/root\" -name hunch.pc)\")\"\n"
      "test -f \"$PKG_CONFIG_SYSROOT_DIR$(PKG_CONFIG_SYSROOT_DIR= "
      "pkg-config --variable=plugindir hunch)/ppo.so\"\n"
      "cc -shared -fPIC -Wl,-z,defs,-z,now $(pkg-config --cflags hunch) "
      "plugins/template/env.c -lm -o root/my_env.so\n"
      "cc -shared -fPIC -Wl,-z,defs,-z,now $(pkg-config --cflags hunch-kit) -include hunch/kit.h "
      "plugins/template/policy.c $(pkg-config --libs hunch-kit) -lm -o root/my_policy.so\n"
      "cd root && HUNCH_PLUGIN_PATH=$PWD \"$(find \"$PWD\" -name hunch -type f)\" inspect my_env");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  dir = folder_new();
  build();
  g_test_add_func("/template/laws", test_laws);
  g_test_add_func("/template/policy_learns", test_policy_learns);
  g_test_add_func("/template/numbers", test_numbers);
  g_test_add_func("/template/wrapper", test_wrapper);
  g_test_add_func("/template/installed", test_installed);
  const int result = g_test_run();
  folder_free(dir);
  return result;
}
