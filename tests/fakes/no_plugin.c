/* no_plugin.c - a shared object that is no plugin; its constructor must not run. */
#include <stdio.h>
#include <stdlib.h>

/* Leaves a trace if it is ever run. */
__attribute__((constructor)) static void leave_mark(void) {
  const char *path = getenv("HUNCH_TEST_MARK");
  FILE *mark = path ? fopen(path, "w") : NULL;
  if (mark) fclose(mark);
}

int hunch_test_answer(void);
__attribute__((visibility("default"))) int hunch_test_answer(void) {
  return 42;
}
