/* colours.c - see colours.h.  The slots' colours were found by maximising the smallest CIEDE2000
 * between any two, as trichromats and as dichromats see them, with the first ones given. */
#include "colours.h"

static const struct {
  const char *name, *light, *dark;
} paper[] = {
    [HN_INK] = {"ink", "#333333", "#d8d8d8"},     [HN_GRID] = {"grid", "#e2e2e2", "#3a3a3a"},
    [HN_HEAT] = {"heat", "#08407f", "#6cb6ff"},   [HN_PATH] = {"path", "#d55e00", "#ff8c42"},
    [HN_PAPER] = {"paper", "#ffffff", "#141414"}, [HN_REST] = {"rest", "#cfcfcf", "#484848"}};
static const struct {
  const char *light, *dark;
} slots[HN_SLOTS] = {
    {"#5f5f5f", "#b4b4b4"}, {"#0072b2", "#56b4e9"}, {"#d55e00", "#ff8c42"}, {"#50a288", "#99bb8d"},
    {"#7f0000", "#c20a59"}, {"#938fba", "#ebeca7"}, {"#011e81", "#7629fb"}, {"#709357", "#067060"},
    {"#817ffe", "#7f75ff"}, {"#41213c", "#805d01"}, {"#b0350e", "#d3f700"}, {"#946c87", "#9981a5"},
    {"#215370", "#03f9fb"}, {"#56714c", "#599481"}, {"#0400e5", "#6c5f8f"}, {"#581020", "#ab784b"}};

int hn_colour_of_slot(int64_t slot) {
  return slot < 0 ? HN_REST : HN_FIRST_SLOT + (int)(slot % HN_SLOTS);
}

bool hn_colour_is_code(int64_t code) {
  return code >= HN_INK && code < HN_FIRST_SLOT + HN_SLOTS;
}

const char *hn_colour(int code, bool on_dark) {
  if (code < HN_FIRST_SLOT) return on_dark ? paper[code].dark : paper[code].light;
  const int slot = code - HN_FIRST_SLOT;
  return on_dark ? slots[slot].dark : slots[slot].light;
}

static char *name_of(int code) {
  return code < HN_FIRST_SLOT ? g_strdup(paper[code].name)
                              : g_strdup_printf("slot-%d", code - HN_FIRST_SLOT);
}

char *hn_colour_variable(int code) {
  g_autofree char *name = name_of(code);
  return g_strdup_printf("var(--%s)", name);
}

char *hn_colour_variables(bool on_dark) {
  GString *css = g_string_new(NULL);
  for (int code = HN_INK; hn_colour_is_code(code); code++) {
    g_autofree char *name = name_of(code);
    g_string_append_printf(css, "--%s:%s;", name, hn_colour(code, on_dark));
  }
  return g_string_free(css, FALSE);
}

/* ---- without colour ---- */

static const struct {
  int point; /* of gnuplot */
  bool open;
  const char *path;
} markers[HN_MARKERS] = {{7, false, "M-.9,0a.9,.9 0 1,0 1.8,0a.9,.9 0 1,0 -1.8,0z"}, /* circle */
                         {5, false, "M-.8,-.8h1.6v1.6h-1.6z"},
                         {9, false, "M0,-1L.95,.7H-.95z"},
                         {13, false, "M0,-1L1,0L0,1L-1,0z"},
                         {11, false, "M0,1L.95,-.7H-.95z"},
                         {6, true, "M-.8,0a.8,.8 0 1,0 1.6,0a.8,.8 0 1,0 -1.6,0z"},
                         {4, true, "M-.75,-.75h1.5v1.5h-1.5z"},
                         {12, true, "M0,-.95L.95,0L0,.95L-.95,0z"}};

int hn_slot_marker(int64_t slot) {
  return (int)(slot % HN_MARKERS);
}

int hn_slot_point(int64_t slot) {
  return markers[hn_slot_marker(slot)].point;
}

int hn_slot_dash(int64_t slot) {
  return slot == 0 ? 2 : slot < HN_MARKERS ? 1 : 4;
}

const char *hn_marker_path(int marker) {
  return markers[marker].path;
}

bool hn_marker_is_open(int marker) {
  return markers[marker].open;
}
