/* cmd_compare.c - `hunch compare DIR`: arms side by side, as text, JSON or CSV on stdout. */
#include "cli.h"
#include "error.h"
#include "render_csv.h"
#include "render_json.h"
#include "render_text.h"
#include <stdio.h>
#include <string.h>

/* What was asked for, on stdout. */
static bool show(const HnComparison *c, bool by_task, bool json, bool csv, GError **error) {
  GPtrArray *tasks = by_task ? hn_compare_tasks(c, error) : NULL;
  if (by_task && !tasks) return false;
  g_autofree char *head = by_task ? hn_render_text_heading(c) : NULL;
  g_autofree char *text = json      ? hn_render_json(c, tasks)
                          : csv     ? hn_render_csv_tasks(c, tasks)
                          : by_task ? hn_render_text_tasks(c, tasks)
                                    : hn_render_text(c);
  if (head && !json && !csv) fputs(head, stdout);
  fputs(text, stdout);
  if (tasks) g_ptr_array_unref(tasks);
  return true;
}

int hn_cli_compare(int argc, char **argv) {
  gboolean json = FALSE, csv = FALSE;
  g_autofree char *baseline = NULL;
  g_autofree char *metric = NULL;
  g_autofree char *by = NULL;
  GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Everything, every seed's value included", NULL},
      {"baseline", 0, 0, G_OPTION_ARG_STRING, &baseline, "Compare with this arm", "ARM"},
      {"metric", 0, 0, G_OPTION_ARG_STRING, &metric, "Show this column of metrics.csv first",
       "COL"},
      {"by", 0, 0, G_OPTION_ARG_STRING, &by, "Success and return by 'task', on every split",
       "WHAT"},
      {"csv", 0, 0, G_OPTION_ARG_NONE, &csv, "With --by task: as CSV", NULL},
      {NULL}};
  const HnVerb *verb = hn_cli_verb(argv[0]);
  int code = hn_cli_options(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc != 2) return hn_cli_usage(verb, "expected one study folder");
  if (by && strcmp(by, "task") != 0)
    return hn_cli_usage(verb, "--by %s: results are shown by 'task'", by);
  if (csv && (!by || json)) return hn_cli_usage(verb, "--csv goes with --by task, without --json");
  g_autoptr(GError) error = NULL;
  HnResults *r = hn_results_read(argv[1], &error);
  HnComparison *c = r ? hn_compare(r, baseline, metric, &error) : NULL;
  code = HN_EXIT_DONE;
  if (!c || !show(c, by, json, csv, &error)) {
    hn_cli_error(verb->name, "%s", error->message);
    code = hn_cli_exit_code(error);
  }
  hn_comparison_free(c);
  hn_results_free(r);
  return code;
}
