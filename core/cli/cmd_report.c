/* cmd_report.c - `hunch report DIR`: the results as one HTML page. */
#include "message.h"
#include "options.h"
#include "report.h"
#include "verbs.h"
#include <stdio.h>

int hn_cmd_report(int argc, char **argv) {
  g_autofree char *output = NULL;
  GOptionEntry entries[] = {{"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
                             "Where to write it; default: DIR/report.html", "FILE"},
                            {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc != 2 || !*argv[1]) return hn_options_refuse(verb, "expected one study folder");
  if (!output) output = g_build_filename(argv[1], "report.html", NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(HnResults) r = hn_results_read(argv[1], &error);
  g_autoptr(HnComparison) c = r ? hn_compare(r, NULL, NULL, &error) : NULL;
  if (c && hn_report_write(c, output, &error)) {
    puts(output);
    return HN_EXIT_DONE;
  }
  hn_message_error(verb->name, "%s", error->message);
  return hn_verb_exit_code(error);
}
