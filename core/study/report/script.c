/* script.c - see script.h. */
#include "script.h"
#include <math.h>
#include <stdarg.h>

void hn_script_add(const HnScript *s, const char *format, ...) {
  va_list list;
  va_start(list, format);
  g_string_append_vprintf(s->text, format, list);
  va_end(list);
}

void hn_script_number(const HnScript *s, double x) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  hn_script_add(s, " %s", isfinite(x) ? g_ascii_formatd(text, sizeof text, "%.9g", x) : "NaN");
}

void hn_script_numbers(const HnScript *s, int64_t n, const double *x) {
  for (int64_t i = 0; i < n; i++) hn_script_number(s, x[i]);
}

char *hn_script_quoted(const char *text) {
  g_auto(GStrv) parts = g_strsplit(text, "'", -1);
  g_autofree char *twice = g_strjoinv("''", parts);
  char *all = g_strdup_printf("'%s'", twice);
  for (char *c = all; *c; c++)
    if ((guchar)*c < ' ') *c = ' ';
  return all;
}

char *hn_script_colour(const HnScript *s, int code) {
  return s->stand_ins ? g_strdup_printf("#0101%02x", (unsigned)code)
                      : g_strdup(hn_colour(code, s->baseline, false));
}

void hn_script_axes(const HnScript *s) {
  g_autofree char *ink = hn_script_colour(s, HN_INK), *grid = hn_script_colour(s, HN_GRID);
  hn_script_add(s,
                "set border 3 lc rgb '%s' lw 1\n"
                "set tics nomirror out scale 0.5,0.25 textcolor rgb '%s'\n"
                "set grid y lt 1 lc rgb '%s' lw 1\n",
                ink, ink, grid);
}

void hn_range_include(HnRange *r, double x) {
  if (!isfinite(x)) return;
  r->low = fmin(r->low, x), r->high = fmax(r->high, x);
}

void hn_script_range(const HnScript *s, const char *axis, HnRange r) {
  hn_script_add(s, "set %srange [", axis);
  hn_script_number(s, r.low), hn_script_add(s, ":"), hn_script_number(s, r.high);
  hn_script_add(s, "]\n");
}
