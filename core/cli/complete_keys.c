/* complete_keys.c - see complete_keys.h. */
#include "complete_keys.h"
#include "complete.h"
#include "patch.h"
#include "run_dir.h"
#include "study.h"
#include <string.h>

HnNode *hn_complete_study(const char *path) {
  g_autoptr(HnDiag) d = hn_diag_new();
  const bool folder = g_file_test(path, G_FILE_TEST_IS_DIR);
  g_autofree char *file = folder ? g_build_filename(path, HN_STUDY_SOURCE, NULL) : g_strdup(path);
  return g_file_test(file, G_FILE_TEST_IS_REGULAR) ? hn_yaml_read(file, d) : NULL;
}

void hn_complete_arms(GString *out, const char *prefix, const HnNode *study) {
  const HnNode *arms = hn_node_get(study, "arms");
  for (guint i = 0; arms && arms->kind == HN_NODE_MAP && i < arms->keys->len; i++)
    hn_complete_add(out, prefix, ((const HnNode *)arms->keys->pdata[i])->text, NULL);
}

void hn_complete_plugins(GString *out, const char *prefix, HnKind kind) {
  if (!kind) { /* names alone: nothing need be loaded */
    g_auto(GStrv) names = hn_plugins_list();
    for (char **name = names; *name; name++) hn_complete_add(out, prefix, *name, NULL);
    return;
  }
  g_autoptr(GPtrArray) all = hn_plugins_scan();
  for (guint i = 0; i < all->len; i++) {
    const HnPlugin *p = ((const HnFound *)all->pdata[i])->plugin;
    if (p && p->kind == kind) hn_complete_add(out, prefix, p->name, p->summary);
  }
}

/* ---- keys ---- */

/* "run.frames=" for each key of a table whose name may begin so. */
static void add_keys(GString *out, const char *prefix, const char *head, const HnSchema *s) {
  for (guint i = 0; i < s->count; i++) {
    const HnParam *p = hn_schema_at(s, i);
    g_autofree char *word = g_strconcat(head, p->name, "=", NULL);
    hn_complete_add(out, prefix, word, p->doc);
  }
}

/* What may follow "run.determinism=", which `head` is. */
static void add_values(GString *out, const char *prefix, const char *head, const HnParam *p) {
  if (p->kind == HN_FILE) g_string_append(out, ":file\n");
  if (p->kind != HN_CHOICE && p->kind != HN_FLAG) return;
  g_auto(GStrv) choices = g_strsplit(p->kind == HN_FLAG ? "true|false" : p->choices, "|", -1);
  for (char **c = choices; *c; c++) {
    g_autofree char *word = g_strconcat(head, *c, NULL);
    hn_complete_add(out, prefix, word, NULL);
  }
}

/* The keys of a table, or the values of the one that the prefix has written out. */
static void add_table(GString *out, const char *prefix, const char *head, const HnSchema *s) {
  const char *key = prefix + strlen(head), *equals = strchr(key, '=');
  if (!equals) {
    add_keys(out, prefix, head, s);
    return;
  }
  g_autofree char *name = g_strndup(key, (gsize)(equals - key));
  g_autofree char *whole = g_strndup(prefix, (gsize)(equals + 1 - prefix));
  const HnParam *p = hn_schema_find(s, name);
  if (p) add_values(out, prefix, whole, p);
}

static void add_plugin(GString *out, const char *prefix, const char *head, const char *name) {
  const HnPlugin *plugin = hn_plugins_load(name, 0, NULL);
  if (!plugin) return;
  const HnSchema schema = hn_schema_of(plugin);
  add_table(out, prefix, head, &schema);
}

void hn_complete_parameter(GString *out, const char *prefix, const char *plugin) {
  add_plugin(out, prefix, "", plugin);
}

/* ---- blocks of plugins ---- */

/* Appends the block of that name of base and of each arm, where they have one. */
static void collect_blocks(GPtrArray *blocks, const HnNode *study, const char *name) {
  const HnNode *arms = hn_node_get(study, "arms");
  HnNode *block = hn_node_get(hn_node_get(study, "base"), name);
  if (block) g_ptr_array_add(blocks, block);
  for (guint i = 0; arms && arms->kind == HN_NODE_MAP && i < arms->items->len; i++)
    if ((block = hn_node_get(arms->items->pdata[i], name))) g_ptr_array_add(blocks, block);
}

/* Names of plugins, behind "env.plugin=". */
static void add_names(GString *out, const char *prefix, const char *head, HnKind kind) {
  g_autoptr(GString) found = g_string_new(NULL);
  hn_complete_plugins(found, prefix + strlen(head), kind);
  g_auto(GStrv) lines = g_strsplit(found->str, "\n", -1);
  for (char **line = lines; **line; line++) g_string_append_printf(out, "%s%s\n", head, *line);
}

/* The keys of every plugin that the blocks name, and of those that these hold. */
static void add_plugin_blocks(GString *out, const char *prefix, const char *head, HnKind kind,
                              const GPtrArray *blocks) {
  g_autofree char *itself = g_strconcat(head, "plugin=", NULL);
  g_autofree char *within = g_strconcat(head, "inner.", NULL);
  g_autoptr(GPtrArray) inner = g_ptr_array_new();
  g_autoptr(GHashTable) said = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < blocks->len; i++) {
    const HnNode *name = hn_node_get(blocks->pdata[i], "plugin");
    HnNode *held = hn_node_get(blocks->pdata[i], "inner");
    if (held) g_ptr_array_add(inner, held);
    if (!name || !name->text || !g_hash_table_add(said, name->text)) continue;
    g_autofree char *found = strchr(name->text, '/') ? hn_node_path(name) : g_strdup(name->text);
    add_plugin(out, prefix, head, found);
  }
  if (inner->len && g_str_has_prefix(prefix, within))
    add_plugin_blocks(out, prefix, within, kind, inner);
  else if (inner->len)
    hn_complete_add(out, prefix, within, "Environment that the wrapper holds.");
  if (g_str_has_prefix(prefix, itself))
    add_names(out, prefix, itself, kind);
  else
    hn_complete_add(out, prefix, itself, "Plugin of the block.");
}

static HnKind kind_of(const char *block) {
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++)
    if (strcmp(hn_kind_name(kind), block) == 0) return kind;
  return 0;
}

static bool is_of_cells(const char *block) {
  return g_strv_contains(hn_cell_blocks, block);
}

/* Whether the command line can patch it: a sweep stands in the file alone. */
static bool is_patched(const char *block) {
  return g_strv_contains(hn_override_heads, block);
}

/* The blocks by their names, or the keys of the one that the prefix has written out.  within: ""
 * or "arms.ARM.". */
static void add_blocks(GString *out, const char *prefix, const char *within, const HnNode *study) {
  const char *rest = prefix + strlen(within);
  for (const HnBlock *b = hn_blocks; b->name; b++) {
    const HnKind kind = kind_of(b->name);
    g_autofree char *head = g_strconcat(within, b->name, ".", NULL);
    const bool patched = *within ? is_of_cells(b->name) : is_patched(b->name);
    if ((!b->schema && !kind) || !patched) continue;
    if (!strchr(rest, '.')) {
      hn_complete_add(out, prefix, head, b->doc);
    } else if (g_str_has_prefix(prefix, head) && kind) {
      g_autoptr(GPtrArray) blocks = g_ptr_array_new();
      collect_blocks(blocks, study, b->name);
      add_plugin_blocks(out, prefix, head, kind, blocks);
    } else if (g_str_has_prefix(prefix, head)) {
      const HnSchema schema = b->schema();
      add_table(out, prefix, head, &schema);
    }
  }
}

/* "arms.ARM." for each arm, or what follows the one that the prefix has written out. */
static void add_arms(GString *out, const char *prefix, const HnNode *study) {
  const HnNode *arms = hn_node_get(study, "arms");
  for (guint i = 0; arms && arms->kind == HN_NODE_MAP && i < arms->keys->len; i++) {
    g_autofree char *head =
        g_strdup_printf("arms.%s.", ((const HnNode *)arms->keys->pdata[i])->text);
    if (g_str_has_prefix(prefix, head))
      add_blocks(out, prefix, head, study);
    else
      hn_complete_add(out, prefix, head, "Of this arm alone.");
  }
}

void hn_complete_override(GString *out, const char *prefix, const HnNode *study) {
  add_blocks(out, prefix, "", study);
  if (g_str_has_prefix(prefix, "arms."))
    add_arms(out, prefix, study);
  else if (hn_node_get(study, "arms"))
    hn_complete_add(out, prefix, "arms.", "One arm alone, after what is said of all.");
  hn_complete_add(out, prefix, "name=", "Name of the study.");
  hn_complete_add(out, prefix, "description=", "What the study is for.");
}
