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
  const HnReplayValue reward = m->series[HN_REPLAY_REWARD];
  if (!m->over) g_assert_true(m->begin ? isnan(reward.is) : reward.is == (double)m->reward);
  g_assert_true(isnan(reward.said)); /* the filter has no such column */
  g_assert_nonnull(m->task);
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
  g_assert_null(hn_replay_open(dir, -1, NULL, &error));
  g_assert_nonnull(strstr(error->message, "has no config.resolved.yaml"));
  g_error_free(error), folder_free(dir);
}

/* ---- frames ---- */

static const uint8_t *pixel(const HnFrame *p, int64_t u, int64_t v) {
  return p->image.rgb + 3 * (v * p->image.width + u);
}

/* How dark a part of a frame is on average. */
static double darkness(const HnFrame *p, int64_t u, int64_t v, int64_t width, int64_t height) {
  double sum = 0;
  for (int64_t y = v; y < v + height; y++)
    for (int64_t x = u; x < u + width; x++)
      for (int k = 0; k < 3; k++) sum += 255 - pixel(p, x, y)[k];
  return sum / (double)(3 * width * height);
}

/* Of 200 x 200 without words the lowest 66 rows are the belief's: a box from (6, 140), 54 high. */
enum { SIDE = 200, LEFT = 6, TOP = 140, ROWS = 54, TIMES = 100 };

static HnFrame *frame_of(HnReplay *show, HnCell *c, int64_t map_side, int64_t features) {
  *c = cell_of();
  *show = (HnReplay){.cell = c, .s = hn_session_new(c, NULL, NULL)};
  HnFrame *p = hn_frame_new(SIDE, SIDE, false, show);
  p->map_width = p->map_height = map_side, p->feature_count = features, p->observations = TIMES;
  return p;
}

static HnReplayStep nothing(const HnReplay *show) {
  HnReplayStep m = {.replay = show, .begin = true, .reward = NAN};
  for (int k = 0; k < HN_REPLAY_SERIES; k++) m.series[k] = (HnReplayValue){NAN, NAN};
  return m;
}

static void test_map(void) {
  HnCell c;
  HnReplay show;
  HnFrame *p = frame_of(&show, &c, 2, 0);
  HnReplayStep m = nothing(&show);
  float map[4] = {0, 0, 0.25f, 0.75f}; /* right and below, right and above */
  m.map = map, m.series[HN_REPLAY_ENTROPY].said = 8;
  g_assert_true(hn_frame_draw(p, &show, &m, NULL));
  g_assert_cmpmem(pixel(p, 100, 133), 3, ((uint8_t[]){0, 0, 255}), 3);
  g_assert_cmpint(pixel(p, 199, 199)[0], >, 240);
  double left = darkness(p, LEFT + 4, TOP + 4, 20, 46), below = darkness(p, 36, TOP + 30, 20, 20),
         above = darkness(p, 36, TOP + 4, 20, 20);
  g_assert_cmpfloat(left, <, 5);
  g_assert_cmpfloat(below, >, 20);
  g_assert_cmpfloat_with_epsilon((below - left) / (above - left), 1. / 3, 0.03);
  /* entropy falls from 8 to 2 at observation 50: high on the left, low on the right, nothing beyond
   */
  m.begin = false, m.reward = 1;
  for (int k = 1; k <= 80; k++) {
    m.series[HN_REPLAY_ENTROPY].said = k < 50 ? 8 : 2, m.step = k;
    hn_frame_note(p, &m);
  }
  int64_t first = LEFT + ROWS + 6, wide = SIDE - 6 - first;
  g_assert_cmpfloat(darkness(p, first + wide / 4, TOP, 4, 3), >, 50);
  g_assert_cmpfloat(darkness(p, first + wide / 4, TOP + 8, 4, ROWS - 8), <, 10);
  g_assert_cmpfloat(darkness(p, first + wide * 3 / 5, TOP + ROWS - 4, 4, 3), >, 50);
  g_assert_cmpfloat(darkness(p, first + wide * 17 / 20, TOP + 12, 10, ROWS - 12), <, 10);
  hn_frame_free(p), hn_session_free(show.s), cell_clear(&c);
}

/* Two features, each by its own magnitude: 1000 throughout, and 0, then -0.1. */
static void test_features(void) {
  HnCell c;
  HnReplay show;
  HnFrame *p = frame_of(&show, &c, 0, 2);
  HnReplayStep m = nothing(&show);
  float belief[2] = {1000, 0};
  m.belief = belief, m.belief_dim = 2;
  for (int k = 0; k < TIMES; k++) {
    belief[1] = k < 50 ? 0 : -0.1f, m.step = k, m.begin = k == 0;
    hn_frame_note(p, &m);
  }
  int64_t wide = SIDE - 12;
  const uint8_t *plus = pixel(p, LEFT + wide / 4, TOP + 10),
                *zero = pixel(p, LEFT + wide / 4, TOP + 40),
                *minus = pixel(p, LEFT + wide * 3 / 4, TOP + 40);
  g_assert_cmpint(plus[0], >, plus[2] + 100); /* red above blue */
  g_assert_cmpint(zero[0], >, 240);
  g_assert_cmpint(minus[2], >, minus[0] + 100);
  hn_frame_free(p), hn_session_free(show.s), cell_clear(&c);
}

/* Rewards from -1 to 1, so that the axis is from -1.5 to 1.5; believed 0, and once far beyond. */
static void test_numbers(void) {
  HnCell c;
  HnReplay show;
  HnFrame *p = frame_of(&show, &c, 0, 0);
  HnReplayStep m = nothing(&show);
  for (int k = 0; k < TIMES; k++) {
    m.series[HN_REPLAY_REWARD] = (HnReplayValue){k < 80 ? 0 : 1e6, k < 40 ? -1 : 1};
    m.step = k, m.begin = k == 0;
    hn_frame_note(p, &m);
  }
  int64_t wide = SIDE - 12, early = LEFT + wide / 5, late = LEFT + wide * 3 / 5,
          last = LEFT + wide - 9;
  int64_t low = TOP + lrint(51 * (2.5 / 3)), middle = TOP + lrint(51 * 0.5),
          high = TOP + lrint(51 * (0.5 / 3));
  g_assert_cmpint(pixel(p, early, low)[2], >, pixel(p, early, low)[0] + 100); /* true: blue */
  g_assert_cmpint(pixel(p, late, high)[2], >, pixel(p, late, high)[0] + 100);
  g_assert_cmpint(pixel(p, early, middle)[0], >, pixel(p, early, middle)[2] + 100); /* believed */
  g_assert_cmpint(pixel(p, last, TOP)[0], >, pixel(p, last, TOP)[2] + 100);
  g_assert_cmpfloat(darkness(p, early, TOP, 4, high - TOP), <, 5);
  hn_frame_free(p), hn_session_free(show.s), cell_clear(&c);
}

static void test_words(void) {
  HnCell c = cell_of();
  c.seed_index = 2;
  HnReplay show = {.cell = &c, .update = 40};
  HnReplayStep m = nothing(&show);
  m.task = "calm", m.episode = 1, m.episode_step = 3, m.reward = 0.25f, m.episode_return = -1;
  m.series[HN_REPLAY_REWARD] = (HnReplayValue){0.5, 0.25};
  m.series[HN_REPLAY_NOISE] = (HnReplayValue){NAN, 0.1};
  m.series[HN_REPLAY_ENTROPY] = (HnReplayValue){2, NAN};
  g_auto(GStrv) lines = hn_frame_caption(&m);
  g_assert_cmpstr(lines[0], ==, "only/2  update 40  task calm");
  g_assert_cmpstr(lines[1], ==, "episode 2  step 3  reward 0.25  return -1.00");
  g_assert_cmpstr(lines[2], ==, "reward believed 0.5, true 0.25  entropy believed 2");
  g_assert_cmpuint(g_strv_length(lines), ==, HN_FRAME_LINES);
  cell_clear(&c);
}

static void test_glyphs(void) {
  static const char *const one[7] = {"..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###."};
  static uint8_t rgb[3 * 16 * 16];
  static const uint8_t ink[3] = {9, 9, 9};
  const HnImage image = {16, 16, rgb};
  hn_glyphs_draw(&image, 2, 3, 1, "1", ink);
  for (int v = 0; v < 16; v++)
    for (int u = 0; u < 16; u++) {
      bool inside = v >= 3 && v < 10 && u >= 2 && u < 7;
      g_assert_cmpint(rgb[3 * (16 * v + u)], ==, inside && one[v - 3][u - 2] == '#' ? 9 : 0);
    }
  hn_glyphs_draw(&image, -3, 12, 3, "888", ink); /* cut off, not written beyond */
  g_assert_cmpint(hn_glyphs_width("888", 3), ==, 54);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/show/trial", test_trial);
  g_test_add_func("/show/refuses", test_refuses);
  g_test_add_func("/show/map", test_map);
  g_test_add_func("/show/features", test_features);
  g_test_add_func("/show/numbers", test_numbers);
  g_test_add_func("/show/words", test_words);
  g_test_add_func("/show/glyphs", test_glyphs);
  return g_test_run();
}
