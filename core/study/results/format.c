/* format.c - see format.h. */
#include "format.h"
#include <math.h>
#include <string.h>

/* The largest magnitude of what is shown of an arm; 0 if nothing is. */
static double largest_of(const HnCompared *m, int64_t arm) {
  double largest = 0;
  for (int k = 0; k < HN_STATISTICS; k++) {
    const HnEstimate *e = &m->estimate[arm][k];
    const bool bounds = !hn_statistics[k].paired;
    const double shown[] = {e->value, bounds ? e->low : 0, bounds ? e->high : 0};
    for (guint i = 0; i < G_N_ELEMENTS(shown); i++)
      if (isfinite(shown[i])) largest = fmax(largest, fabs(shown[i]));
  }
  return largest;
}

/* A power of a thousand to divide by, where all values of an arm are tiny or huge. */
static int exponent_of(const HnCompared *m, int64_t arm) {
  const double largest = largest_of(m, arm);
  if (largest == 0 || (largest >= 1e-2 && largest < 1e6)) return 0;
  return 3 * (int)floor(log10(largest) / 3);
}

/* That of all arms that have any number but 0, else 0. */
static int common_exponent(const HnCompared *m) {
  int common = 0;
  bool first = true;
  for (int64_t a = 0; a < m->arms; a++) {
    if (largest_of(m, a) == 0) continue;
    const int here = exponent_of(m, a);
    if (!first && here != common) return 0;
    common = here, first = false;
  }
  return common;
}

/* Two digits of an interval of this half width (INFINITY: there is none), at most four of the
 * value. */
static int decimals_of(double half, double largest, int exponent) {
  const double unit = fmax(isfinite(half) ? half / 10 : 0, largest / 1e3);
  if (!(unit > 0)) return 2;
  return CLAMP((int)ceil(exponent - log10(unit) - 1e-9), 0, 9);
}

/* INFINITY where there is no interval. */
static double half_width(const HnEstimate *e) {
  const double half = (e->high - e->low) / 2;
  return e->interval != HN_INTERVAL_NONE && half > 0 ? half : (double)INFINITY;
}

HnFormat hn_format_of(const HnCompared *m, int64_t arm, int statistic) {
  const int exponent = exponent_of(m, arm);
  const HnEstimate *own = &m->estimate[arm][statistic];
  const double size = fabs(own->value);
  double finest = INFINITY, largest = 0;
  for (int64_t a = 0; a < m->arms; a++) {
    const HnEstimate *e = &m->estimate[a][statistic];
    if (exponent_of(m, a) != exponent) continue;
    finest = fmin(finest, half_width(e));
    if (isfinite(e->value)) largest = fmax(largest, fabs(e->value));
  }
  HnFormat f = {decimals_of(finest, largest, exponent), exponent, hn_statistics[statistic].paired,
                exponent != common_exponent(m)};
  if (size * pow(10, f.decimals - exponent) < 10)
    f.decimals = MAX(f.decimals, decimals_of(half_width(own), size, exponent));
  /* results are float32: what an arm's seventh digit does not show is no difference */
  const double scale = largest_of(m, arm);
  if (scale > 0) f.decimals = MIN(f.decimals, decimals_of(INFINITY, scale / 1e3, exponent));
  return f;
}

char *hn_format_number(double x, HnFormat f) {
  if (!isfinite(x)) return g_strdup("-");
  char *text = g_strdup_printf(f.sign ? "%+.*f" : "%.*f", f.decimals, x * pow(10, -f.exponent));
  const bool signed_zero = strchr("+-", *text) && strspn(text + 1, "0.") == strlen(text + 1);
  if (signed_zero) memmove(text, text + 1, strlen(text)); /* "0.00" */
  if (!f.written || !f.exponent) return text;
  g_autofree char *plain = text;
  return g_strdup_printf("%se%d", plain, f.exponent);
}

char *hn_format_interval(const HnEstimate *e, HnFormat f) {
  if (e->interval == HN_INTERVAL_NONE) return g_strdup("");
  g_autofree char *low = hn_format_number(e->low, f), *high = hn_format_number(e->high, f);
  return g_strdup_printf("%s[%s, %s]", e->coarse ? "~" : "", low, high);
}

char *hn_format_statistic(const HnComparison *c, const HnCompared *m, int64_t arm, int statistic) {
  if (hn_statistics[statistic].paired && arm == c->baseline) return g_strdup("baseline");
  if (hn_statistics[statistic].paired && c->protocol[arm]) return g_strdup("other task");
  return hn_format_number(m->estimate[arm][statistic].value, hn_format_of(m, arm, statistic));
}

void hn_methods_add(HnMethods *s, const HnCompared *m) {
  s->paired = true;
  for (int64_t a = 0; a < m->arms; a++) {
    s->pairs |= m->estimate[a][HN_DIFFERENCE].n > 0;
    for (int k = 0; k < HN_STATISTICS; k++) s->interval[m->estimate[a][k].interval] = true;
  }
}

char *hn_methods_text(const HnMethods *s, const HnComparison *c) {
  GString *text = g_string_new(NULL);
  if (s->paired)
    g_string_append_printf(text, "%sdifferences to %s%s", s->pairs ? "" : "no ",
                           c->results->arms[c->baseline], s->pairs ? ", paired by seed" : "");
  const char *before = s->paired ? "; intervals: " : "intervals: ";
  for (int i = HN_INTERVAL_NONE + 1; i < HN_INTERVALS; i++) {
    if (!s->interval[i]) continue;
    g_string_append_printf(text, "%s%s", before, hn_interval_title((HnInterval)i));
    before = ", ";
  }
  return g_string_free(text, FALSE);
}

char *hn_format_methods(const HnComparison *c) {
  HnMethods s = {.paired = true};
  for (guint i = 0; i < c->columns->len; i++) hn_methods_add(&s, c->columns->pdata[i]);
  return hn_methods_text(&s, c);
}

char *hn_format_confidence(const HnComparison *c) {
  return g_strdup_printf("%g %% interval", 100 * hn_stats_confidence(c->stats));
}

char *hn_format_heading(const HnCompared *m) {
  const char *better = m->better > 0 ? "higher is better" : m->better < 0 ? "lower is better" : "";
  int exponent = common_exponent(m);
  g_autofree char *scale =
      exponent ? g_strdup_printf("1e%d%s", exponent, *m->unit ? " " : "") : g_strdup("");
  GString *text = g_string_new(scale);
  const char *parts[] = {m->unit, better, m->averaged ? "mean of the last tenth of updates" : ""};
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    if (i > 0 && text->len && *parts[i]) g_string_append(text, "; ");
    g_string_append(text, parts[i]);
  }
  return g_string_free(text, FALSE);
}
