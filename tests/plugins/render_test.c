/* render_test.c - pictures of the environments on MuJoCo: of the state and nothing else, in the
 * size asked for.  Skipped with what is missing where there is no OpenGL. */
#include "env_fixture.h"
#include <stdio.h>

extern const HnPlugin cheetah_vel_LTX_hn_plugin, ant_dir_LTX_hn_plugin, ant_goal_LTX_hn_plugin,
    walker_rand_params_LTX_hn_plugin, humanoid_dir_LTX_hn_plugin;
static const HnPlugin *const plugins[] = {
    &cheetah_vel_LTX_hn_plugin, &ant_dir_LTX_hn_plugin, &ant_goal_LTX_hn_plugin,
    &walker_rand_params_LTX_hn_plugin, &humanoid_dir_LTX_hn_plugin};

enum { W = 161, H = 97, GUARD = 64, BYTES = 3 * W * H };

typedef struct Picture {
  uint8_t before[GUARD], rgb[BYTES], after[GUARD];
} Picture;

static HnStatus draw(EnvFixture *f, int64_t width, int64_t height, uint8_t *rgb) {
  return f->env->render(f->self, env_fixture_row(f, 0), width, height, rgb);
}

/* Draws into a frame that must stay as it is. */
static void take(EnvFixture *f, Picture *p) {
  memset(p, 0x5a, sizeof *p);
  HnStatus s = draw(f, W, H, p->rgb);
  if (s) g_error("%s: %s", f->plugin->name, f->fake.error);
  for (int k = 0; k < GUARD; k++) g_assert_true(p->before[k] == 0x5a && p->after[k] == 0x5a);
}

static int differing(const Picture *a, const Picture *b) {
  int n = 0;
  for (int k = 0; k < BYTES; k += 3) n += memcmp(a->rgb + k, b->rgb + k, 3) != 0;
  return n;
}

/* An environment at the start of an episode, or NULL and a skipped test. */
static EnvFixture *begun(const HnPlugin *plugin) {
  EnvFixture *f = env_fixture_new(plugin, 1, NULL);
  static uint8_t pixel[3];
  env_fixture_reset(f, HN_NEW_TASK, -1);
  /* an ant's, as the cheetah draws itself in any case */
  EnvFixture *ant = env_fixture_new(&ant_dir_LTX_hn_plugin, 1, NULL);
  env_fixture_reset(ant, HN_NEW_TASK, -1);
  HnStatus s = draw(ant, 1, 1, pixel);
  if (s == HN_E_UNSUPPORTED) {
    g_test_skip(ant->fake.error);
    env_fixture_free(f), f = NULL;
  }
  env_fixture_free(ant);
  return f;
}

/* The same state is the same picture, whatever was drawn between; another is another; the body is
 * in the middle, sky or ground about it. */
static void test_states(gconstpointer plugin) {
  static Picture first, again, later;
  EnvFixture *f = begun(plugin);
  if (!f) return;
  HnRng rng = hn_rng(3, 1);
  char *kept = g_memdup2(env_fixture_row(f, 0), f->spec.row_size);
  take(f, &first), take(f, &again);
  g_assert_cmpint(differing(&first, &again), ==, 0);
  for (int t = 0; t < 20; t++) env_fixture_random_action(f, 0, &rng), env_fixture_step(f);
  take(f, &later);
  g_assert_cmpint(differing(&first, &later), >, W * H / 100);
  uint8_t *small = g_malloc(3 * 40 * 30);
  g_assert_cmpint(draw(f, 40, 30, small), ==, HN_OK);
  memset(small, 0x5a, 3 * 40 * 30);
  g_assert_cmpint(draw(f, 20, 30, small), ==, HN_OK); /* another width alone is another size */
  for (int k = 3 * 20 * 30; k < 3 * 40 * 30; k++) g_assert_cmpint(small[k], ==, 0x5a);
  memcpy(env_fixture_row(f, 0), kept, f->spec.row_size);
  take(f, &again);
  g_assert_cmpint(differing(&first, &again), ==, 0);
  int lit = 0;
  for (int k = 0; k < BYTES; k++) lit += first.rgb[k] > 60;
  g_assert_cmpint(lit, >, BYTES / 2); /* not a black picture */
  const uint8_t *middle = first.rgb + 3 * (H / 2 * W + W / 2), *corner = first.rgb;
  g_assert_cmpint(memcmp(middle, corner, 3), !=, 0);
  g_free(small), g_free(kept), env_fixture_free(f);
}

static void test_sizes(void) {
  EnvFixture *f = begun(&ant_goal_LTX_hn_plugin);
  if (!f) return;
  uint8_t *rgb = g_malloc(3 * 640 * 480);
  g_assert_cmpint(draw(f, 640, 480, rgb), ==, HN_OK);
  g_assert_cmpint(draw(f, 1, 1, rgb), ==, HN_OK);
  g_assert_cmpint(draw(f, 4097, 10, rgb), ==, HN_E_PARAM);
  g_assert_nonnull(strstr(f->fake.error, "a picture of 4097 x 10: each side has 1 to 4096"));
  g_assert_cmpint(draw(f, 0, 10, rgb), ==, HN_E_PARAM);
  g_free(rgb), env_fixture_free(f);
}

/* Other threads may draw, one after the other. */
static gpointer draw_there(gpointer f) {
  Picture *p = g_new(Picture, 1);
  take(f, p);
  return p;
}
static void test_threads(void) {
  static Picture here;
  EnvFixture *f = begun(&ant_dir_LTX_hn_plugin);
  if (!f) return;
  take(f, &here);
  for (int k = 0; k < 2; k++) {
    Picture *there = g_thread_join(g_thread_new("draw", draw_there, f));
    g_assert_cmpint(differing(&here, there), ==, 0);
    g_free(there);
  }
  env_fixture_free(f);
}

/* Without OpenGL: a reason that names the packages, or the cheetah's own sketch. */
static void test_no_gl(void) {
  static uint8_t rgb[3 * 8 * 8];
  EnvFixture *ant = env_fixture_new(&ant_dir_LTX_hn_plugin, 1, NULL);
  EnvFixture *cheetah = env_fixture_new(&cheetah_vel_LTX_hn_plugin, 1, NULL);
  env_fixture_reset(ant, HN_NEW_TASK, -1), env_fixture_reset(cheetah, HN_NEW_TASK, -1);
  g_setenv("HUNCH_GL", "none", TRUE);
  g_assert_cmpint(draw(ant, 8, 8, rgb), ==, HN_E_UNSUPPORTED);
  g_assert_nonnull(strstr(ant->fake.error, "HUNCH_GL is none"));
  g_assert_nonnull(strstr(ant->fake.error, "apt-get install libegl1 libgl1-mesa-dri"));
  g_assert_cmpint(draw(cheetah, 8, 8, rgb), ==, HN_OK);
  g_setenv("HUNCH_GL", "vulkan", TRUE);
  g_assert_cmpint(draw(ant, 8, 8, rgb), ==, HN_E_PARAM);
  g_assert_nonnull(strstr(ant->fake.error, "expected egl, osmesa or none"));
  g_unsetenv("HUNCH_GL");
  env_fixture_free(ant), env_fixture_free(cheetah);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (guint k = 0; k < G_N_ELEMENTS(plugins); k++) {
    g_autofree char *path = g_strdup_printf("/render/states/%s", plugins[k]->name);
    g_test_add_data_func(path, plugins[k], test_states);
  }
  g_test_add_func("/render/sizes", test_sizes);
  g_test_add_func("/render/threads", test_threads);
  g_test_add_func("/render/no_gl", test_no_gl);
  return g_test_run();
}
