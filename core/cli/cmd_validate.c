/* cmd_validate.c - `hunch validate STUDY.yaml`: all that is wrong, or the size of what would run.
 */
#include "cli.h"
#include "study.h"
#include <stdio.h>

int hn_cli_validate(int argc, char **argv) {
  const HnVerb *verb = hn_cli_verb(argv[0]);
  int code = hn_cli_options(verb, NULL, &argc, &argv);
  if (code >= 0) return code;
  HnStudy *study = hn_cli_study(verb, argc, argv);
  if (!study) return HN_EXIT_USAGE;
  double frames = 0; /* the sum of many large counts: more than 64 bits may hold */
  for (guint i = 0; i < study->cells->len; i++)
    frames += (double)((const HnCell *)study->cells->pdata[i])->run.frames;
  printf("%s: cells %u, arms %u, seeds %" G_GINT64_FORMAT ", frames %.0f\n", study->name,
         study->cells->len, study->arms->len, study->seeds.count, frames);
  hn_study_free(study);
  return HN_EXIT_DONE;
}
