/* portable_test.c - run.determinism: the bits of a portable run whatever kernels the environment
 * asks for, and what is said where kernels differ or cannot be had.  The cell is one that the
 * kernels move: with 256 features SkylakeX's give other weights than Haswell's after three updates.
 */
#include "cli_fixture.h"
#include "kernels_fixture.h"

static const char *const yaml =
    "hunch: 1\nname: s\nseeds: {root: 7, count: 2}\nbase:\n"
    "  env: {plugin: point_robot}\n"
    "  inference: {plugin: glibrl, transition_features: 128, reward_features: 256,\n"
    "    hidden_units: 32, buffer: 40, start: 4, batch: 8, updates: 4}\n"
    "  policy: {plugin: ppo, anneal: false, n_epochs: 1, n_minibatches: 2, hidden: \"16\"}\n"
    "  run: {frames: 4800, rows: 8, steps: 200, episodes: 2, checkpoint_every: 0}\n"
    "  evaluation: {every: 3, tasks: 2, episodes: 1}\n";
/* Small, for what is said. */
#define SMALL                                                         \
  " -j 1 inference.transition_features=8 inference.reward_features=8" \
  " run.steps=20 run.rows=4 run.episodes=1 run.checkpoint_every=2 evaluation.tasks=1"
#define SHORT      " run.frames=400"
#define NO_FMA     "glibc.cpu.hwcaps=-FMA"
#define CHECKPOINT "base/0/ckpt/00000003.safetensors"

static Folder *study(void) {
  Folder *dir = folder();
  fake_write(dir, "s.yaml", yaml);
  return dir;
}

static void run_well(const char *dir, const char *arguments) {
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code) g_error("%s: %d %s", arguments, run.code, run.err);
}

/* "isa" : "v3" of a run's facts; g_free. */
static char *fact(const char *dir, const char *member) {
  g_autofree char *json = fake_read(dir, "base/0/run.json");
  g_autofree char *start = g_strdup_printf("\"%s\" : ", member);
  g_auto(GStrv) parts = g_strsplit(json, start, 2);
  g_assert_nonnull(parts[1]);
  return g_strndup(parts[1], strcspn(parts[1], ",\n"));
}

static void fact_is(const char *dir, const char *member, const char *expected) {
  g_autofree char *value = fact(dir, member);
  if (strcmp(value, expected) != 0) g_error("%s: %s, not %s", member, value, expected);
}

static void same_bytes(const char *a, const char *b, const char *name) {
  g_autofree char *in_a = g_build_filename(a, name, NULL), *in_b = g_build_filename(b, name, NULL);
  g_autofree char *x = NULL, *y = NULL;
  gsize n = 0, m = 0;
  g_assert_true(g_file_get_contents(in_a, &x, &n, NULL));
  g_assert_true(g_file_get_contents(in_b, &y, &m, NULL));
  g_assert_cmpuint(n, >, 0);
  if (n != m || memcmp(x, y, n) != 0) g_test_fail_printf("%s of %s differs", name, b);
}

/* Weights after every update and all that is saved: equal whatever the environment asks for. */
static void test_bits(void) {
  g_autoptr(Folder) dir = study();
  g_autofree char *first = g_build_filename(dir, settings[0].name, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
    const Setting *s = &settings[i];
    if (!can_be_set(s)) continue;
    g_autofree char *command = g_strdup_printf("run s.yaml -o %s -j 1 --seed 0", s->name);
    g_autofree char *other = g_build_filename(dir, s->name, NULL);
    set(s->variable, s->value);
    run_well(dir, command);
    set(s->variable, NULL);
    same_bytes(first, other, "base/0/trace.bin");
    same_bytes(first, other, "base/0/metrics.csv");
    same_bytes(first, other, CHECKPOINT);
    fact_is(other, "determinism", "\"portable\"");
    fact_is(other, "blas", "\"Haswell\"");
    if (s->isa) fact_is(other, "isa", s->isa);
  }
}

/* Fast runs take what the environment asks for, and say so. */
static void test_fast(void) {
  g_autoptr(Folder) dir = study();
  g_autofree char *cells = g_build_filename(dir, "f", NULL);
  set("OPENBLAS_CORETYPE", "Sandybridge"), set("HUNCH_ISA", "base");
  run_well(dir, "run s.yaml -o f --seed 0 run.determinism=fast" SMALL SHORT);
  set("OPENBLAS_CORETYPE", NULL), set("HUNCH_ISA", NULL);
  fact_is(cells, "determinism", "\"fast\"");
  fact_is(cells, "blas", "\"Sandybridge\"");
  fact_is(cells, "isa", "\"base\"");
  fact_is(cells, "kernels_changed", "null");
}

/* Where libm would take other variants nothing portable begins, and nothing is written. */
static void test_lacking(void) {
  g_autoptr(Folder) dir = study();
  g_autofree char *cells = g_build_filename(dir, "p", NULL);
  set("GLIBC_TUNABLES", NO_FMA);
  g_auto(Run) run = hunch(dir, "run s.yaml -o p --seed 0" SMALL SHORT);
  g_auto(Run) doctor = hunch(dir, "doctor");
  set("GLIBC_TUNABLES", NULL);
  g_assert_cmpint(run.code, ==, 2);
  expect(run.err, "s.yaml:5:3: error: arm base: run.determinism: portable needs AVX2 and FMA, and "
                  "this machine lacks FMA");
  g_assert_false(g_file_test(cells, G_FILE_TEST_EXISTS));
  expect(doctor.out, "this machine lacks FMA");
}

/* Cells of one study on kernels of libm and of OpenBLAS that differ: compare says which. */
static void test_compare(void) {
  g_autoptr(Folder) dir = study();
  run_well(dir, "run s.yaml -o f --seed 0 run.determinism=fast" SMALL SHORT);
  set("GLIBC_TUNABLES", NO_FMA), set("OPENBLAS_CORETYPE", "Sandybridge");
  run_well(dir, "run s.yaml -o f --seed 1 run.determinism=fast" SMALL SHORT);
  set("GLIBC_TUNABLES", NULL), set("OPENBLAS_CORETYPE", NULL);
  g_auto(Run) compare = hunch(dir, "compare f");
  g_assert_cmpint(compare.code, ==, 0);
  expect(compare.out, "note: Cells were computed by different kernels (OpenBLAS's kernels: ");
  expect(compare.out, " and Sandybridge; libm's fingerprint: ");
  g_assert_null(strstr(compare.out, "different machines"));
}

/* A run that goes on with other kernels says so, at once and ever after; a portable one need not.
 */
static void test_going_on(void) {
  static const char *const modes[] = {"fast", "portable"};
  for (int portable = 0; portable < 2; portable++) {
    g_autoptr(Folder) dir = study();
    g_autofree char *cells = g_build_filename(dir, "g", NULL);
    g_autofree char *command =
        g_strdup_printf("run s.yaml -o g --seed 0 run.determinism=%s" SMALL, modes[portable]);
    g_autofree char *begin = g_strconcat(command, SHORT, NULL);
    g_autofree char *go_on = g_strconcat(command, " run.frames=800", NULL);
    set("OPENBLAS_CORETYPE", "Haswell");
    run_well(dir, begin);
    set("OPENBLAS_CORETYPE", "Sandybridge");
    g_auto(Run) run = hunch(dir, go_on);
    set("OPENBLAS_CORETYPE", NULL);
    if (run.code) g_error("%d %s", run.code, run.err);
    const char *changed = "OpenBLAS's kernels were Haswell and are Sandybridge";
    g_assert_true((strstr(run.err, changed) != NULL) == !portable);
    g_assert_true((strstr(run.err, "does not offer the kernels") != NULL) == !portable);
    g_auto(Run) compare = hunch(dir, "compare g");
    g_assert_true((strstr(compare.out, changed) != NULL) == !portable);
    g_autofree char *quoted = g_strdup_printf("\"%s\"", changed);
    fact_is(cells, "kernels_changed", portable ? "null" : quoted);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  set_nothing();
  if (!has_portable_kernels()) {
    g_test_add_func("/portable/skipped", skip_other_cpu);
    return g_test_run();
  }
  g_test_add_func("/portable/bits", test_bits);
  g_test_add_func("/portable/fast", test_fast);
  g_test_add_func("/portable/lacking", test_lacking);
  g_test_add_func("/portable/compare", test_compare);
  g_test_add_func("/portable/going_on", test_going_on);
  return g_test_run();
}
