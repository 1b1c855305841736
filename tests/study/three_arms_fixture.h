/* three_arms_fixture.h - a study of three arms and three seeds, made of files. */
#ifndef THREE_ARMS_FIXTURE_H
#define THREE_ARMS_FIXTURE_H
#include "results_fixture.h"

static const FakeArm arms[] = {{"inferred", "glibrl", 12, 4, 1.5, 0.05},
                               {"memory only", "gru", 9, 3, 0, 0},
                               {"fixed", "glibrl", 10, 3, 2.0, 0.1}};
static const FakeStudy three = {"noise", arms, 3, 3, 20, 5, 60, "mean"};

static inline char *temporary(void) {
  char *dir = g_dir_make_tmp("hunch-report-XXXXXX", NULL);
  g_assert_nonnull(dir);
  return dir;
}

static inline void done(char *dir) {
  fake_remove(dir);
  g_free(dir);
}
#endif
