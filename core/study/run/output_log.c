/* output_log.c - see output_log.h. */
#include "output_log.h"
#include "diagnostics.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 1 << 20, TAIL = 1 << 16, LINE = 1024, LINES = 200 };

struct HnOutputLog {
  char *path, *last;
  HnOutputLine *line;
  void *arg;
  int fd; /* -1: not open */
  gsize written;
  guint64 held; /* bytes after the head, of which tail has the last */
  char tail[TAIL];
  GString *part; /* of a line */
  int lines;
};

HnOutputLog *hn_output_log_new(const char *path, HnOutputLine *line, void *arg) {
  HnOutputLog *o = g_new0(HnOutputLog, 1);
  o->path = g_strdup(path), o->line = line, o->arg = arg, o->fd = -1;
  o->part = g_string_new(NULL);
  return o;
}

void hn_output_log_free(HnOutputLog *o) {
  if (o->fd >= 0) close(o->fd);
  g_string_free(o->part, TRUE);
  g_free(o->path), g_free(o->last), g_free(o);
}

const char *hn_output_log_last(const HnOutputLog *o) {
  return o->last;
}

/* ---- to the file ---- */

static void put(HnOutputLog *o, const char *bytes, gsize count) {
  if (o->fd < 0)
    o->fd = open(o->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  while (o->fd >= 0 && count > 0) {
    const ssize_t n = write(o->fd, bytes, count);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return; /* a full disk: the cell's own files say so */
    bytes += n, count -= (gsize)n;
  }
}

static void keep(HnOutputLog *o, const char *bytes, gsize count) {
  const gsize head = MIN(count, HEAD - o->written);
  put(o, bytes, head);
  o->written += head, bytes += head, count -= head;
  if (count > TAIL) { /* all but the last would be overwritten */
    o->held += count - TAIL;
    bytes += count - TAIL, count = TAIL;
  }
  for (gsize i = 0; i < count; i++) o->tail[o->held++ % TAIL] = bytes[i];
}

/* ---- by lines ---- */

static void end_line(HnOutputLog *o) {
  g_autofree char *clean = hn_diag_printable(o->part->str);
  g_string_truncate(o->part, 0);
  if (!*g_strstrip(clean)) return;
  g_free(o->last);
  o->last = g_strdup(clean);
  if (o->lines < LINES) o->line(o->arg, o->last);
  if (++o->lines == LINES) o->line(o->arg, "(more lines follow; log.txt has them)");
}

void hn_output_log_take(HnOutputLog *o, const char *bytes, gsize count) {
  keep(o, bytes, count);
  for (const char *end = bytes + count; bytes < end;) {
    const char *line = memchr(bytes, '\n', (gsize)(end - bytes));
    const gsize n = (gsize)((line ? line : end) - bytes), room = LINE - MIN(o->part->len, LINE);
    g_string_append_len(o->part, bytes, (gssize)MIN(n, room));
    bytes += n + (line != NULL);
    if (line) end_line(o);
  }
}

void hn_output_log_end(HnOutputLog *o) {
  if (o->part->len) end_line(o);
  const guint64 count = MIN(o->held, TAIL), first = o->held - count;
  if (first > 0) {
    g_autofree char *words =
        g_strdup_printf("\n.. %" G_GUINT64_FORMAT " bytes are left out here ..\n", first);
    put(o, words, strlen(words));
  }
  for (guint64 i = first; i < o->held;) { /* as far as the ring goes in one piece */
    const guint64 at = i % TAIL, n = MIN(o->held - i, TAIL - at);
    put(o, o->tail + at, n);
    i += n;
  }
  o->held = 0;
  if (o->fd >= 0) close(o->fd);
  o->fd = -1;
}
