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
                      : g_strdup(hn_colour(code, false));
}

void hn_script_axes(const HnScript *s) {
  g_autofree char *ink = hn_script_colour(s, HN_INK), *grid = hn_script_colour(s, HN_GRID);
  hn_script_add(s,
                "set border 3 lc rgb '%s' lw 1\n"
                "set tics nomirror out scale 0.5,0.25 textcolor rgb '%s'\n"
                "set grid y lt 1 lc rgb '%s' lw 1\n",
                ink, ink, grid);
}

void hn_script_margins(const HnScript *s, double left, double right, double top, double bottom) {
  const double place[] = {left / s->width, 1 - right / s->width, 1 - top / s->height,
                          bottom / s->height};
  static const char side[] = "lrtb";
  for (int i = 0; i < 4; i++) {
    hn_script_add(s, "set %cmargin at screen", side[i]);
    hn_script_number(s, place[i]), hn_script_add(s, "\n");
  }
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

double hn_range_step(HnRange r, int count) {
  const double least = (r.high - r.low) / count, ten = pow(10, floor(log10(least)));
  return ten * (least <= ten ? 1 : least <= 2 * ten ? 2 : least <= 5 * ten ? 5 : 10);
}

/* " screen 0.5,0.5" */
static void place(const HnScript *s, double x, double y) {
  hn_script_add(s, " screen"), hn_script_number(s, x / s->width);
  hn_script_add(s, ","), hn_script_number(s, 1 - y / s->height);
}

void hn_script_text(const HnScript *s, double x, double y, const char *side, const char *text,
                    int code) {
  g_autofree char *colour = hn_script_colour(s, code), *shown = hn_script_quoted(text);
  hn_script_add(s, "set label %s at", shown), place(s, x, y);
  hn_script_add(s, " %s textcolor rgb '%s'\n", side, colour);
}

void hn_script_line(const HnScript *s, double x0, double y0, double x1, double y1, int code,
                    double thickness, int dash) {
  g_autofree char *colour = hn_script_colour(s, code);
  hn_script_add(s, "set arrow from"), place(s, x0, y0);
  hn_script_add(s, " to"), place(s, x1, y1);
  hn_script_add(s, " nohead lc rgb '%s' lw %g dt %d\n", colour, thickness, dash);
}

void hn_script_marker(const HnScript *s, double x, double y, int64_t slot, double size) {
  g_autofree char *colour = hn_script_colour(s, hn_colour_of_slot(slot));
  hn_script_add(s, "set label '' at"), place(s, x, y);
  hn_script_add(s, " point pt %d ps %g lc rgb '%s'\n", hn_slot_point(slot), size, colour);
}
