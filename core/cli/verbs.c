/* verbs.c - see verbs.h. */
#include "verbs.h"
#include "error.h"
#include <stddef.h>
#include <string.h>

#define ROW(function, verb, usage, summary) {verb, usage, summary, hn_cmd_##function},
const HnVerb hn_verbs[] = {HN_VERBS(ROW){NULL}};

const HnVerb *hn_verb_find(const char *name) {
  for (const HnVerb *v = hn_verbs; v->name; v++)
    if (strcmp(v->name, name) == 0) return v;
  return NULL;
}

int hn_verb_exit_code(const GError *error) {
  if (error->domain != HN_ERROR) return HN_EXIT_FAILED;
  switch (error->code) {
  case HN_ERROR_REFUSED:
  case HN_ERROR_MISSING:
  case HN_ERROR_DIFFERS:
    return HN_EXIT_USAGE;
  case HN_ERROR_INTERRUPTED:
    return HN_EXIT_INTERRUPTED;
  default:
    return HN_EXIT_FAILED;
  }
}
