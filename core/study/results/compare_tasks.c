/* compare_tasks.c - see compare_tasks.h. */
#include "compare_tasks.h"
#include <math.h>
#include <string.h>

enum { SUCCESS, RETURN, COLUMNS, WIDTH = 100 };
static const char *const column_name[COLUMNS] = {"success", "return"};

/* ---- one cell: sums by split and task ---- */

typedef struct Score {
  char *split, *task;
  double sum[COLUMNS], count[COLUMNS];
} Score;

static void score_free(gpointer p) {
  Score *s = p;
  g_free(s->split), g_free(s->task), g_free(s);
}

static Score *score_of(GPtrArray *scores, const char *split, const char *task) {
  for (guint i = 0; i < scores->len; i++) {
    Score *s = scores->pdata[i];
    if (g_str_equal(s->split, split) && g_str_equal(s->task, task)) return s;
  }
  Score *s = g_new0(Score, 1);
  s->split = g_strdup(split), s->task = g_strdup(task);
  g_ptr_array_add(scores, s);
  return s;
}

/* A line's fields, where a quoted one may hold commas and doubled quotes. */
static GPtrArray *fields_of(const char *line, gsize length) {
  GPtrArray *fields = g_ptr_array_new_with_free_func(g_free);
  GString *field = g_string_new(NULL);
  bool quoted = false;
  for (gsize i = 0; i < length; i++) {
    if (line[i] == '"' && quoted && i + 1 < length && line[i + 1] == '"')
      g_string_append_c(field, line[i++]);
    else if (line[i] == '"')
      quoted = !quoted;
    else if (line[i] == ',' && !quoted)
      g_ptr_array_add(fields, g_strdup(field->str)), g_string_truncate(field, 0);
    else if (line[i] != '\r')
      g_string_append_c(field, line[i]);
  }
  g_ptr_array_add(fields, g_string_free(field, FALSE));
  return fields;
}

/* Where the named columns stand; -1: absent. */
typedef struct Places {
  guint width;
  int phase, update, split, task, column[COLUMNS];
} Places;

static int place(const GPtrArray *header, const char *name) {
  for (guint i = 0; i < header->len; i++)
    if (g_str_equal(header->pdata[i], name)) return (int)i;
  return -1;
}

static Places places_of(const char *text, gsize length) {
  const char *end = memchr(text, '\n', length);
  g_autoptr(GPtrArray) header = fields_of(text, end ? (gsize)(end - text) : 0);
  Places p = {header->len,
              place(header, "phase"),
              place(header, "update"),
              place(header, "split"),
              place(header, "task"),
              {0}};
  for (int k = 0; k < COLUMNS; k++) p.column[k] = place(header, column_name[k]);
  return p;
}

/* The environment calls it so; a task that it does not name stands there by its number. */
static bool is_name(const char *task) {
  return task[strspn(task, "0123456789")] != '\0';
}

static void add(GPtrArray *scores, const GPtrArray *line, const Places *p) {
  const char *task = line->pdata[p->task];
  if (!is_name(task) || !g_str_equal(line->pdata[p->phase], "eval")) return;
  Score *s = score_of(scores, line->pdata[p->split], task);
  for (int k = 0; k < COLUMNS; k++) {
    const char *text = p->column[k] < 0 ? "" : line->pdata[p->column[k]];
    double x = *text ? g_ascii_strtod(text, NULL) : (double)NAN;
    if (isfinite(x)) s->sum[k] += x, s->count[k] += 1;
  }
}

/* "eval,17," of the line at `line`: its phase and update; 0 if it has no such thing. */
static gsize key_length(const char *line, const char *end) {
  const char *first = memchr(line, ',', (gsize)(end - line));
  const char *second = first ? memchr(first + 1, ',', (gsize)(end - first - 1)) : NULL;
  return second ? (gsize)(second + 1 - line) : 0;
}

/* True if a line is of the update whose key begins at `last`, and no training episode's. */
static bool belongs(const char *line, const char *last, const char *end) {
  gsize n = key_length(line, end), m = key_length(last, end);
  const char *a = n ? memchr(line, ',', n) : NULL, *b = m ? memchr(last, ',', m) : NULL;
  return a && b && !g_str_has_prefix(line, "train,") && line + n - a == last + m - b &&
         memcmp(a, b, (gsize)(last + m - b)) == 0;
}

/* Where the last evaluation's lines begin: before them stand training episodes, or those of another
 * update. */
static const char *last_evaluation(const char *text, const char *end) {
  const char *from = end, *last = NULL;
  while (from > text) {
    const char *line = from - 1;
    while (line > text && line[-1] != '\n') line--;
    if (!last) last = line;
    if (line == text || !belongs(line, last, end)) break;
    from = line;
  }
  return from;
}

/* Adds what stands in [text, end), whole lines; false: damaged. */
static bool add_all(GPtrArray *scores, const char *text, const char *end) {
  Places p = places_of(text, (gsize)(end - text));
  bool ok = true;
  if (p.phase < 0 || p.update < 0 || p.split < 0 || p.task < 0) return true; /* another version */
  for (const char *at = last_evaluation(text, end), *next; at < end && ok; at = next + 1) {
    next = memchr(at, '\n', (gsize)(end - at));
    GPtrArray *line = fields_of(at, (gsize)(next - at));
    ok = line->len == p.width;
    if (ok) add(scores, line, &p);
    g_ptr_array_unref(line);
  }
  return ok;
}

/* The scores of the last evaluation, in the order in which its episodes ended; NULL: damaged.  A
 * file may hold millions of training episodes, so it is read from its end. */
static GPtrArray *read_scores(const HnResult *c, GError **error) {
  GPtrArray *scores = g_ptr_array_new_with_free_func(score_free);
  g_autofree char *path = g_build_filename(c->dir, "episodes.csv", NULL);
  if (!g_file_test(path, G_FILE_TEST_EXISTS)) return scores;
  GMappedFile *file = g_mapped_file_new(path, FALSE, error);
  bool ok = file;
  if (ok && g_mapped_file_get_length(file)) {
    const char *text = g_mapped_file_get_contents(file);
    const char *end = text + g_mapped_file_get_length(file);
    while (end > text && end[-1] != '\n') end--; /* a line that is still being written */
    ok = end == text || add_all(scores, text, end);
    if (!ok)
      g_set_error(error, HN_RESULTS_ERROR, HN_RESULTS_INVALID,
                  "%s: a line has another number of fields than the header", path);
  }
  if (file) g_mapped_file_unref(file);
  if (ok) return scores;
  g_ptr_array_unref(scores);
  return NULL;
}

/* ---- all cells ---- */

static void by_task_free(gpointer p) {
  HnByTask *b = p;
  g_ptr_array_unref(b->rows);
  g_free(b->split), g_free(b->column), g_free(b);
}

/* Splits, or the tasks of one, in the order in which cells first name them. */
static GPtrArray *names_in(GPtrArray **scores, guint cells, const char *split) {
  GPtrArray *names = g_ptr_array_new();
  for (guint i = 0; i < cells; i++)
    for (guint k = 0; scores[i] && k < scores[i]->len; k++) {
      const Score *s = scores[i]->pdata[k];
      char *name = split ? s->task : s->split;
      if ((!split || g_str_equal(s->split, split)) &&
          !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
        g_ptr_array_add(names, name);
    }
  return names;
}

static double value_of(const GPtrArray *scores, const char *split, const char *task, int k) {
  for (guint i = 0; scores && i < scores->len; i++) {
    const Score *s = scores->pdata[i];
    if (g_str_equal(s->split, split) && g_str_equal(s->task, task))
      return s->count[k] > 0 ? s->sum[k] / s->count[k] : (double)NAN;
  }
  return (double)NAN;
}

/* One column on one split, or NULL if no cell has it. */
static HnByTask *compare_tasks(const HnComparison *c, GPtrArray **scores, const char *split,
                               int k) {
  const HnResults *r = c->results;
  guint cells = r->cells->len;
  bool any = false;
  g_autoptr(GPtrArray) tasks = names_in(scores, cells, split);
  double *mean = g_new0(double, cells);
  HnByTask *b = g_new0(HnByTask, 1);
  b->split = g_strdup(split), b->column = g_strdup(column_name[k]);
  b->rows = g_ptr_array_new_with_free_func((GDestroyNotify)hn_compared_free);
  for (guint t = 0; t < tasks->len; t++) {
    double *final = g_new(double, cells);
    for (guint i = 0; i < cells; i++) {
      final[i] = value_of(scores[i], split, tasks->pdata[t], k);
      mean[i] += final[i] / tasks->len;
      any |= isfinite(final[i]);
    }
    g_ptr_array_add(b->rows, hn_compared_new(c, tasks->pdata[t], column_name[k], final));
  }
  g_autofree char *name = g_strdup_printf("mean of %u", tasks->len);
  g_ptr_array_add(b->rows, hn_compared_new(c, name, column_name[k], mean));
  if (any) return b;
  by_task_free(b);
  return NULL;
}

GPtrArray *hn_tasks_compare(const HnComparison *c, GError **error) {
  const HnResults *r = c->results;
  GPtrArray **scores = g_new0(GPtrArray *, r->cells->len);
  GPtrArray *all = g_ptr_array_new_with_free_func(by_task_free);
  bool ok = true;
  for (guint i = 0; i < r->cells->len && ok; i++) {
    const HnResult *cell = r->cells->pdata[i];
    if (hn_result_done(cell)) ok = (scores[i] = read_scores(cell, error)) != NULL;
  }
  GPtrArray *splits = names_in(scores, r->cells->len, NULL);
  for (guint s = 0; s < splits->len && ok; s++)
    for (int k = 0; k < COLUMNS; k++) {
      HnByTask *b = compare_tasks(c, scores, splits->pdata[s], k);
      if (b) g_ptr_array_add(all, b);
    }
  g_ptr_array_unref(splits);
  for (guint i = 0; i < r->cells->len; i++)
    if (scores[i]) g_ptr_array_unref(scores[i]);
  g_free(scores);
  if (ok) return all;
  g_ptr_array_unref(all);
  return NULL;
}

/* ---- as text ---- */

/* "0.42 [0.10, 0.73]", or the value alone; `bare`: never more. */
static char *shown(const HnCompared *m, gint64 arm, HnFormat f, bool bare) {
  const HnEstimate *e = &m->value[arm];
  char *value = hn_compare_number(e->value, f);
  if (e->interval == HN_INTERVAL_NONE || bare) return value;
  g_autofree char *low = hn_compare_number(e->low, f), *high = hn_compare_number(e->high, f);
  char *text = g_strdup_printf("%s [%s, %s]", value, low, high);
  g_free(value);
  return text;
}

/* The finest format any row asks for, so that a column's points stand below each other. */
static HnFormat format_of(const HnByTask *b, gint64 arms) {
  HnFormat f = {0, 0, false};
  for (guint i = 0; i < b->rows->len; i++)
    f.decimals = MAX(f.decimals, hn_compared_format(b->rows->pdata[i], arms, false).decimals);
  f.decimals = MIN(f.decimals, g_str_equal(b->column, column_name[SUCCESS]) ? 3 : 2);
  return f;
}

/* Cells [rows + 1][arms + 1] of a table, the heading first. */
static char **cells_of(const HnComparison *c, const HnByTask *b) {
  gint64 arms = c->results->arm_count, width = arms + 1;
  char **cell = g_new0(char *, (b->rows->len + 1) * (gsize)width + 1);
  HnFormat f = format_of(b, arms);
  cell[0] = g_strdup("task");
  for (gint64 a = 0; a < arms; a++) cell[a + 1] = g_strdup(c->results->arms[a]);
  for (guint i = 0; i < b->rows->len; i++) {
    const HnCompared *m = b->rows->pdata[i];
    char **row = cell + (i + 1) * (gsize)width;
    row[0] = g_strdup(m->column);
    for (gint64 a = 0; a < arms; a++) row[a + 1] = shown(m, a, f, false);
  }
  return cell;
}

static int column_width(char **cell, gint64 width, guint rows, gint64 column) {
  int widest = 0;
  for (guint i = 0; i <= rows; i++)
    widest = MAX(widest, (int)g_utf8_strlen(cell[i * (gsize)width + (gsize)column], -1));
  return widest;
}

/* Columns [first, last) beside the tasks' names. */
static void block_text(GString *out, char **cell, gint64 width, guint rows, gint64 first,
                       gint64 last) {
  for (guint i = 0; i <= rows; i++) {
    char **row = cell + i * (gsize)width;
    GString *line = g_string_new(NULL);
    int pad = column_width(cell, width, rows, 0) - (int)g_utf8_strlen(row[0], -1);
    g_string_append_printf(line, "  %s%*s", row[0], pad, "");
    for (gint64 a = first; a < last; a++) {
      pad = column_width(cell, width, rows, a) - (int)g_utf8_strlen(row[a], -1);
      g_string_append_printf(line, "  %s%*s", row[a], pad, "");
    }
    g_string_append_printf(out, "%s\n", g_strchomp(line->str));
    g_string_free(line, TRUE);
  }
}

static void table_text(const HnComparison *c, const HnByTask *b, GString *out) {
  gint64 width = c->results->arm_count + 1;
  guint rows = b->rows->len;
  char **cell = cells_of(c, b);
  g_string_append_printf(out, "\n%s by task, split %s\n", b->column, b->split);
  for (gint64 first = 1, last; first < width; first = last) {
    int used = 2 + column_width(cell, width, rows, 0);
    for (last = first; last < width; last++) {
      int more = 2 + column_width(cell, width, rows, last);
      if (last > first && used + more > WIDTH) break;
      used += more;
    }
    block_text(out, cell, width, rows, first, last);
    if (last < width) g_string_append_c(out, '\n');
  }
  g_strfreev(cell);
}

char *hn_tasks_text(const HnComparison *c, const GPtrArray *all) {
  GString *out = g_string_new(NULL);
  if (!all->len) g_string_append(out, "\nNo done cell has an evaluation of tasks with names.\n");
  for (guint i = 0; i < all->len; i++) table_text(c, all->pdata[i], out);
  return g_string_free(out, FALSE);
}

/* ---- as CSV ---- */

static void csv_text(GString *out, const char *text) {
  if (!strpbrk(text, ",\"\r\n")) {
    g_string_append(out, text);
    return;
  }
  g_string_append_c(out, '"');
  for (; *text; text++) g_string_append_printf(out, *text == '"' ? "\"%c" : "%c", *text);
  g_string_append_c(out, '"');
}

static void csv_number(GString *out, double x) {
  if (isfinite(x))
    g_string_append_printf(out, ",%.10g", x);
  else
    g_string_append_c(out, ',');
}

static void csv_row(GString *out, const HnComparison *c, const HnByTask *b, const HnCompared *m,
                    gint64 arm) {
  const HnEstimate *v = &m->value[arm], *d = &m->difference[arm];
  const double all[] = {v->value, v->low, v->high, d->value, d->low, d->high};
  csv_text(out, b->split);
  g_string_append_printf(out, ",%s,", b->column);
  csv_text(out, m->column);
  g_string_append_c(out, ',');
  csv_text(out, c->results->arms[arm]);
  g_string_append_printf(out, ",%" G_GINT64_FORMAT, v->n);
  for (guint i = 0; i < G_N_ELEMENTS(all); i++) csv_number(out, all[i]);
  for (gint64 s = 0; s < c->results->seeds; s++)
    csv_number(out, m->final[arm * c->results->seeds + s]);
  g_string_append_c(out, '\n');
}

char *hn_tasks_csv(const HnComparison *c, const GPtrArray *all) {
  GString *out = g_string_new("split,column,task,arm,seeds,value,low,high,difference,"
                              "difference_low,difference_high");
  for (gint64 s = 0; s < c->results->seeds; s++)
    g_string_append_printf(out, ",seed_%" G_GINT64_FORMAT, s);
  g_string_append_c(out, '\n');
  for (guint i = 0; i < all->len; i++) {
    const HnByTask *b = all->pdata[i];
    for (guint t = 0; t < b->rows->len; t++)
      for (gint64 a = 0; a < c->results->arm_count; a++) csv_row(out, c, b, b->rows->pdata[t], a);
  }
  return g_string_free(out, FALSE);
}
