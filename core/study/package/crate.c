/* crate.c - see crate.h. */
#include "crate.h"
#include "json.h"
#include "manifest.h"
#include "run_dir.h"
#include <inttypes.h>
#include <string.h>

#define CRATE_PROFILE   "https://w3id.org/ro/crate/1.1"
#define PROCESS_PROFILE "https://w3id.org/ro/wfrun/process/0.5"
#define SCHEMA          "http://schema.org/"

/* ---- writing ---- */

static void entity(JsonBuilder *b, const char *id, const char *type) {
  hn_json_open_object(b, NULL);
  hn_json_add_string(b, "@id", id), hn_json_add_string(b, "@type", type);
}

static void reference(JsonBuilder *b, const char *member, const char *id) {
  hn_json_open_object(b, member);
  hn_json_add_string(b, "@id", id);
  json_builder_end_object(b);
}

/* A member that refers to entities, by their ids (char *): one alone stands without an array. */
static void references(JsonBuilder *b, const char *member, const GPtrArray *ids) {
  if (ids->len == 1) {
    reference(b, member, ids->pdata[0]);
    return;
  }
  hn_json_open_array(b, member);
  for (guint i = 0; i < ids->len; i++) reference(b, NULL, ids->pdata[i]);
  json_builder_end_array(b);
}

static GPtrArray *ids_new(void) {
  return g_ptr_array_new_with_free_func(g_free);
}

/* A file's name as the crate has it. */
static char *id_of(const char *name) {
  return g_uri_escape_string(name, "/", FALSE);
}

static char *author_id(const HnAuthor *a, guint i) {
  return a->orcid ? g_strconcat("https://orcid.org/", a->orcid, NULL)
                  : g_strdup_printf("#author-%u", i + 1);
}

static char *license_id(const HnCitation *c) {
  return c->license ? g_strconcat("https://spdx.org/licenses/", c->license, NULL)
                    : g_strdup("#no-license");
}

static char *action_id(const HnResult *c) {
  return g_strdup_printf("#cell-%s-%" PRId64, c->arm, c->seed_index);
}

/* The ids of the gathered files whose names begin so, but for one. */
static void add_below(GPtrArray *ids, const HnGathered *g, const char *folder, const char *but) {
  for (guint i = 0; i < g->sources->len; i++) {
    const char *name = ((HnZipSource *)g->sources->pdata[i])->name;
    if (g_str_has_prefix(name, folder) && g_strcmp0(name, but) != 0)
      g_ptr_array_add(ids, id_of(name));
  }
}

static void add_root(JsonBuilder *b, const HnGathered *g, const HnCitation *c) {
  g_autofree char *license = license_id(c);
  entity(b, "./", "Dataset");
  reference(b, "conformsTo", PROCESS_PROFILE);
  hn_json_add_string(b, "name", c->title);
  hn_json_add_string(b, "description", *c->abstract ? c->abstract : c->title);
  hn_json_add_string(b, "datePublished", c->date);
  reference(b, "license", license);
  g_autoptr(GPtrArray) authors = ids_new(), parts = ids_new(), actions = ids_new();
  for (guint i = 0; i < c->authors->len; i++)
    g_ptr_array_add(authors, author_id(c->authors->pdata[i], i));
  add_below(parts, g, "", NULL);
  for (guint i = 0; i < g->results->cells->len; i++) {
    const HnResult *cell = g->results->cells->pdata[i];
    if (cell->facts) g_ptr_array_add(actions, action_id(cell));
  }
  references(b, "author", authors);
  references(b, "hasPart", parts);
  references(b, "mentions", actions);
  json_builder_end_object(b);
}

static void add_people(JsonBuilder *b, const HnCitation *c) {
  g_autofree char *license = license_id(c);
  entity(b, license, "CreativeWork");
  hn_json_add_string(b, "name", c->license ? c->license : "No licence is given");
  json_builder_end_object(b);
  for (guint i = 0; i < c->authors->len; i++) {
    const HnAuthor *a = c->authors->pdata[i];
    g_autofree char *id = author_id(a, i);
    entity(b, id, "Person");
    hn_json_add_string(b, "name", a->name);
    if (a->mail) hn_json_add_string(b, "email", a->mail);
    json_builder_end_object(b);
  }
}

static const char *format_of(const char *name) {
  static const char *const formats[][2] = {{".csv", "text/csv"},
                                           {".json", "application/json"},
                                           {".yaml", "application/yaml"},
                                           {".html", "text/html"},
                                           {".svg", "image/svg+xml"},
                                           {".pdf", "application/pdf"},
                                           {".md", "text/markdown"},
                                           {".cff", "application/yaml"},
                                           {".so", "application/x-sharedlib"},
                                           {"", "application/octet-stream"}};
  guint i = 0;
  while (!g_str_has_suffix(name, formats[i][0])) i++;
  return formats[i][1];
}

/* The version of a packed plugin, as the cells that ran it say; or NULL. */
static const char *plugin_version(const HnResults *r, const char *file) {
  g_autofree char *stem = g_strndup(file, strlen(file) - strlen(".so"));
  for (guint i = 0; i < r->cells->len; i++) {
    const HnResult *c = r->cells->pdata[i];
    g_auto(GStrv) plugins = hn_result_plugins(c);
    for (char **p = plugins; *p; p++) {
      g_autofree char *name = g_strdup_printf("plugins.%s.name", *p);
      g_autofree char *version = g_strdup_printf("plugins.%s.version", *p);
      g_autofree char *own = g_strconcat(HN_PACKAGE_PLUGINS "/", hn_result_fact(c, name), NULL);
      if (strcmp(own, stem) == 0) return hn_result_fact(c, version);
    }
  }
  return NULL;
}

static bool add_file(JsonBuilder *b, const HnResults *r, HnZipSource *s, GError **error) {
  g_autoptr(GBytes) bytes = hn_zip_source_bytes(s, error);
  const char *sum = bytes ? hn_zip_source_sha256(s, error) : NULL;
  if (!sum) return false;
  g_autofree char *id = id_of(s->name), *base = g_path_get_basename(s->name);
  g_autofree char *size = g_strdup_printf("%" G_GSIZE_FORMAT, g_bytes_get_size(bytes));
  const bool plugin = g_str_has_prefix(s->name, HN_PACKAGE_PLUGINS "/");
  const char *version = plugin ? plugin_version(r, s->name) : NULL;
  hn_json_open_object(b, NULL);
  hn_json_add_string(b, "@id", id);
  if (version)
    hn_json_add_strings(b, "@type", 2, (const char *const[]){"File", "SoftwareApplication"});
  else
    hn_json_add_string(b, "@type", "File");
  hn_json_add_string(b, "name", base);
  if (version) hn_json_add_string(b, "softwareVersion", version);
  hn_json_add_string(b, "encodingFormat", format_of(s->name));
  hn_json_add_string(b, "contentSize", size);
  hn_json_add_string(b, "sha256", sum);
  json_builder_end_object(b);
  return true;
}

/* The program, in the version that ran the first cell. */
static void add_program(JsonBuilder *b, const HnResults *r) {
  entity(b, PROCESS_PROFILE, "CreativeWork");
  hn_json_add_string(b, "name", "Process Run Crate"), hn_json_add_string(b, "version", "0.5");
  json_builder_end_object(b);
  const HnResult *c = NULL;
  for (guint i = 0; i < r->cells->len && !(c && c->facts); i++) c = r->cells->pdata[i];
  JsonObject *facts = c ? c->facts : NULL;
  const char *version = hn_json_string(facts, "hunch", "?");
  const char *commit = hn_json_string(facts, "commit", "?");
  g_autofree char *full = g_strdup_printf("%s (%s)", version, commit);
  entity(b, "#hunch", "SoftwareApplication");
  hn_json_add_string(b, "name", "hunch"), hn_json_add_string(b, "softwareVersion", full);
  json_builder_end_object(b);
}

/* A time in UTC to the second, in the form that the profile asks for. */
static void add_time(JsonBuilder *b, const char *member, const char *time) {
  if (!time || strlen(time) < 19) return;
  g_autofree char *text = g_strdup_printf("%.19s+00:00", time);
  hn_json_add_string(b, member, text);
}

static void add_action(JsonBuilder *b, const HnGathered *g, const HnCitation *by,
                       const HnResult *c) {
  g_autofree char *id = action_id(c);
  g_autofree char *name = g_strdup_printf("Arm %s, seed %" PRId64, c->arm, c->seed_index);
  g_autofree char *folder =
      g_strdup_printf(HN_PACKAGE_STUDY "/%s/%" PRId64 "/", c->arm, c->seed_index);
  g_autofree char *config = g_strconcat(folder, hn_run_file_name(HN_FILE_CONFIG), NULL);
  g_autoptr(GPtrArray) inputs = ids_new(), outputs = ids_new();
  g_ptr_array_add(inputs, id_of(config));
  add_below(inputs, g, HN_PACKAGE_PLUGINS "/", NULL);
  add_below(outputs, g, folder, config);
  const char *status = hn_result_done(c)                  ? SCHEMA "CompletedActionStatus"
                       : strcmp(c->status, "failed") == 0 ? SCHEMA "FailedActionStatus"
                                                          : NULL;
  entity(b, id, "CreateAction");
  hn_json_add_string(b, "name", name);
  hn_json_add_string(b, "description", "Trained and evaluated by `hunch run`.");
  reference(b, "instrument", "#hunch");
  if (by->authors->len) {
    g_autofree char *agent = author_id(by->authors->pdata[0], 0);
    reference(b, "agent", agent);
  }
  references(b, "object", inputs);
  references(b, "result", outputs);
  add_time(b, "startTime", hn_json_string(c->facts, "started", NULL));
  add_time(b, "endTime", hn_json_string(c->facts, "written", NULL));
  if (status) hn_json_add_string(b, "actionStatus", status);
  json_builder_end_object(b);
}

char *hn_crate_text(const HnGathered *g, const HnCitation *c, GError **error) {
  JsonBuilder *b = hn_json_begin();
  bool ok = true;
  hn_json_add_strings(b, "@context", 2,
                      (const char *const[]){CRATE_PROFILE "/context",
                                            "https://w3id.org/ro/terms/workflow-run/context"});
  hn_json_open_array(b, "@graph");
  entity(b, HN_CRATE_FILE, "CreativeWork");
  reference(b, "conformsTo", CRATE_PROFILE), reference(b, "about", "./");
  json_builder_end_object(b);
  add_root(b, g, c);
  add_people(b, c);
  add_program(b, g->results);
  for (guint i = 0; i < g->results->cells->len; i++) {
    const HnResult *cell = g->results->cells->pdata[i];
    if (cell->facts) add_action(b, g, c, cell);
  }
  for (guint i = 0; i < g->sources->len && ok; i++)
    ok = add_file(b, g->results, g->sources->pdata[i], error);
  json_builder_end_array(b);
  g_autofree char *text = hn_json_end(b);
  return ok ? g_steal_pointer(&text) : NULL;
}

/* ---- reading ---- */

/* The graph's entities by their ids; NULL with what is wrong in *why. */
static GHashTable *entities_of(JsonObject *crate, char **why) {
  JsonArray *graph = hn_json_array(crate, "@graph");
  g_autoptr(GHashTable) all = g_hash_table_new(g_str_hash, g_str_equal);
  if (!graph) *why = g_strdup("has no @graph");
  for (guint i = 0; graph && !*why && i < json_array_get_length(graph); i++) {
    JsonNode *n = json_array_get_element(graph, i);
    JsonObject *o = JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
    const char *id = hn_json_string(o, "@id", NULL);
    if (!id)
      *why = g_strdup_printf("has an entity without @id, number %u", i + 1);
    else if (!g_hash_table_insert(all, (gpointer)(guintptr)id, o))
      *why = g_strdup_printf("describes %s twice", id);
  }
  return *why ? NULL : g_steal_pointer(&all);
}

static char *refuse_root(GHashTable *all) {
  static const char *const texts[] = {"name", "description", "datePublished"};
  JsonObject *self = g_hash_table_lookup(all, HN_CRATE_FILE),
             *root = g_hash_table_lookup(all, "./");
  if (g_strcmp0(hn_json_string(hn_json_object(self, "about"), "@id", NULL), "./") != 0 ||
      g_strcmp0(hn_json_string(hn_json_object(self, "conformsTo"), "@id", NULL), CRATE_PROFILE))
    return g_strdup("does not describe itself as RO-Crate 1.1");
  if (g_strcmp0(hn_json_string(hn_json_object(root, "conformsTo"), "@id", NULL), PROCESS_PROFILE))
    return g_strdup("is not a Process Run Crate 0.5");
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
    if (!hn_json_string(root, texts[i], NULL))
      return g_strdup_printf("has no %s of the root", texts[i]);
  const char *license = hn_json_string(hn_json_object(root, "license"), "@id", "");
  if (!g_hash_table_contains(all, license)) return g_strdup("has no license of the root");
  return hn_json_array(root, "hasPart") ? NULL : g_strdup("lists no parts");
}

static char *refuse_file(GHashTable *all, GHashTable *parts, HnZipEntry *e) {
  g_autofree char *id = id_of(e->name);
  JsonObject *o = g_hash_table_lookup(all, id);
  if (!o || !g_hash_table_remove(parts, id)) return g_strdup_printf("does not list %s", e->name);
  g_autofree char *size = g_strdup_printf("%" G_GSIZE_FORMAT, e->size);
  if (g_strcmp0(hn_json_string(o, "contentSize", NULL), size) != 0 ||
      g_strcmp0(hn_json_string(o, "sha256", NULL), hn_zip_sha256(e)) != 0)
    return g_strdup_printf("describes another %s", e->name);
  return NULL;
}

char *hn_crate_refuse(const HnZip *zip, JsonObject *crate) {
  char *why = NULL;
  g_autoptr(GHashTable) all = entities_of(crate, &why), parts = NULL;
  if (!why) why = refuse_root(all);
  if (why) return why;
  JsonArray *list = hn_json_array(g_hash_table_lookup(all, "./"), "hasPart");
  parts = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < json_array_get_length(list); i++) {
    JsonNode *n = json_array_get_element(list, i);
    const char *id =
        hn_json_string(JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL, "@id", "");
    g_hash_table_add(parts, (gpointer)(guintptr)id);
  }
  for (guint i = 0; i < zip->entries->len && !why; i++) {
    HnZipEntry *e = &g_array_index(zip->entries, HnZipEntry, i);
    if (strcmp(e->name, HN_CRATE_FILE) != 0 && strcmp(e->name, HN_MANIFEST_FILE) != 0)
      why = refuse_file(all, parts, e);
  }
  GHashTableIter left;
  gpointer id;
  g_hash_table_iter_init(&left, parts);
  if (!why && g_hash_table_iter_next(&left, &id, NULL))
    why = g_strdup_printf("lists %s, which is not there", (const char *)id);
  return why;
}
