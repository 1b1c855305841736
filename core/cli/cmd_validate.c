/* cmd_validate.c - `hunch validate STUDY.yaml`: all that is wrong, or the size of what would run.
 */
#include "options.h"
#include "study.h"
#include "study_argument.h"
#include "verbs.h"
#include <stdio.h>

int hn_cmd_validate(int argc, char **argv) {
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, NULL, &argc, &argv);
  if (code >= 0) return code;
  g_autoptr(HnStudy) study = hn_study_argument(verb, argc, argv);
  if (!study) return HN_EXIT_USAGE;
  double frames = 0; /* may exceed 64 bits */
  for (guint i = 0; i < study->cells->len; i++)
    frames += (double)((const HnCell *)study->cells->pdata[i])->run.frames;
  printf("%s: cells %u, arms %u, seeds %" G_GINT64_FORMAT ", frames %.0f\n", study->name,
         study->cells->len, study->arms->len, study->seeds.count, frames);
  return HN_EXIT_DONE;
}
