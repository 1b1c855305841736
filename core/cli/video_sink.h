/* video_sink.h - where frames go: a file through ffmpeg, a window through ffplay, or the terminal.
 */
#ifndef HN_VIDEO_SINK_H
#define HN_VIDEO_SINK_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct HnVideoSink HnVideoSink;

/* Frames of width x height, rgb, `rate` a second.  HN_ERROR_MISSING: a program or a terminal
 * that is not there, and what would help. */
HnVideoSink *hn_video_sink_file(const char *path, int64_t width, int64_t height, double rate,
                                GError **error);
/* A window where there are a display and ffplay, else the terminal on stdout. */
HnVideoSink *hn_video_sink_live(int64_t width, int64_t height, double rate, GError **error);
/* Whether captions are written below the picture, and so need not be in it: in a terminal. */
bool hn_video_sink_writes(const HnVideoSink *s);
/* One frame and its caption, lines; live ones are shown when their time has come. */
bool hn_video_sink_show(HnVideoSink *s, const uint8_t *rgb, char *const *caption, GError **error);
/* Waits until all is written or shown; false if that failed.  A file that is not to be kept, or is
 * not whole, is removed.  Frees s (NULL: nothing). */
bool hn_video_sink_close(HnVideoSink *s, bool keep, GError **error);

/* A frame as `lines` lines of `columns` characters: half blocks in 24-bit colour, or, without
 * colour, brightness as a character.  Each line ends with \r\n.  g_free. */
char *hn_video_sink_text(const uint8_t *rgb, int64_t width, int64_t height, int columns, int lines,
                         bool colour);
#endif
