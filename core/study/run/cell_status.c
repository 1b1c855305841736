/* cell_status.c - see cell_status.h. */
#include "cell_status.h"
#include "checkpoint.h"
#include "json.h"
#include "run_dir.h"
#include "run_json.h"
#include <string.h>

void hn_cell_status_clear(HnCellStatus *status) {
  g_clear_pointer(&status->reason, g_free);
  g_clear_pointer(&status->identity, g_free);
}

const char *hn_cell_work_name(HnCellWork work) {
  static const char *const names[] = {"run", "resume", "done", "rebuilt", "differs"};
  return names[work];
}

/* ---- configuration ---- */

typedef struct Difference {
  guint count, sources; /* keys; those that say which cell's weights it starts from */
  char *first;          /* "inference.noise was inferred" */
} Difference;

static void differ(void *arg, const char *path, const HnNode *was, const HnNode *is) {
  Difference *out = arg;
  (void)is;
  out->sources += strcmp(path, "weights.identity") == 0;
  if (out->count++ > 0) return;
  if (!was)
    out->first = g_strdup_printf("%s was not there", path);
  else if (was->kind != HN_NODE_TEXT)
    out->first = g_strdup_printf("%s was a block", path);
  else {
    g_autofree char *cut = hn_diag_cut(was->text);
    out->first = g_strdup_printf("%s was %s", path, *cut ? cut : "empty");
  }
}

/* Why the folder's configuration is not the cell's, or NULL; *work: whether it still is, but for
 * the builds of plugins. */
static char *other_configuration(const char *file, const HnCell *cell, HnCellWork *work) {
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnNode) was = hn_yaml_read(file, d), is = hn_cell_node(cell);
  *work = HN_CELL_DIFFERS;
  if (!was || hn_diag_count(d)) return g_strdup("the folder's config.resolved.yaml is damaged");
  Difference difference = {0};
  hn_cell_differences(was, is, HN_KEY_FREE | HN_KEY_LENGTH, differ, &difference);
  if (!difference.count) return NULL;
  g_autofree char *first = difference.first;
  if (difference.count == difference.sources) {
    *work = HN_CELL_REBUILT;
    return g_strdup_printf("%s/%" G_GINT64_FORMAT
                           ", whose weights it starts from, was another cell",
                           cell->source->arm, cell->source->seed_index);
  }
  g_autofree char *more =
      difference.count > 1 ? g_strdup_printf(", and %u more", difference.count - 1) : g_strdup("");
  return g_strdup_printf("configuration differs from the folder's: %s%s", first, more);
}

/* Appends the names of the plugins whose files are not those that run.json says: of `part` and what
 * it holds. */
static void add_rebuilt(GString *names, JsonObject *said, const HnPluginChoice *part) {
  const char *was = hn_json_string(said, "sha256", NULL), *is = hn_plugins_sha256(part->plugin);
  if (was && g_strcmp0(was, is) != 0)
    g_string_append_printf(names, "%s%s", names->len ? ", " : "", part->plugin->name);
  if (part->inner) add_rebuilt(names, hn_json_object(said, "inner"), part->inner);
}

/* Why a folder of this configuration is of another identity. */
static char *other_plugins(JsonObject *facts, const HnCell *cell, HnCellWork *work) {
  g_autoptr(GString) names = g_string_new(NULL);
  JsonObject *plugins = hn_json_object(facts, "plugins");
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++)
    add_rebuilt(names, hn_json_object(plugins, hn_kind_name(kind)), hn_cell_plugin(cell, kind));
  *work = names->len ? HN_CELL_REBUILT : HN_CELL_DIFFERS;
  return g_strdup_printf("plugin files differ from those the folder's run used%s%s",
                         names->len ? ": " : "", names->str);
}

/* ---- progress ---- */

/* Update of the newest checkpoint, or -1; -1 too where they cannot be listed, which *why then says.
 */
static int64_t last_checkpoint(const char *folder, char **why) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) all = hn_run_checkpoints(folder, &error);
  if (!all) *why = g_strdup(error->message);
  return all && all->len ? hn_run_checkpoint_update(all->pdata[all->len - 1]) : -1;
}

/* Why a run of `was` steps cannot be one of cell->run.frames, or NULL. */
static char *other_length(int64_t was, JsonObject *facts, const HnCell *cell) {
  const char *scheduled = hn_json_string(facts, "scheduled", NULL);
  if (was < 0 || was == cell->run.frames) return NULL;
  if (was > cell->run.frames)
    return g_strdup_printf("run.frames was %" G_GINT64_FORMAT ", and a run does not become shorter",
                           was);
  if (scheduled)
    return g_strdup_printf(
        "run.frames was %" G_GINT64_FORMAT ", on which the schedule of %s depends", was, scheduled);
  return NULL;
}

/* Why a run of `was` steps cannot go on to more, though its configuration allows it; NULL where one
 * of its checkpoints is whole, or where it is not done and has none, so that nothing is lost. */
static char *cannot_go_on(const char *folder, int64_t was, bool done, const HnCell *cell) {
  g_autoptr(GPtrArray) all = hn_run_checkpoints(folder, NULL);
  g_autofree char *why = NULL;
  for (guint i = all ? all->len : 0; i-- > 0;) {
    g_autoptr(GError) error = NULL;
    if (hn_checkpoint_whole(all->pdata[i], &error)) return NULL;
    if (!why) why = g_strdup(error->message);
  }
  if (!why && !done) return NULL;
  return g_strdup_printf(
      "%s at %" G_GINT64_FORMAT " steps, and cannot go on to %" G_GINT64_FORMAT ": %s",
      done ? "done" : "ended", was, cell->run.frames, why ? why : "it has no checkpoint");
}

/* How far the run of this very cell got; facts: its run.json, or NULL; was: its run.frames. */
static void judge_progress(const char *folder, JsonObject *facts, int64_t was, const HnCell *cell,
                           HnCellStatus *s) {
  const char *status = hn_json_string(facts, "status", NULL);
  const bool done = g_strcmp0(status, "done") == 0;
  g_autoptr(GError) damage = NULL;
  if (!hn_run_files_intact(folder, facts, true, &damage)) {
    s->reason = g_strdup(damage->message);
  } else if (done && hn_json_int(facts, "frames", cell->run.frames) >= cell->run.frames) {
    s->work = HN_CELL_DONE, s->reason = g_strdup("done");
    return;
  } else {
    s->update = last_checkpoint(folder, &s->reason);
    if (!s->reason && was >= 0 && was < cell->run.frames)
      s->reason = cannot_go_on(folder, was, done, cell);
  }
  if (s->reason) {
    s->work = HN_CELL_DIFFERS;
    return;
  }
  s->work = s->update >= 0 ? HN_CELL_RESUME : HN_CELL_RUN;
  GString *reason = g_string_new(NULL);
  if (done) g_string_append_printf(reason, "done at %" G_GINT64_FORMAT " steps; ", was);
  if (g_strcmp0(status, "failed") == 0)
    g_string_append_printf(reason, "failed (%s); ", hn_json_string(facts, "reason", "no reason"));
  if (s->update >= 0)
    g_string_append_printf(reason, "has a checkpoint at update %" G_GINT64_FORMAT, s->update);
  else
    g_string_append(reason, status ? "no checkpoint" : "never started");
  s->reason = g_string_free(reason, FALSE);
}

static void judge(const char *folder, const char *config, const HnCell *cell, HnCellStatus *s) {
  g_autoptr(JsonObject) facts = hn_run_facts(folder, NULL);
  const char *recorded = hn_json_string(facts, "identity", NULL);
  /* equal identities may still name a plugin by another path */
  const bool same = recorded && strcmp(recorded, s->identity) == 0;
  HnCellWork work = HN_CELL_DIFFERS;
  if (!same) s->reason = other_configuration(config, cell, &work);
  if (!same && !s->reason && recorded) s->reason = other_plugins(facts, cell, &work);
  const int64_t was = hn_run_length(folder);
  if (!s->reason) s->reason = other_length(was, facts, cell);
  if (s->reason)
    s->work = work;
  else
    judge_progress(folder, facts, was, cell, s);
}

HnCellStatus hn_cell_status(const char *folder, const HnCell *cell) {
  HnCellStatus s = {.work = HN_CELL_RUN, .update = -1, .identity = hn_cell_identity(cell)};
  g_autofree char *some = hn_run_some_file(folder);
  g_autofree char *config = hn_run_file(folder, HN_FILE_CONFIG);
  const bool exists = g_file_test(folder, G_FILE_TEST_EXISTS);
  if (!exists || (!some && g_file_test(folder, G_FILE_TEST_IS_DIR))) {
    s.reason = g_strdup("new");
  } else if (g_file_test(config, G_FILE_TEST_EXISTS)) {
    judge(folder, config, cell, &s);
  } else {
    s.work = HN_CELL_DIFFERS;
    s.reason = some ? g_strdup_printf("the folder is not a run's: it holds %s", some)
                    : g_strdup("is not a folder");
  }
  g_autofree char *raw = s.reason; /* file names and messages of a run may hold anything */
  s.reason = hn_diag_printable(raw);
  return s;
}
