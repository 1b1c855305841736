/* format.c - see format.h. */
#include "format.h"
#include <math.h>
#include <string.h>

/* A power of a thousand to divide by, where all values are tiny or huge. */
static int exponent_of(const HnCompared *m) {
  double largest = 0;
  for (int64_t a = 0; a < m->arms; a++)
    for (int k = 0; k < HN_STATISTICS; k++) {
      const HnEstimate *e = &m->estimate[a][k];
      const bool bounds = !hn_statistics[k].paired;
      const double shown[] = {e->value, bounds ? e->low : 0, bounds ? e->high : 0};
      for (guint i = 0; i < G_N_ELEMENTS(shown); i++)
        if (isfinite(shown[i])) largest = fmax(largest, fabs(shown[i]));
    }
  if (largest == 0 || (largest >= 1e-2 && largest < 1e6)) return 0;
  return 3 * (int)floor(log10(largest) / 3);
}

/* Two digits of the narrowest interval, at most five of the largest value; else four of that. */
static int decimals_of(const HnCompared *m, int statistic, int exponent) {
  double finest = INFINITY, largest = 0;
  for (int64_t a = 0; a < m->arms; a++) {
    const HnEstimate *e = &m->estimate[a][statistic];
    double half = (e->high - e->low) / 2;
    if (e->interval != HN_INTERVAL_NONE && half > 0) finest = fmin(finest, half);
    if (isfinite(e->value)) largest = fmax(largest, fabs(e->value));
  }
  double unit = isfinite(finest) ? fmax(finest / 10, largest * 1e-5) : largest / 1e3;
  if (!(unit > 0)) return 2;
  return CLAMP((int)ceil(exponent - log10(unit) - 1e-9), 0, 9);
}

HnFormat hn_format_of(const HnCompared *m, int statistic) {
  const int exponent = exponent_of(m);
  return (HnFormat){decimals_of(m, statistic, exponent), exponent, hn_statistics[statistic].paired};
}

char *hn_format_number(double x, HnFormat f) {
  if (!isfinite(x)) return g_strdup("-");
  char *text = g_strdup_printf(f.sign ? "%+.*f" : "%.*f", f.decimals, x * pow(10, -f.exponent));
  /* no "-0.00" */
  if (*text == '-' && strspn(text + 1, "0.") == strlen(text + 1)) *text = f.sign ? '+' : ' ';
  return g_strchug(text);
}

char *hn_format_interval(const HnEstimate *e, HnFormat f) {
  if (e->interval == HN_INTERVAL_NONE) return g_strdup("");
  g_autofree char *low = hn_format_number(e->low, f), *high = hn_format_number(e->high, f);
  return g_strdup_printf("%s[%s, %s]", e->coarse ? "~" : "", low, high);
}

char *hn_format_statistic(const HnComparison *c, const HnCompared *m, int64_t arm, int statistic) {
  if (hn_statistics[statistic].paired && arm == c->baseline) return g_strdup("baseline");
  if (hn_statistics[statistic].paired && c->protocol[arm]) return g_strdup("other task");
  return hn_format_number(m->estimate[arm][statistic].value, hn_format_of(m, statistic));
}

char *hn_format_methods(const HnComparison *c) {
  bool pairs = false, shown[HN_INTERVALS] = {false};
  for (guint i = 0; i < c->columns->len; i++) {
    const HnCompared *m = c->columns->pdata[i];
    for (int64_t a = 0; a < m->arms; a++) {
      pairs |= m->estimate[a][HN_DIFFERENCE].n > 0;
      for (int k = 0; k < HN_STATISTICS; k++) shown[m->estimate[a][k].interval] = true;
    }
  }
  const char *baseline = c->results->arms[c->baseline];
  GString *text = g_string_new(pairs ? "differences to " : "no differences to ");
  g_string_append_printf(text, "%s%s", baseline, pairs ? ", paired by seed" : "");
  const char *before = "; intervals: ";
  for (int i = HN_INTERVAL_NONE + 1; i < HN_INTERVALS; i++) {
    if (!shown[i]) continue;
    g_string_append_printf(text, "%s%s", before, hn_interval_title((HnInterval)i));
    before = ", ";
  }
  return g_string_free(text, FALSE);
}

char *hn_format_confidence(const HnComparison *c) {
  return g_strdup_printf("%g %% interval", 100 * hn_stats_confidence(c->stats));
}

char *hn_format_heading(const HnCompared *m) {
  const char *better = m->better > 0 ? "higher is better" : m->better < 0 ? "lower is better" : "";
  int exponent = exponent_of(m);
  g_autofree char *scale =
      exponent ? g_strdup_printf("1e%d%s", exponent, *m->unit ? " " : "") : g_strdup("");
  return g_strdup_printf("%s%s%s%s", scale, m->unit, (*scale || *m->unit) && *better ? "; " : "",
                         better);
}
