/* video_sink.c - see video_sink.h. */
#include "video_sink.h"
#include "error.h"
#include "output_file.h"
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

struct HnVideoSink {
  int64_t width, height;
  char **argv; /* of a program that reads raw frames from its stdin, or NULL: the terminal */
  const char *name;
  GSubprocess *program;   /* started with the first frame */
  int said;               /* file of what it says, or -1 */
  char *path, *beside;    /* of the file to make, and where it is written first; or NULL */
  int64_t next, interval; /* microseconds; of the terminal */
  bool colour;
};

static HnVideoSink *sink_new(int64_t width, int64_t height, double rate) {
  HnVideoSink *s = g_new0(HnVideoSink, 1);
  s->width = width, s->height = height, s->said = -1;
  s->interval = (int64_t)(1e6 / rate);
  return s;
}

/* The command: PROGRAM BEFORE.. (the format of the frames) AFTER.. */
static void set_program(HnVideoSink *s, const char *name, double rate, const char *const *before,
                        const char *const *after) {
  g_autoptr(GStrvBuilder) b = g_strv_builder_new();
  g_autofree char *size =
      g_strdup_printf("%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT, s->width, s->height);
  g_autofree char *fps = g_strdup_printf("%.6g", rate);
  const char *const frames[] = {
      "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", size, "-framerate", fps, NULL};
  g_strv_builder_add_many(b, name, "-loglevel", "error", NULL);
  g_strv_builder_addv(b, (const char **)(guintptr)before);
  g_strv_builder_addv(b, (const char **)(guintptr)frames);
  g_strv_builder_addv(b, (const char **)(guintptr)after);
  s->argv = g_strv_builder_end(b), s->name = name;
}

HnVideoSink *hn_video_sink_file(const char *path, int64_t width, int64_t height, double rate,
                                GError **error) {
  g_autofree char *program = g_find_program_in_path("ffmpeg");
  g_autofree char *target = hn_output_path(path, error);
  if (!target) return NULL;
  g_autofree char *beside = hn_output_beside(target);
  g_autofree char *file = g_strconcat("file:", beside, NULL);
  if (!program) {
    hn_error_set(error, HN_ERROR_MISSING,
                 "ffmpeg is not installed; on Debian: apt-get install ffmpeg");
    return NULL;
  }
  /* the pixel format that every player shows; a GIF has its own */
  const char *const film[] = {"-i", "-", "-pix_fmt", "yuv420p", file, NULL};
  const char *const gif[] = {"-i", "-", file, NULL};
  HnVideoSink *s = sink_new(width, height, rate);
  s->path = g_steal_pointer(&target), s->beside = g_steal_pointer(&beside);
  set_program(s, "ffmpeg", rate, (const char *const[]){"-y", NULL},
              g_str_has_suffix(path, ".gif") ? gif : film);
  return s;
}

static bool has_display(void) {
  const char *x = g_getenv("DISPLAY"), *wayland = g_getenv("WAYLAND_DISPLAY");
  return (x && *x) || (wayland && *wayland);
}

static bool has_terminal(void) {
  const char *term = g_getenv("TERM");
  return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

HnVideoSink *hn_video_sink_live(int64_t width, int64_t height, double rate, GError **error) {
  g_autofree char *program = has_display() ? g_find_program_in_path("ffplay") : NULL;
  const char *no_color = g_getenv("NO_COLOR");
  if (!program && !has_terminal()) {
    hn_error_set(error, HN_ERROR_MISSING,
                 "no terminal to draw in, and %s: use `hunch video CELL -o FILE.mp4`",
                 has_display() ? "ffplay is not installed (on Debian: apt-get install ffmpeg)"
                               : "no display for a window");
    return NULL;
  }
  HnVideoSink *s = sink_new(width, height, rate);
  if (program)
    set_program(s, "ffplay", rate,
                (const char *const[]){"-autoexit", "-window_title", "hunch", NULL},
                (const char *const[]){"-", NULL});
  else
    s->colour = !no_color || !*no_color, fputs("\033[2J", stdout);
  return s;
}

/* ---- the terminal ---- */

/* The mean colour of cell (x, y) of a grid of columns x rows laid over the frame. */
static void mean(const uint8_t *rgb, int64_t width, int64_t height, int64_t x, int64_t columns,
                 int64_t y, int64_t rows, int out[3]) {
  int64_t u0 = x * width / columns, u1 = MAX((x + 1) * width / columns, u0 + 1);
  int64_t v0 = y * height / rows, v1 = MAX((y + 1) * height / rows, v0 + 1);
  for (int k = 0; k < 3; k++) {
    int64_t sum = 0;
    for (int64_t v = v0; v < v1; v++)
      for (int64_t u = u0; u < u1; u++) sum += rgb[3 * (v * width + u) + k];
    out[k] = (int)(sum / ((u1 - u0) * (v1 - v0)));
  }
}

char *hn_video_sink_text(const uint8_t *rgb, int64_t width, int64_t height, int columns, int lines,
                         bool colour) {
  static const char shades[] = " .:-=+*#%@";
  GString *out = g_string_new(NULL);
  for (int y = 0; y < lines; y++) {
    for (int x = 0; x < columns; x++) {
      int a[3], b[3];
      if (colour) {
        mean(rgb, width, height, x, columns, 2 * (int64_t)y, 2 * (int64_t)lines, a);
        mean(rgb, width, height, x, columns, 2 * (int64_t)y + 1, 2 * (int64_t)lines, b);
        g_string_append_printf(out, "\033[38;2;%d;%d;%dm\033[48;2;%d;%d;%dm\u2580", a[0], a[1],
                               a[2], b[0], b[1], b[2]);
      } else {
        mean(rgb, width, height, x, columns, y, lines, a);
        int light = (299 * a[0] + 587 * a[1] + 114 * a[2]) / 1000;
        g_string_append_c(out, shades[light * ((int)sizeof shades - 2) / 255]);
      }
    }
    g_string_append(out, colour ? "\033[0m\r\n" : "\r\n");
  }
  return g_string_free(out, FALSE);
}

/* The picture as large as the terminal allows, and below it the caption, each line cut where the
 * terminal ends. */
static bool show_in_terminal(HnVideoSink *s, const uint8_t *rgb, char *const *caption) {
  struct winsize w = {.ws_col = 80, .ws_row = 24};
  ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
  int said = (int)g_strv_length((char **)(guintptr)caption);
  int columns = MAX((int)w.ws_col, 8), across = columns, lines = MAX((int)w.ws_row - 1 - said, 4);
  /* a character is about twice as high as wide */
  int wanted = (int)(columns * s->height / (2 * s->width));
  if (wanted > lines) columns = (int)(2 * lines * s->width / s->height), wanted = lines;
  g_autofree char *text =
      hn_video_sink_text(rgb, s->width, s->height, MAX(columns, 1), MAX(wanted, 1), s->colour);
  int64_t now = g_get_monotonic_time();
  if (s->next > now) g_usleep((gulong)(s->next - now));
  s->next = MAX(s->next, now) + s->interval;
  printf("\033[H%s", text);
  for (int k = 0; k < said; k++) printf("%.*s\033[K\r\n", across, caption[k]);
  return fflush(stdout) == 0;
}

/* ---- frames ---- */

bool hn_video_sink_writes(const HnVideoSink *s) {
  return !s->argv;
}

static bool start(HnVideoSink *s, GError **error) {
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE);
  signal(SIGPIPE, SIG_IGN); /* a program that has ended is noticed where frames are written */
  s->said = memfd_create("hunch-said", MFD_CLOEXEC);
  if (s->said >= 0) g_subprocess_launcher_take_stderr_fd(launcher, dup(s->said));
  s->program = g_subprocess_launcher_spawnv(launcher, (const char *const *)s->argv, error);
  return s->program;
}

/* The program has ended too early: says why, in the first line of its own words if there is one, of
 * "[muxer @ 0x1234] No such codec" the end. */
static bool failed(HnVideoSink *s, GError **error) {
  char words[512] = "";
  if (s->said >= 0 && pread(s->said, words, sizeof words - 1, 0) < 0) *words = '\0';
  words[strcspn(words, "\n")] = '\0';
  const char *at = *words == '[' ? strstr(words, "] ") : NULL;
  g_autoptr(GString) line = g_string_new(at ? at + 2 : words);
  g_autofree char *beside = g_strconcat("file:", s->beside, NULL);
  if (s->path) g_string_replace(line, beside, s->path, 0);
  return hn_error_set(error, HN_ERROR_PROGRAM, "%s %s%s%s", s->name,
                      g_subprocess_get_successful(s->program) ? "took no more frames" : "failed",
                      line->len ? ": " : "", line->str);
}

bool hn_video_sink_show(HnVideoSink *s, const uint8_t *rgb, char *const *caption, GError **error) {
  if (!s->argv) return show_in_terminal(s, rgb, caption);
  if (!s->program && !start(s, error)) return false;
  gsize size = (gsize)(3 * s->width * s->height);
  if (g_output_stream_write_all(g_subprocess_get_stdin_pipe(s->program), rgb, size, NULL, NULL,
                                NULL))
    return true;
  g_subprocess_wait(s->program, NULL, NULL); /* it has closed its input: it ends */
  return failed(s, error);
}

bool hn_video_sink_close(HnVideoSink *s, bool keep, GError **error) {
  if (!s) return true;
  bool ok = true;
  if (s->program) {
    g_output_stream_close(g_subprocess_get_stdin_pipe(s->program), NULL, NULL);
    g_subprocess_wait(s->program, NULL, NULL);
    ok = g_subprocess_get_successful(s->program);
    if (!ok) failed(s, error);
    if (s->path && ok && keep && g_rename(s->beside, s->path) != 0)
      ok = hn_error_set(error, HN_ERROR_FILE, "%s: %s", s->path, g_strerror(errno));
    if (s->path && !(ok && keep)) g_unlink(s->beside);
    g_object_unref(s->program);
  }
  if (s->said >= 0) close(s->said);
  g_strfreev(s->argv), g_free(s->path), g_free(s->beside), g_free(s);
  return ok;
}
