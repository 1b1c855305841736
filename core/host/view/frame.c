/* frame.c - see frame.h. */
#include "frame.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { GLYPH = 5, LETTER = 6, MARGIN = 6 };
static const uint8_t paper[3] = {252, 252, 250}, text_ink[3] = {60, 60, 60},
                     line_ink[3] = {200, 110, 40}, frame_ink[3] = {214, 214, 210},
                     map_ink[3] = {30, 90, 160};

/* ---- letters ---- */

/* Columns of a glyph, lowest bit on top. */
static const struct {
  char c;
  uint8_t column[GLYPH];
} font[] = {
    {'0', {0x3e, 0x51, 0x49, 0x45, 0x3e}}, {'1', {0x00, 0x42, 0x7f, 0x40, 0x00}},
    {'2', {0x42, 0x61, 0x51, 0x49, 0x46}}, {'3', {0x21, 0x41, 0x45, 0x4b, 0x31}},
    {'4', {0x18, 0x14, 0x12, 0x7f, 0x10}}, {'5', {0x27, 0x45, 0x45, 0x45, 0x39}},
    {'6', {0x3c, 0x4a, 0x49, 0x49, 0x30}}, {'7', {0x01, 0x71, 0x09, 0x05, 0x03}},
    {'8', {0x36, 0x49, 0x49, 0x49, 0x36}}, {'9', {0x06, 0x49, 0x49, 0x29, 0x1e}},
    {'a', {0x20, 0x54, 0x54, 0x54, 0x78}}, {'b', {0x7f, 0x48, 0x44, 0x44, 0x38}},
    {'c', {0x38, 0x44, 0x44, 0x44, 0x20}}, {'d', {0x38, 0x44, 0x44, 0x48, 0x7f}},
    {'e', {0x38, 0x54, 0x54, 0x54, 0x18}}, {'f', {0x08, 0x7e, 0x09, 0x01, 0x02}},
    {'g', {0x0c, 0x52, 0x52, 0x52, 0x3e}}, {'h', {0x7f, 0x08, 0x04, 0x04, 0x78}},
    {'i', {0x00, 0x44, 0x7d, 0x40, 0x00}}, {'j', {0x20, 0x40, 0x44, 0x3d, 0x00}},
    {'k', {0x7f, 0x10, 0x28, 0x44, 0x00}}, {'l', {0x00, 0x41, 0x7f, 0x40, 0x00}},
    {'m', {0x7c, 0x04, 0x18, 0x04, 0x78}}, {'n', {0x7c, 0x08, 0x04, 0x04, 0x78}},
    {'o', {0x38, 0x44, 0x44, 0x44, 0x38}}, {'p', {0x7c, 0x14, 0x14, 0x14, 0x08}},
    {'q', {0x08, 0x14, 0x14, 0x18, 0x7c}}, {'r', {0x7c, 0x08, 0x04, 0x04, 0x08}},
    {'s', {0x48, 0x54, 0x54, 0x54, 0x20}}, {'t', {0x04, 0x3f, 0x44, 0x40, 0x20}},
    {'u', {0x3c, 0x40, 0x40, 0x20, 0x7c}}, {'v', {0x1c, 0x20, 0x40, 0x20, 0x1c}},
    {'w', {0x3c, 0x40, 0x30, 0x40, 0x3c}}, {'x', {0x44, 0x28, 0x10, 0x28, 0x44}},
    {'y', {0x0c, 0x50, 0x50, 0x50, 0x3c}}, {'z', {0x44, 0x64, 0x54, 0x4c, 0x44}},
    {'.', {0x00, 0x60, 0x60, 0x00, 0x00}}, {'-', {0x08, 0x08, 0x08, 0x08, 0x08}},
    {'+', {0x08, 0x08, 0x3e, 0x08, 0x08}}, {'/', {0x20, 0x10, 0x08, 0x04, 0x02}},
};

static void dot(uint8_t *rgb, int64_t width, int64_t height, int64_t u, int64_t v,
                const uint8_t ink[3]) {
  if (u >= 0 && v >= 0 && u < width && v < height) memcpy(rgb + 3 * (v * width + u), ink, 3);
}

void hn_frame_text(uint8_t *rgb, int64_t width, int64_t height, int64_t u, int64_t v, int scale,
                   const char *text, const uint8_t ink[3]) {
  for (; *text; text++, u += (int64_t)LETTER * scale)
    for (guint g = 0; g < G_N_ELEMENTS(font); g++)
      for (int x = 0; font[g].c == *text && x < GLYPH * scale; x++)
        for (int y = 0; y < 7 * scale; y++)
          if (font[g].column[x / scale] >> (y / scale) & 1)
            dot(rgb, width, height, u + x, v + y, ink);
}

/* ---- parts of a frame ---- */

/* A rectangle of the frame, in pixels. */
typedef struct Box {
  int64_t u, v, width, height;
} Box;

static void fill(const HnFrame *f, Box b, const uint8_t ink[3]) {
  for (int64_t v = b.v; v < b.v + b.height; v++)
    for (int64_t u = b.u; u < b.u + b.width; u++) dot(f->rgb, f->width, f->height, u, v, ink);
}

static int scale_of(const HnFrame *f) {
  return f->width >= 1200 ? 3 : f->width >= 600 ? 2 : 1;
}

static void text(const HnFrame *f, int64_t u, int64_t v, const char *what) {
  hn_frame_text(f->rgb, f->width, f->height, u, v, scale_of(f), what, text_ink);
}

static int64_t strip_height(const HnFrame *f) {
  return f->height / 4;
}

/* Probabilities as shades, relative to the largest; y upwards. */
static void draw_map(const HnFrame *f, Box b, const float *map) {
  float largest = 0;
  for (int64_t k = 0; k < f->map_width * f->map_height; k++)
    if (map[k] > largest) largest = map[k];
  for (int64_t v = 0; v < b.height; v++)
    for (int64_t u = 0; u < b.width; u++) {
      int64_t x = u * f->map_width / b.width, y = (b.height - 1 - v) * f->map_height / b.height;
      float share = largest > 0 ? map[x * f->map_height + y] / largest : 0;
      uint8_t ink[3];
      for (int k = 0; k < 3; k++)
        ink[k] = (uint8_t)lrintf((float)paper[k] + share * (float)(map_ink[k] - paper[k]));
      bool edge = u == 0 || v == 0 || u == b.width - 1 || v == b.height - 1;
      dot(f->rgb, f->width, f->height, b.u + u, b.v + v, edge ? frame_ink : ink);
    }
}

static int64_t across(const HnFrame *f, Box b, int64_t t) {
  return b.u + t * (b.width - 1) / MAX(f->observations - 1, 1);
}

/* Entropy so far over the whole trial; a vertical line where an episode begins. */
static void draw_curve(const HnFrame *f, Box b) {
  double low = INFINITY, high = -INFINITY;
  int64_t from = -1;
  for (guint k = 0; k < f->entropy->len; k++) {
    double x = g_array_index(f->entropy, double, k);
    if (isfinite(x)) low = fmin(low, x), high = fmax(high, x);
  }
  for (guint k = 0; k < f->begins->len; k++)
    fill(f, (Box){across(f, b, g_array_index(f->begins, int64_t, k)), b.v, 1, b.height}, frame_ink);
  if (!(low <= high)) return;
  for (guint k = 0; k < f->entropy->len; k++) {
    double x = g_array_index(f->entropy, double, k);
    double share = high > low ? (x - low) / (high - low) : 0.5;
    if (!isfinite(x)) continue;
    int64_t v = b.v + lrint((1 - share) * (double)(b.height - 3)), u = across(f, b, k);
    int64_t top = from < 0 ? v : MIN(v, from), size = from < 0 ? 2 : llabs(v - from) + 2;
    fill(f, (Box){u, top, 2, size}, line_ink);
    int64_t next = k + 1 < f->entropy->len ? across(f, b, (int64_t)k + 1) : u;
    fill(f, (Box){u, v, MAX(next - u, 1), 2}, line_ink);
    from = v;
  }
}

static void draw_numbers(const HnFrame *f, const HnReplayStep *m, int64_t v) {
  char line[120], reward[32] = "";
  if (isfinite(m->reward)) g_snprintf(reward, sizeof reward, "  reward %.2f", (double)m->reward);
  g_snprintf(line, sizeof line, "%s %" PRId64 "  step %" PRId64 "%s  return %.2f",
             m->adapting ? "adapting" : "episode", m->episode + 1, m->episode_step, reward,
             m->episode_return);
  text(f, MARGIN, v, line);
}

void hn_frame_note(HnFrame *f, const HnReplayStep *m) {
  int scale = scale_of(f);
  int64_t top = f->height - strip_height(f), line = 7 * (int64_t)scale + MARGIN;
  if (!m->over) {
    if (m->begin) g_array_append_val(f->begins, m->step);
    g_array_append_val(f->entropy, m->entropy);
  }
  fill(f, (Box){0, top, f->width, strip_height(f)}, paper);
  draw_numbers(f, m, top + MARGIN);
  Box rest = {MARGIN, top + MARGIN + line, f->width - 2 * MARGIN,
              strip_height(f) - line - 2 * MARGIN};
  if (m->map && rest.height > 0) {
    Box map = {rest.u, rest.v, rest.height * f->map_width / f->map_height, rest.height};
    draw_map(f, map, m->map);
    rest.u += map.width + MARGIN, rest.width -= map.width + MARGIN;
  }
  if (rest.width <= 2 || rest.height <= 3) return;
  draw_curve(f, rest);
  if (isfinite(m->entropy)) {
    char now[48];
    g_snprintf(now, sizeof now, "entropy %.2f", m->entropy);
    int64_t wide = (int64_t)strlen(now) * LETTER * scale;
    text(f, MAX(rest.u + rest.width - wide, rest.u), rest.v, now);
  }
}

/* ---- frames ---- */

HnFrame *hn_frame_new(int64_t width, int64_t height, const HnReplay *r) {
  HnFrame *f = g_new0(HnFrame, 1);
  f->width = width, f->height = height;
  f->rgb = g_malloc0((gsize)(3 * width * height));
  f->map_width = r->s->bs.map_width, f->map_height = r->s->bs.map_height;
  f->entropy = g_array_new(false, false, sizeof(double));
  f->begins = g_array_new(false, false, sizeof(int64_t));
  f->observations = r->s->eval_trial.lifetime;
  return f;
}

void hn_frame_free(HnFrame *f) {
  if (!f) return;
  g_array_unref(f->entropy), g_array_unref(f->begins);
  g_free(f->rgb), g_free(f);
}

bool hn_frame_draw(HnFrame *f, HnReplay *r, const HnReplayStep *m, GError **error) {
  int64_t height = f->height - strip_height(f);
  if (!hn_replay_render(r, m, f->width, height, f->rgb, error)) return false;
  hn_frame_note(f, m);
  return true;
}
