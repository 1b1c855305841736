/* metaworld_wild_test.c - every task of Meta-World under wild actions: whatever the hand does,
 * rewards stay in [0, 10], observations finite, and an unstable simulation ends its row's episode,
 * with the reason logged, and nothing else.
 *
 * 400 steps a task; with -m thorough 10,000, which is for sanitizers and takes minutes:
 *   meson test -C build metaworld_wild_test --test-args='-m thorough' */
#include "../../plugins/envs/metaworld/model.h"
#include "../../plugins/envs/metaworld/world.h"
#include "env_fixture.h"

extern const HnPlugin metaworld_LTX_hn_plugin;
static const HnPlugin *const metaworld = &metaworld_LTX_hn_plugin;
enum { ROWS = 4, HORIZON = 100 };
static char absent[512];

/* Row 0 trembles, row 1 holds an action for a while, row 2 goes from limit to limit, and row 3 far
 * beyond all limits now and then. */
static void act_wildly(EnvFixture *f, int64_t t, HnRng *rng) {
  for (int64_t i = 0; i < ROWS; i++) {
    float *act = f->action + i * HN_MW_ACT;
    for (int k = 0; k < HN_MW_ACT; k++) {
      double u = hn_rng_uniform(rng, -1.25, 1.25);
      if (i == 1 && t % 25) continue;
      if (i == 2) u = u > 0 ? 1 : -1;
      if (i == 3 && t % 10 == 0) u *= 1e6;
      act[k] = (float)u;
    }
  }
}

static void look_at_row(const EnvFixture *f, int64_t i) {
  float reward = f->b.reward[i], success = env_fixture_info(f, i, "success");
  for (int k = 0; k < HN_MW_OBS; k++)
    if (!isfinite(f->b.obs[i * HN_MW_OBS + k])) g_error("obs[%d] is not finite", k);
  if (!(reward >= 0 && reward <= 10)) g_error("reward %g", (double)reward);
  g_assert_true(success == 0 || success == 1);
  g_assert_cmpint(f->b.truncated[i], ==, env_fixture_info(f, i, "unstable") > 0);
  g_assert_cmpint(f->b.terminated[i], ==, 0);
}

static void begin_again(EnvFixture *f, int64_t t) {
  gboolean any = FALSE;
  for (int64_t i = 0; i < ROWS; i++) {
    gboolean due = f->b.truncated[i] || t % HORIZON == HORIZON - 1;
    f->begin[i] = !due ? HN_KEEP : f->b.truncated[i] ? HN_NEW_EPISODE : HN_NEW_TASK;
    f->b.task_index[i] = (t / HORIZON + 13 * i) % HN_MW_GOALS;
    if (f->begin[i] == HN_NEW_TASK) memset(env_fixture_row(f, i), 0, f->spec.row_size);
    any |= due;
  }
  if (any) g_assert_cmpint(f->env->reset(f->self, &f->b), ==, HN_OK);
}

static void test_wild(gconstpointer data) {
  const char *name = hn_mw_tasks[GPOINTER_TO_INT(data)].name;
  const int64_t steps = (g_test_thorough() ? 10000 : 400) / ROWS;
  char *task = g_strdup_printf("task=%s", name);
  const Setting set[] = {{"benchmark", HN_MW_MT1}, {task, 0}, {NULL, 0}};
  EnvFixture *f = env_fixture_new(metaworld, ROWS, set);
  HnRng rng = hn_rng(11, (uint64_t)GPOINTER_TO_INT(data));
  int unstable = 0;
  double best = 0;
  env_fixture_reset(f, HN_NEW_TASK, 0);
  for (int64_t t = 0; t < steps; t++) {
    act_wildly(f, t, &rng);
    env_fixture_step(f);
    for (int64_t i = 0; i < ROWS; i++) {
      look_at_row(f, i);
      unstable += f->b.truncated[i];
      best = MAX(best, (double)f->b.reward[i]);
    }
    begin_again(f, t);
  }
  g_test_message("%s: %d episodes truncated as unstable, best reward %.2f", name, unstable, best);
  if (unstable) g_assert_nonnull(strstr(f->fake.logged, name));
  g_assert_cmpint(unstable, <=, steps / 20); /* rare, or something is wrong with the emulation */
  env_fixture_free(f);
  g_free(task);
}

static void test_absent(void) {
  g_test_skip(absent);
}

int main(int argc, char **argv) {
  FakeHost fake;
  char assets[HN_MW_PATH];
  g_test_init(&argc, &argv, NULL);
  HnStatus s = hn_mw_find_assets(fake_host_open(&fake), assets);
  g_strlcpy(absent, fake.error, sizeof absent);
  fake_host_close(&fake);
  if (s) {
    g_test_add_func("/metaworld_wild/with-models", test_absent);
    return g_test_run();
  }
  for (int k = 0; k < HN_MW_TASKS; k++) {
    char *path = g_strdup_printf("/metaworld_wild/%s", hn_mw_tasks[k].name);
    g_test_add_data_func(path, GINT_TO_POINTER(k), test_wild);
    g_free(path);
  }
  return g_test_run();
}
