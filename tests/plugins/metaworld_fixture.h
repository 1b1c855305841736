/* metaworld_fixture.h - one task of Meta-World in a world of its own, at the start of its
 * recording. */
#ifndef METAWORLD_FIXTURE_H
#define METAWORLD_FIXTURE_H
#include "../../plugins/envs/metaworld/compat.h"
#include "../../plugins/envs/metaworld/goals.h"
#include "../../plugins/envs/metaworld/model.h"
#include "env_fixture.h"
#include "golden_metaworld.h"
#include "numbers.h"

extern const HnPlugin metaworld_LTX_hn_plugin;
static const HnPlugin *const metaworld = &metaworld_LTX_hn_plugin;
static bool pinned; /* MuJoCo is the release of the recordings */
static char assets[HN_MW_PATH], absent[512];

typedef struct MetaworldFixture {
  FakeHost fake;
  HnMwWorld world;
  HnMwRow row;
  Recording *golden;
  int task;
} MetaworldFixture;

static inline MetaworldFixture *metaworld_fixture_new(int task) {
  MetaworldFixture *g = g_new0(MetaworldFixture, 1);
  g->task = task, g->golden = recording_of(task);
  HnStatus s = hn_mw_world_create(&g->world, fake_host_open(&g->fake), assets, 1, &task);
  if (s) g_error("%s", g->fake.error);
  g->row.task = task;
  memcpy(g->row.rand, g->golden->rand, sizeof g->row.rand);
  s = hn_mw_start(&g->world, &g->row);
  if (s) g_error("%s", g->fake.error);
  return g;
}

static inline void metaworld_fixture_free(MetaworldFixture *g) {
  hn_mw_world_destroy(&g->world);
  fake_host_close(&g->fake);
  g_free(g->golden), g_free(g);
}

static inline void add_tasks(const char *what, GTestDataFunc test) {
  for (int k = 0; k < HN_MW_TASKS; k++) {
    char *path = g_strdup_printf("/metaworld/%s/%s", what, hn_mw_tasks[k].name);
    g_test_add_data_func(path, GINT_TO_POINTER(k), test);
    g_free(path);
  }
}

static inline void test_absent(void) {
  g_test_skip(absent);
}

/* Whether there are models to test with; if not, adds a test that is skipped with the reason. */
static inline bool has_assets(void) {
  FakeHost fake;
  pinned = mj_version() == 330;
  HnStatus s = hn_mw_find_assets(fake_host_open(&fake), assets);
  g_strlcpy(absent, fake.error, sizeof absent);
  fake_host_close(&fake);
  if (s) g_test_add_func("/metaworld/with-models", test_absent);
  return s == HN_OK;
}
#endif
