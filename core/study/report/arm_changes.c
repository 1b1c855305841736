/* arm_changes.c - see arm_changes.h. */
#include "arm_changes.h"
#include <string.h>

struct HnArmChanges {
  const HnResults *r;
  int64_t baseline;
  HnNode *arms;       /* of the study as written, or NULL */
  HnNode *study;      /* that it is a part of */
  GHashTable *values; /* "policy.hold\nPLUGIN" to its first value, or to VARIOUS */
};
static const char VARIOUS[] = "\n"; /* no value is that */

/* ---- the keys of plugins' blocks ---- */

typedef void OnKey(void *arg, const char *path, const HnNode *block, const HnNode *value);

/* Calls `on` for each key of a plugin's block but the plugin's own, and for all of what is in it.
 */
static void each_key(const char *path, const HnNode *block, OnKey *on, void *arg) {
  for (guint i = 0; block && block->kind == HN_NODE_MAP && i < block->keys->len; i++) {
    const char *key = ((const HnNode *)block->keys->pdata[i])->text;
    const HnNode *value = block->items->pdata[i];
    g_autofree char *inside = g_strdup_printf("%s.%s", path, key);
    if (value->kind == HN_NODE_MAP) {
      on(arg, inside, value, hn_node_get(value, "plugin"));
      each_key(inside, value, on, arg);
    } else if (!g_str_equal(key, "plugin")) {
      on(arg, inside, block, value);
    }
  }
}

/* A key of one plugin, wherever it stands. */
static char *name_of(const char *path, const HnNode *block) {
  const HnNode *plugin = hn_node_get(block, "plugin");
  return g_strdup_printf("%s\n%s", path, plugin && plugin->text ? plugin->text : "");
}

static char *text_of(const HnNode *n) {
  return n && n->kind == HN_NODE_TEXT ? g_strdup(n->text) : n ? hn_node_write(n) : g_strdup("");
}

static void note_value(void *arg, const char *path, const HnNode *block, const HnNode *value) {
  GHashTable *values = arg;
  g_autofree char *name = name_of(path, block), *text = text_of(value);
  const char *first = g_hash_table_lookup(values, name);
  if (!first)
    g_hash_table_insert(values, g_steal_pointer(&name), g_steal_pointer(&text));
  else if (!g_str_equal(first, text))
    g_hash_table_insert(values, g_steal_pointer(&name), g_strdup(VARIOUS));
}

HnArmChanges *hn_arm_changes_new(const HnResults *r, int64_t baseline) {
  static const char *const kinds[] = {"env", "inference", "policy"};
  g_autoptr(HnDiag) d = hn_diag_new();
  HnArmChanges *c = g_new0(HnArmChanges, 1);
  c->r = r, c->baseline = baseline;
  c->study = r->source ? hn_yaml_parse(r->file, r->source, strlen(r->source), d) : NULL;
  c->arms = c->study ? hn_node_get(c->study, "arms") : NULL;
  c->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  for (int64_t arm = 0; arm < r->arm_count; arm++) {
    const HnResult *cell = hn_results_first(r, arm);
    for (guint k = 0; cell && k < G_N_ELEMENTS(kinds); k++)
      each_key(kinds[k], hn_node_get(cell->config, kinds[k]), note_value, c->values);
  }
  return c;
}

void hn_arm_changes_free(HnArmChanges *c) {
  g_hash_table_unref(c->values);
  if (c->study) hn_node_free(c->study);
  g_free(c);
}

/* ---- what is said ---- */

typedef struct Lines {
  const HnArmChanges *c;
  int64_t arm;
  const HnResult *cell;
  GPtrArray *line; /* char * */
  GPtrArray *path; /* char *, of each difference */
} Lines;

static void add_line(const Lines *all, const char *path, const HnNode *value) {
  g_autofree char *shown = value ? hn_result_shown(all->cell, path, value) : g_strdup("none");
  g_ptr_array_add(all->line, g_strdup_printf("%s: %s", path, *shown ? shown : "''"));
}

/* The block in which another plugin stands that a key belongs to, the outermost; else NULL. */
static char *replaced_block(const Lines *all, const char *path) {
  char *outermost = NULL;
  for (guint i = 0; i < all->path->len; i++) {
    const char *other = all->path->pdata[i];
    if (!g_str_has_suffix(other, ".plugin")) continue;
    const gsize n = strlen(other) - strlen("plugin");
    if (strncmp(path, other, n) != 0 || (outermost && strlen(outermost) < n)) continue;
    g_free(outermost);
    outermost = g_strndup(other, n - 1);
  }
  return outermost;
}

/* A key of another plugin than the baseline's. */
static void add_own(void *arg, const char *path, const HnNode *block, const HnNode *value) {
  const Lines *all = arg;
  if (!value) return;
  g_autofree char *name = name_of(path, block);
  const char *values = g_hash_table_lookup(all->c->values, name);
  const HnNode *arms = all->c->arms,
               *own = arms ? hn_node_get(arms, all->c->r->arms[all->arm]) : NULL;
  if (value && hn_node_get(block, "plugin") == value) {
    g_autofree char *plugin = g_strconcat(path, ".plugin", NULL);
    add_line(all, plugin, value);
  } else if (g_strcmp0(values, VARIOUS) == 0 || (own && hn_node_at(own, path))) {
    add_line(all, path, value);
  }
}

GPtrArray *hn_arm_changes_of(const HnArmChanges *c, int64_t arm) {
  const HnResult *a = hn_results_first(c->r, arm), *b = hn_results_first(c->r, c->baseline);
  if (!a || !b) return NULL;
  g_autoptr(GPtrArray) paths =
      hn_cell_differing_keys(b->config, a->config, HN_KEY_FREE | HN_KEY_SEED);
  Lines all = {c, arm, a, g_ptr_array_new_with_free_func(g_free), paths};
  for (guint i = 0; i < paths->len; i++) {
    const char *path = paths->pdata[i];
    g_autofree char *block = replaced_block(&all, path);
    const bool is_plugin =
        block && g_str_has_prefix(path, block) && g_str_equal(path + strlen(block), ".plugin");
    if (!block || is_plugin) add_line(&all, path, hn_node_at(a->config, path));
    if (is_plugin) each_key(block, hn_node_at(a->config, block), add_own, &all);
  }
  return all.line;
}
