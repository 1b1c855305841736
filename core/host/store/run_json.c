/* run_json.c - run.json: what ran, on what, how it ended. */
#include "describe.h"
#include "error.h"
#include "json.h"
#include "recorder.h"
#include "version.h"
#include <hunch/kit/gemm.h>
#include <json-glib/json-glib.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static void text(JsonBuilder *b, const char *name, const char *value) {
  json_builder_set_member_name(b, name);
  if (value)
    json_builder_add_string_value(b, value);
  else
    json_builder_add_null_value(b);
}
static void integer(JsonBuilder *b, const char *name, gint64 value) {
  json_builder_set_member_name(b, name);
  json_builder_add_int_value(b, value);
}

/* Names of loaded libraries, so that the simulator's and BLAS's versions are on record. */
static int add_library(struct dl_phdr_info *info, size_t size, void *arg) {
  (void)size;
  if (!info->dlpi_name || !strstr(info->dlpi_name, ".so")) return 0;
  char *real = realpath(info->dlpi_name, NULL);
  char *name = g_path_get_basename(real ? real : info->dlpi_name);
  json_builder_add_string_value(arg, name);
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

static void add_machine(JsonBuilder *b, const HnCell *cell) {
  char *cpu = cpu_model();
  struct utsname u;
  text(b, "cpu", cpu);
  if (uname(&u) == 0) text(b, "kernel", u.release), text(b, "host", u.nodename);
  integer(b, "cores", g_get_num_processors());
  integer(b, "workers", cell->run.workers);
  text(b, "isa", hn_kit_isa());
  text(b, "blas", hn_kit_blas());
  text(b, "openblas_coretype", g_getenv("OPENBLAS_CORETYPE")); /* asked for, or null */
  json_builder_set_member_name(b, "libraries");
  json_builder_begin_array(b);
  dl_iterate_phdr(add_library, b);
  json_builder_end_array(b);
  g_free(cpu);
}

static void add_plugin(JsonBuilder *b, const HnPlugin *p) {
  json_builder_set_member_name(b, hn_kind_name(p->kind));
  json_builder_begin_object(b);
  text(b, "name", p->name), text(b, "version", p->version);
  text(b, "file", hn_plugins_file(p)), text(b, "sha256", hn_plugins_sha256(p));
  json_builder_set_member_name(b, "privileged");
  json_builder_add_boolean_value(b, (p->flags & HN_PRIVILEGED) != 0);
  hn_describe_columns(b, "info", p->info);
  json_builder_end_object(b);
}

/* The simulator that plugins loaded, by its library's file name: "MuJoCo 2.2.2"; NULL if none did.
 */
static int find_simulator(struct dl_phdr_info *info, size_t size, void *arg) {
  static const char stem[] = "libmujoco.so.";
  char **found = arg, *real;
  (void)size;
  if (!info->dlpi_name || !strstr(info->dlpi_name, "libmujoco")) return 0;
  real = realpath(info->dlpi_name, NULL);
  char *name = g_path_get_basename(real ? real : info->dlpi_name);
  *found = g_str_has_prefix(name, stem) ? g_strconcat("MuJoCo ", name + strlen(stem), NULL)
                                        : g_strdup(name);
  g_free(name), free(real);
  return 1;
}

static void add_protocol(JsonBuilder *b, const HnCell *cell) {
  g_autofree char *protocol = hn_protocol_text(cell), *simulator = NULL;
  dl_iterate_phdr(find_simulator, &simulator);
  text(b, "protocol", protocol);
  text(b, "simulator", simulator);
}

static char *now(void) {
  GDateTime *t = g_date_time_new_now_utc();
  char *s = g_date_time_format_iso8601(t);
  g_date_time_unref(t);
  return s;
}

/* The time of an earlier part of the run, or NULL. */
static char *started_before(const char *path) {
  g_autoptr(JsonObject) o = hn_json_read(path, NULL);
  return g_strdup(hn_json_string(o, "started", NULL));
}

static void add_sizes(JsonBuilder *b, const HnSession *s) {
  integer(b, "horizon", s->es.horizon);
  integer(b, "belief_dim", s->bs.belief_dim), integer(b, "latent_dim", s->bs.latent_dim);
  integer(b, "map_width", s->bs.map_width), integer(b, "map_height", s->bs.map_height);
}

static void add_weights(JsonBuilder *b, const HnRunFacts *f) {
  json_builder_set_member_name(b, "weights");
  json_builder_begin_object(b);
  text(b, "file", f->from), text(b, "sha256", f->from_sha256);
  json_builder_end_object(b);
}

gboolean hn_run_json_write(const char *dir, const HnCell *cell, const HnSession *s,
                           const HnRunFacts *f, GError **error) {
  char *path = g_build_filename(dir, "run.json", NULL), *identity = hn_cell_identity(cell);
  char *time = now(), *started = started_before(path);
  JsonBuilder *b = json_builder_new();
  json_builder_begin_object(b);
  text(b, "study", cell->study), text(b, "arm", cell->arm);
  integer(b, "seed_index", cell->seed_index);
  char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, cell->seed);
  text(b, "seed", seed); /* text: 64 bits do not fit the numbers of all readers */
  text(b, "identity", identity);
  text(b, "status", f->status), text(b, "reason", f->reason);
  integer(b, "update", f->update), integer(b, "frames", f->frames);
  text(b, "started", started ? started : time), text(b, "written", time);
  json_builder_set_member_name(b, "seconds");
  json_builder_add_double_value(b, f->seconds);
  text(b, "hunch", HN_VERSION), text(b, "commit", HN_COMMIT);
  integer(b, "abi_major", HN_ABI_MAJOR), integer(b, "abi_minor", HN_ABI_MINOR);
  add_machine(b, cell);
  add_protocol(b, cell);
  if (s) add_sizes(b, s);
  if (f->from) add_weights(b, f);
  json_builder_set_member_name(b, "plugins");
  json_builder_begin_object(b);
  add_plugin(b, cell->env.plugin), add_plugin(b, cell->inference.plugin);
  add_plugin(b, cell->policy.plugin);
  json_builder_end_object(b);
  json_builder_end_object(b);
  JsonNode *root = json_builder_get_root(b);
  char *line = hn_json_text(root);
  gboolean ok = g_file_set_contents(path, line, -1, error); /* writes beside and renames */
  g_free(line), json_node_unref(root), g_object_unref(b);
  g_free(seed), g_free(time), g_free(started), g_free(identity), g_free(path);
  return ok;
}
