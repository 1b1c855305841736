/* video_test.c - `hunch video` and `hunch play` as users run them, and frames as text. */
#include "cli_fixture.h"
#include "video_sink.h"

static const char study[] = "hunch: 1\n"
                            "name: grid\n"
                            "seeds: {count: 1}\n"
                            "base:\n"
                            "  env: {plugin: gridworld}\n"
                            "  inference: {plugin: gridworld_belief}\n"
                            "  policy: {plugin: uniform}\n"
                            "  run: {frames: 480, rows: 8, episodes: 2, keep_every: 1}\n"
                            "  evaluation: {tasks: 3}\n";

static Folder *trained(void) {
  Folder *dir = folder();
  fake_write(dir, "grid.yaml", study);
  g_auto(Run) run = hunch(dir, "run grid.yaml");
  g_assert_cmpint(run.code, ==, 0);
  return dir;
}

/* All frames of a film, decoded: rgb [frames, 240, 320, 3]. */
enum { W = 320, H = 240, FRAME = 3 * W * H };
static GBytes *decode(const char *path) {
  const char *argv[] = {"ffmpeg",   "-loglevel", "error", "-i", path, "-f",
                        "rawvideo", "-pix_fmt",  "rgb24", "-",  NULL};
  GBytes *out = NULL;
  GError *error = NULL;
  GSubprocess *p = g_subprocess_newv(argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
  g_assert_no_error(error);
  g_assert_true(g_subprocess_communicate(p, NULL, NULL, &out, NULL, &error));
  g_object_unref(p);
  return out;
}

/* Else the test is skipped. */
static bool has_ffmpeg(void) {
  g_autofree char *ffmpeg = g_find_program_in_path("ffmpeg");
  if (!ffmpeg) g_test_skip("ffmpeg is not installed");
  return ffmpeg;
}

/* A trial of 2 episodes of 15 steps: 16 frames an episode, its last state included.  The goal's
 * cell (3, 2) of 5 x 5 is green in the upper two thirds, the agent begins at the lower left in
 * blue. */
static void film(void) {
  if (!has_ffmpeg()) return;
  g_autoptr(Folder) dir = trained();
  g_auto(Run) run = hunch(dir, "video runs/grid/base/0 --task goal-3-2 --size 320x240 -o a.mp4");
  expect(run.err, "32 frames of update 2");
  g_assert_cmpint(run.code, ==, 0);
  g_assert_cmpstr(run.out, ==, "a.mp4\n");
  g_autofree char *path = g_build_filename(dir, "a.mp4", NULL);
  g_autoptr(GBytes) bytes = decode(path);
  gsize size;
  const guint8 *rgb = g_bytes_get_data(bytes, &size);
  g_assert_cmpuint(size, ==, 32 * FRAME);
  const guint8 *goal = rgb + 3 * (80 * W + 224), *agent = rgb + 3 * (144 * W + 32);
  g_assert_true(abs(goal[0] - 60) < 25 && abs(goal[1] - 160) < 25 && abs(goal[2] - 90) < 25);
  g_assert_true(abs(agent[0] - 40) < 25 && abs(agent[1] - 90) < 25 && abs(agent[2] - 200) < 25);

  g_auto(Run) one = hunch(dir, "video runs/grid/base/0 --episode 2 --size 320x240 -o b.mp4");
  g_assert_cmpint(one.code, ==, 0);
  expect(one.err, "16 frames of update 2");
  g_auto(Run) none = hunch(dir, "video runs/grid/base/0 --episode 3 -o c.mp4");
  g_assert_cmpint(none.code, ==, 2);
  expect(none.err, "the trial has no episode 3");
  g_autofree char *absent = g_build_filename(dir, "c.mp4", NULL);
  g_assert_false(g_file_test(absent, G_FILE_TEST_EXISTS));
  g_auto(Run) nowhere = hunch(dir, "video runs/grid/base/0 -o no/such/c.mp4");
  g_assert_cmpint(nowhere.code, ==, 2);
}

/* A checkpoint of any update that was kept; those there are, where it was not. */
static void at(void) {
  g_autoptr(Folder) dir = trained();
  g_auto(Run) no = hunch(dir, "video runs/grid/base/0 --at 9 -o a.mp4");
  g_assert_cmpint(no.code, ==, 2);
  expect(no.err, "has no checkpoint of update 9; it has those of 0, 1, 2");
  g_auto(Run) wrong = hunch(dir, "video runs/grid/base/0 --at -2 -o a.mp4");
  g_assert_cmpint(wrong.code, ==, 2);
  expect(wrong.err, "--at counts from 0");
  if (!has_ffmpeg()) return;
  g_auto(Run) run = hunch(dir, "video runs/grid/base/0 --at 1 -o a.mp4");
  g_assert_cmpint(run.code, ==, 0);
  expect(run.err, "32 frames of update 1");
}

/* In a terminal of 80 columns the words are below the picture, and no line is longer. */
static void play(void) {
  g_autoptr(Folder) dir = trained();
  fake_write(dir, "play.sh",
             "unset DISPLAY WAYLAND_DISPLAY\n"
             "export TERM=xterm NO_COLOR=1\n"
             "stty cols 80 rows 24 2>/dev/null\n" HUNCH
             " play runs/grid/base/0 --task goal-3-2 --episode 1\n");
  g_autofree char *out = NULL;
  const char *argv[] = {"script", "-qec", "sh play.sh", "/dev/null", NULL};
  g_autofree char *script = g_find_program_in_path("script");
  if (!script) {
    g_test_skip("there is no script(1) to give a terminal");
    return;
  }
  g_assert_true(g_spawn_sync(dir, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                             &out, NULL, NULL, NULL));
  expect(out, "base/0  update 2  task goal-3-2");
  expect(out, "episode 1  step 3  reward ");
  expect(out, "entropy believed ");
  g_auto(GStrv) lines = g_strsplit(out, "\r\n", -1);
  for (char **line = lines; *line; line++) {
    const char *text = strrchr(*line, 'H');
    g_assert_cmpuint(strlen(text && text[-1] == '[' ? text + 1 : *line), <=, 80 + strlen("\033[K"));
  }
}

static Run without_path(const char *dir, const char *arguments) {
  g_autofree char *path = g_strdup(g_getenv("PATH"));
  g_setenv("PATH", "/nowhere", TRUE);
  Run run = hunch(dir, arguments);
  g_setenv("PATH", path, TRUE);
  return run;
}

static void wrong(void) {
  static const struct {
    const char *arguments, *says;
  } table[] = {
      {"video runs/grid/base/0", "where to? -o FILE.mp4"},
      {"video -o a.mp4", "expected one cell"},
      {"video runs/grid -o a.mp4", "runs/grid: a study's folder; give that of a cell"},
      {"video runs -o a.mp4", "runs: not the folder of a cell"},
      {"video runs/grid/base/0 --task goal-2-3x -o a.mp4", "did you mean 'goal-2-3'?"},
      {"video runs/grid/base/0 --size 321x240 -o a.mp4", "expected WIDTHxHEIGHT, even"},
      {"video runs/grid/base/0 --size big -o a.mp4", "expected WIDTHxHEIGHT, even"},
      {"play runs/grid/base/0", "no terminal to draw in"},
  };
  g_autoptr(Folder) dir = trained();
  g_autofree char *display = g_strdup(g_getenv("DISPLAY"));
  g_unsetenv("DISPLAY"), g_unsetenv("WAYLAND_DISPLAY");
  g_auto(Run) bare = without_path(dir, "video runs/grid/base/0 -o a.mp4");
  g_assert_cmpint(bare.code, ==, 2);
  expect(bare.err, "ffmpeg is not installed; on Debian: apt-get install ffmpeg");
  g_autofree char *ffmpeg = g_find_program_in_path("ffmpeg");
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    if (!ffmpeg && strstr(table[i].says, "did you mean")) continue; /* that comes first */
    g_auto(Run) run = hunch(dir, table[i].arguments);
    expect(run.err, table[i].says);
    g_assert_cmpint(run.code, ==, 2);
  }
}

/* Why there is no film, in ffmpeg's words about the file that was asked for. */
static void no_film(void) {
  if (!has_ffmpeg()) return;
  g_autoptr(Folder) dir = trained();
  g_auto(Run) run = hunch(dir, "video runs/grid/base/0 -o a.foo");
  g_assert_cmpint(run.code, !=, 0);
  expect(run.err, "hunch video: error: ffmpeg failed: ");
  expect(run.err, "output format for '");
  expect(run.err, "a.foo'");
  g_assert_null(strstr(run.err, ".part-"));
  g_assert_null(strstr(run.err, " @ 0x"));
}

/* Half blocks show two pixels a character; without colour brightness alone. */
static void text(void) {
  static const uint8_t rgb[4][2][3] = {{{255, 0, 0}, {0, 0, 0}},
                                       {{0, 255, 0}, {0, 0, 0}},
                                       {{255, 255, 255}, {0, 0, 0}},
                                       {{255, 255, 255}, {0, 0, 0}}};
  g_autofree char *colour = hn_video_sink_text(&rgb[0][0][0], 2, 4, 2, 2, true);
  g_assert_cmpstr(colour, ==,
                  "\033[38;2;255;0;0m\033[48;2;0;255;0m\u2580\033[38;2;0;0;0m\033[48;2;0;0;0m\u2580"
                  "\033[0m\r\n\033[38;2;255;255;255m\033[48;2;255;255;255m\u2580\033[38;2;0;0;0m"
                  "\033[48;2;0;0;0m\u2580\033[0m\r\n");
  g_autofree char *plain = hn_video_sink_text(&rgb[0][0][0], 2, 4, 2, 2, false);
  g_assert_cmpstr(plain, ==, "- \r\n@ \r\n");
  g_autofree char *small = hn_video_sink_text(&rgb[0][0][0], 2, 4, 3, 6, false);
  g_assert_cmpuint(strlen(small), ==, 6 * 5);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/video/film", film);
  g_test_add_func("/video/at", at);
  g_test_add_func("/video/play", play);
  g_test_add_func("/video/wrong", wrong);
  g_test_add_func("/video/no_film", no_film);
  g_test_add_func("/video/text", text);
  return g_test_run();
}
