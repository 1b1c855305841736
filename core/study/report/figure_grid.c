/* figure_grid.c - see figure_grid.h.  From the cells' trial.csv. */
#include "figure_grid.h"
#include "arm_slots.h"
#include "csv.h"
#include "json.h"
#include "trial_rows.h"
#include <math.h>

enum { GEOMETRIC_MAX = 8, EPISODES_MAX = 4 };

static void maps_free(void *data) {
  HnGridMaps *p = data;
  for (guint i = 0; i < p->map->len; i++) {
    HnGridMap *one = &g_array_index(p->map, HnGridMap, i);
    g_free(one->cell), g_free(one->path);
  }
  g_array_unref(p->map);
  g_free(p);
}

/* ---- gathering ---- */

/* The steps that are shown: 0, 1, 2, 4 .. of the first episode, then the end of each episode, or of
 * many episodes only that of the last. */
static GArray *chosen_steps(const HnTrialRows *t) {
  GArray *steps = g_array_new(FALSE, FALSE, sizeof(int64_t));
  int64_t last = t->count - 1, end = 1, base = 2, zero = 0;
  while (end < last && !hn_trial_rows_begins(t, end)) end++;
  while (pow((double)base, GEOMETRIC_MAX - 2) < (double)end) base *= 2;
  g_array_append_val(steps, zero);
  for (int64_t s = 1; s < end; s *= base) g_array_append_val(steps, s);
  int64_t episodes = 0;
  for (int64_t s = 1; s < last; s++) episodes += hn_trial_rows_begins(t, s);
  for (int64_t s = end; s <= last && last > 0; s++)
    if (s == end || s == last || (episodes < EPISODES_MAX && hn_trial_rows_begins(t, s)))
      g_array_append_val(steps, s);
  return steps;
}

/* The cell of the true task, or -1 where tasks are not cells. */
static int64_t goal_of(const HnTrialRows *t, int64_t cells) {
  int64_t goal = 0;
  if (t->tasks != cells) return -1;
  for (int64_t k = 1; k < cells; k++)
    if (hn_trial_rows_at(t, 0, t->task + k) > hn_trial_rows_at(t, 0, t->task + goal)) goal = k;
  return goal;
}

static void take_map(const HnTrialRows *t, int64_t step, int64_t cells, HnGridMap *p) {
  p->step = step, p->goal = goal_of(t, cells);
  p->cell = g_new(double, (gsize)cells);
  for (int64_t k = 0; k < cells; k++) p->cell[k] = hn_trial_rows_at(t, step, t->map + k);
  /* the path in the episode that the last step belonged to */
  int64_t from = MAX(step - 1, 0);
  while (from > 0 && !hn_trial_rows_begins(t, from)) from--;
  p->points = step - from + 1;
  p->path = g_new(double, (gsize)(2 * p->points));
  for (int64_t i = 0; i < p->points; i++) {
    bool after =
        step > 0 && i + 1 == p->points; /* an episode that ends shows the next one's start */
    int64_t column = after ? t->next_obs : t->obs, s = from + i - after;
    for (int d = 0; d < 2; d++) p->path[2 * i + d] = hn_trial_rows_at(t, s, column + d);
  }
}

static void add_maps(GPtrArray *figures, const HnResults *r, int64_t arm, const HnResult *c) {
  const int64_t width = hn_json_int(c->facts, "map_width", 0);
  const int64_t height = hn_json_int(c->facts, "map_height", 0);
  const int64_t cells = hn_table_numbered(c->trial, "map", 0);
  HnTrialRows t;
  if (width < 1 || cells < 1 || cells % width || cells / width != height ||
      hn_table_numbered(c->trial, "obs", 0) < 2 || hn_table_numbered(c->trial, "next_obs", 0) < 2 ||
      !hn_trial_rows_find(c->trial, 0, &t))
    return;
  g_autoptr(GArray) steps = chosen_steps(&t);
  HnGridMaps *p = g_new0(HnGridMaps, 1);
  p->width = width, p->height = height, p->columns = steps->len;
  p->map = g_array_new(FALSE, TRUE, sizeof(HnGridMap));
  for (; hn_trial_rows_find(c->trial, p->rows, &t); p->rows++)
    for (guint k = 0; k < steps->len; k++) {
      HnGridMap one = {.step = 0};
      take_map(&t, MIN(g_array_index(steps, int64_t, k), t.count - 1), cells, &one);
      g_array_append_val(p->map, one);
    }
  hn_figure_add_of_arm(figures, r, arm,
                       (HnFigure){.kind = &hn_figure_grid,
                                  .name = "belief",
                                  .column = "trial.csv",
                                  .title = "The belief along evaluated trials",
                                  .note = "a row is a trial; probability of each cell, the agent's "
                                          "way in its episode, framed: the true cell",
                                  .data = p});
}

static void gather(GPtrArray *figures, const HnComparison *c) {
  g_autofree int64_t *slot = hn_arm_slots(c);
  for (int64_t a = 0; a < c->results->arm_count; a++) {
    const HnResult *cell = slot[a] < 0 ? NULL : hn_trial_rows_cell(c->results, a);
    if (cell) add_maps(figures, c->results, a, cell);
  }
}

/* ---- drawing ---- */

enum { UNIT_MAX = 26, LINE = 19 }; /* pixels */

/* The places of the maps, in units of a cell, y upwards from the lowest map. */
typedef struct Layout {
  double across, up;    /* from one map to the next */
  double key, line;     /* left end of the colour key; height of a line of text */
  double width, height; /* of the whole */
  double unit;          /* pixels of a cell */
} Layout;

/* Within a width in pixels. */
static Layout layout_of(const HnGridMaps *p, double width) {
  double w = (double)p->width, h = (double)p->height, gap = fmax(0.7, 0.14 * w);
  Layout l = {.across = w + gap, .up = h + gap};
  l.key = (double)p->columns * l.across;
  /* the key is 4 lines of text wide */
  l.unit = fmin(UNIT_MAX, (width - 4 * LINE) / l.key);
  l.line = LINE / l.unit;
  l.width = l.key + 4 * l.line;
  l.height = (double)p->rows * l.up - gap + 1.8 * l.line;
  return l;
}

/* Map i, and the corner where it lies. */
static const HnGridMap *map_at(const HnGridMaps *p, const Layout *l, guint i, double *x,
                               double *y) {
  *x = (double)(i % p->columns) * l->across;
  *y = (double)(p->rows - 1 - i / p->columns) * l->up;
  return &g_array_index(p->map, HnGridMap, i);
}

/* A rectangle with the corner (x, y), as boxxyerror takes it. */
static void box(const HnScript *s, double x, double y, double w, double h) {
  const double numbers[] = {x + w / 2, y + h / 2, x, x + w, y, y + h};
  hn_script_numbers(s, G_N_ELEMENTS(numbers), numbers);
}

/* A rectangle of opacity p^(1/2): small probabilities are the ones to tell apart. */
static void tile(const HnScript *s, double x, double y, double w, double h, double p) {
  double covered = isfinite(p) ? sqrt(CLAMP(p, 0, 1)) : 0;
  g_autofree char *heat = hn_script_colour(s, HN_HEAT);
  box(s, x, y, w, h);
  hn_script_add(s, " 0x%02x%s\n", (unsigned)lrint(255 * (1 - covered)), heat + 1);
}

static void text_at(const HnScript *s, double x, double y, const char *side, const char *text) {
  g_autofree char *ink = hn_script_colour(s, HN_INK), *shown = hn_script_quoted(text);
  hn_script_add(s, "set label %s at", shown);
  hn_script_number(s, x), hn_script_add(s, ","), hn_script_number(s, y);
  hn_script_add(s, " %s textcolor rgb '%s'\n", side, ink);
}

enum { KEY_TILES = 40 };

static double key_height(const HnGridMaps *p, const Layout *l) {
  return (double)MIN(p->rows, 2) * l->up - (l->up - (double)p->height);
}

static void add_tiles(const HnScript *s, const HnGridMaps *p, const Layout *l) {
  double step = key_height(p, l) / KEY_TILES, x, y;
  hn_script_add(s, "$tiles << EOD\n");
  for (guint i = 0; i < p->map->len; i++) {
    const HnGridMap *one = map_at(p, l, i, &x, &y);
    for (int64_t k = 0; k < p->width * p->height; k++)
      tile(s, x + (double)(k / p->height), y + (double)(k % p->height), 1, 1, one->cell[k]);
  }
  hn_script_add(s, "EOD\n$key << EOD\n");
  for (int i = 0; i < KEY_TILES; i++)
    tile(s, l->key, step * i, l->line, step, pow((i + 0.5) / KEY_TILES, 2));
  hn_script_add(s, "EOD\n");
}

static void add_goals(const HnScript *s, const HnGridMaps *p, const Layout *l) {
  double x, y;
  hn_script_add(s, "$goals << EOD\n");
  for (guint i = 0; i < p->map->len; i++) {
    const HnGridMap *one = map_at(p, l, i, &x, &y);
    if (one->goal < 0) continue;
    box(s, x + (double)(one->goal / p->height), y + (double)(one->goal % p->height), 1, 1);
    hn_script_add(s, "\n");
  }
  hn_script_add(s, "EOD\n");
}

/* The agents' paths, each closed by an empty line, or only their ends. */
static void add_paths(const HnScript *s, const HnGridMaps *p, const Layout *l, bool ends) {
  double x, y;
  hn_script_add(s, "$%s << EOD\n", ends ? "ends" : "paths");
  for (guint i = 0; i < p->map->len; i++) {
    const HnGridMap *one = map_at(p, l, i, &x, &y);
    for (int64_t k = ends ? one->points - 1 : 0; k < one->points; k++) {
      const double place[] = {x + 0.5 + one->path[2 * k], y + 0.5 + one->path[2 * k + 1]};
      hn_script_numbers(s, 2, place);
      hn_script_add(s, "\n");
    }
    if (!ends) hn_script_add(s, "\n");
  }
  hn_script_add(s, "EOD\n");
}

static void add_labels(const HnScript *s, const HnGridMaps *p, const Layout *l) {
  static const double shown[] = {0, 0.05, 0.25, 0.5, 1};
  double top = (double)p->rows * l->up - (l->up - (double)p->height) + 0.8 * l->line;
  for (int64_t k = 0; k < p->columns; k++) {
    const HnGridMap *one = &g_array_index(p->map, HnGridMap, k);
    g_autofree char *text = g_strdup_printf("%s%" G_GINT64_FORMAT, k ? "" : "step ", one->step);
    text_at(s, (double)k * l->across + (double)p->width / 2, top, "center", text);
  }
  for (guint i = 0; i < G_N_ELEMENTS(shown); i++) {
    g_autofree char *text = g_strdup_printf("%g", shown[i]);
    text_at(s, l->key + 1.3 * l->line, key_height(p, l) * sqrt(shown[i]), "left", text);
  }
}

static void script(const HnScript *s, const HnFigure *f) {
  const HnGridMaps *p = f->data;
  const Layout l = layout_of(p, s->width);
  g_autofree char *ink = hn_script_colour(s, HN_INK), *grid = hn_script_colour(s, HN_GRID);
  g_autofree char *path = hn_script_colour(s, HN_PATH);
  add_tiles(s, p, &l);
  add_goals(s, p, &l);
  add_paths(s, p, &l, false), add_paths(s, p, &l, true);
  hn_script_add(s, "unset border\nunset tics\nset size ratio -1\n"
                   "set lmargin 0\nset rmargin 0\nset tmargin 0\nset bmargin 0\n");
  hn_script_range(s, "x", (HnRange){-0.1 * l.line, l.width - 0.1 * l.line});
  hn_script_range(s, "y", (HnRange){-0.4 * l.line, l.height - 0.4 * l.line});
  add_labels(s, p, &l);
  hn_script_add(
      s,
      "plot $tiles using 1:2:3:4:5:6:7 with boxxyerror lc rgb variable fs solid noborder notitle, "
      "$key using 1:2:3:4:5:6:7 with boxxyerror lc rgb variable fs solid noborder notitle, "
      "$tiles using 1:2:3:4:5:6 with boxxyerror lc rgb '%s' lw 0.7 fs empty border notitle, "
      "$goals using 1:2:3:4:5:6 with boxxyerror lc rgb '%s' lw 2.5 fs empty border notitle, "
      "$paths using 1:2 with lines lc rgb '%s' lw 2.2 notitle, "
      "$ends using 1:2 with points lc rgb '%s' pt 7 ps 0.8 notitle\n",
      grid, ink, path, path);
}

static void size(const HnFigure *f, double *width, double *height) {
  const Layout l = layout_of(f->data, *width);
  *width = ceil(l.width * l.unit), *height = ceil(l.height * l.unit);
}

static char *csv(const HnFigure *f) {
  const HnGridMaps *p = f->data;
  HnCsvWriter w = hn_csv_writer("trial,step,x,y,probability", 9);
  hn_csv_end_row(&w);
  for (guint i = 0; i < p->map->len; i++) {
    const HnGridMap *one = &g_array_index(p->map, HnGridMap, i);
    for (int64_t k = 0; k < p->width * p->height; k++) {
      hn_csv_int(&w, i / p->columns + 1), hn_csv_int(&w, one->step);
      hn_csv_int(&w, k / p->height), hn_csv_int(&w, k % p->height);
      hn_csv_number(&w, one->cell[k]);
      hn_csv_end_row(&w);
    }
  }
  return hn_csv_take(&w);
}

const HnFigureKind hn_figure_grid = {.name = "grid",
                                     .wide = true,
                                     .gather = gather,
                                     .size = size,
                                     .script = script,
                                     .csv = csv,
                                     .free = maps_free};
