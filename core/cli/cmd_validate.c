/* cmd_validate.c - `hunch validate STUDY.yaml`: all that is wrong, or the size of what would run
 * and what that takes. */
#include "json.h"
#include "options.h"
#include "run_sizes.h"
#include "study_argument.h"
#include "study_frames.h"
#include "verbs.h"
#include <stdio.h>

static void add_findings(JsonBuilder *b, const HnDiag *d) {
  hn_json_open_array(b, "findings");
  for (guint i = 0; i < hn_diag_count(d); i++) {
    const HnFinding f = hn_diag_at(d, i);
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "file", f.file);
    hn_json_add_int(b, "line", f.line), hn_json_add_int(b, "column", f.column);
    hn_json_add_string(b, "message", f.message);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

/* study NULL: it has findings. */
static void print_json(const HnStudy *study, const HnDiag *d) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_bool(b, "valid", study != NULL);
  hn_json_add_string(b, "study", study ? study->name : NULL);
  if (study) {
    hn_json_add_int(b, "cells", study->cells->len);
    hn_json_add_int(b, "arms", study->arms->len);
    hn_json_add_int(b, "seeds", study->seeds.count);
    hn_json_add_real(b, "frames", hn_study_frames(study));
    hn_run_sizes_add(b, study);
  }
  add_findings(b, d);
  g_autofree char *text = hn_json_end(b);
  fputs(text, stdout);
}

int hn_cmd_validate(int argc, char **argv) {
  gboolean json = FALSE;
  GOptionEntry entries[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON, findings too.", NULL}, {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnStudy) study = hn_study_argument_read(verb, argc, argv, d);
  g_autofree char *text = hn_diag_text(d);
  if (!json) (void)fputs(text, stderr);
  if (json && (study || hn_diag_count(d))) print_json(study, d);
  if (!study) return HN_EXIT_USAGE;
  if (json) return HN_EXIT_DONE;
  printf("%s: cells %u, arms %u, seeds %" G_GINT64_FORMAT ", frames %.0f\n", study->name,
         study->cells->len, study->arms->len, study->seeds.count, hn_study_frames(study));
  hn_run_sizes_print(study);
  return HN_EXIT_DONE;
}
