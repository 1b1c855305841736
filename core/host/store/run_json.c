/* run_json.c - see run_json.h. */
#include "run_json.h"
#include "checked.h"
#include "checksum.h"
#include "describe.h"
#include "error.h"
#include "evaluation_tasks.h"
#include "json.h"
#include "output_file.h"
#include "run_dir.h"
#include "run_kernels.h"
#include "version.h"
#include <glib/gstdio.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* Names of loaded libraries, so that the simulator's and BLAS's versions are on record. */
static int add_library(struct dl_phdr_info *info, size_t size, void *arg) {
  (void)size;
  if (!info->dlpi_name || !strstr(info->dlpi_name, ".so")) return 0;
  char *real = realpath(info->dlpi_name, NULL);
  char *name = g_path_get_basename(real ? real : info->dlpi_name);
  hn_json_add_string(arg, NULL, name);
  g_free(name), free(real);
  return 0;
}

static char *cpu_model(void) {
  char *info = NULL, *model = NULL;
  if (!g_file_get_contents("/proc/cpuinfo", &info, NULL, NULL)) return g_strdup("unknown");
  const char *at = strstr(info, "model name");
  const char *colon = at ? strchr(at, ':') : NULL;
  if (colon) model = g_strndup(colon + 1, strcspn(colon + 1, "\n"));
  g_free(info);
  return model ? g_strstrip(model) : g_strdup("unknown");
}

/* before: run.json as it was, or NULL. */
static void add_machine(JsonBuilder *b, const HnCell *cell, JsonObject *before) {
  char *cpu = cpu_model();
  struct utsname u;
  hn_json_add_string(b, "cpu", cpu);
  if (uname(&u) == 0)
    hn_json_add_string(b, "kernel", u.release), hn_json_add_string(b, "host", u.nodename);
  hn_json_add_int(b, "cores", g_get_num_processors());
  hn_json_add_int(b, "workers", cell->run.workers);
  hn_json_add_string(b, "determinism", cell->run.determinism == HN_PORTABLE ? "portable" : "fast");
  hn_run_kernels_add(b, before);
  hn_json_add_string(b, "openblas_coretype",
                     g_getenv("OPENBLAS_CORETYPE")); /* asked for, or null */
  hn_json_open_array(b, "libraries");
  dl_iterate_phdr(add_library, b);
  json_builder_end_array(b);
  g_free(cpu);
}

/* What was in the files that parameters name. */
static void add_param_files(JsonBuilder *b, const HnPluginChoice *part) {
  const HnSchema schema = hn_schema_of(part->plugin);
  HnNode *values = hn_params_node(&schema, part->params);
  hn_json_open_object(b, "files");
  for (guint i = 0; i < schema.count; i++) {
    const HnParam *p = hn_schema_at(&schema, i);
    g_autofree char *key = g_strconcat(p->name, "_sha256", NULL);
    const HnNode *sha256 = p->kind == HN_FILE ? hn_node_get(values, key) : NULL;
    if (!sha256) continue;
    hn_json_open_object(b, p->name);
    hn_json_add_string(b, "path", hn_node_get(values, p->name)->text);
    hn_json_add_string(b, "sha256", sha256->text);
    json_builder_end_object(b);
  }
  json_builder_end_object(b);
  hn_node_free(values);
}

/* Whether the laws of `hunch check` were judged of this very file, and which. */
static void add_checked(JsonBuilder *b, const HnPlugin *p) {
  HnCheckRecord record;
  if (!hn_checked_find(p, &record)) {
    hn_json_add_bool(b, "checked", false);
    return;
  }
  hn_json_open_object(b, "checked");
  hn_json_add_int(b, "laws", record.laws), hn_json_add_string(b, "hunch", record.hunch);
  json_builder_end_object(b);
  hn_checked_clear(&record);
}

static void add_plugin(JsonBuilder *b, const char *member, const HnPluginChoice *part) {
  const HnPlugin *p = part->plugin;
  hn_json_open_object(b, member);
  hn_json_add_string(b, "name", p->name), hn_json_add_string(b, "version", p->version);
  hn_json_add_string(b, "file", hn_plugins_file(p)),
      hn_json_add_string(b, "sha256", hn_plugins_sha256(p));
  add_checked(b, p);
  hn_json_add_bool(b, "privileged", (p->flags & HN_PRIVILEGED) != 0);
  hn_describe_columns(b, "info", p->info);
  hn_describe_columns(b, "metrics", p->metrics);
  add_param_files(b, part);
  if (part->inner) add_plugin(b, "inner", part->inner);
  json_builder_end_object(b);
}

static char *now(void) {
  GDateTime *t = g_date_time_new_now_utc();
  char *s = g_date_time_format_iso8601(t);
  g_date_time_unref(t);
  return s;
}

/* What an evaluation takes of each split: repeated rows are no trials of their own. */
static void add_tasks(JsonBuilder *b, const HnSession *s) {
  hn_json_open_array(b, "tasks");
  for (guint i = 0; i < s->passes; i++) {
    const HnEvaluationPass *pass = &s->pass[i];
    if (pass->drawn || pass->shuffled) continue; /* the deciding split's, again */
    const HnTasksTaken taken = hn_evaluation_taken(s, pass->split);
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "split", pass->name);
    hn_json_add_int(b, "rows", taken.rows), hn_json_add_int(b, "distinct", taken.distinct);
    hn_json_add_int(b, "by_name", taken.by_name);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

static void add_sizes(JsonBuilder *b, const HnSession *s) {
  g_autofree char *splits = g_strjoinv("|", s->splits);
  hn_json_add_string(b, "splits", splits);
  add_tasks(b, s);
  hn_json_add_int(b, "horizon", s->es.horizon);
  hn_json_add_int(b, "belief_dim", s->bs.belief_dim),
      hn_json_add_int(b, "latent_dim", s->bs.latent_dim);
  hn_json_add_int(b, "map_width", s->bs.map_width),
      hn_json_add_int(b, "map_height", s->bs.map_height);
}

static void add_weights(JsonBuilder *b, const HnRunFacts *f) {
  hn_json_open_object(b, "weights");
  hn_json_add_string(b, "file", f->from), hn_json_add_string(b, "sha256", f->from_sha256);
  json_builder_end_object(b);
}

/* Sizes and checksums: of the configuration, and of what a finished run leaves, all but its
 * messages and its lock. */
static void add_files(JsonBuilder *b, const char *dir, bool finished) {
  hn_json_open_object(b, "files");
  for (HnRunFile f = 0; f < HN_RUN_FILE_COUNT; f++) {
    g_autofree char *path = hn_run_file(dir, f);
    int64_t size;
    if (f == HN_FILE_JSON || f == HN_FILE_LOG || f == HN_FILE_LOCK ||
        (!finished && f != HN_FILE_CONFIG))
      continue;
    g_autofree char *text = hn_checksum_file(path, &size);
    if (!text) continue;
    hn_json_open_object(b, hn_run_file_name(f));
    hn_json_add_int(b, "bytes", size), hn_json_add_string(b, "checksum", text);
    json_builder_end_object(b);
  }
  json_builder_end_object(b);
}

static bool is_intact(const char *dir, const char *name, JsonObject *said, bool thorough,
                      GError **error) {
  g_autofree char *path = g_build_filename(dir, name, NULL);
  GStatBuf file;
  bool same = g_stat(path, &file) == 0 && S_ISREG(file.st_mode) &&
              file.st_size == hn_json_int(said, "bytes", -1);
  if (same && thorough) {
    int64_t size;
    g_autofree char *text = hn_checksum_file(path, &size);
    same = text && g_strcmp0(text, hn_json_string(said, "checksum", NULL)) == 0;
  }
  return same ||
         hn_error_set(error, HN_ERROR_FILE,
                      "%s: is not as the run left it; to run the cell again, remove %s", path, dir);
}

bool hn_run_files_intact(const char *dir, JsonObject *facts, bool thorough, GError **error) {
  JsonObject *files = hn_json_object(facts, "files");
  GList *names = files ? json_object_get_members(files) : NULL;
  bool ok = true;
  for (GList *n = names; n && ok; n = n->next)
    ok = is_intact(dir, n->data, hn_json_object(files, n->data), thorough, error);
  g_list_free(names);
  return ok;
}

bool hn_run_json_write(const char *dir, const HnCell *cell, const HnSession *s, const HnRunFacts *f,
                       GError **error) {
  g_autofree char *path = hn_run_file(dir, HN_FILE_JSON);
  g_autofree char *identity = hn_cell_identity(cell);
  g_autofree char *time = now(), *protocol = hn_protocol_text(cell);
  g_autoptr(JsonObject) before = hn_run_facts(dir, NULL);
  g_autofree char *seed = g_strdup_printf("%" PRIu64, cell->seed);
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "study", cell->study), hn_json_add_string(b, "arm", cell->arm);
  hn_json_add_int(b, "seed_index", cell->seed_index);
  hn_json_add_string(b, "seed", seed); /* text: 64 bits do not fit the numbers of all readers */
  hn_json_add_string(b, "identity", identity);
  hn_json_add_string(b, "status", f->status), hn_json_add_string(b, "reason", f->reason);
  hn_json_add_int(b, "update", f->update), hn_json_add_int(b, "frames", f->frames);
  hn_json_add_string(b, "started", hn_json_string(before, "started", time)),
      hn_json_add_string(b, "written", time);
  hn_json_add_real(b, "seconds", f->seconds);
  hn_json_add_string(b, "scheduled", f->scheduled);
  hn_json_add_string(b, "hunch", HN_VERSION), hn_json_add_string(b, "commit", HN_COMMIT);
  hn_json_add_int(b, "abi_major", HN_ABI_MAJOR), hn_json_add_int(b, "abi_minor", HN_ABI_MINOR);
  add_machine(b, cell, before);
  hn_json_add_string(b, "protocol", protocol);
  if (s) add_sizes(b, s);
  if (f->from) add_weights(b, f);
  hn_json_open_object(b, "plugins");
  add_plugin(b, "env", &cell->env), add_plugin(b, "inference", &cell->inference);
  add_plugin(b, "policy", &cell->policy);
  json_builder_end_object(b);
  add_files(b, dir, g_strcmp0(f->status, "done") == 0);
  g_autofree char *line = hn_json_end_sealed(b);
  return hn_output_replace(path, line, error);
}

bool hn_run_json_unseal(const char *dir, GError **error) {
  g_autofree char *path = hn_run_file(dir, HN_FILE_JSON);
  g_autoptr(JsonObject) o = hn_run_facts(dir, NULL);
  if (!o) return true;
  json_object_set_string_member(o, "status", "running");
  json_object_remove_member(o, "files");
  g_autofree char *line = hn_json_sealed_text(o);
  return hn_output_replace(path, line, error);
}
