/* message.c - see message.h. */
#include "message.h"
#include "diagnostics.h"
#include "text_fold.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *hn_message_style(int fd, HnStyle style) {
  static const char *const escapes[] = {"\033[0m", "\033[1m", "\033[1;31m", "\033[1;33m",
                                        "\033[32m"};
  const char *no_color = g_getenv("NO_COLOR"), *term = g_getenv("TERM");
  if ((no_color && *no_color) || !term || strcmp(term, "dumb") == 0 || !isatty(fd)) return "";
  return escapes[style];
}

G_GNUC_PRINTF(4, 0)
static void message(const char *verb, const char *what, HnStyle style, const char *format,
                    va_list args) {
  g_autofree char *raw = g_strdup_vprintf(format, args);
  g_auto(GStrv) lines = g_strsplit(raw, "\n", -1); /* paths may hold any bytes */
  for (char **line = lines; *line; line++) {
    char *shown = hn_diag_printable(*line);
    g_free(*line), *line = shown;
  }
  g_autofree char *text = g_strjoinv("\n", lines);
  fflush(stdout); /* so that a shared terminal or file keeps the order */
  fprintf(stderr, "hunch%s%s: %s%s:%s %s\n", verb ? " " : "", verb ? verb : "",
          hn_message_style(STDERR_FILENO, style), what, hn_message_style(STDERR_FILENO, HN_PLAIN),
          text);
}

void hn_message_error(const char *verb, const char *format, ...) {
  va_list args;
  va_start(args, format);
  message(verb, "error", HN_RED, format, args);
  va_end(args);
}

void hn_message_warning(const char *verb, const char *format, ...) {
  va_list args;
  va_start(args, format);
  message(verb, "warning", HN_YELLOW, format, args);
  va_end(args);
}

void hn_message_lines(const char *text) {
  struct winsize size;
  const bool known = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  g_autofree char *folded = hn_text_folded(text, known && size.ws_col ? size.ws_col : G_MAXINT);
  fputs(folded, stdout);
}
