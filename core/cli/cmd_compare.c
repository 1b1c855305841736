/* cmd_compare.c - `hunch compare DIR`: arms side by side, as text, JSON or CSV on stdout. */
#include "message.h"
#include "options.h"
#include "render_csv.h"
#include "render_json.h"
#include "render_text.h"
#include "verbs.h"
#include <stdio.h>
#include <string.h>

/* Prints what was asked for. */
static bool print(const HnComparison *c, bool by_task, bool json, bool csv, GError **error) {
  g_autoptr(GPtrArray) tasks = by_task ? hn_compare_tasks(c, error) : NULL;
  if (by_task && !tasks) return false;
  g_autofree char *head = by_task ? hn_render_text_heading(c) : NULL;
  g_autofree char *text = json      ? hn_render_json(c, tasks)
                          : csv     ? hn_render_csv_tasks(c, tasks)
                          : by_task ? hn_render_text_tasks(c, tasks)
                                    : hn_render_text(c);
  if (head && !json && !csv) fputs(head, stdout);
  fputs(text, stdout);
  return true;
}

int hn_cmd_compare(int argc, char **argv) {
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
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc != 2 || !*argv[1]) return hn_options_refuse(verb, "expected one study folder");
  if (by && strcmp(by, "task") != 0)
    return hn_options_refuse(verb, "--by %s: results are shown by 'task'", by);
  if (csv && (!by || json))
    return hn_options_refuse(verb, "--csv goes with --by task, without --json");
  g_autoptr(GError) error = NULL;
  g_autoptr(HnResults) r = hn_results_read_metrics(argv[1], &error);
  g_autoptr(HnComparison) c = r ? hn_compare(r, baseline, metric, &error) : NULL;
  if (c && print(c, by, json, csv, &error)) return HN_EXIT_DONE;
  hn_message_error(verb->name, "%s", error->message);
  return hn_verb_exit_code(error);
}
