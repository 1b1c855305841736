/* colours.c - see colours.h. */
#include "colours.h"

static const struct {
  const char *name, *light, *dark;
} paper[] = {[HN_INK] = {"ink", "#333333", "#d8d8d8"},
             [HN_GRID] = {"grid", "#e2e2e2", "#3a3a3a"},
             [HN_HEAT] = {"heat", "#08407f", "#6cb6ff"},
             [HN_PATH] = {"path", "#d55e00", "#ff8c42"}};
static const char *const light[] = {"#0072b2", "#d55e00", "#00875f", "#a5408d",
                                    "#a67c00", "#5b4bb5", "#8c4a2f"};
static const char *const dark[] = {"#56b4e9", "#ff8c42", "#2fc79a", "#e29bc6",
                                   "#e6c229", "#a79bee", "#cf9b7e"};

enum { HUES = G_N_ELEMENTS(light), ARM = HN_SERIES + HUES, ARMS_MAX = 240 };

int hn_colour_of_series(int64_t i) {
  return HN_SERIES + (int)(i % HUES);
}

int hn_colour_of_arm(int64_t arm) {
  return ARM + (int)(arm % ARMS_MAX);
}

bool hn_colour_is_code(int64_t code) {
  return code >= HN_INK && code < ARM + ARMS_MAX;
}

/* The index of an arm among the arms other than the baseline. */
static int64_t hue_of(int64_t arm, int64_t baseline) {
  return arm - (arm > baseline);
}

bool hn_colour_repeats(int64_t arm, int64_t baseline) {
  return hue_of(arm, baseline) >= HUES;
}

const char *hn_colour(int code, int64_t baseline, bool on_dark) {
  const char *const *hues = on_dark ? dark : light;
  if (code < HN_SERIES) return on_dark ? paper[code].dark : paper[code].light;
  if (code < ARM) return hues[code - HN_SERIES];
  if (code - ARM == baseline) return on_dark ? "#b4b4b4" : "#5f5f5f";
  return hues[hue_of(code - ARM, baseline) % HUES];
}

static char *name_of(int code) {
  if (code < HN_SERIES) return g_strdup(paper[code].name);
  return code < ARM ? g_strdup_printf("series-%d", code - HN_SERIES)
                    : g_strdup_printf("arm-%d", code - ARM);
}

char *hn_colour_variable(int code) {
  g_autofree char *name = name_of(code);
  return g_strdup_printf("var(--%s)", name);
}

char *hn_colour_variables(int64_t arms, int64_t baseline, bool on_dark) {
  GString *css = g_string_new(NULL);
  for (int code = HN_INK; code < ARM + arms; code++) {
    g_autofree char *name = name_of(code);
    g_string_append_printf(css, "--%s:%s;", name, hn_colour(code, baseline, on_dark));
  }
  return g_string_free(css, FALSE);
}
