/* lengths.c - see lengths.h. */
#include "lengths.h"
#include "json.h"
#include "patch.h"
#include "run_dir.h"
#include <string.h>

#define FRAMES "run.frames"

/* The number at a path of a map, or `otherwise`. */
static int64_t number_at(const HnNode *map, const char *path, int64_t otherwise) {
  const HnNode *n = map && map->kind == HN_NODE_MAP ? hn_node_at(map, path) : NULL;
  int64_t number;
  return n && n->kind == HN_NODE_TEXT && !hn_params_int(n, &number) ? number : otherwise;
}

/* The study as it was written; NULL: it cannot be read. */
static HnNode *source_of(const HnResults *r) {
  g_autoptr(HnDiag) unread = hn_diag_new();
  g_autofree char *path = g_build_filename(r->dir, HN_STUDY_SOURCE, NULL), *text = NULL;
  gsize length;
  if (!g_file_get_contents(path, &text, &length, NULL)) return NULL;
  return hn_yaml_parse(path, text, length, unread);
}

/* What the plan asks of an arm: as a study is read (study.h), where an arm that only evaluates does
 * so whatever the command line says of all. */
static int64_t asked_of(const HnNode *root, const HnOverrides *over, const char *arm) {
  const HnNode *arms = root ? hn_node_get(root, "arms") : NULL;
  const HnNode *patch = arms && arms->kind == HN_NODE_MAP ? hn_node_get(arms, arm) : NULL;
  const bool swept = root && !patch && hn_node_get(root, "sweep");
  const int64_t own = number_at(patch, FRAMES, -1);
  const int64_t source = own >= 0 ? own : swept ? -1 : number_at(root, "base." FRAMES, -1);
  const int64_t all = own == 0 ? 0 : number_at(over->all, FRAMES, source);
  return number_at(hn_node_get(over->arms, arm), FRAMES, all);
}

bool hn_lengths_override(const char *override) {
  return g_str_has_prefix(override, FRAMES "=") ||
         (g_str_has_prefix(override, "arms.") && strstr(override, "." FRAMES "="));
}

int64_t *hn_lengths_asked(const HnResults *r) {
  g_autofree char *search = g_build_filename(r->dir, HN_STUDY_SEARCH, NULL);
  g_autoptr(HnNode) root = source_of(r);
  g_autoptr(HnDiag) unread = hn_diag_new();
  g_autoptr(GPtrArray) some = g_ptr_array_new();
  for (char **o = r->overrides; o && *o; o++)
    if (hn_lengths_override(*o)) g_ptr_array_add(some, *o);
  g_ptr_array_add(some, NULL);
  HnOverrides over = hn_overrides_read((const char *const *)some->pdata, NULL,
                                       (const char *const *)r->arms, unread);
  const bool searched = g_file_test(search, G_FILE_TEST_EXISTS);
  int64_t *asked = g_new(int64_t, MAX(r->arm_count, 1));
  for (int64_t a = 0; a < r->arm_count; a++)
    asked[a] = searched ? -1 : asked_of(root, &over, r->arms[a]);
  hn_overrides_clear(&over);
  return asked;
}

/* ---- what the cells are ---- */

bool hn_length_is_short(const HnResults *r, const HnLengths *l, guint cell) {
  const HnResult *c = r->cells->pdata[cell];
  const int64_t asked = l->asked[cell / (guint)r->seeds];
  /* a last update may have gone beyond run.frames, and then as far as is asked */
  return l->is[cell] > 0 && l->is[cell] < asked &&
         hn_json_int(c->facts, "frames", l->is[cell]) < asked;
}

HnLengths hn_lengths_new(const HnResults *r) {
  HnLengths l = {g_new(int64_t, MAX(r->cells->len, 1)), hn_lengths_asked(r), false};
  for (guint i = 0; i < r->cells->len; i++) {
    const HnResult *c = r->cells->pdata[i];
    l.is[i] = hn_result_done(c) ? hn_run_config_length(c->config) : -1;
  }
  for (int64_t a = 0; a < r->arm_count; a++) {
    int64_t most = -1;
    for (int64_t s = 0; s < r->seeds; s++) most = MAX(most, l.is[a * r->seeds + s]);
    if (l.asked[a] < 0) l.asked[a] = most;
  }
  for (guint i = 0; i < r->cells->len; i++) l.shorter |= hn_length_is_short(r, &l, i);
  return l;
}

void hn_lengths_clear(HnLengths *l) {
  g_free(l->is), g_free(l->asked);
}
