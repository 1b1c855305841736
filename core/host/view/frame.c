/* frame.c - see frame.h. */
#include "frame.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MARGIN = 6, MOST_FEATURES = 64 };
static const uint8_t paper[3] = {252, 252, 250}, text_ink[3] = {60, 60, 60},
                     said_ink[3] = {200, 110, 40}, true_ink[3] = {30, 90, 160},
                     edge_ink[3] = {214, 214, 210};

/* ---- where things are ---- */

static int scale_of(const HnFrame *f) {
  return f->image.width >= 1200 ? 3 : f->image.width >= 600 ? 2 : 1;
}

static int64_t line_height(const HnFrame *f) {
  return HN_GLYPH_HEIGHT * (int64_t)scale_of(f) + MARGIN;
}

static HnBox strip_of(const HnFrame *f) {
  int64_t height = f->image.height / 3;
  return (HnBox){0, f->image.height - height, f->image.width, height};
}

static void text(const HnFrame *f, int64_t u, int64_t v, const char *what, const uint8_t ink[3]) {
  hn_glyphs_draw(&f->image, u, v, scale_of(f), what, ink);
}

/* The column of observation t in a box that holds the whole trial. */
static int64_t across(const HnFrame *f, HnBox b, int64_t t) {
  return b.u + t * (b.width - 1) / MAX(f->observations - 1, 1);
}

static void draw_edge(const HnFrame *f, HnBox b) {
  const HnBox sides[] = {{b.u, b.v, b.width, 1},
                         {b.u, b.v + b.height - 1, b.width, 1},
                         {b.u, b.v, 1, b.height},
                         {b.u + b.width - 1, b.v, 1, b.height}};
  for (guint k = 0; k < G_N_ELEMENTS(sides); k++) hn_image_fill(&f->image, sides[k], edge_ink);
}

/* ---- the belief as shades ---- */

/* Paper for 0, the ink for 1. */
static void shade(const HnFrame *f, HnBox b, double share, const uint8_t ink[3]) {
  uint8_t mixed[3];
  for (int k = 0; k < 3; k++)
    mixed[k] = (uint8_t)lrint(paper[k] + CLAMP(share, 0, 1) * (ink[k] - paper[k]));
  hn_image_fill(&f->image, b, mixed);
}

/* Probabilities, relative to the largest; y upwards. */
static void draw_map(const HnFrame *f, HnBox b, const float *map) {
  const int64_t nx = f->map_width, ny = f->map_height;
  float largest = 0;
  for (int64_t k = 0; k < nx * ny; k++) largest = fmaxf(largest, map[k]);
  for (int64_t x = 0; x < nx; x++)
    for (int64_t y = 0; y < ny; y++) {
      int64_t u = b.u + x * b.width / nx, v = b.v + (ny - 1 - y) * b.height / ny;
      HnBox cell = {u, v, b.u + (x + 1) * b.width / nx - u, b.v + (ny - y) * b.height / ny - v};
      if (largest > 0) shade(f, cell, (double)(map[x * ny + y] / largest), true_ink);
    }
  draw_edge(f, b);
}

/* A row for each feature, a column for each observation so far: each by its largest magnitude so
 * far, positive in one ink, negative in the other. */
static void draw_features(const HnFrame *f, HnBox b) {
  const int64_t n = f->feature_count, times = f->features->len / n;
  for (int64_t k = 0; k < n; k++) {
    int64_t v = b.v + k * b.height / n, height = b.v + (k + 1) * b.height / n - v;
    double largest = 0;
    for (int64_t t = 0; t < times; t++)
      largest = fmax(largest, fabs((double)g_array_index(f->features, float, t *n + k)));
    for (int64_t t = 0; t < times && largest > 0; t++) {
      double x = (double)g_array_index(f->features, float, t *n + k) / largest;
      int64_t u = across(f, b, t);
      HnBox cell = {u, v, MAX(across(f, b, t + 1) - u, 1), height};
      shade(f, cell, fabs(x), x > 0 ? said_ink : true_ink);
    }
  }
  draw_edge(f, b);
}

/* ---- numbers over the trial ---- */

/* The range of what is; where that is not known, of what is said. */
static bool range_of(const GArray *values, double *low, double *high) {
  bool known = false;
  *low = INFINITY, *high = -INFINITY;
  for (guint t = 0; t < values->len; t++)
    known |= isfinite(g_array_index(values, HnReplayValue, t).is);
  for (guint t = 0; t < values->len; t++) {
    const HnReplayValue *x = &g_array_index(values, HnReplayValue, t);
    double y = known ? x->is : x->said;
    if (isfinite(y)) *low = fmin(*low, y), *high = fmax(*high, y);
  }
  double room = *high > *low ? (*high - *low) / 4 : fmax(fabs(*high) / 4, 1e-6);
  if (known) *low -= room, *high += room;
  return *low <= *high;
}

/* A step curve of what is said or of what is; beyond the range it runs along the edge. */
static void draw_curve(const HnFrame *f, HnBox b, const GArray *values, bool said, double low,
                       double high) {
  const uint8_t *ink = said ? said_ink : true_ink;
  int64_t from = -1;
  for (guint t = 0; t < values->len; t++) {
    const HnReplayValue *x = &g_array_index(values, HnReplayValue, t);
    double y = said ? x->said : x->is, share = high > low ? (y - low) / (high - low) : 0.5;
    if (!isfinite(y)) {
      from = -1;
      continue;
    }
    int64_t v = b.v + lrint((1 - CLAMP(share, 0, 1)) * (double)(b.height - 3)), u = across(f, b, t);
    int64_t next = t + 1 < values->len ? across(f, b, (int64_t)t + 1) : u;
    int64_t top = from < 0 ? v : MIN(v, from), size = from < 0 ? 2 : llabs(v - from) + 2;
    hn_image_fill(&f->image, (HnBox){u, top, 2, size}, ink);
    hn_image_fill(&f->image, (HnBox){u, v, MAX(next - u, 1), 2}, ink);
    from = v;
  }
}

static bool has_values(const GArray *values, bool said) {
  for (guint t = 0; t < values->len; t++) {
    const HnReplayValue *x = &g_array_index(values, HnReplayValue, t);
    if (isfinite(said ? x->said : x->is)) return true;
  }
  return false;
}

static void draw_series(const HnFrame *f, HnBox b, int k) {
  const GArray *values = f->series[k];
  double low, high;
  if (f->words) {
    int64_t u = b.u;
    const char *label = hn_replay_label[k];
    text(f, u, b.v, label, text_ink);
    u += hn_glyphs_width(label, scale_of(f)) + 2 * MARGIN;
    text(f, u, b.v, "believed", said_ink);
    u += hn_glyphs_width("believed", scale_of(f)) + 2 * MARGIN;
    if (has_values(values, false)) text(f, u, b.v, "true", true_ink);
    b.v += line_height(f) - MARGIN / 2, b.height -= line_height(f) - MARGIN / 2;
  }
  if (b.height <= 3 || b.width <= 2) return;
  for (guint t = 0; t < f->begins->len; t++) {
    int64_t u = across(f, b, g_array_index(f->begins, int64_t, t));
    hn_image_fill(&f->image, (HnBox){u, b.v, 1, b.height}, edge_ink);
  }
  if (!range_of(values, &low, &high)) return;
  draw_curve(f, b, values, false, low, high);
  draw_curve(f, b, values, true, low, high);
}

/* ---- in words ---- */

static char *belief_in_words(const HnReplayStep *m) {
  g_autoptr(GString) line = g_string_new(NULL);
  for (int k = 0; k < HN_REPLAY_SERIES; k++) {
    const HnReplayValue *x = &m->series[k];
    if (!isfinite(x->said)) continue;
    g_string_append_printf(line, "%s%s believed %.3g", line->len ? "  " : "", hn_replay_label[k],
                           x->said);
    if (isfinite(x->is)) g_string_append_printf(line, ", true %.3g", x->is);
  }
  return g_strdup(line->str);
}

char **hn_frame_caption(const HnReplayStep *m) {
  const HnReplay *r = m->replay;
  char reward[32] = "";
  if (isfinite(m->reward)) g_snprintf(reward, sizeof reward, "  reward %.2f", (double)m->reward);
  char **lines = g_new0(char *, HN_FRAME_LINES + 1);
  lines[0] = g_strdup_printf("%s/%" PRId64 "  update %" PRId64 "  task %s", r->cell->arm,
                             r->cell->seed_index, r->update, m->task ? m->task : "drawn");
  lines[1] = g_strdup_printf("%s %" PRId64 "  step %" PRId64 "%s  return %.2f",
                             m->adapting ? "adapting" : "episode", m->episode + 1, m->episode_step,
                             reward, m->episode_return);
  lines[2] = belief_in_words(m);
  return lines;
}

/* Draws the lines that a series does not show anyway; returns the row below them. */
static int64_t draw_words(const HnFrame *f, const HnReplayStep *m, HnBox strip) {
  int64_t v = strip.v + MARGIN;
  g_auto(GStrv) lines = hn_frame_caption(m);
  for (int k = 0; k < HN_FRAME_LINES - 1; k++, v += line_height(f))
    text(f, MARGIN, v, lines[k], text_ink);
  return v;
}

/* ---- frames ---- */

static void take_in(HnFrame *f, const HnReplayStep *m) {
  if (m->over) return;
  if (m->begin) g_array_append_val(f->begins, m->step);
  for (int k = 0; k < HN_REPLAY_SERIES; k++) g_array_append_val(f->series[k], m->series[k]);
  /* a feature of each group, where there are too many to tell apart */
  for (int64_t k = 0; k < f->feature_count; k++)
    g_array_append_val(f->features, m->belief[k * m->belief_dim / f->feature_count]);
}

void hn_frame_note(HnFrame *f, const HnReplayStep *m) {
  HnBox strip = strip_of(f);
  int shown[HN_REPLAY_SERIES], count = 0;
  take_in(f, m);
  hn_image_fill(&f->image, strip, paper);
  int64_t top = f->words ? draw_words(f, m, strip) : strip.v + MARGIN;
  HnBox rest = {MARGIN, top, strip.width - 2 * MARGIN, f->image.height - MARGIN - top};
  if (rest.width <= 2 || rest.height <= 3) return;
  for (int k = 0; k < HN_REPLAY_SERIES; k++)
    if (has_values(f->series[k], true)) shown[count++] = k;
  HnBox left = rest;
  if (m->map)
    left.width = rest.height * f->map_width / f->map_height;
  else if (count)
    left.width = rest.width * 2 / 5;
  if (m->map)
    draw_map(f, left, m->map);
  else if (f->feature_count)
    draw_features(f, left);
  else
    left.width = -MARGIN;
  rest.u += left.width + MARGIN, rest.width -= left.width + MARGIN;
  for (int i = 0; i < count; i++) {
    int64_t from = rest.v + i * rest.height / count, to = rest.v + (i + 1) * rest.height / count;
    draw_series(f, (HnBox){rest.u, from, rest.width, to - from - (i + 1 < count ? MARGIN / 2 : 0)},
                shown[i]);
  }
}

HnFrame *hn_frame_new(int64_t width, int64_t height, bool words, const HnReplay *r) {
  HnFrame *f = g_new0(HnFrame, 1);
  f->image = (HnImage){width, height, g_malloc0((gsize)(3 * width * height))};
  f->words = words;
  f->map_width = r->s->bs.map_width, f->map_height = r->s->bs.map_height;
  f->feature_count = MIN(r->s->bs.belief_dim, MOST_FEATURES);
  f->features = g_array_new(false, false, sizeof(float));
  for (int k = 0; k < HN_REPLAY_SERIES; k++)
    f->series[k] = g_array_new(false, false, sizeof(HnReplayValue));
  f->begins = g_array_new(false, false, sizeof(int64_t));
  f->observations = r->s->eval_trial.lifetime;
  return f;
}

void hn_frame_free(HnFrame *f) {
  if (!f) return;
  for (int k = 0; k < HN_REPLAY_SERIES; k++) g_array_unref(f->series[k]);
  g_array_unref(f->features), g_array_unref(f->begins);
  g_free(f->image.rgb), g_free(f);
}

bool hn_frame_draw(HnFrame *f, HnReplay *r, const HnReplayStep *m, GError **error) {
  if (!hn_replay_render(r, m, f->image.width, strip_of(f).v, f->image.rgb, error)) return false;
  hn_frame_note(f, m);
  return true;
}
