/* cmd_completion.c - `hunch completion SHELL`: the script by which a shell completes hunch's words.
 * It holds no words itself: it asks `hunch complete`. */
#include "options.h"
#include "shells.h"
#include "verbs.h"
#include <stdio.h>
#include <string.h>

#define ROW(name, text) {#name, text},
static const struct { const char *name, *text; } shells[] = {HN_SHELLS(ROW)};

int hn_cmd_completion(int argc, char **argv) {
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, NULL, &argc, &argv);
  if (code >= 0) return code;
  for (guint i = 0; argc == 2 && i < G_N_ELEMENTS(shells); i++) {
    if (strcmp(shells[i].name, argv[1]) != 0) continue;
    fputs(shells[i].text, stdout);
    return HN_EXIT_DONE;
  }
  return hn_options_refuse(verb, "expected one shell: %s", verb->usage);
}
