/* study_argument.c - what the verbs that take a study share: reading it, and saying what is wrong.
 */
#include "arm_weights.h"
#include "cli.h"
#include <stdio.h>

HnStudy *hn_cli_study(const HnVerb *verb, int argc, char **argv) {
  if (argc < 2) {
    hn_cli_usage(verb, "which study?");
    return NULL;
  }
  HnDiag *d = hn_diag_new();
  HnStudy *study = hn_study_read(argv[1], (const char *const *)argv + 2, d);
  if (study) hn_study_fit(study, d);
  g_autofree char *text = hn_diag_text(d);
  (void)fputs(text, stderr);
  if (study && hn_diag_count(d)) g_clear_pointer(&study, hn_study_free);
  hn_diag_free(d);
  return study;
}
