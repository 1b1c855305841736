/* cmd_export.c - `hunch export DIR [-o FOLDER]`: results as files that other programs read. */
#include "export.h"
#include "message.h"
#include "options.h"
#include "unpack.h"
#include "verbs.h"
#include <stdio.h>

/* A package may call its study anything. */
static char *default_output(const HnResults *r, HnExportChoice choice) {
  const bool safe = g_regex_match_simple(HN_NAME_PATTERN, r->study, 0, 0);
  return g_strdup_printf("%s-%s", safe ? r->study : "study", choice.tables ? "export" : "weights");
}

static int export(const HnVerb *verb, const char *dir, HnExportChoice choice, const char *output) {
  g_autoptr(GError) error = NULL;
  g_autoptr(HnOpened) o = hn_opened_new(dir, &error);
  g_autofree char *folder =
      o ? output ? g_strdup(output) : default_output(o->results, choice) : NULL;
  if (!o || !hn_export(o->results, choice, folder, &error)) {
    hn_message_error(verb->name, "%s", error->message);
    return hn_verb_exit_code(error);
  }
  puts(folder);
  return HN_EXIT_DONE;
}

int hn_cmd_export(int argc, char **argv) {
  gboolean weights = FALSE, npz = FALSE;
  g_autofree char *output = NULL;
  GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
       "The folder to write; default: STUDY-export, or STUDY-weights for weights alone", "FOLDER"},
      {"npz", 0, 0, G_OPTION_ARG_NONE, &npz,
       "The tables, as numpy.load reads them, and what their columns mean; the default", NULL},
      {"weights", 0, 0, G_OPTION_ARG_NONE, &weights,
       "The weights of each cell's last checkpoint, as .safetensors", NULL},
      {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc != 2 || !*argv[1])
    return hn_options_refuse(verb, "expected one folder of a study or a cell, or a package");
  return export(verb, argv[1], (HnExportChoice){npz || !weights, weights}, output);
}
