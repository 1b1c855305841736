/* progress.c - see progress.h.  No colour, so NO_COLOR has nothing to switch off. */
#include "progress.h"
#include "short_text.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { CELLS_SHOWN = 4 }; /* with what they have evaluated */

typedef struct Count {
  double frames, total;
  guint running, done, failed;
} Count;

static Count count(const GPtrArray *jobs) {
  Count c = {0};
  for (guint i = 0; i < jobs->len; i++) {
    const HnJob *j = jobs->pdata[i];
    c.total += (double)j->total;
    c.frames += (double)(j->state == HN_JOB_DONE ? j->total : MIN(j->frames, j->total));
    c.running += j->state == HN_JOB_RUNNING;
    c.done += j->state == HN_JOB_DONE;
    c.failed += j->state == HN_JOB_FAILED;
  }
  return c;
}

void hn_progress_start(HnProgress *p, const GPtrArray *jobs, const char *metric) {
  const char *kind = g_getenv("TERM");
  *p = (HnProgress){.jobs = jobs,
                    .metric = metric,
                    .terminal = isatty(STDERR_FILENO) && kind && !g_str_equal(kind, "dumb"),
                    .started = g_get_monotonic_time(),
                    .before = count(jobs).frames};
}

/* Frames that are still to come: none of a failed cell. */
static double missing(const HnProgress *p) {
  double frames = 0;
  for (guint i = 0; i < p->jobs->len; i++) {
    const HnJob *j = p->jobs->pdata[i];
    if (j->state == HN_JOB_WAITING || j->state == HN_JOB_RUNNING)
      frames += (double)MAX(j->total - j->frames, 0);
  }
  return frames;
}

static double share_of(Count c) {
  return c.total > 0 ? c.frames / c.total : 1;
}

/* What running cells have evaluated: "eval.return a/0 0.431, b/0 -0.2  ", or "". */
static char *metric_words(const HnProgress *p) {
  g_autoptr(GString) out = g_string_new(NULL);
  int shown = 0;
  for (guint i = 0; i < p->jobs->len; i++) {
    const HnJob *j = p->jobs->pdata[i];
    if (j->state != HN_JOB_RUNNING || !j->evaluated) continue;
    if (shown++ == CELLS_SHOWN) {
      g_string_append(out, ", ..");
      break;
    }
    g_string_append_printf(out, "%s%s %.4g", shown > 1 ? ", " : "", j->name, j->metric);
  }
  return shown ? g_strconcat(p->metric, " ", out->str, "  ", NULL) : g_strdup("");
}

char *hn_progress_words(const HnProgress *p, double elapsed) {
  Count c = count(p->jobs);
  double gained = c.frames - p->before;
  g_autofree char *now = hn_short_number(c.frames);
  g_autofree char *all = hn_short_number(c.total);
  g_autofree char *left =
      gained > 0 && elapsed > 0 ? hn_short_duration(missing(p) * elapsed / gained) : g_strdup("?");
  g_autofree char *failed = c.failed ? g_strdup_printf(", %u failed", c.failed) : g_strdup("");
  g_autofree char *metric = metric_words(p);
  return g_strdup_printf("%d%%  %s left  %u running, %u done%s of %u cell%s  %s%s/%s frames",
                         (int)(100 * share_of(c)), left, c.running, c.done, failed, p->jobs->len,
                         hn_plural(p->jobs->len), metric, now, all);
}

char *hn_progress_bar(const HnProgress *p, double elapsed, int width) {
  g_autofree char *text = hn_progress_words(p, elapsed);
  double share = share_of(count(p->jobs));
  int room = MIN(width - (int)strlen(text) - 4, 30);
  if (room < 6) return g_strndup(text, (gsize)MAX(width, 0));
  GString *bar = g_string_new("[");
  for (int i = 0; i < room; i++) g_string_append_c(bar, i < (int)(share * room) ? '=' : ' ');
  g_string_append_printf(bar, "] %s", text);
  return g_string_free(bar, FALSE);
}

static double elapsed(const HnProgress *p) {
  return (double)(g_get_monotonic_time() - p->started) * 1e-6;
}

void hn_progress_draw(HnProgress *p) {
  struct winsize size = {0};
  if (!p->terminal) return;
  bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  g_autofree char *text = hn_progress_bar(p, elapsed(p), known ? size.ws_col - 1 : 79);
  fprintf(stderr, "\r\033[K%s", text);
  fflush(stderr);
  p->drawn = true;
}

void hn_progress_heartbeat(HnProgress *p) {
  g_autofree char *text = hn_progress_words(p, elapsed(p));
  fprintf(stderr, "%s\n", text);
  fflush(stderr);
}

void hn_progress_clear(HnProgress *p) {
  if (!p->drawn) return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
  p->drawn = false;
}
