/* cmd_compare.c - `hunch compare DIR..`: arms side by side, as text, JSON, CSV, Markdown or LaTeX
 * on stdout. */
#include "join.h"
#include "message.h"
#include "options.h"
#include "render_csv.h"
#include "render_json.h"
#include "render_reach.h"
#include "render_values.h"
#include "verbs.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Asked {
  gboolean json, csv, markdown, latex;
  char *baseline, *metric, *by, *arms, *reach, *target;
  double reach_value, target_value; /* NaN: not asked for */
} Asked;

static void asked_clear(Asked *a) {
  g_free(a->baseline), g_free(a->metric), g_free(a->by), g_free(a->arms);
  g_free(a->reach), g_free(a->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asked, asked_clear)

static bool by_task(const Asked *a) {
  return a->by && !strcmp(a->by, "task");
}

/* Prints the deciding metric by the values of keys. */
static bool print_values(const HnComparison *c, const Asked *a, GError **error) {
  g_autoptr(HnValueComparison) v = hn_compare_values(c, a->by, error);
  if (!v) return false;
  g_autofree char *text = a->json ? hn_render_json_values(c, v) : hn_render_text_values(c, v);
  fputs(text, stdout);
  return true;
}

/* Prints what was asked for. */
static bool print(const HnComparison *c, const Asked *a, GError **error) {
  if (a->by && !by_task(a)) return print_values(c, a, error);
  const bool reach_asked = !isnan(a->reach_value);
  const HnSheetStyle style = a->markdown ? HN_SHEET_MARKDOWN
                             : a->latex  ? HN_SHEET_LATEX
                                         : HN_SHEET_TEXT;
  g_autoptr(GPtrArray) tasks = a->by ? hn_compare_tasks(c, error) : NULL;
  if (a->by && !tasks) return false;
  g_autoptr(HnReach) reach = reach_asked ? hn_reach(c, a->reach_value, error) : NULL;
  if (reach_asked && !reach) return false;
  g_autofree char *text = a->json  ? hn_render_json(c, tasks, reach)
                          : a->csv ? (tasks ? hn_render_csv_tasks(c, tasks) : hn_render_csv(c))
                          : tasks  ? hn_render_tasks(c, tasks, style)
                          : reach  ? hn_render_reach(c, reach, style)
                                   : hn_render(c, style);
  fputs(text, stdout);
  return true;
}

/* What cannot be asked for together; -1: nothing of it was. */
static int refuse(const HnVerb *verb, const Asked *a) {
  if (a->json + a->csv + a->markdown + a->latex > 1)
    return hn_options_refuse(verb, "--json, --csv, --md and --tex: choose one");
  if (a->reach && (a->by || a->csv))
    return hn_options_refuse(verb, "--reach goes without --by and --csv");
  if (a->target && !by_task(a)) return hn_options_refuse(verb, "--target goes with --by task");
  if (a->by && !by_task(a) && (a->csv || a->markdown || a->latex))
    return hn_options_refuse(verb, "--by parameters goes with --json, or alone");
  return -1;
}

/* NaN where there is no text; -1, else what the refusal is worth. */
static int read_number(const HnVerb *verb, const char *option, const char *text, double *x) {
  char *end = NULL;
  *x = text ? g_ascii_strtod(text, &end) : (double)NAN;
  if (!text || (*text && !*end && isfinite(*x))) return -1;
  return hn_options_refuse(verb, "--%s '%s': expected a number", option, text);
}

/* The results of all folders; several, or some arms only, as one. */
static HnResults *read_all(char **dirs, const Asked *a, GError **error) {
  g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func((GDestroyNotify)hn_results_free);
  for (char **dir = dirs; *dir; dir++) {
    HnResults *r = hn_results_read_metrics(*dir, error);
    if (!r) return NULL;
    if (!dirs[1] && !a->arms) return r;
    g_ptr_array_add(parts, r);
  }
  g_auto(GStrv) arms = a->arms ? g_strsplit(a->arms, ",", -1) : NULL;
  return hn_results_join(parts, (const char *const *)arms, a->baseline, error);
}

int hn_cmd_compare(int argc, char **argv) {
  g_auto(Asked) a = {0};
  GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &a.json, "Everything, every seed's value included", NULL},
      {"csv", 0, 0, G_OPTION_ARG_NONE, &a.csv, "A row for each column, or task, and arm", NULL},
      {"md", 0, 0, G_OPTION_ARG_NONE, &a.markdown, "Tables as Markdown", NULL},
      {"tex", 0, 0, G_OPTION_ARG_NONE, &a.latex, "Tables as LaTeX, with booktabs", NULL},
      {"baseline", 0, 0, G_OPTION_ARG_STRING, &a.baseline, "Compare with this arm", "ARM"},
      {"arms", 0, 0, G_OPTION_ARG_STRING, &a.arms, "Only these arms, ARM or STUDY/ARM", "X,Y"},
      {"metric", 0, 0, G_OPTION_ARG_STRING, &a.metric, "Show this column of metrics.csv first",
       "COL"},
      {"by", 0, 0, G_OPTION_ARG_STRING, &a.by,
       "Success and return by 'task', on every split; or the metric by the values of parameters, "
       "as policy.lr,inference.noise",
       "WHAT"},
      {"target", 0, 0, G_OPTION_ARG_STRING, &a.target,
       "With --by task: the optimality gap of returns below this", "VALUE"},
      {"reach", 0, 0, G_OPTION_ARG_STRING, &a.reach, "Frames until the metric reaches this",
       "VALUE"},
      {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc < 2 || !*argv[1]) return hn_options_refuse(verb, "expected a study folder");
  if ((code = refuse(verb, &a)) >= 0) return code;
  if ((code = read_number(verb, "reach", a.reach, &a.reach_value)) >= 0) return code;
  if ((code = read_number(verb, "target", a.target, &a.target_value)) >= 0) return code;
  g_autoptr(GError) error = NULL;
  g_autoptr(HnResults) r = read_all(argv + 1, &a, &error);
  g_autoptr(HnComparison) c = r ? hn_compare(r, a.baseline, a.metric, &error) : NULL;
  if (c) c->target = a.target_value;
  if (c && print(c, &a, &error)) return HN_EXIT_DONE;
  hn_message_error(verb->name, "%s", error->message);
  return hn_verb_exit_code(error);
}
