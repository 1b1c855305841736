/* cell_rig.h - cells made by hand, and the folders they run in, for tests of the real run loop. */
#ifndef HN_CELL_RIG_H
#define HN_CELL_RIG_H
#include "run.h"
#include <string.h>

/* A plugin with its parameters from "key: value, .."; "": its defaults. */
static inline HnPart part_of(const HnPlugin *p, const char *settings) {
  HnSchema s = hn_schema_of(p);
  HnDiag *d = hn_diag_new();
  char *text = g_strdup_printf("{%s}", settings);
  HnNode *map = hn_yaml_parse("test", text, strlen(text), d);
  void *params = g_malloc0(s.size);
  hn_params_fill(&s, map, NULL, params, d);
  char *findings = hn_diag_text(d);
  g_assert_cmpstr(findings, ==, "");
  g_free(findings), g_free(text), hn_node_free(map), hn_diag_free(d);
  return (HnPart){.plugin = p, .name = (char *)(guintptr)p->name, .params = params};
}

static inline void cell_clear(HnCell *c) {
  g_free(c->env.params), g_free(c->inference.params), g_free(c->policy.params);
}

/* Removes a folder of the test's own and frees its name. */
static inline void folder_free(char *dir) {
  const char *argv[] = {"rm", "-rf", dir, NULL};
  g_spawn_sync(NULL, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
               NULL, NULL);
  g_free(dir);
}
#endif
