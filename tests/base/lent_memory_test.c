/* lent_memory_test.c - memory that is lent: one and the same at two addresses, of which one only reads.
 */
#include "pages.h"
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_lent(void) {
  static const gsize sizes[] = {0, 1, 4096, 5000000};
  for (guint k = 0; k < G_N_ELEMENTS(sizes); k++) {
    gsize lent;
    char *p = hn_lent_new(sizes[k], &lent);
    g_assert_cmpuint(lent, >=, sizes[k]);
    for (gsize i = 0; i < sizes[k]; i += 997) {
      g_assert_cmpint(p[lent + i], ==, 0);
      p[i] = (char)(1 + i % 100);
      g_assert_cmpint(p[lent + i], ==, p[i]);
    }
    g_assert_cmpfloat(hn_lent_bytes(), ==, (double)lent);
    g_assert_true(hn_lent_holds(p + lent) && hn_lent_holds(p + 2 * lent - 1));
    g_assert_false(hn_lent_holds(p) || hn_lent_holds(p + lent - 1) || hn_lent_holds(p + 2 * lent));
    hn_lent_free(p, lent);
    g_assert_false(hn_lent_holds(p + lent));
  }
  hn_lent_free(NULL, 0);
  g_assert_cmpfloat(hn_lent_bytes(), ==, 0);
}

static int status_of(void (*run)(void)) {
  int status;
  const pid_t child = fork();
  if (child == 0) run(), _exit(0);
  waitpid(child, &status, 0);
  return status;
}

static void write_to_lent(void) {
  gsize lent;
  char *p = hn_lent_new(1, &lent);
  signal(SIGSEGV, SIG_DFL);
  p[lent] = 1;
}

/* Limits on files are none on memory. */
static void lend_beyond_files(void) {
  const struct rlimit least = {4096, 4096};
  gsize lent;
  setrlimit(RLIMIT_FSIZE, &least);
  memset(hn_lent_new(1 << 20, &lent), 1, 1 << 20);
}

static void test_processes(void) {
  const int status = status_of(write_to_lent);
  g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  g_assert_cmpint(status_of(lend_beyond_files), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/lent-memory/lent", test_lent);
  g_test_add_func("/lent-memory/processes", test_processes);
  return g_test_run();
}
