/* short_text.c - see short_text.h. */
#include "short_text.h"
#include <glib.h>
#include <math.h>

const char *hn_plural(int64_t count) {
  return count == 1 ? "" : "s";
}

const char *hn_is_or_are(int64_t count) {
  return count == 1 ? "is" : "are";
}

char *hn_short_duration(double seconds) {
  int64_t s = (int64_t)llround(seconds);
  if (s < 60) return g_strdup_printf("%ds", (int)s);
  if (s < 3600) return g_strdup_printf("%dm%02ds", (int)(s / 60), (int)(s % 60));
  if (s < 86400) return g_strdup_printf("%dh%02dm", (int)(s / 3600), (int)(s / 60 % 60));
  return g_strdup_printf("%" G_GINT64_FORMAT "d%02dh", s / 86400, (int)(s / 3600 % 24));
}

char *hn_short_number(double x) {
  static const char *const unit[] = {"", "k", "M", "G", "T", "P"};
  guint i = 0;
  for (; x >= 999.5 && i + 1 < G_N_ELEMENTS(unit); i++) x /= 1000;
  return g_strdup_printf(i == 0 || x >= 99.95 ? "%.0f%s"
                         : x >= 9.995         ? "%.1f%s"
                                              : "%.2f%s",
                         x, unit[i]);
}

char *hn_short_bytes(double x) {
  static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  guint i = 0;
  for (; x > 999 && i + 1 < G_N_ELEMENTS(unit); i++) x /= 1000;
  const int digits = i == 0 || x > 99.9 ? 0 : x > 9.99 ? 1 : 2;
  const double scale = digits == 2 ? 100 : digits == 1 ? 10 : 1;
  return g_strdup_printf("%.*f %s", digits, ceil(x * scale * (1 - 1e-12)) / scale, unit[i]);
}

char *hn_short_list(const char *const *names, uint32_t count, uint32_t most) {
  GString *out = g_string_new(NULL);
  for (uint32_t i = 0; i < MIN(count, most); i++)
    g_string_append_printf(out, "%s%s", i ? ", " : "", names[i]);
  if (count > most) g_string_append_printf(out, " and %u more", count - most);
  return g_string_free(out, FALSE);
}
