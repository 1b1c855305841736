/* session_check.c - see session_check.h.
 *
 * A line answers each cell: ". SIZE" it can run, and that is what it takes, "M SIZE .." so can it,
 * but it has no such metric (the nearest), "E .." it cannot.  The first cell without an answer is
 * the one that ended the process.
 */
#include "session_check.h"
#include "helper.h"
#include "metric_names.h"
#include "record_columns.h"
#include "same_arms.h"
#include <string.h>
#include <unistd.h>

enum { SECONDS = 10 }; /* that an arm may take */

/* ---- the process ---- */

static FILE *answers;

static void answer(char kind, const char *text) {
  g_autofree char *line = hn_diag_printable(text);
  fprintf(answers, "%c %s\n", kind, line);
  fflush(answers);
}

/* The host's word for what cannot go on, such as memory that is not there. */
static void on_fatal(const char *domain, GLogLevelFlags level, const char *message, void *arg) {
  (void)domain, (void)arg;
  if (!(level & G_LOG_LEVEL_ERROR)) return;
  answer('E', message);
  hn_helper_end();
  _exit(0);
}

/* Whether metrics.csv will not have that column; the nearest that it has, or "". */
static bool lacks_metric(const HnSession *s, const char *metric, const char **nearest) {
  if (hn_record_has_metric(s, metric)) return false;
  g_auto(GStrv) names = hn_record_some_metrics(s);
  const char *near = hn_record_nearest(metric, (const char *const *)names);
  *nearest = near ? g_intern_string(near) : "";
  return true;
}

static void answer_size(HnSession *s, const char *metric) {
  const char *nearest = "";
  const bool lacking = *metric && lacks_metric(s, metric, &nearest);
  const HnRunSize size = hn_run_size(s);
  g_autofree char *text =
      g_strdup_printf("%.0f %.0f %.0f %.0f %.0f %.0f %s", size.checkpoint, size.kept, size.memory,
                      size.frames, size.update, size.distinct, nearest);
  hn_session_free(s);
  answer(lacking ? 'M' : '.', text);
}

static void check(const char *text, gsize length, const char *metric) {
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnNode) root = hn_yaml_parse("cell", text, length, d);
  g_autoptr(HnCell) cell = root ? hn_cell_read(root, d) : NULL;
  g_autoptr(GError) error = NULL;
  if (!cell) {
    g_autofree char *why = hn_diag_text(d);
    g_autofree char *first = hn_diag_first_line(why);
    answer('E', first);
    return;
  }
  cell->run.workers = 1;
  HnSession *s = hn_session_new(cell, stderr, &error);
  if (s)
    answer_size(s, metric);
  else
    answer('E', error->message);
}

void hn_session_check_answer(const char *metric) {
  g_autoptr(GString) cells = hn_helper_input();
  answers = hn_helper_begin();
  g_log_set_default_handler(on_fatal, NULL);
  for (gsize at = 0; at < cells->len; at += strlen(cells->str + at) + 1) {
    check(cells->str + at, strlen(cells->str + at), metric);
    hn_call_record->update++;
  }
  hn_helper_end();
}

/* ---- asking it ---- */

typedef struct Check {
  HnStudy *s;
  bool deaths;
  HnDiag *d;
  GArray *arms;     /* guint: those whose cells differ by more than their names */
  GPtrArray *texts; /* char *: the cells of those */
  GArray *asked;    /* guint per arm of the study: which of the texts is its cell */
  bool measured;    /* an arm has the report's metric */
  char *nearest;    /* the nearest to it, or "", where an arm lacks it */
} Check;

static void gather(Check *c) {
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint arm = 0; arm < c->s->arms->len; arm++) {
    g_autofree char *text = hn_arm_text(c->s, arm);
    gpointer at = GUINT_TO_POINTER(c->texts->len);
    if (g_hash_table_lookup_extended(seen, text, NULL, &at)) {
      g_array_append_vals(c->asked, &(guint){GPOINTER_TO_UINT(at)}, 1);
      continue;
    }
    g_array_append_val(c->asked, c->texts->len);
    g_hash_table_insert(seen, text, at);
    g_array_append_val(c->arms, arm);
    g_ptr_array_add(c->texts, g_steal_pointer(&text));
  }
}

G_GNUC_PRINTF(3, 4)
static void blame(const Check *c, guint k, const char *format, ...) {
  const guint arm = g_array_index(c->arms, guint, k);
  const HnNode *key = c->s->arm_keys->pdata[arm];
  va_list list;
  va_start(list, format);
  g_autofree char *text = g_strdup_vprintf(format, list);
  va_end(list);
  hn_node_refuse(c->d, key, "arm %s: %s", (char *)c->s->arms->pdata[arm], text);
}

/* What a cell takes, for every arm that is that one; returns the rest of the line. */
static const char *take_size(Check *c, guint k, const char *text) {
  HnRunSize size = {.checkpoint = 0};
  double *const number[] = {&size.checkpoint, &size.kept,   &size.memory,
                            &size.frames,     &size.update, &size.distinct};
  for (guint i = 0; i < G_N_ELEMENTS(number); i++) {
    char *end;
    *number[i] = g_ascii_strtod(text, &end);
    text = end;
  }
  for (guint arm = 0; arm < c->asked->len; arm++)
    if (g_array_index(c->asked, guint, arm) == k) c->s->sizes[arm] = size;
  return *text == ' ' ? text + 1 : text;
}

static void take(Check *c, guint k, const char *line) {
  const char *text = line + MIN(strlen(line), 2);
  if (*line == 'E')
    blame(c, k, "%s", text);
  else
    text = take_size(c, k, text);
  if (*line == 'M' && (!c->nearest || !*c->nearest))
    g_free(c->nearest), c->nearest = g_strdup(text);
  c->measured |= *line == '.';
}

static void blame_death(const Check *c, guint k, const HnHelper *h) {
  const HnCell *cell = hn_study_cell(c->s, g_array_index(c->arms, guint, k), 0);
  const int32_t call = hn_call_blamed(&h->record);
  if (!c->deaths) return;
  if (hn_call_kind(call))
    blame(c, k, "%s in %s %s, %s", h->death, hn_call_kind(call),
          hn_cell_called(cell, call)->plugin->name, hn_call_method(call));
  else
    blame(c, k, "%s", h->death);
}

/* Asks about the cells from `k` on; returns the first that is still to be asked about. */
static guint ask(Check *c, guint k) {
  const char *const argv[] = {"check-cells", c->s->metric ? c->s->report.metric : "", NULL};
  g_autoptr(GString) input = g_string_new(NULL);
  for (guint i = k; i < c->texts->len; i++)
    g_string_append_len(input, c->texts->pdata[i], (gssize)strlen(c->texts->pdata[i]) + 1);
  g_auto(HnHelper) h = {.out = NULL};
  g_autoptr(GError) error = NULL;
  if (!hn_helper_run(argv, input, SECONDS, &h, &error)) {
    hn_diag_add(c->d, NULL, 0, 0, "the arms cannot be tried: %s", error->message);
    return c->texts->len;
  }
  g_auto(GStrv) lines = g_strsplit(h.out, "\n", -1);
  for (char **line = lines; *line && **line && k < c->texts->len; line++, k++) take(c, k, *line);
  if (h.death && k < c->texts->len) blame_death(c, k++, &h);
  return k;
}

static void blame_metric(const Check *c) {
  const HnNode *n = c->s->metric;
  g_autofree char *shown = hn_params_shown("metric", n);
  const bool near = *c->nearest;
  hn_node_refuse(c->d, n, "'%s': metrics.csv has no such column%s%s%s", shown,
                 near ? "; did you mean '" : "", c->nearest, near ? "'?" : "");
}

/* A search cannot choose by a column of which nobody knows which way is better. */
static void check_direction(const Check *c) {
  const char *metric = c->s->report.metric;
  if (!c->s->sweep || !c->s->sweep->halving || !c->s->metric || hn_metric_better(metric)) return;
  g_autofree char *shown = hn_params_shown("metric", c->s->metric);
  hn_node_refuse(c->d, c->s->metric,
                 "'%s': it is not known whether higher is better: search by another metric", shown);
}

/* A search decides between whole updates: of rungs that end with the same one all but the first
 * would be decided by what decided that. */
static void check_rungs(const Check *c) {
  const HnHalving *h = c->s->sweep ? c->s->sweep->halving : NULL;
  for (int64_t k = 1; h && k < h->rungs; k++)
    for (guint arm = 0; arm < c->s->arms->len; arm++) {
      const char *name = c->s->arms->pdata[arm];
      const double update = c->s->sizes[arm].update;
      const HnNode *n = h->at_rungs->items->pdata[k];
      g_autofree char *shown = hn_params_shown(HN_HALVING_AT, n);
      if (!g_hash_table_contains(c->s->sweep->origins, name) ||
          !hn_study_cell(c->s, arm, 0)->run.frames ||
          hn_halving_frames(h, k, update) > hn_halving_frames(h, k - 1, update))
        continue;
      hn_node_refuse(c->d, n,
                     "'%s': ends with the same update as %" G_GINT64_FORMAT
                     ": an update of arm %s is of %.0f frames",
                     shown, h->at[k - 1], name, update);
      break;
    }
}

void hn_session_check(HnStudy *s, bool deaths, HnDiag *d) {
  Check c = {.s = s, .deaths = deaths, .d = d};
  c.arms = g_array_new(FALSE, FALSE, sizeof(guint));
  c.asked = g_array_new(FALSE, FALSE, sizeof(guint));
  g_free(s->sizes), s->sizes = g_new0(HnRunSize, s->arms->len);
  c.texts = g_ptr_array_new_with_free_func(g_free);
  gather(&c);
  for (guint k = 0; k < c.texts->len;) k = ask(&c, k);
  if (c.nearest && !c.measured)
    blame_metric(&c);
  else if (c.measured)
    check_direction(&c);
  check_rungs(&c);
  g_free(c.nearest), g_array_free(c.arms, TRUE), g_array_free(c.asked, TRUE),
      g_ptr_array_free(c.texts, TRUE);
}
