/* cmd_plan.c - `hunch plan STUDY.yaml`: every cell, whether it would run, and why; with --resolved
 * what its arms really are. */
#include "jobs.h"
#include "json.h"
#include "lock.h"
#include "message.h"
#include "options.h"
#include "plan_resolved.h"
#include "render_live.h"
#include "run_dir.h"
#include "run_sizes.h"
#include "search.h"
#include "short_text.h"
#include "study.h"
#include "study_argument.h"
#include "verbs.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHORT = 12 };

/* What would become of a cell: what `hunch run` would do with it, or that it is running. */
typedef struct Planned {
  const char *state;
  char *reason, *identity; /* g_free */
} Planned;

static bool is_running(const char *folder) {
  g_autofree char *path = hn_run_file(folder, HN_FILE_LOCK);
  HnLockHolder holder = hn_lock_holder(path);
  hn_lock_holder_clear(&holder);
  return holder.held;
}

static Planned plan_cell(const HnStudy *study, const HnCell *cell, const char *folder) {
  HnCellStatus status = hn_cell_status(folder, cell);
  const bool left = status.work == HN_CELL_RUN || status.work == HN_CELL_RESUME;
  g_autoptr(HnLiveCell) live =
      left && is_running(folder)
          ? hn_live_cell_read(folder, cell->arm, cell->seed_index, study->report.metric)
          : NULL;
  if (!live || !hn_live_cell_is_running(live))
    return (Planned){hn_cell_work_name(status.work), status.reason, status.identity};
  g_free(status.reason);
  return (Planned){hn_live_state_name(live->state), hn_render_live_work(live), status.identity};
}

static void add_cell(JsonBuilder *b, const HnStudy *study, const HnCell *cell, const char *dir) {
  g_autofree char *folder = hn_run_dir(dir, cell->arm, cell->seed_index);
  Planned planned = plan_cell(study, cell, folder);
  g_autofree char *seed = g_strdup_printf("%" PRIu64, cell->seed); /* JSON keeps 53 bits */
  hn_json_open_object(b, NULL);
  hn_json_add_string(b, "arm", cell->arm);
  hn_json_add_int(b, "seed_index", cell->seed_index);
  hn_json_add_string(b, "seed", seed);
  hn_json_add_int(b, "frames", cell->run.frames);
  hn_json_add_string(b, "identity", planned.identity);
  hn_json_add_string(b, "folder", folder);
  hn_json_add_string(b, "state", planned.state);
  hn_json_add_string(b, "reason", planned.reason);
  json_builder_end_object(b);
  g_free(planned.reason), g_free(planned.identity);
}

static void print_json(const HnStudy *study, const char *dir) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "study", study->name);
  hn_json_add_string(b, "folder", dir);
  hn_json_open_array(b, "cells");
  for (guint i = 0; i < study->cells->len; i++) add_cell(b, study, study->cells->pdata[i], dir);
  json_builder_end_array(b);
  g_autofree char *text = hn_json_end(b);
  fputs(text, stdout);
}

/* How many cells are in each state, in the order in which states are met in the tables of names. */
static void print_counts(const HnStudy *study, const char *dir, GHashTable *count) {
  (void)fflush(stdout); /* so that a shared file keeps the order */
  g_printerr("%s: %u cell%s", dir, study->cells->len, hn_plural(study->cells->len));
  const char *names[HN_CELL_DIFFERS + 3];
  for (guint work = 0; work <= HN_CELL_DIFFERS; work++)
    names[work] = hn_cell_work_name((HnCellWork)work);
  names[HN_CELL_DIFFERS + 1] = hn_live_state_name(HN_LIVE_RUNNING);
  names[HN_CELL_DIFFERS + 2] = hn_live_state_name(HN_LIVE_STOPPED);
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    const guint n = GPOINTER_TO_UINT(g_hash_table_lookup(count, names[i]));
    if (n) g_printerr(", %u %s", n, names[i]);
  }
  g_printerr("\n");
}

static void print_table(const HnStudy *study, const char *dir) {
  int arm_width = (int)sizeof "ARM" - 1;
  g_autoptr(GString) out = g_string_new(NULL);
  g_autoptr(GHashTable) count = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < study->arms->len; i++)
    arm_width = MAX(arm_width, (int)strlen(study->arms->pdata[i]));
  g_string_append_printf(out, "%-*s  %4s  %10s  %-*s  %-7s  %s\n", arm_width, "ARM", "SEED",
                         "FRAMES", SHORT, "IDENTITY", "STATE", "REASON");
  for (guint i = 0; i < study->cells->len; i++) {
    const HnCell *cell = study->cells->pdata[i];
    g_autofree char *folder = hn_run_dir(dir, cell->arm, cell->seed_index);
    Planned planned = plan_cell(study, cell, folder);
    g_autofree char *identity = planned.identity, *reason = planned.reason;
    g_string_append_printf(out, "%-*s  %4" PRId64 "  %10" PRId64 "  %.*s  %-7s  %s\n", arm_width,
                           cell->arm, cell->seed_index, cell->run.frames, SHORT, identity,
                           planned.state, reason);
    const guint n = GPOINTER_TO_UINT(g_hash_table_lookup(count, planned.state));
    g_hash_table_insert(count, (gpointer)(guintptr)planned.state, GUINT_TO_POINTER(n + 1));
  }
  hn_message_lines(out->str);
  print_counts(study, dir, count);
}

/* Whether an argument is an override by its looks: 'run.frames=10', 'name=x', but not the arm
 * 'kalman_lr=1e-2' of a sweep. */
static bool is_override(const char *argument) {
  const gsize key = strcspn(argument, "=");
  return argument[key] && (memchr(argument, '.', key) || strncmp(argument, "name=", 5) == 0 ||
                           strncmp(argument, "description=", 12) == 0);
}

/* Takes the arms that are named behind the study out of argv. */
static GPtrArray *take_arms(int *argc, char **argv) {
  GPtrArray *names = g_ptr_array_new();
  int kept = MIN(*argc, 2);
  for (int i = kept; i < *argc; i++) {
    if (is_override(argv[i]))
      argv[kept++] = argv[i];
    else
      g_ptr_array_add(names, argv[i]);
  }
  argv[kept] = NULL, *argc = kept;
  return names;
}

static int print_resolved(const HnVerb *verb, int argc, char **argv) {
  g_autoptr(GPtrArray) names = take_arms(&argc, argv);
  g_autoptr(GArray) arms = g_array_new(FALSE, FALSE, sizeof(int64_t));
  g_autoptr(HnStudy) study = hn_study_argument(verb, argc, argv);
  for (guint i = 0; study && i < names->len; i++) {
    const int64_t arm =
        hn_study_argument_arm(verb, study, names->pdata[i], "; leave a space before another one");
    if (arm < 0) return HN_EXIT_USAGE;
    g_array_append_val(arms, arm);
  }
  if (study) hn_plan_resolved(study, (const char *const *)argv + 2, arms);
  return study ? HN_EXIT_DONE : HN_EXIT_USAGE;
}

/* Of a search, how far each cell is to go by what is decided in its folder. */
static bool set_lengths(HnStudy *study, const char *dir, GError **error) {
  if (!study->sweep || !study->sweep->halving) return true;
  g_autoptr(HnSearch) search = hn_search_open(study, dir, error);
  if (search) hn_search_set_lengths(search, study);
  return search != NULL;
}

static int plan(const HnVerb *verb, HnStudy *study, const char *output, bool json) {
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
  g_autoptr(GPtrArray) jobs = hn_jobs_new(study, dir, NULL, NULL, 0);
  hn_run_sizes_warn(verb, study, dir, jobs);
  return HN_EXIT_DONE;
}

int hn_cmd_plan(int argc, char **argv) {
  g_autofree char *output = NULL;
  gboolean json = FALSE, resolved = FALSE;
  GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The study's folder (runs/NAME).", "DIR"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON.", NULL},
      {"resolved", 0, 0, G_OPTION_ARG_NONE, &resolved,
       "Print what each arm, or each that is named behind the study, really is: its whole "
       "configuration as YAML, and what it changes of the base.",
       NULL},
      {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (resolved && json) return hn_options_refuse(verb, "--resolved prints YAML, not JSON");
  if (resolved) return print_resolved(verb, argc, argv);
  g_autoptr(HnStudy) study = hn_study_argument(verb, argc, argv);
  return study ? plan(verb, study, output, json) : HN_EXIT_USAGE;
}
