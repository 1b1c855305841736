/* plan_resolved.c - see plan_resolved.h. */
#include "plan_resolved.h"
#include "study_base.h"
#include <stdio.h>
#include <string.h>

/* A value on one line. */
static char *shown(const HnNode *n) {
  if (n->kind == HN_NODE_TEXT) return *n->text ? hn_diag_cut(n->text) : g_strdup("\"\"");
  return g_strdup(n->kind == HN_NODE_MAP ? "a block" : "a list");
}

/* "#   policy.lr: 0.001 (base: 7e-4)"; *arg: int, lines so far.  Keys of the top level name the
 * cell. */
static void print_change(void *arg, const char *path, const HnNode *base, const HnNode *own) {
  int *lines = arg;
  if (!strchr(path, '.') && (!base || base->kind == HN_NODE_TEXT)) return;
  g_autofree char *was = base ? shown(base) : NULL, *is = own ? shown(own) : NULL;
  ++*lines;
  if (was)
    printf("#   %s: %s (base: %s)\n", path, is ? is : "left out", was);
  else
    printf("#   %s: %s (not in the base)\n", path, is);
}

static void print_arm(const HnCell *cell, const HnNode *base) {
  g_autoptr(HnNode) node = hn_cell_node(cell);
  g_autofree char *text = hn_node_write(node);
  int lines = 0;
  if (base) {
    printf("# %s changes of the base:\n", cell->arm);
    hn_cell_differences(base, node, 0, print_change, &lines);
    if (!lines) puts("#   nothing");
  }
  fputs(text, stdout);
}

void hn_plan_resolved(const HnStudy *study, const char *const *overrides, const GArray *arms) {
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnStudy) alone = hn_study_read_base(study, overrides, d);
  g_autoptr(HnNode) base = alone ? hn_cell_node(alone->cells->pdata[0]) : NULL;
  const guint count = arms->len ? arms->len : study->arms->len;
  if (!base) puts("# The base alone is no cell, so what arms change of it is not listed.");
  for (guint i = 0; i < count; i++) {
    const int64_t arm = arms->len ? g_array_index(arms, int64_t, i) : i;
    if (count > 1) puts("---");
    print_arm(hn_study_cell(study, arm, 0), base);
  }
}
