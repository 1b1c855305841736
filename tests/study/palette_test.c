/* palette_test.c - a report's colours as those see them who see fewer: every two arms are told
 * apart, and every text is legible. */
#include "colours.h"
#include "page_css.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

typedef struct Vec {
  double x[3];
} Vec;

/* ---- colour ---- */

/* sRGB to linear light (IEC 61966-2-1). */
static Vec linear(const char *hex) {
  Vec v;
  g_assert_true(*hex == '#' && strlen(hex) == 7);
  for (int i = 0; i < 3; i++) {
    const char digits[3] = {hex[1 + 2 * i], hex[2 + 2 * i], 0};
    const double c = (double)strtol(digits, NULL, 16) / 255;
    v.x[i] = c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
  }
  return v;
}

static Vec times(const double m[9], Vec v) {
  Vec out;
  for (int i = 0; i < 3; i++)
    out.x[i] = m[3 * i] * v.x[0] + m[3 * i + 1] * v.x[1] + m[3 * i + 2] * v.x[2];
  return out;
}

/* What dichromats see, in linear light.  Source: Machado, Oliveira & Fernandes 2009, severity 1. */
static const double sight[][9] = {
    {1, 0, 0, 0, 1, 0, 0, 0, 1},
    {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
    {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
    {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900}};
static const char *const sight_name[] = {"none", "protanopia", "deuteranopia", "tritanopia"};

static double cie_f(double t) {
  return t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

/* CIE L*a*b* under D65. */
static Vec lab(Vec rgb) {
  static const double xyz[9] = {0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522,
                                0.0721750, 0.0193339, 0.1191920, 0.9503041};
  for (int i = 0; i < 3; i++) rgb.x[i] = CLAMP(rgb.x[i], 0, 1);
  const Vec v = times(xyz, rgb);
  const double x = cie_f(v.x[0] / 0.95047), y = cie_f(v.x[1]), z = cie_f(v.x[2] / 1.08883);
  return (Vec){{116 * y - 16, 500 * (x - y), 200 * (y - z)}};
}

static double hue(double a, double b) {
  const double h = a == 0 && b == 0 ? 0 : atan2(b, a) * 180 / PI;
  return h < 0 ? h + 360 : h;
}

static double cos_deg(double angle) {
  return cos(angle * PI / 180);
}

/* Source: Sharma, Wu & Dalal 2005. */
static double ciede2000(Vec p, Vec q) {
  const double mean = (hypot(p.x[1], p.x[2]) + hypot(q.x[1], q.x[2])) / 2;
  const double g = 0.5 * (1 - sqrt(pow(mean, 7) / (pow(mean, 7) + pow(25, 7))));
  const double a1 = (1 + g) * p.x[1], a2 = (1 + g) * q.x[1];
  const double c1 = hypot(a1, p.x[2]), c2 = hypot(a2, q.x[2]);
  const double h1 = hue(a1, p.x[2]), h2 = hue(a2, q.x[2]);
  const bool grey = c1 * c2 == 0;
  double dh = grey ? 0 : h2 - h1;
  if (dh > 180) dh -= 360;
  if (dh < -180) dh += 360;
  const double dl = q.x[0] - p.x[0], dc = c2 - c1, dH = 2 * sqrt(c1 * c2) * sin(dh / 2 * PI / 180);
  const double l = (p.x[0] + q.x[0]) / 2, c = (c1 + c2) / 2;
  double h = grey ? h1 + h2 : (h1 + h2) / 2;
  if (!grey && fabs(h1 - h2) > 180) h += h1 + h2 < 360 ? 180 : -180;
  const double t = 1 - 0.17 * cos_deg(h - 30) + 0.24 * cos_deg(2 * h) + 0.32 * cos_deg(3 * h + 6) -
                   0.20 * cos_deg(4 * h - 63);
  const double rc = 2 * sqrt(pow(c, 7) / (pow(c, 7) + pow(25, 7)));
  const double sl = 1 + 0.015 * pow(l - 50, 2) / sqrt(20 + pow(l - 50, 2));
  const double sc = 1 + 0.045 * c, sh = 1 + 0.015 * c * t;
  const double rt = -sin(60 * exp(-pow((h - 275) / 25, 2)) * PI / 180) * rc;
  return sqrt(pow(dl / sl, 2) + pow(dc / sc, 2) + pow(dH / sh, 2) + rt * dc / sc * dH / sh);
}

/* WCAG 2.1. */
static double contrast(const char *a, const char *b) {
  double y[2];
  for (int i = 0; i < 2; i++) {
    const Vec v = linear(i ? b : a);
    y[i] = 0.2126 * v.x[0] + 0.7152 * v.x[1] + 0.0722 * v.x[2] + 0.05;
  }
  return fmax(y[0], y[1]) / fmin(y[0], y[1]);
}

/* ---- tests ---- */

/* The yardsticks themselves: pairs 1, 10, 17 and 25 of Sharma's published data, and WCAG's ends. */
static void yardsticks(void) {
  static const struct {
    Vec p, q;
    double is;
  } pair[] = {{{{50, 2.6772, -79.7751}}, {{50, 0, -82.7485}}, 2.0425},
              {{{50, -1, 2}}, {{50, 0, 0}}, 2.3669},
              {{{50, 2.5, 0}}, {{73, 25, -18}}, 27.1492},
              {{{60.2574, -34.0099, 36.2677}}, {{60.4626, -34.1751, 39.4387}}, 1.2644}};
  for (guint i = 0; i < G_N_ELEMENTS(pair); i++)
    g_assert_cmpfloat_with_epsilon(ciede2000(pair[i].p, pair[i].q), pair[i].is, 5e-5);
  g_assert_cmpfloat_with_epsilon(contrast("#000000", "#ffffff"), 21, 1e-9);
  g_assert_cmpfloat_with_epsilon(contrast("#777777", "#ffffff"), 4.48, 5e-3);
}

static void slots_apart(void) {
  for (int dark = 0; dark < 2; dark++)
    for (guint k = 0; k < G_N_ELEMENTS(sight); k++)
      for (int i = 0; i < HN_SLOTS; i++)
        for (int j = 0; j < i; j++) {
          const char *a = hn_colour(hn_colour_of_slot(i), dark);
          const char *b = hn_colour(hn_colour_of_slot(j), dark);
          const double far =
              ciede2000(lab(times(sight[k], linear(a))), lab(times(sight[k], linear(b))));
          if (far < 10) g_error("%s and %s: %.1f under %s", a, b, far, sight_name[k]);
        }
}

/* Black and white print tells them apart too. */
static void slots_without_colour(void) {
  for (int i = 0; i < HN_SLOTS; i++)
    for (int j = 0; j < i; j++) {
      g_assert_true(hn_slot_point(i) != hn_slot_point(j) || hn_slot_dash(i) != hn_slot_dash(j));
      g_assert_cmpint(
          hn_slot_point(i) != hn_slot_point(j), ==,
          strcmp(hn_marker_path(hn_slot_marker(i)), hn_marker_path(hn_slot_marker(j))) != 0);
    }
}

/* "#rrggbb" that a variable has in the page's style: the first time in light, the second in dark.
 */
static char *variable(const char *name, bool dark) {
  static const char *const style[] = {HN_PAGE_CSS};
  g_autofree char *wanted = g_strdup_printf("  --%s: #", name);
  int seen = 0;
  for (guint i = 0; i < G_N_ELEMENTS(style); i++) {
    const char *found = strstr(style[i], wanted);
    if (found && seen++ == dark) return g_strndup(strchr(found, '#'), 7);
  }
  g_error("no --%s", name);
}

static void legible(void) {
  static const char *const texts[] = {"text", "soft", "link"};
  for (int dark = 0; dark < 2; dark++) {
    g_autofree char *raised = variable("raised", dark);
    const char *paper = hn_colour(HN_PAPER, dark);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
      g_autofree char *text = variable(texts[i], dark);
      g_assert_cmpfloat(contrast(text, paper), >=, 4.5);
      g_assert_cmpfloat(contrast(text, raised), >=, 4.5);
    }
    g_assert_cmpfloat(contrast(hn_colour(HN_INK, dark), paper), >=, 4.5); /* text of figures */
    for (int i = 0; i < HN_SLOTS; i++) /* graphical objects: WCAG 1.4.11 */
      g_assert_cmpfloat(contrast(hn_colour(hn_colour_of_slot(i), dark), paper), >=, 3);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/palette/yardsticks", yardsticks);
  g_test_add_func("/palette/slots_apart", slots_apart);
  g_test_add_func("/palette/slots_without_colour", slots_without_colour);
  g_test_add_func("/palette/legible", legible);
  return g_test_run();
}
