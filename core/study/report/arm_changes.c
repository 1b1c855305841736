/* arm_changes.c - see arm_changes.h. */
#include "arm_changes.h"
#include <string.h>

typedef struct Changes {
  GPtrArray *line;     /* char * */
  GPtrArray *path;     /* char *, of each line */
  GPtrArray *replaced; /* char *: "inference.", a block whose plugin is another */
} Changes;

static void note_change(void *arg, const char *path, const HnNode *base, const HnNode *arm) {
  Changes *all = arg;
  (void)base;
  if (g_str_equal(path, "arm")) return; /* its name */
  const bool text = arm && arm->kind == HN_NODE_TEXT;
  g_autofree char *tree = arm && !text ? hn_node_write(arm) : NULL;
  const char *value = text ? arm->text : tree ? g_strdelimit(g_strstrip(tree), "\n", ' ') : "none";
  g_ptr_array_add(all->path, g_strdup(path));
  g_ptr_array_add(all->line, g_strdup_printf("%s: %s", path, *value ? value : "''"));
  if (g_str_has_suffix(path, ".plugin"))
    g_ptr_array_add(all->replaced, g_strndup(path, strlen(path) - strlen("plugin")));
}

/* Whether a key belongs to a block whose plugin is another, whose keys say nothing then. */
static bool is_of_replaced(const Changes *all, const char *path) {
  for (guint i = 0; i < all->replaced->len; i++)
    if (g_str_has_prefix(path, all->replaced->pdata[i]) && !g_str_has_suffix(path, ".plugin"))
      return true;
  return false;
}

GPtrArray *hn_arm_changes(const HnResults *r, int64_t arm, int64_t baseline) {
  const HnResult *a = hn_results_first(r, arm), *b = hn_results_first(r, baseline);
  if (!a || !b) return NULL;
  Changes all = {g_ptr_array_new_with_free_func(g_free), g_ptr_array_new_with_free_func(g_free),
                 g_ptr_array_new_with_free_func(g_free)};
  hn_cell_differences(b->config, a->config, HN_KEY_FREE | HN_KEY_SEED, note_change, &all);
  GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < all.line->len; i++)
    if (!is_of_replaced(&all, all.path->pdata[i]))
      g_ptr_array_add(lines, g_strdup(all.line->pdata[i]));
  g_ptr_array_unref(all.line), g_ptr_array_unref(all.path), g_ptr_array_unref(all.replaced);
  return lines;
}
