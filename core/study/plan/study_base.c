/* study_base.c - see study_base.h. */
#include "study_base.h"
#include <string.h>

/* Those of the command line that are of every arm; the texts are borrowed. */
static GPtrArray *of_all_arms(const char *const *overrides) {
  static const char *const others[] = {"arms.", "seeds.", "report."};
  GPtrArray *kept = g_ptr_array_new();
  for (; overrides && *overrides; overrides++) {
    bool other = false;
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
      other |= g_str_has_prefix(*overrides, others[i]);
    if (!other) g_ptr_array_add(kept, (gpointer)(guintptr)*overrides);
  }
  g_ptr_array_add(kept, NULL);
  return kept;
}

HnStudy *hn_study_read_base(const HnStudy *s, const char *const *overrides, HnDiag *d) {
  static const char *const keys[] = {"hunch", "name", "base"};
  g_autoptr(HnNode) root = hn_yaml_parse(s->file, s->source, strlen(s->source), d);
  if (!root) return NULL;
  g_autoptr(HnNode) alone = hn_node_map(root->file, root->line, root->column);
  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
    const HnNode *value = hn_node_get(root, keys[i]);
    if (value) hn_node_set(alone, hn_node_key(root, keys[i]), hn_node_copy(value));
  }
  g_autofree char *text = hn_node_write(alone);
  g_autoptr(GPtrArray) kept = of_all_arms(overrides);
  return hn_study_parse(s->file, text, strlen(text), (const char *const *)kept->pdata, d);
}
