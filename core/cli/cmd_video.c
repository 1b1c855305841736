/* cmd_video.c - `hunch video CELL -o FILE` and `hunch play CELL`: a trial of a trained cell, with
 * its belief. */
#include "error.h"
#include "frame.h"
#include "message.h"
#include "options.h"
#include "run.h"
#include "verbs.h"
#include "video_sink.h"
#include <stdio.h>
#include <unistd.h>

enum { WIDTH = 640, HEIGHT = 480, NEWEST = -1 };
enum { TIMELESS = 5 }; /* frames a second where steps take no time */

typedef struct Options {
  char *output, *task, *split, *size;
  int64_t seed, episode, at, width, height;
} Options;

typedef struct Film {
  HnReplay *replay;
  HnFrame *frame;
  HnVideoSink *sink;
  int64_t episode; /* only this one, from 1; 0: all */
  int64_t frames;
  bool progress; /* said on stderr */
  GError *error;
} Film;

/* A step of the trial becomes a frame, if its episode is wanted. */
static bool take(void *arg, const HnReplayStep *m) {
  Film *f = arg;
  const int64_t episode = m->episode + 1;
  if (f->episode && episode > f->episode) return false;
  if (f->episode && episode < f->episode) {
    hn_frame_note(f->frame, m);
    return true;
  }
  if (!hn_frame_draw(f->frame, f->replay, m, &f->error)) return false;
  f->frames++;
  if (f->progress && f->frames % 20 == 0)
    fprintf(stderr, "\r%" G_GINT64_FORMAT " frames, episode %" G_GINT64_FORMAT, f->frames, episode);
  g_auto(GStrv) caption = hn_frame_caption(m);
  return hn_video_sink_show(f->sink, f->frame->image.rgb, caption, &f->error);
}

static bool film(Film *f, const Options *o) {
  HnReplayOptions what = {.split = o->split, .task = o->task, .stream = o->seed};
  bool ok = hn_replay_trial(f->replay, &what, take, f, &f->error) && !f->error;
  if (ok && !f->frames)
    hn_error_set(&f->error, HN_ERROR_REFUSED, "the trial has no episode %" G_GINT64_FORMAT,
                 o->episode);
  return ok && f->frames > 0;
}

static int show_cell(const HnVerb *verb, const char *dir, const Options *o) {
  GError *error = NULL;
  Film f = {.episode = o->episode, .progress = o->output && isatty(STDERR_FILENO)};
  f.replay = hn_replay_open(dir, o->at, stderr, &error);
  bool ok = f.replay;
  if (ok) {
    double seconds = f.replay->s->es.step_seconds, rate = seconds > 0 ? 1 / seconds : TIMELESS;
    if (!f.replay->same)
      hn_message_warning(verb->name,
                         "the checkpoint was made by other builds of the plugins, or by "
                         "another configuration");
    f.sink = o->output ? hn_video_sink_file(o->output, o->width, o->height, rate, &error)
                       : hn_video_sink_live(o->width, o->height, rate, &error);
    f.frame = hn_frame_new(o->width, o->height, !f.sink || !hn_video_sink_writes(f.sink), f.replay);
    ok = f.sink && film(&f, o);
    if (f.progress) fputs("\r\033[K", stderr);
    if (f.error) g_propagate_error(&error, f.error);
    ok = hn_video_sink_close(f.sink, ok, ok ? &error : NULL) && ok;
  }
  int code = ok ? HN_EXIT_DONE : hn_verb_exit_code(error);
  if (error) hn_message_error(verb->name, "%s", error->message);
  if (ok && o->output)
    fprintf(stderr, "%" G_GINT64_FORMAT " frames of update %" G_GINT64_FORMAT "\n", f.frames,
            f.replay->update);
  if (ok && o->output) puts(o->output);
  g_clear_error(&error);
  hn_frame_free(f.frame), hn_replay_free(f.replay);
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
  Options o = {.at = NEWEST};
  GOptionEntry entries[] = {
      {"task", 0, 0, G_OPTION_ARG_STRING, &o.task, "A task's name or number (the first)", "TASK"},
      {"split", 0, 0, G_OPTION_ARG_STRING, &o.split, "Of this split (the one evaluated)", "SPLIT"},
      {"episode", 0, 0, G_OPTION_ARG_INT64, &o.episode, "Only the K-th episode of the trial", "K"},
      {"at", 0, 0, G_OPTION_ARG_INT64, &o.at, "The checkpoint of this update (the newest)",
       "UPDATE"},
      {"seed", 0, 0, G_OPTION_ARG_INT64, &o.seed, "Random numbers of evaluation row S (0)", "S"},
      {"size", 0, 0, G_OPTION_ARG_STRING, &o.size, "Of the picture (640x480); even", "WxH"},
      {"output", 'o', to_file ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &o.output,
       "The film: .mp4, or what else ffmpeg writes", "FILE"},
      {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code < 0 && argc != 2) code = hn_options_refuse(verb, "expected one cell: STUDY/ARM/SEED");
  if (code < 0 && to_file != (o.output != NULL))
    code = hn_options_refuse(verb, to_file ? "where to? -o FILE.mp4" : "-o is of `hunch video`");
  if (code < 0 && (o.episode < 0 || o.seed < 0))
    code = hn_options_refuse(verb, "--episode counts from 1, --seed from 0");
  if (code < 0 && o.at < NEWEST) code = hn_options_refuse(verb, "--at counts from 0");
  if (code < 0 && !read_size(&o))
    code = hn_options_refuse(verb, "--size %s: expected WIDTHxHEIGHT, even, from %d to 4096 pixels",
                             o.size, HN_FRAME_LEAST);
  if (code < 0) code = show_cell(verb, argv[1], &o);
  g_free(o.output), g_free(o.task), g_free(o.split), g_free(o.size);
  return code;
}

int hn_cmd_video(int argc, char **argv) {
  return video(argc, argv, true);
}

int hn_cmd_play(int argc, char **argv) {
  return video(argc, argv, false);
}
