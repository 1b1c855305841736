/* study_schema.c - see study_schema.h.
 *
 * Definitions, for each KIND of plugin and each PLUGIN of it:
 *   KIND.PLUGIN        a block that names it, or patches one that does: its keys, any may be absent
 *   KIND-some          a block that names any plugin, or none; then its keys are not known here
 *   KIND               a whole block: it names a plugin, and a wrapper has its inner environment
 *   KIND.PLUGIN.patch  what an arm may lay over a base that names PLUGIN: its keys, or a whole
 *                      block of another plugin
 *   blocks, base       what an arm and a base are made of
 *
 * What an arm may say depends on its base, which conditions at the root look at. */
#include "study_schema.h"
#include "include.h"
#include "json.h"
#include "json_schema.h"
#include "run_dir.h"
#include "sweep_schema.h"
#include <string.h>

enum { PATCHED_DEPTH = 3 }; /* of wrappers, to which an arm's patches of `inner` are checked */

typedef struct Writer {
  JsonBuilder *b;
  const GPtrArray *plugins;
} Writer;

static void open_object(const Writer *w, const char *name) {
  hn_json_open_object(w->b, name);
}
static void open_array(const Writer *w, const char *name) {
  hn_json_open_array(w->b, name);
}
static void close_object(const Writer *w) {
  json_builder_end_object(w->b);
}
static void close_array(const Writer *w) {
  json_builder_end_array(w->b);
}

static void add_required(const Writer *w, const char *key) {
  hn_json_add_strv(w->b, "required", (const char *const[]){key, NULL});
}

/* Opens {"required": [key], "properties": {key: {.., to be closed with close_inside. */
static void open_inside(const Writer *w, const char *key) {
  add_required(w, key);
  open_object(w, "properties");
  open_object(w, key);
}
static void close_inside(const Writer *w) {
  close_object(w), close_object(w);
}

/* Opens {"properties": {"arms": {"additionalProperties": {..: of every arm. */
static void open_arms(const Writer *w) {
  open_object(w, "properties");
  open_object(w, "arms");
  open_object(w, "additionalProperties");
}
static void close_arms(const Writer *w) {
  close_object(w), close_object(w), close_object(w);
}

/* The i-th of the plugins if it is loaded and of that kind, or NULL. */
static const HnPlugin *plugin_at(const Writer *w, guint i, HnKind kind) {
  const HnPlugin *p = ((const HnFound *)w->plugins->pdata[i])->plugin;
  return p && p->kind == kind ? p : NULL;
}

/* ---- blocks of plugins ---- */

/* An array of the names of a kind's plugins, of wrappers alone, or of their summaries. */
static void add_plugins(const Writer *w, const char *member, HnKind kind, bool wrappers,
                        bool summaries) {
  open_array(w, member);
  for (guint i = 0; i < w->plugins->len; i++) {
    const HnPlugin *p = plugin_at(w, i, kind);
    if (p && (!wrappers || p->flags & HN_WRAPPER))
      hn_json_add_string(w->b, NULL, summaries ? p->summary : p->name);
  }
  close_array(w);
}

/* The key `plugin`: a name, or the path of a file that is not known here. */
static void add_plugin_key(const Writer *w, HnKind kind) {
  g_autofree char *doc =
      g_strdup_printf("Name of the %s plugin, or the path of its .so.", hn_kind_name(kind));
  open_object(w, "plugin");
  hn_json_schema_doc(w->b, doc, doc);
  open_array(w, "anyOf");
  open_object(w, NULL);
  add_plugins(w, "enum", kind, false, false);
  add_plugins(w, "markdownEnumDescriptions", kind, false, true);
  close_object(w);
  open_object(w, NULL);
  hn_json_add_string(w->b, "type", "string");
  hn_json_add_string(w->b, "pattern", "/.*\\.so$");
  close_object(w);
  close_array(w);
  close_object(w);
}

/* {"if": it names that plugin, "then": */
static void open_if_plugin(const Writer *w, const char *name) {
  open_object(w, NULL);
  open_object(w, "if");
  open_inside(w, "plugin");
  hn_json_add_string(w->b, "const", name);
  close_inside(w);
  close_object(w);
}

static void define_plugin(const Writer *w, const HnPlugin *p) {
  const char *kind = hn_kind_name(p->kind);
  const HnSchema schema = hn_schema_of(p);
  g_autofree char *name = g_strdup_printf("%s.%s", kind, p->name);
  open_object(w, name);
  hn_json_add_string(w->b, "title", schema.what);
  hn_json_add_string(w->b, "description", p->summary);
  hn_json_add_string(w->b, "type", "object");
  open_object(w, "properties");
  hn_json_add_bool(w->b, "plugin", true); /* KIND-some says what it can be */
  if (p->flags & HN_WRAPPER) hn_json_schema_ref(w->b, "inner", "%s-some", kind);
  hn_json_schema_params(w->b, &schema);
  close_object(w);
  open_object(w, "dependencies"); /* NAME_sha256 is of a file that is named */
  for (guint i = 0; i < schema.count; i++) {
    const HnParam *param = hn_schema_at(&schema, i);
    g_autofree char *sha256 = g_strconcat(param->name, "_sha256", NULL);
    if (param->kind == HN_FILE)
      hn_json_add_strv(w->b, sha256, (const char *const[]){param->name, NULL});
  }
  close_object(w);
  hn_json_add_bool(w->b, "additionalProperties", false);
  close_object(w);
}

static void define_patch(const Writer *w, const HnPlugin *p) {
  const char *kind = hn_kind_name(p->kind);
  g_autofree char *name = g_strdup_printf("%s.%s.patch", kind, p->name);
  open_object(w, name);
  open_object(w, "if");
  open_inside(w, "plugin");
  open_object(w, "not");
  hn_json_add_string(w->b, "const", p->name);
  close_object(w);
  close_inside(w);
  close_object(w);
  hn_json_schema_ref(w->b, "then", "%s", kind);
  hn_json_schema_ref(w->b, "else", "%s.%s", kind, p->name);
  close_object(w);
}

static void define_some(const Writer *w, HnKind kind) {
  g_autofree char *name = g_strconcat(hn_kind_name(kind), "-some", NULL);
  open_object(w, name);
  hn_json_add_string(w->b, "type", "object");
  open_object(w, "properties");
  add_plugin_key(w, kind);
  close_object(w);
  open_array(w, "allOf");
  for (guint i = 0; i < w->plugins->len; i++) {
    const HnPlugin *p = plugin_at(w, i, kind);
    if (!p) continue;
    open_if_plugin(w, p->name);
    hn_json_schema_ref(w->b, "then", "%s.%s", hn_kind_name(kind), p->name);
    close_object(w);
  }
  close_array(w);
  close_object(w);
}

/* {"if": it names a wrapper */
static void open_if_wrapper(const Writer *w) {
  open_object(w, "if");
  open_inside(w, "plugin");
  add_plugins(w, "enum", HN_KIND_ENV, true, false);
  close_inside(w);
}

static void define_whole(const Writer *w, HnKind kind) {
  const char *name = hn_kind_name(kind);
  open_object(w, name);
  open_array(w, "allOf");
  hn_json_schema_ref(w->b, NULL, "%s-some", name);
  open_object(w, NULL);
  add_required(w, "plugin");
  close_object(w);
  if (kind == HN_KIND_ENV) {
    open_object(w, NULL);
    open_if_wrapper(w);
    close_object(w);
    open_object(w, "then");
    add_required(w, "inner");
    open_object(w, "properties");
    hn_json_schema_ref(w->b, "inner", "%s", name);
    close_object(w);
    close_object(w);
    close_object(w);
  }
  close_array(w);
  close_object(w);
}

static void define_plugins(const Writer *w) {
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++) {
    define_some(w, kind);
    define_whole(w, kind);
    for (guint i = 0; i < w->plugins->len; i++) {
      const HnPlugin *p = plugin_at(w, i, kind);
      if (p) define_plugin(w, p), define_patch(w, p);
    }
  }
}

/* ---- blocks of the host ---- */

/* A block that the host reads, as a member of the open object. */
static void add_host_block(const Writer *w, const HnBlock *block) {
  const HnSchema schema = block->schema();
  const bool weights = strcmp(block->name, "weights") == 0;
  const char *docs[HN_PROTOCOL_COUNT + 1] = {NULL}; /* what each protocol is */
  for (guint i = 0; i < HN_PROTOCOL_COUNT; i++) docs[i] = hn_protocol_rows[i].doc;
  open_object(w, block->name);
  hn_json_schema_doc(w->b, block->doc, block->doc);
  if (weights)
    hn_json_add_strv(w->b, "type", (const char *const[]){"object", "string", NULL});
  else
    hn_json_add_string(w->b, "type", "object");
  if (weights) hn_json_add_string(w->b, "pattern", "^none$");
  open_object(w, "properties");
  for (guint i = 0; i < schema.count; i++) {
    const HnParam *p = hn_schema_at(&schema, i);
    const bool protocol = strcmp(p->name, "protocol") == 0;
    hn_json_schema_param(w->b, p, weights ? hn_weights_word(p->name) : NULL,
                         protocol ? docs : NULL);
  }
  close_object(w);
  hn_json_add_bool(w->b, "additionalProperties", false);
  close_object(w);
}

/* What an arm is made of, and a base, which may include that of another study. */
static void define_blocks(const Writer *w, const char *definition, bool includes) {
  open_object(w, definition);
  hn_json_add_string(w->b, "type", "object");
  open_object(w, "properties");
  if (includes) {
    open_object(w, HN_INCLUDE);
    hn_json_schema_doc(w->b, HN_INCLUDE_DOC, HN_INCLUDE_DOC);
    hn_json_add_string(w->b, "type", "string");
    hn_json_add_int(w->b, "minLength", 1);
    close_object(w);
  }
  for (const char *const *name = hn_cell_blocks; *name; name++) {
    const HnBlock *block = hn_block_find(*name);
    if (block->schema) {
      add_host_block(w, block);
      continue;
    }
    open_object(w, *name);
    hn_json_schema_doc(w->b, block->doc, block->doc);
    open_array(w, "allOf");
    hn_json_schema_ref(w->b, NULL, "%s-some", *name);
    close_array(w);
    close_object(w);
  }
  close_object(w);
  hn_json_add_bool(w->b, "additionalProperties", false);
  close_object(w);
}

/* ---- keys of the top level ---- */

static void open_key(const Writer *w, const char *name) {
  const char *doc = hn_block_find(name)->doc;
  open_object(w, name);
  hn_json_schema_doc(w->b, doc, doc);
}

/* Adds a pattern for names that no arm can have, in any case. */
static void add_taken(const Writer *w) {
  g_autoptr(GString) pattern = g_string_new("^(");
  for (const char *const *name = hn_names_taken; *name; name++) {
    if (name > hn_names_taken) g_string_append_c(pattern, '|');
    for (const char *c = *name; *c; c++)
      if (g_ascii_isalpha(*c))
        g_string_append_printf(pattern, "[%c%c]", g_ascii_toupper(*c), g_ascii_tolower(*c));
      else
        g_string_append_printf(pattern, "\\%c", *c);
  }
  g_string_append(pattern, ")$");
  open_object(w, "not");
  hn_json_add_string(w->b, "pattern", pattern->str);
  close_object(w);
}

static void add_arms(const Writer *w) {
  open_key(w, "arms");
  hn_json_add_string(w->b, "type", "object");
  hn_json_add_int(w->b, "maxProperties", HN_ARMS_MAX);
  open_object(w, "propertyNames");
  hn_json_add_string(w->b, "pattern", HN_ARM_PATTERN);
  add_taken(w);
  close_object(w);
  hn_json_schema_ref(w->b, "additionalProperties", "blocks");
  close_object(w);
}

static void add_top_level(const Writer *w) {
  static const char *const name_types[] = {"string", "number", "boolean", NULL};
  open_object(w, "properties");
  open_key(w, "hunch");
  hn_json_add_int(w->b, "const", 1);
  close_object(w);
  open_key(w, "name");
  hn_json_add_strv(w->b, "type", name_types);
  hn_json_add_string(w->b, "pattern", HN_NAME_PATTERN);
  close_object(w);
  open_key(w, "description");
  hn_json_schema_text_type(w->b);
  close_object(w);
  open_key(w, "base");
  open_array(w, "allOf");
  hn_json_schema_ref(w->b, NULL, "base");
  close_array(w);
  close_object(w);
  add_arms(w);
  add_host_block(w, hn_block_find("seeds"));
  hn_sweep_schema_add(w->b, hn_block_find("sweep")->doc);
  add_host_block(w, hn_block_find("report"));
  close_object(w);
}

/* ---- what arms need of the base ---- */

/* Adds what is true of a base whose block, `depth` wrappers inside, names that plugin. */
static void add_if_base(const Writer *w, const HnPlugin *p, guint depth) {
  const char *kind = hn_kind_name(p->kind);
  open_object(w, "if");
  open_inside(w, "base");
  open_inside(w, kind);
  for (guint i = 0; i < depth; i++) open_inside(w, "inner");
  open_inside(w, "plugin");
  hn_json_add_string(w->b, "const", p->name);
  for (guint i = 0; i < depth + 3; i++) close_inside(w);
  close_object(w);
}

/* An arm's block over a base that names that plugin there.  An arm that names a plugin on the way
 * to it is judged by itself. */
static void add_over_base(const Writer *w, const HnPlugin *p, guint depth) {
  const char *kind = hn_kind_name(p->kind);
  open_object(w, NULL);
  add_if_base(w, p, depth);
  open_object(w, "then");
  open_arms(w);
  open_object(w, "properties");
  if (depth > 0) open_object(w, kind);
  for (guint i = 0; i < depth; i++) {
    if (i > 0) open_object(w, "inner");
    open_object(w, "if");
    add_required(w, "plugin");
    close_object(w);
    open_object(w, "else");
    open_object(w, "properties");
  }
  hn_json_schema_ref(w->b, depth > 0 ? "inner" : kind, "%s.%s.patch", kind, p->name);
  for (guint i = 0; i < depth; i++) close_object(w), close_object(w), close_object(w);
  close_object(w);
  close_arms(w);
  close_object(w);
  close_object(w);
}

/* Where the base names no plugin of a kind each arm does. */
static void add_needed(const Writer *w, const char *kind) {
  open_object(w, NULL);
  open_object(w, "if");
  open_inside(w, "base");
  open_inside(w, kind);
  add_required(w, "plugin");
  close_inside(w), close_inside(w);
  close_object(w);
  open_object(w, "else");
  open_arms(w);
  open_inside(w, kind);
  add_required(w, "plugin");
  close_inside(w);
  close_arms(w);
  close_object(w);
  close_object(w);
}

/* Where the base has a wrapper without an inner environment each arm brings one, or another block.
 */
static void add_needed_inner(const Writer *w) {
  open_object(w, NULL);
  open_object(w, "if");
  open_inside(w, "base");
  open_inside(w, "env");
  open_array(w, "allOf");
  open_object(w, NULL);
  open_inside(w, "plugin");
  add_plugins(w, "enum", HN_KIND_ENV, true, false);
  close_inside(w);
  close_object(w);
  open_object(w, NULL);
  open_object(w, "not");
  add_required(w, "inner");
  close_object(w);
  close_object(w);
  close_array(w);
  close_inside(w), close_inside(w);
  close_object(w);
  open_object(w, "then");
  open_arms(w);
  open_inside(w, "env");
  open_array(w, "anyOf");
  for (int i = 0; i < 2; i++) {
    open_object(w, NULL);
    add_required(w, i ? "plugin" : "inner");
    close_object(w);
  }
  close_array(w);
  close_inside(w);
  close_arms(w);
  close_object(w);
  close_object(w);
}

/* Adds the member "properties" of an object whose weights, if it has some, name their arm. */
static void add_named_arm(const Writer *w) {
  open_object(w, "properties");
  open_object(w, "weights");
  open_object(w, "if");
  hn_json_add_string(w->b, "type", "object");
  close_object(w);
  open_object(w, "then");
  add_required(w, "arm");
  close_object(w);
  close_object(w);
  close_object(w);
}

static void add_needed_arm(const Writer *w) {
  open_object(w, NULL);
  open_object(w, "if");
  open_inside(w, "base");
  open_inside(w, "weights");
  add_required(w, "arm");
  hn_json_add_string(w->b, "type", "object");
  close_inside(w), close_inside(w);
  close_object(w);
  open_object(w, "else");
  open_object(w, "properties");
  open_object(w, "arms");
  open_object(w, "additionalProperties");
  add_named_arm(w);
  close_object(w), close_object(w), close_object(w), close_object(w), close_object(w);
}

/* A study without arms: its base is whole. */
static void add_whole_base(const Writer *w) {
  open_inside(w, "base");
  open_array(w, "allOf");
  open_object(w, NULL);
  open_array(w, "required");
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++)
    hn_json_add_string(w->b, NULL, hn_kind_name(kind));
  close_array(w);
  open_object(w, "properties");
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++)
    hn_json_schema_ref(w->b, hn_kind_name(kind), "%s", hn_kind_name(kind));
  close_object(w);
  close_object(w);
  open_object(w, NULL);
  add_named_arm(w);
  close_object(w);
  close_array(w);
  close_inside(w);
}

/* A study with arms. */
static void add_conditions(const Writer *w) {
  open_array(w, "allOf");
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++) {
    add_needed(w, hn_kind_name(kind));
    for (guint i = 0; i < w->plugins->len; i++) {
      const HnPlugin *p = plugin_at(w, i, kind);
      const guint deepest = kind == HN_KIND_ENV ? PATCHED_DEPTH : 0;
      for (guint depth = 0; p && depth <= deepest; depth++) add_over_base(w, p, depth);
    }
  }
  add_needed_inner(w);
  add_needed_arm(w);
  close_array(w);
}

/* {"if": what a base must hold cannot be told here: another file has it, or a sweep */
static void add_if_elsewhere(const Writer *w) {
  open_object(w, "if");
  open_array(w, "anyOf");
  open_object(w, NULL);
  open_inside(w, "base");
  add_required(w, HN_INCLUDE);
  close_inside(w);
  close_object(w);
  open_object(w, NULL);
  hn_sweep_schema_add_plugins(w->b);
  close_object(w);
  close_array(w);
  close_object(w);
}

char *hn_study_schema(const GPtrArray *plugins) {
  const Writer w = {hn_json_begin(), plugins};
  hn_json_add_string(w.b, "$schema", "http://json-schema.org/draft-07/schema#");
  hn_json_add_string(w.b, "title", "hunch study");
  hn_json_add_string(w.b, "description",
                     "A study of hunch, with the plugins that `hunch schema` found.");
  hn_json_add_string(w.b, "type", "object");
  add_required(&w, "hunch");
  add_top_level(&w);
  hn_json_add_bool(w.b, "additionalProperties", false);
  add_if_elsewhere(&w);
  open_object(&w, "else");
  open_object(&w, "if");
  open_inside(&w, "arms");
  hn_json_add_string(w.b, "type", "object");
  hn_json_add_int(w.b, "minProperties", 1);
  close_inside(&w);
  close_object(&w);
  open_object(&w, "then");
  add_conditions(&w);
  close_object(&w);
  open_object(&w, "else");
  add_whole_base(&w);
  close_object(&w);
  close_object(&w);
  open_object(&w, "definitions");
  define_blocks(&w, "blocks", false);
  define_blocks(&w, "base", true);
  define_plugins(&w);
  close_object(&w);
  return hn_json_end(w.b);
}
