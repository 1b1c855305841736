/* study_argument.c - see study_argument.h. */
#include "study_argument.h"
#include "arm_weights_check.h"
#include "options.h"
#include "session_check.h"
#include <stdio.h>
#include <string.h>

HnStudy *hn_study_argument(const HnVerb *verb, int argc, char **argv) {
  if (argc < 2) {
    hn_options_refuse(verb, "which study?");
    return NULL;
  }
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnStudy) study = hn_study_read(argv[1], (const char *const *)argv + 2, d);
  /* a run goes on with the other arms, and says itself how a plugin died */
  if (study) hn_session_check(study, strcmp(verb->name, "run") != 0, d);
  if (study) hn_arm_weights_check(study, d);
  g_autofree char *text = hn_diag_text(d);
  (void)fputs(text, stderr);
  return hn_diag_count(d) ? NULL : g_steal_pointer(&study);
}
