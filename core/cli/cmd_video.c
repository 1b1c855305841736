/* cmd_video.c - `hunch video CELL -o FILE` and `hunch play CELL`: a trial of a trained cell, with
 * its belief. */
#include "cli.h"
#include "error.h"
#include "frame.h"
#include "run.h"
#include "video_sink.h"
#include <stdio.h>

enum { WIDTH = 640, HEIGHT = 480 };
enum { TIMELESS = 5 }; /* frames a second where steps take no time */

typedef struct Options {
  char *output, *task, *split, *size;
  int64_t seed, episode, width, height;
} Options;

/* A film in the making. */
typedef struct Film {
  HnReplay *show;
  HnFrame *picture;
  HnScreen *screen;
  int64_t episode; /* only this one, from 1; 0: all */
  int64_t frames;
  GError *error;
} Film;

static bool take(void *arg, const HnReplayStep *m) {
  Film *f = arg;
  if (f->episode && m->episode + 1 > f->episode) return false;
  if (f->episode && m->episode + 1 < f->episode) return hn_frame_note(f->picture, m), true;
  if (!hn_frame_draw(f->picture, f->show, m, &f->error)) return false;
  f->frames++;
  return hn_screen_show(f->screen, f->picture->rgb, &f->error);
}

static bool film(Film *f, const Options *o) {
  HnReplayOptions what = {.split = o->split, .task = o->task, .stream = o->seed};
  bool ok = hn_replay_trial(f->show, &what, take, f, &f->error) && !f->error;
  if (ok && !f->frames)
    hn_error_set(&f->error, HN_ERROR_REFUSED, "the trial has no episode %" G_GINT64_FORMAT,
                 o->episode);
  return ok && f->frames > 0;
}

static int show_cell(const HnVerb *verb, const char *dir, const Options *o) {
  GError *error = NULL;
  Film f = {.episode = o->episode};
  f.show = hn_replay_open(dir, stderr, &error);
  bool ok = f.show;
  if (ok) {
    double seconds = f.show->s->es.step_seconds, rate = seconds > 0 ? 1 / seconds : TIMELESS;
    if (!f.show->same)
      hn_cli_warning(verb->name, "the checkpoint was made by other builds of the plugins, or by "
                                 "another configuration");
    f.picture = hn_frame_new(o->width, o->height, f.show);
    f.screen = o->output ? hn_screen_file(o->output, o->width, o->height, rate, &error)
                         : hn_screen_live(o->width, o->height, rate, &error);
    ok = f.screen && film(&f, o);
    if (f.error) g_propagate_error(&error, f.error);
    ok = hn_screen_close(f.screen, ok, ok ? &error : NULL) && ok;
  }
  int code = ok ? HN_EXIT_DONE : hn_cli_exit_code(error);
  if (error) hn_cli_error(verb->name, "%s", error->message);
  if (ok && o->output)
    fprintf(stderr, "%" G_GINT64_FORMAT " frames of update %" G_GINT64_FORMAT "\n", f.frames,
            f.show->update);
  if (ok && o->output) puts(o->output);
  g_clear_error(&error);
  hn_frame_free(f.picture), hn_replay_free(f.show);
  return code;
}

static bool read_size(Options *o) {
  long long width, height;
  char end;
  if (!o->size) return o->width = WIDTH, o->height = HEIGHT, true;
  if (sscanf(o->size, "%lldx%lld%c", &width, &height, &end) != 2) return false;
  o->width = width, o->height = height;
  return width >= HN_FRAME_LEAST && height >= HN_FRAME_LEAST && width <= 4096 && height <= 4096 &&
         width % 2 == 0 && height % 2 == 0;
}

static int video(int argc, char **argv, bool to_file) {
  Options o = {.seed = 0};
  GOptionEntry entries[] = {
      {"task", 0, 0, G_OPTION_ARG_STRING, &o.task, "A task's name or number (the first)", "TASK"},
      {"split", 0, 0, G_OPTION_ARG_STRING, &o.split, "Of this split (the one evaluated)", "SPLIT"},
      {"episode", 0, 0, G_OPTION_ARG_INT64, &o.episode, "Only the K-th episode of the trial", "K"},
      {"seed", 0, 0, G_OPTION_ARG_INT64, &o.seed, "Random numbers of evaluation row S (0)", "S"},
      {"size", 0, 0, G_OPTION_ARG_STRING, &o.size, "Of the picture (640x480); even", "WxH"},
      {"output", 'o', to_file ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &o.output,
       "The film: .mp4, or what else ffmpeg writes", "FILE"},
      {NULL}};
  const HnVerb *verb = hn_cli_verb(argv[0]);
  int code = hn_cli_options(verb, entries, &argc, &argv);
  if (code < 0 && argc != 2) code = hn_cli_usage(verb, "expected one cell: STUDY/ARM/SEED");
  if (code < 0 && to_file != (o.output != NULL))
    code = hn_cli_usage(verb, to_file ? "where to? -o FILE.mp4" : "-o is of `hunch video`");
  if (code < 0 && (o.episode < 0 || o.seed < 0))
    code = hn_cli_usage(verb, "--episode counts from 1, --seed from 0");
  if (code < 0 && !read_size(&o))
    code = hn_cli_usage(verb, "--size %s: expected WIDTHxHEIGHT, even, from %d to 4096 pixels",
                        o.size, HN_FRAME_LEAST);
  if (code < 0) code = show_cell(verb, argv[1], &o);
  g_free(o.output), g_free(o.task), g_free(o.split), g_free(o.size);
  return code;
}

int hn_cli_video(int argc, char **argv) {
  return video(argc, argv, true);
}

int hn_cli_play(int argc, char **argv) {
  return video(argc, argv, false);
}
