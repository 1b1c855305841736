/* cmd_schema.c - `hunch schema`: what a study may hold with the plugins there are, as JSON Schema
 * for editors. */
#include "message.h"
#include "options.h"
#include "registry.h"
#include "study_schema.h"
#include "verbs.h"
#include <stdio.h>

int hn_cmd_schema(int argc, char **argv) {
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, NULL, &argc, &argv);
  if (code >= 0) return code;
  if (argc > 1) return hn_options_refuse(verb, "'%s': it is of all studies", argv[1]);
  g_autoptr(GPtrArray) plugins = hn_plugins_scan();
  for (guint i = 0; i < plugins->len; i++) {
    const HnFound *found = plugins->pdata[i];
    if (found->reason) hn_message_warning(verb->name, "left out: %s", found->reason);
  }
  g_autofree char *text = hn_study_schema(plugins);
  fputs(text, stdout);
  return HN_EXIT_DONE;
}
