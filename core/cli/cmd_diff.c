/* cmd_diff.c - `hunch diff A B`: where two results part, as text or JSON on stdout. */
#include "message.h"
#include "options.h"
#include "render_diff.h"
#include "unpack.h"
#include "verbs.h"
#include <stdio.h>

static int diff(const HnVerb *verb, char **paths, char **cells, bool json) {
  g_autoptr(GError) error = NULL;
  g_autoptr(HnOpened) a = hn_opened_new(paths[0], &error);
  g_autoptr(HnOpened) b = a ? hn_opened_new(paths[1], &error) : NULL;
  g_autoptr(HnDiff) d =
      b ? hn_diff(a->results, b->results, (const char *const *)cells, &error) : NULL;
  if (!d) {
    hn_message_error(verb->name, "%s", error->message);
    return hn_verb_exit_code(error);
  }
  g_autofree char *text = json ? hn_render_diff_json(d, paths[0], paths[1])
                               : hn_render_diff_text(d, paths[0], paths[1]);
  fputs(text, stdout);
  return d->differs ? HN_EXIT_BROKEN : HN_EXIT_DONE;
}

int hn_cmd_diff(int argc, char **argv) {
  gboolean json = FALSE;
  g_auto(GStrv) cells = NULL;
  GOptionEntry entries[] = {
      {"cell", 0, 0, G_OPTION_ARG_STRING_ARRAY, &cells,
       "This cell alone; given twice, the first of A and the second of B", "ARM/SEED"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Everything of every cell, as JSON", NULL},
      {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc != 3 || !*argv[1] || !*argv[2])
    return hn_options_refuse(verb, "expected two folders of cells or studies, or packages");
  if (cells && g_strv_length(cells) > 2)
    return hn_options_refuse(verb, "--cell is given once, or once for each side");
  return diff(verb, argv + 1, cells, json);
}
