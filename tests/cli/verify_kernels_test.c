/* verify_kernels_test.c - the quick study's package on other kernels than it was made with: cells
 * of portable runs compute the same bits, those of fast ones others, and verify says from where on.
 */
#include "cli_fixture.h"
#include "kernels_fixture.h"

#define STUDY     "run " EXPERIMENTS "/quick_noise_ablation.yaml -j 1 --arm inferred --seed 0 "
#define TWO       " env.horizon=100 run.steps=200 run.frames=3200 evaluation.every=0 evaluation.tasks=1"
#define PACK      " --license MIT --dirty --unfinished"
#define VERIFY    " --run --cell inferred/0"
#define PROCESSOR "Haswell" /* of qemu: AVX2 and FMA, nothing wider */

static void run_well(const char *dir, const char *arguments) {
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code) g_error("%s: %d %s", arguments, run.code, run.err);
}

static void says(const Run *run, const char *text) {
  if (run->code) g_error("%d\n%s%s", run->code, run->out, run->err);
  expect(run->out, text);
}

static void test_portable(void) {
  g_autoptr(Folder) dir = folder();
  run_well(dir, STUDY "-o p" TWO);
  run_well(dir, "pack p -o p.zip" PACK);
  for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
    if (!can_be_set(&settings[i])) continue;
    set(settings[i].variable, settings[i].value);
    g_auto(Run) run = hunch(dir, "verify p.zip" VERIFY);
    set(settings[i].variable, NULL);
    says(&run, "p.zip: bitwise\n  ");
    expect(run.out, "  prefix inferred/0: bitwise, 2 updates\n");
    expect(run.out, "  replay inferred/0: bitwise\n");
  }
}

/* As many features as let float64 rounding reach the weights at once: with the study's own 16 and
 * 32, kernels agree after it to float32.  `hunch verify` does not ask for Sandybridge's kernels by
 * itself. */
static void test_fast(void) {
  g_autoptr(Folder) dir = folder();
  set("OPENBLAS_CORETYPE", "Sandybridge");
  run_well(dir, STUDY "-o f run.determinism=fast inference.transition_features=128 "
                      "inference.reward_features=256" TWO);
  run_well(dir, "pack f -o f.zip" PACK);
  g_auto(Run) same = hunch(dir, "verify f.zip" VERIFY);
  set("OPENBLAS_CORETYPE", "Haswell");
  g_auto(Run) other = hunch(dir, "verify f.zip" VERIFY);
  set("OPENBLAS_CORETYPE", NULL);
  says(&same, "f.zip: bitwise\n");
  says(&other, "f.zip: numeric\n");
  expect(other.out, "  prefix inferred/0: numeric, 2 updates; weights differ from update 2 on; ");
  expect(other.out, "; after update 2, tensor inference/");
}

/* A processor with AVX2 and FMA alone, emulated: sums and roots in float64, libm and MuJoCo give
 * what they give here. */
static void test_emulated(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  g_test_skip("a sanitizer's shadow memory has no place in an emulated address space");
  return;
#endif
  g_autofree char *qemu = g_find_program_in_path("qemu-x86_64");
  if (!qemu) {
    g_test_skip("no qemu-x86_64, of Debian's qemu-user");
    return;
  }
  static const char *const files[] = {"trace.bin", "metrics.csv", "episodes.csv"};
  g_autoptr(Folder) dir = folder();
  run_well(dir, STUDY "-o n env.horizon=20 run.rows=2 run.episodes=1 run.frames=80 "
                      "policy.n_epochs=1 policy.n_minibatches=2 policy.obs_embed=8 "
                      "inference.hidden_units=16 inference.start=1 inference.updates=1 "
                      "inference.anchors=8 evaluation.every=0 evaluation.tasks=1");
  g_autofree char *cell = g_build_filename(dir, "n/inferred/0", NULL);
  g_autofree char *line =
      g_strdup_printf("mkdir q && cp %s/config.resolved.yaml q && HUNCH_PLUGIN_PATH= "
                      "OPENBLAS_NUM_THREADS=1 exec qemu-x86_64 -cpu " PROCESSOR " %s cell q 2",
                      cell, HUNCH);
  const char *argv[] = {"sh", "-c", line, NULL};
  g_autofree char *err = NULL, *emulated = g_build_filename(dir, "q", NULL);
  int status = -1;
  g_assert_true(g_spawn_sync(dir, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                             NULL, &err, &status, NULL));
  if (status) g_error("%s", err);
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *mine = g_build_filename(cell, files[i], NULL), *a = NULL, *b = NULL;
    g_autofree char *its = g_build_filename(emulated, files[i], NULL);
    gsize n = 0, m = 0;
    g_assert_true(g_file_get_contents(mine, &a, &n, NULL));
    g_assert_true(g_file_get_contents(its, &b, &m, NULL));
    g_assert_cmpmem(a, n, b, m);
  }
  g_autofree char *facts = fake_read(emulated, "run.json");
  expect(facts, "\"isa\" : \"v3\"");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  set_nothing();
  if (!has_portable_kernels()) {
    g_test_add_func("/verify_kernels/skipped", skip_other_cpu);
    return g_test_run();
  }
  g_test_add_func("/verify_kernels/portable", test_portable);
  g_test_add_func("/verify_kernels/fast", test_fast);
  g_test_add_func("/verify_kernels/emulated", test_emulated);
  return g_test_run();
}
