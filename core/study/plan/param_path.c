/* param_path.c - see param_path.h. */
#include "param_path.h"
#include "study.h"
#include <string.h>

/* The table of a block of a plugin; empty where no plugin is known. */
static HnSchema plugin_schema(const HnNode *block) {
  const HnNode *name = hn_node_get(block, "plugin");
  if (!name || !name->text || !*name->text) return (HnSchema){.count = 0};
  g_autofree char *file = strchr(name->text, '/') ? hn_node_path(name) : g_strdup(name->text);
  const HnPlugin *plugin = hn_plugins_load(file, 0, NULL);
  return plugin ? hn_schema_of(plugin) : (HnSchema){.count = 0};
}

const HnParam *hn_param_at(const HnNode *blocks, const char *path) {
  const char *last = strrchr(path, '.');
  if (!last) return NULL;
  g_autofree char *above = g_strndup(path, (gsize)(last - path));
  const HnBlock *block = hn_block_find(above);
  const HnSchema schema = block && block->schema
                              ? block->schema()
                              : plugin_schema(blocks ? hn_node_at(blocks, above) : NULL);
  return hn_schema_find(&schema, last + 1);
}

const char *hn_param_block(const HnNode *blocks, const char *name) {
  static const char *const parts[] = {"env", "inference", "policy"};
  const HnSchema own[] = {hn_run_schema(), hn_evaluation_schema()};
  for (guint i = 0; i < G_N_ELEMENTS(own); i++)
    if (hn_schema_find(&own[i], name)) return own[i].what;
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    g_autoptr(GString) path = g_string_new(parts[i]);
    const HnNode *block = hn_node_get(blocks, parts[i]);
    for (; block; block = hn_node_get(block, "inner"), g_string_append(path, ".inner")) {
      const HnSchema schema = plugin_schema(block);
      if (hn_schema_find(&schema, name)) return g_intern_string(path->str);
    }
  }
  return NULL;
}
