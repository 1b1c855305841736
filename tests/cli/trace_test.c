/* trace_test.c - the weights of six short cells, digested after every update, are those of
 * golden/trace to the bit.  Whoever only moves or renames code leaves them so; a change that moves
 * them replaces the files (NAME.trace is trace.bin of cell NAME) and says in CHANGELOG why.
 *
 * run.determinism is portable by default, so they are those of every CPU with AVX2 and FMA. */
#include "cli_fixture.h"

enum { DIGEST = 16 };
static Folder *results;

static void test_run(void) {
  g_autofree char *arguments =
      g_strdup_printf("run " GOLDEN "/trace/six_cells.yaml -o %s -j 2", results);
  g_auto(Run) run = hunch(results, arguments);
  if (run.code) g_test_fail_printf("%s", run.err);
}

static void test_cell(gconstpointer data) {
  const char *name = data;
  g_autofree char *golden = g_strdup_printf(GOLDEN "/trace/%s.trace", name);
  g_autofree char *path = g_build_filename(results, name, "0", "trace.bin", NULL);
  g_autofree char *expected = NULL, *got = NULL;
  gsize n = 0, m = 0;
  g_assert_true(g_file_get_contents(golden, &expected, &n, NULL));
  g_assert_true(g_file_get_contents(path, &got, &m, NULL));
  g_assert_cmpuint(m, ==, n);
  g_assert_cmpuint(n % DIGEST, ==, 0);
  for (gsize k = 0; k < n; k += DIGEST)
    if (memcmp(expected + k, got + k, DIGEST) != 0) {
      g_test_fail_printf("%s: the weights after update %d of %d differ, those before do not", name,
                         (int)(k / DIGEST) + 1, (int)(n / DIGEST));
      return;
    }
}

static void test_other_cpu(void) {
  g_test_skip("recorded on a CPU with AVX2 and FMA, which this one does not have");
}

int main(int argc, char **argv) {
  static const char *const cells[] = {"glibrl", "varibad", "rl2", "laplace_vrnn", "vrnn", "none"};
  g_test_init(&argc, &argv, NULL);
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    g_test_add_func("/trace/skipped", test_other_cpu);
    return g_test_run();
  }
  results = folder();
  g_test_add_func("/trace/run", test_run);
  for (guint k = 0; k < G_N_ELEMENTS(cells); k++) {
    g_autofree char *path = g_strdup_printf("/trace/%s", cells[k]);
    g_test_add_data_func(path, cells[k], test_cell);
  }
  int code = g_test_run();
  remove_folder(results);
  return code;
}
