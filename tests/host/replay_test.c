/* replay_test.c - a shown trial is the one that evaluation lives; and what frames are made of. */
#include "../fakes/toy.h"
#include "cell_fixture.h"
#include "error.h"
#include "evaluate.h"
#include "frame.h"
#include <math.h>

/* ---- the trial ---- */

static HnStatus blue(void *self, const void *state, int64_t width, int64_t height, uint8_t *rgb) {
  (void)self, (void)state;
  for (int64_t k = 0; k < width * height; k++) memcpy(rgb + 3 * k, (uint8_t[]){0, 0, 255}, 3);
  return HN_OK;
}

static HnEnv drawing;
static HnPlugin drawing_env;

static HnCell cell_of(void) {
  drawing = *(const HnEnv *)toy_env_LTX_hn_plugin.methods, drawing.render = blue;
  drawing_env = toy_env_LTX_hn_plugin, drawing_env.methods = &drawing;
  HnCell c = {.study = "test",
              .arm = "only",
              .seed = 11,
              .env = part_of(&toy_env_LTX_hn_plugin, "quit: 0.15"),
              .inference = part_of(&toy_filter_LTX_hn_plugin, ""),
              .policy = part_of(&toy_policy_LTX_hn_plugin, ""),
              .run = {.frames = 100, .rows = 3, .steps = 4, .episodes = 3, .workers = 2},
              .evaluation = {.tasks = 5, .split = "", .record_rows = 5}};
  c.env.plugin = &drawing_env;
  return c;
}

typedef struct Seen {
  GArray *reward;
  double episode_return, last_return;
  int64_t begins, overs, stop_after;
  bool map;
} Seen;

static bool see(void *arg, const HnReplayStep *m) {
  Seen *s = arg;
  s->begins += m->begin, s->overs += m->over;
  s->map |= m->map != NULL;
  g_assert_cmpint(m->begin, ==, m->episode_step == 0);
  g_assert_cmpint(m->begin, ==, isnan(m->reward));
  if (!m->begin) g_array_append_val(s->reward, m->reward);
  s->episode_return = m->begin ? 0 : s->episode_return + (double)m->reward;
  g_assert_cmpfloat_with_epsilon(m->episode_return, s->episode_return, 1e-9);
  g_assert_cmpint(m->episode, ==, s->begins - 1);
  return !s->stop_after || (int64_t)s->reward->len < s->stop_after;
}

/* Every step of every row of an evaluation, drawn actions included, until its three episodes end.
 */
static void test_trial(void) {
  HnCell c = cell_of();
  GError *error = NULL;
  HnSession *s = hn_session_new(&c, NULL, &error);
  g_assert_no_error(error);
  HnEvaluation e;
  g_assert_cmpint(hn_evaluate(s, &(HnEvaluationPass){.split = 1}, &e, NULL, NULL), ==, HN_OK);
  HnReplay show = {.cell = &c, .s = s};
  for (int64_t row = 0; row < 5; row++) {
    Seen seen = {.reward = g_array_new(FALSE, FALSE, sizeof(float))};
    static const char *const task[] = {"calm", "1", "wind", "3", "gale"};
    HnReplayOptions what = {.task = task[row], .stream = row};
    g_assert_true(hn_replay_trial(&show, &what, see, &seen, &error));
    int64_t ended = 0, t = 0;
    for (; ended < 3; t++) {
      float r = *(const float *)hn_experience_at(&e.trial, HN_F_TRUE_REWARD, t, row);
      g_assert_cmpfloat(g_array_index(seen.reward, float, t), ==, r);
      ended += *(const uint8_t *)hn_experience_at(&e.trial, HN_F_BEGIN, t + 1, row) != HN_KEEP;
    }
    g_assert_cmpint(seen.reward->len, ==, t);
    g_assert_cmpint(seen.begins, ==, 3);
    g_assert_cmpint(seen.overs, ==, 3);
    g_assert_true(seen.map);
    g_array_unref(seen.reward);
  }
  Seen seen = {.reward = g_array_new(FALSE, FALSE, sizeof(float)), .stop_after = 5};
  g_assert_true(hn_replay_trial(&show, &(HnReplayOptions){.stream = 1}, see, &seen, &error));
  g_assert_cmpint(seen.reward->len, ==, 5);
  g_array_unref(seen.reward);
  hn_evaluation_free(&e), hn_session_free(s), cell_clear(&c);
}

static void refuses(HnReplay *show, HnReplayOptions what, const char *says) {
  GError *error = NULL;
  g_assert_false(hn_replay_trial(show, &what, see, NULL, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_REFUSED);
  if (!strstr(error->message, says)) g_test_message("said: %s", error->message);
  g_assert_nonnull(strstr(error->message, says));
  g_error_free(error);
}

static void test_refuses(void) {
  HnCell c = cell_of();
  HnSession *s = hn_session_new(&c, NULL, NULL);
  HnReplay show = {.cell = &c, .s = s};
  refuses(&show, (HnReplayOptions){.split = "tset"},
          "toy_env has no split 'tset'; it has train, test");
  refuses(&show, (HnReplayOptions){.task = "strom"},
          "no task 'strom' in split test, which has 5; did you mean 'storm'?");
  refuses(&show, (HnReplayOptions){.task = "5"}, "no task '5' in split test, which has 5");
  refuses(&show, (HnReplayOptions){.split = "train", .task = "calm"}, "split train numbers none");
  drawing.render = NULL;
  refuses(&show, (HnReplayOptions){.task = "calm"}, "toy_env cannot be rendered");
  hn_session_free(s), cell_clear(&c);
  GError *error = NULL;
  char *dir = g_dir_make_tmp("hunch-show-XXXXXX", NULL);
  g_assert_null(hn_replay_open(dir, NULL, &error));
  g_assert_nonnull(strstr(error->message, "has no config.resolved.yaml"));
  g_error_free(error), folder_free(dir);
}

/* ---- frames ---- */

static const uint8_t *pixel(const HnFrame *p, int64_t u, int64_t v) {
  return p->rgb + 3 * (v * p->width + u);
}

/* How dark a part of a frame is on average. */
static double darkness(const HnFrame *p, int64_t u, int64_t v, int64_t width, int64_t height) {
  double sum = 0;
  for (int64_t y = v; y < v + height; y++)
    for (int64_t x = u; x < u + width; x++)
      for (int k = 0; k < 3; k++) sum += 255 - pixel(p, x, y)[k];
  return sum / (double)(3 * width * height);
}

/* 200 x 200: the strip is the lowest 50 rows, its figures 7 high, then map and curve of 25 rows. */
static void test_strip(void) {
  enum { SIDE = 200, TOP = 169, ROWS = 25 };
  HnCell c = cell_of();
  HnSession *s = hn_session_new(&c, NULL, NULL);
  HnReplay show = {.cell = &c, .s = s};
  HnFrame *p = hn_frame_new(SIDE, SIDE, &show);
  float map[4] = {0, 0, 0.25f, 0.75f}; /* right and below, right and above */
  p->map_width = p->map_height = 2, p->observations = 100;
  HnReplayStep m = {.map = map, .begin = true, .reward = NAN, .entropy = 8};
  g_assert_true(hn_frame_draw(p, &show, &m, NULL));
  g_assert_cmpmem(pixel(p, 100, 149), 3, ((uint8_t[]){0, 0, 255}), 3);
  g_assert_cmpint(pixel(p, 199, 199)[0], >, 240);
  double left = darkness(p, 8, TOP + 2, 8, 20), below = darkness(p, 21, TOP + 15, 7, 7),
         above = darkness(p, 21, TOP + 3, 7, 7);
  g_assert_cmpfloat(left, <, 5);
  g_assert_cmpfloat(below, >, 20);
  g_assert_cmpfloat_with_epsilon((below - left) / (above - left), 1. / 3, 0.03);
  /* entropy falls from 8 to 2 at observation 50: high on the left, low on the right, nothing beyond
   */
  m.begin = false, m.reward = 1;
  for (int k = 1; k <= 80; k++) {
    m.entropy = k < 50 ? 8 : 2, m.step = k;
    hn_frame_note(p, &m);
  }
  int64_t first = 6 + ROWS + 6, wide = SIDE - 6 - first;
  g_assert_cmpfloat(darkness(p, first + wide / 4, TOP, 4, 3), >, 50);
  g_assert_cmpfloat(darkness(p, first + wide / 4, TOP + 8, 4, ROWS - 8), <, 10);
  g_assert_cmpfloat(darkness(p, first + wide * 3 / 5, TOP + ROWS - 4, 4, 3), >, 50);
  g_assert_cmpfloat(darkness(p, first + wide * 17 / 20, TOP + 12, 10, ROWS - 12), <, 10);
  hn_frame_free(p), hn_session_free(s), cell_clear(&c);
}

static void test_text(void) {
  static const char *const one[7] = {"..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###."};
  static uint8_t rgb[3 * 16 * 16];
  static const uint8_t ink[3] = {9, 9, 9};
  hn_frame_text(rgb, 16, 16, 2, 3, 1, "1", ink);
  for (int v = 0; v < 16; v++)
    for (int u = 0; u < 16; u++) {
      bool inside = v >= 3 && v < 10 && u >= 2 && u < 7;
      g_assert_cmpint(rgb[3 * (16 * v + u)], ==, inside && one[v - 3][u - 2] == '#' ? 9 : 0);
    }
  hn_frame_text(rgb, 16, 16, -3, 12, 3, "888", ink); /* cut off, not written beyond */
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/show/trial", test_trial);
  g_test_add_func("/show/refuses", test_refuses);
  g_test_add_func("/show/strip", test_strip);
  g_test_add_func("/show/text", test_text);
  return g_test_run();
}
