/* compare.c - `hunch compare DIR`: arms side by side, as text or JSON on stdout. */
#include "compare.h"
#include "cli.h"
#include <stdio.h>

int hn_cli_compare(int argc, char **argv) {
  gboolean json = FALSE;
  g_autofree char *baseline = NULL;
  g_autofree char *metric = NULL;
  GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Everything, every seed's value included", NULL},
      {"baseline", 0, 0, G_OPTION_ARG_STRING, &baseline, "Compare with this arm", "ARM"},
      {"metric", 0, 0, G_OPTION_ARG_STRING, &metric, "Show this column of metrics.csv first",
       "COL"},
      {NULL}};
  const HnVerb *verb = hn_cli_verb(argv[0]);
  int code = hn_cli_options(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc != 2) return hn_cli_usage(verb, "expected one study folder");
  g_autoptr(GError) error = NULL;
  HnResults *r = hn_results_read(argv[1], &error);
  HnComparison *c = r ? hn_compare(r, baseline, metric, &error) : NULL;
  code = HN_EXIT_DONE;
  if (c) {
    g_autofree char *text = json ? hn_comparison_json(c) : hn_comparison_text(c);
    fputs(text, stdout);
  } else {
    hn_cli_error(verb->name, "%s", error->message);
    code = g_error_matches(error, HN_RESULTS_ERROR, HN_RESULTS_UNKNOWN) ? HN_EXIT_USAGE
                                                                        : HN_EXIT_FAILED;
  }
  hn_comparison_free(c);
  hn_results_free(r);
  return code;
}
