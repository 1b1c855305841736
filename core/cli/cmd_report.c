/* cmd_report.c - `hunch report DIR`: the results as one HTML page. */
#include "cli.h"
#include "report.h"
#include <stdio.h>

int hn_cli_report(int argc, char **argv) {
  g_autofree char *output = NULL;
  GOptionEntry entries[] = {{"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
                             "Where to write it; default: DIR/report.html", "FILE"},
                            {NULL}};
  const HnVerb *verb = hn_cli_verb(argv[0]);
  int code = hn_cli_options(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc != 2) return hn_cli_usage(verb, "expected one study folder");
  if (!output) output = g_build_filename(argv[1], "report.html", NULL);
  g_autoptr(GError) error = NULL;
  HnResults *r = hn_results_read(argv[1], &error);
  HnComparison *c = r ? hn_compare(r, NULL, NULL, &error) : NULL;
  bool ok = c && hn_report_write(c, output, &error);
  hn_comparison_free(c), hn_results_free(r);
  if (ok)
    puts(output);
  else
    hn_cli_error(verb->name, "%s", error->message);
  return ok ? HN_EXIT_DONE : hn_cli_exit_code(error);
}
