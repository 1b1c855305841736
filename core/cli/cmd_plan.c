/* cmd_plan.c - `hunch plan STUDY.yaml`: every cell, whether it would run, and why. */
#include "jobs.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "run_dir.h"
#include "search.h"
#include "study.h"
#include "study_argument.h"
#include "verbs.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHORT = 12, WORKS = HN_CELL_DIFFERS + 1 };

static void add_cell(JsonBuilder *b, const HnCell *cell, const char *dir) {
  g_autofree char *folder = hn_run_dir(dir, cell->arm, cell->seed_index);
  HnCellStatus status = hn_cell_status(folder, cell);
  g_autofree char *identity = hn_cell_identity(cell);
  g_autofree char *seed = g_strdup_printf("%" PRIu64, cell->seed); /* JSON keeps 53 bits */
  hn_json_open_object(b, NULL);
  hn_json_add_string(b, "arm", cell->arm);
  hn_json_add_int(b, "seed_index", cell->seed_index);
  hn_json_add_string(b, "seed", seed);
  hn_json_add_int(b, "frames", cell->run.frames);
  hn_json_add_string(b, "identity", identity);
  hn_json_add_string(b, "folder", folder);
  hn_json_add_string(b, "state", hn_cell_work_name(status.work));
  hn_json_add_string(b, "reason", status.reason);
  json_builder_end_object(b);
  hn_cell_status_clear(&status);
}

static void print_json(const HnStudy *study, const char *dir) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "study", study->name);
  hn_json_add_string(b, "folder", dir);
  hn_json_open_array(b, "cells");
  for (guint i = 0; i < study->cells->len; i++) add_cell(b, study->cells->pdata[i], dir);
  json_builder_end_array(b);
  g_autofree char *text = hn_json_end(b);
  fputs(text, stdout);
}

static void print_table(const HnStudy *study, const char *dir) {
  int arm_width = (int)sizeof "ARM" - 1;
  guint count[WORKS] = {0};
  for (guint i = 0; i < study->arms->len; i++)
    arm_width = MAX(arm_width, (int)strlen(study->arms->pdata[i]));
  printf("%-*s  %4s  %10s  %-*s  %-7s  %s\n", arm_width, "ARM", "SEED", "FRAMES", SHORT, "IDENTITY",
         "STATE", "REASON");
  for (guint i = 0; i < study->cells->len; i++) {
    const HnCell *cell = study->cells->pdata[i];
    g_autofree char *folder = hn_run_dir(dir, cell->arm, cell->seed_index);
    HnCellStatus status = hn_cell_status(folder, cell);
    g_autofree char *identity = hn_cell_identity(cell);
    printf("%-*s  %4" PRId64 "  %10" PRId64 "  %.*s  %-7s  %s\n", arm_width, cell->arm,
           cell->seed_index, cell->run.frames, SHORT, identity, hn_cell_work_name(status.work),
           status.reason);
    count[status.work]++;
    hn_cell_status_clear(&status);
  }
  (void)fflush(stdout); /* so that a shared file keeps the order */
  g_printerr("%s: %u cells", dir, study->cells->len);
  for (guint work = 0; work < WORKS; work++)
    if (count[work]) g_printerr(", %u %s", count[work], hn_cell_work_name((HnCellWork)work));
  g_printerr("\n");
}

/* Of a search, how far each cell is to go by what is decided in its folder. */
static bool set_lengths(HnStudy *study, const char *dir, GError **error) {
  if (!study->sweep || !study->sweep->halving) return true;
  g_autoptr(HnSearch) search = hn_search_open(study, dir, error);
  if (search) hn_search_set_lengths(search, study);
  return search != NULL;
}

int hn_cmd_plan(int argc, char **argv) {
  g_autofree char *output = NULL;
  gboolean json = FALSE;
  GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The study's folder (runs/NAME).", "DIR"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON.", NULL},
      {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  g_autoptr(HnStudy) study = hn_study_argument(verb, argc, argv);
  if (!study) return HN_EXIT_USAGE;
  g_autofree char *dir = output ? g_strdup(output) : g_build_filename("runs", study->name, NULL);
  g_autoptr(GError) error = NULL;
  if (!hn_jobs_folder_check(dir, &error) || !set_lengths(study, dir, &error)) {
    hn_message_error(verb->name, "%s", error->message);
    return hn_verb_exit_code(error);
  }
  if (json)
    print_json(study, dir);
  else
    print_table(study, dir);
  return HN_EXIT_DONE;
}
