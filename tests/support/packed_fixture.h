/* packed_fixture.h - a finished study in a folder of the test's own, and its package. */
#ifndef HN_PACKED_FIXTURE_H
#define HN_PACKED_FIXTURE_H
#include "cli_fixture.h"

/* A folder with the study's source, s.yaml, its results, `out`, run with the overrides, and their
 * package, a.zip. */
static inline Folder *packed_study(const char *study, const char *overrides) {
  Folder *home = folder();
  g_autofree char *line = g_strconcat("run s.yaml -o out -j 1", overrides, NULL);
  fake_write(home, "s.yaml", study);
  g_auto(Run) run = hunch(home, line),
              pack = hunch(home, "pack out -o a.zip --license MIT --dirty");
  if (run.code != 0 || pack.code != 0) g_error("%s%s", run.err, pack.err);
  return home;
}

/* The same in a folder that may be changed. */
static inline Folder *packed_copy(const char *home) {
  Folder *dir = folder();
  g_autofree char *line = g_strdup_printf("cp -r out a.zip s.yaml %s", dir);
  g_assert_cmpint(shell(home, line), ==, 0);
  return dir;
}
#endif
