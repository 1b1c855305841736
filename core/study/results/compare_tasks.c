/* compare_tasks.c - see compare_tasks.h. */
#include "compare_tasks.h"
#include "compare_scores.h"
#include "csv.h"
#include <math.h>
#include <string.h>

enum { SUCCESS, RETURN, COLUMNS };
static const char *const column_name[COLUMNS] = {"success", "return"};

/* ---- one cell: sums by split and task ---- */

typedef struct Score {
  char *split, *task;
  double sum[COLUMNS], count[COLUMNS], trials;
  char *episode; /* of the trial, the one that was met first: each trial has it once */
} Score;

static void score_free(gpointer p) {
  Score *s = p;
  g_free(s->split), g_free(s->task), g_free(s->episode), g_free(s);
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

/* Where the named columns stand; -1: absent. */
typedef struct Places {
  int64_t phase, update, split, task, episode, column[COLUMNS];
} Places;

static Places places_of(const HnCsvReader *header) {
  Places p = {hn_csv_find(header, "phase"),         hn_csv_find(header, "update"),
              hn_csv_find(header, "split"),         hn_csv_find(header, "task"),
              hn_csv_find(header, "trial_episode"), {0}};
  for (int k = 0; k < COLUMNS; k++) p.column[k] = hn_csv_find(header, column_name[k]);
  return p;
}

/* The environment calls it so; a task that it does not name stands there by its number, and one
 * that was drawn is empty. */
static bool is_name(const char *task) {
  return task[strspn(task, "0123456789")] != '\0';
}

/* What a row of an evaluation is called: of a task without a name "task 3". */
static char *called(const char *task) {
  return is_name(task) ? g_strdup(task) : g_strconcat("task ", task, NULL);
}

/* Splits of which no task has a name are left out: they may have thousands. */
static void add(GPtrArray *scores, char **field, const Places *p, GHashTable *named) {
  static const char *const again[] = {"drawn", "shuffled", NULL}; /* passes of the same split */
  const char *phase = field[p->phase];
  const bool is_again = g_strv_contains(again, phase);
  if (!*field[p->task] || !(is_again || g_str_equal(phase, "eval")) ||
      !g_hash_table_contains(named, field[p->split]))
    return;
  g_autofree char *task = called(field[p->task]);
  g_autofree char *split =
      g_strconcat(field[p->split], is_again ? ", " : "", is_again ? phase : "", NULL);
  Score *s = score_of(scores, split, task);
  const char *episode = p->episode < 0 ? "" : field[p->episode];
  if (!s->episode) s->episode = g_strdup(episode);
  s->trials += g_str_equal(episode, s->episode);
  for (int k = 0; k < COLUMNS; k++) {
    const char *text = p->column[k] < 0 ? "" : field[p->column[k]];
    double x = *text ? g_ascii_strtod(text, NULL) : (double)NAN;
    if (isfinite(x)) s->sum[k] += x, s->count[k] += 1;
  }
}

/* Moves the reader, which has read the header, to where the last evaluation starts: before it stand
 * training episodes, or those of another update. */
static bool seek_evaluation(HnCsvReader *r, const Places *p, GError **error) {
  const char *first = r->at, *from = r->end;
  g_autofree char *update = NULL;
  GError *why = NULL;
  for (const char *row = r->end; row > first && (row = hn_csv_row_before(r, row)); from = row) {
    r->at = row;
    if (!hn_csv_next(r, &why)) break;
    if (!update) update = g_strdup(r->field[p->update]);
    if (!g_str_equal(r->field[p->update], update) || g_str_equal(r->field[p->phase], "train"))
      break;
  }
  r->at = from;
  if (why) g_propagate_error(error, why);
  return !why;
}

/* The splits that name a task, from where the reader stands. */
static GHashTable *splits_with_names(HnCsvReader *r, const Places *p, GError **error) {
  GHashTable *named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  while (hn_csv_next(r, error))
    if (is_name(r->field[p->task])) g_hash_table_add(named, g_strdup(r->field[p->split]));
  return named;
}

/* Adds what a file says; false: it is damaged. */
static bool add_all(GPtrArray *scores, HnCsvReader *r, GError **error) {
  GError *why = NULL;
  while (r->end > r->text && r->end[-1] != '\n') r->end--; /* a row that is still being written */
  if (hn_csv_next(r, &why)) {
    const Places p = places_of(r);
    /* a file of another version may lack them */
    if (p.phase < 0 || p.update < 0 || p.split < 0 || p.task < 0) return true;
    if (seek_evaluation(r, &p, &why)) {
      const char *from = r->at;
      g_autoptr(GHashTable) named = splits_with_names(r, &p, &why);
      r->at = from;
      while (!why && hn_csv_next(r, &why)) add(scores, r->field, &p, named);
    }
  }
  if (why) g_propagate_error(error, why);
  return !why;
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
    HnCsvReader r =
        hn_csv_reader(path, g_mapped_file_get_contents(file), g_mapped_file_get_length(file));
    ok = add_all(scores, &r, error);
    hn_csv_reader_clear(&r);
  }
  if (file) g_mapped_file_unref(file);
  if (ok) return scores;
  g_ptr_array_unref(scores);
  return NULL;
}

/* ---- all cells ---- */

static void by_task_free(gpointer p) {
  HnTaskComparison *b = p;
  g_ptr_array_unref(b->rows), g_ptr_array_unref(b->scores), g_free(b->profile);
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

static const Score *find(const GPtrArray *scores, const char *split, const char *task) {
  for (guint i = 0; scores && i < scores->len; i++) {
    const Score *s = scores->pdata[i];
    if (g_str_equal(s->split, split) && g_str_equal(s->task, task)) return s;
  }
  return NULL;
}

/* One column on one split, or NULL if no cell has it. */
static HnTaskComparison *compare_on_split(const HnComparison *c, GPtrArray **scores,
                                          const char *split, int k) {
  const HnResults *r = c->results;
  guint cells = r->cells->len;
  bool any = false;
  g_autofree char *tasks_of = g_strndup(split, strcspn(split, ",")); /* "test" of "test, drawn" */
  const int64_t by_name = hn_metric_tasks(r, tasks_of).by_name;
  const double once =
      by_name ? (double)by_name : (double)INFINITY; /* a task that comes again is the same */
  double all_trials = 0;
  g_autoptr(GPtrArray) tasks = names_in(scores, cells, split);
  double *mean = g_new0(double, cells);
  HnTaskComparison *b = g_new0(HnTaskComparison, 1);
  b->split = g_strdup(split), b->column = g_strdup(column_name[k]);
  b->rows = g_ptr_array_new_with_free_func((GDestroyNotify)hn_compared_free);
  b->scores = g_ptr_array_new_with_free_func((GDestroyNotify)hn_compared_free);
  for (guint t = 0; t < tasks->len; t++) {
    double *final = g_new(double, cells), trials = once; /* the fewest of any cell */
    for (guint i = 0; i < cells; i++) {
      const Score *s = find(scores[i], split, tasks->pdata[t]);
      final[i] = s && s->count[k] > 0 ? s->sum[k] / s->count[k] : (double)NAN;
      if (s) trials = fmin(trials, s->trials);
      mean[i] += final[i] / tasks->len;
      any |= isfinite(final[i]);
    }
    all_trials += trials;
    g_ptr_array_add(b->rows, hn_compared_new(c, tasks->pdata[t], column_name[k], trials, final));
  }
  hn_compare_scores(c, b);
  g_autofree char *name = g_strdup_printf("mean of %u", tasks->len);
  g_ptr_array_add(b->rows, hn_compared_new(c, name, column_name[k], all_trials, mean));
  if (any) return b;
  by_task_free(b);
  return NULL;
}

GPtrArray *hn_compare_tasks(const HnComparison *c, GError **error) {
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
      HnTaskComparison *b = compare_on_split(c, scores, splits->pdata[s], k);
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
