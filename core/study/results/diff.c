/* diff.c - see diff.h. */
#include "diff.h"
#include "error.h"
#include "json.h"
#include "run_kernels.h"
#include <inttypes.h>
#include <string.h>

/* ---- facts ---- */

static void fact_free(void *p) {
  HnFactDiff *f = p;
  g_free(f->key), g_free(f->a), g_free(f->b);
  g_free(f);
}

/* Takes over the texts; keeps them where they differ. */
static void add_fact(GPtrArray *list, const char *key, char *a, char *b) {
  HnFactDiff *f = g_new(HnFactDiff, 1);
  *f = (HnFactDiff){g_strdup(key), a, b};
  if (g_strcmp0(a, b) != 0)
    g_ptr_array_add(list, f);
  else
    fact_free(f);
}

/* ---- causes ---- */

static char *shown_node(const HnNode *n) {
  if (!n) return NULL;
  return n->kind == HN_NODE_TEXT ? g_strdup(n->text) : g_strchomp(hn_node_write(n));
}

/* Whether two texts name plugins of one name, wherever their files are. */
static bool same_plugin(const HnNode *a, const HnNode *b) {
  if (!a || !b || a->kind != HN_NODE_TEXT || b->kind != HN_NODE_TEXT) return false;
  g_autofree char *one = g_path_get_basename(a->text), *other = g_path_get_basename(b->text);
  one[strcspn(one, ".")] = 0, other[strcspn(other, ".")] = 0;
  return strcmp(one, other) == 0;
}

/* Adds the keys of a block that one side alone has, or the key of another value.  What names the
 * cell, or a place, makes no difference. */
static void add_key(void *arg, const char *path, const HnNode *a, const HnNode *b) {
  static const char *const names[] = {"study", "arm", "seed_index", "weights.from", NULL};
  const HnNode *block = !a ? b : !b ? a : NULL;
  if (g_strv_contains(names, path)) return;
  if (g_str_has_suffix(path, ".plugin") && same_plugin(a, b)) return;
  if (!block || block->kind != HN_NODE_MAP) {
    add_fact(arg, path, shown_node(a), shown_node(b));
    return;
  }
  for (guint i = 0; i < block->keys->len; i++) {
    g_autofree char *inner =
        g_strconcat(path, ".", ((const HnNode *)block->keys->pdata[i])->text, NULL);
    const HnNode *value = block->items->pdata[i];
    add_key(arg, inner, a ? value : NULL, b ? value : NULL);
  }
}

static GPtrArray *list_new(void) {
  return g_ptr_array_new_with_free_func(fact_free);
}

static GPtrArray *configuration_of(const HnResult *a, const HnResult *b) {
  GPtrArray *list = list_new();
  if (a->config && b->config) hn_cell_differences(a->config, b->config, 0, add_key, list);
  return list;
}

/* Of a member of run.json; `key` is how it is called. */
static void add_member(GPtrArray *list, const char *key, const HnResult *a, const HnResult *b,
                       const char *path) {
  add_fact(list, key, g_strdup(hn_result_fact(a, path)), g_strdup(hn_result_fact(b, path)));
}

static GPtrArray *plugins_of(const HnResult *a, const HnResult *b) {
  static const char *const facts[] = {"name", "version", "sha256"};
  GPtrArray *list = list_new();
  g_auto(GStrv) in_a = hn_result_plugins(a), in_b = hn_result_plugins(b);
  for (int side = 0; side < 2; side++)
    for (char **p = side ? in_b : in_a; *p; p++) {
      if (side && g_strv_contains((const char *const *)in_a, *p)) continue;
      for (guint k = 0; k < G_N_ELEMENTS(facts); k++) {
        g_autofree char *path = g_strdup_printf("plugins.%s.%s", *p, facts[k]);
        add_member(list, path + strlen("plugins."), a, b, path);
      }
    }
  return list;
}

static GPtrArray *program_of(const HnResult *a, const HnResult *b) {
  GPtrArray *list = list_new();
  add_member(list, "hunch", a, b, "hunch"), add_member(list, "commit", a, b, "commit");
  return list;
}

static GPtrArray *machine_of(const HnResult *a, const HnResult *b) {
  static const char *const facts[] = {"cpu",          "kernel",          "determinism",
                                      "libm_version", "kernels_changed", "openblas_coretype"};
#define MEMBER(member, what, now) add_member(list, #member, a, b, #member);
  GPtrArray *list = list_new();
  for (guint i = 0; i < G_N_ELEMENTS(facts); i++) add_member(list, facts[i], a, b, facts[i]);
  add_fact(list, "simulator", g_strdup(hn_result_simulator(a)), g_strdup(hn_result_simulator(b)));
  HN_KERNEL_FACTS(MEMBER)
  return list;
}

bool hn_cell_diff_has_cause(const HnCellDiff *d) {
#define ANY(name, doc) || d->name->len > 0
  return false HN_DIFF_CAUSES(ANY);
}

/* ---- results ---- */

static char *status_of(const HnResult *c) {
  return c->reason ? g_strdup_printf("%s: %s", c->status, c->reason) : g_strdup(c->status);
}

static GPtrArray *progress_of(const HnResult *a, const HnResult *b) {
  static const char *const counts[] = {"update", "frames"};
  GPtrArray *list = list_new();
  if (strcmp(a->status, b->status) != 0) add_fact(list, "status", status_of(a), status_of(b));
  for (guint i = 0; i < G_N_ELEMENTS(counts); i++)
    add_fact(list, counts[i], g_strdup_printf("%" PRId64, hn_json_int(a->facts, counts[i], -1)),
             g_strdup_printf("%" PRId64, hn_json_int(b->facts, counts[i], -1)));
  return list;
}

static void add_tables(HnCellDiff *d) {
  static const HnRunFile tables[] = {HN_FILE_METRICS, HN_FILE_EPISODES, HN_FILE_STEPS,
                                     HN_FILE_TRIAL, HN_FILE_PREDICTIONS};
  d->tables = g_ptr_array_new_with_free_func((GDestroyNotify)hn_table_diff_free);
  for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
    HnTableDiff *t = hn_diff_table(d->a->dir, d->b->dir, tables[i]);
    if (!t) continue;
    g_ptr_array_add(d->tables, t);
    d->differs |= hn_table_diff_any(t);
  }
}

static HnCellDiff *compare_cells(const HnResult *a, const HnResult *b) {
  HnCellDiff *d = g_new0(HnCellDiff, 1);
  const HnTraced traced_a = hn_traced(a), traced_b = hn_traced(b);
  d->a = a, d->b = b;
  d->configuration = configuration_of(a, b);
  d->plugins = plugins_of(a, b), d->program = program_of(a, b);
  d->machine = machine_of(a, b);
  d->progress = progress_of(a, b);
  d->trace = hn_diff_traces(&traced_a, &traced_b);
  d->last = hn_diff_last_weights(a->dir, b->dir);
  if (d->trace.first >= 0) d->first = hn_diff_first_weights(a->dir, b->dir);
  d->differs = d->progress->len || d->trace.first >= 0 ||
               (d->last && (d->last->damaged || d->last->tensors->len));
  add_tables(d);
  return d;
}

static void cell_diff_free(void *p) {
  HnCellDiff *d = p;
#define FREE(name, doc) g_ptr_array_unref(d->name);
  HN_DIFF_CAUSES(FREE)
  g_ptr_array_unref(d->progress), g_ptr_array_unref(d->tables);
  hn_weights_diff_free(d->first), hn_weights_diff_free(d->last);
  g_free(d);
}

/* ---- which cells ---- */

static void add_pair(HnDiff *d, const HnResult *a, const HnResult *b) {
  HnCellDiff *cell = compare_cells(a, b);
  g_ptr_array_add(d->cells, cell);
  d->differs |= cell->differs;
}

/* Whether a cell left anything. */
static bool has_run(const HnResult *c) {
  return strcmp(c->status, "missing") != 0;
}

/* Cells that have run, by their names. */
static GHashTable *cells_of(const HnResults *r) {
  GHashTable *cells = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < r->cells->len; i++)
    if (has_run(r->cells->pdata[i]))
      g_hash_table_insert(cells, hn_result_name(r->cells->pdata[i]), r->cells->pdata[i]);
  return cells;
}

/* Adds those of r that the other does not have. */
static void add_only(GPtrArray *only, const HnResults *r, GHashTable *other) {
  for (guint i = 0; i < r->cells->len; i++) {
    const HnResult *c = r->cells->pdata[i];
    g_autofree char *name = hn_result_name(c);
    if (has_run(c) && !g_hash_table_contains(other, name))
      g_ptr_array_add(only, r->cells->pdata[i]);
  }
}

static void compare_studies(HnDiff *d) {
  g_autoptr(GHashTable) in_a = cells_of(d->a), in_b = cells_of(d->b);
  for (guint i = 0; i < d->a->cells->len; i++) {
    const HnResult *c = d->a->cells->pdata[i];
    g_autofree char *name = hn_result_name(c);
    const HnResult *other = has_run(c) ? g_hash_table_lookup(in_b, name) : NULL;
    if (other) add_pair(d, c, other);
  }
  add_only(d->only_a, d->a, in_b), add_only(d->only_b, d->b, in_a);
  d->differs |= d->only_a->len > 0 || d->only_b->len > 0;
}

/* The cell of one side: the only one, or that of the name. */
static const HnResult *choose(const HnResults *r, const char *name, GError **error) {
  const HnResult *c = r->single ? r->cells->pdata[0] : hn_results_named(r, name, error);
  if (!c || has_run(c)) return c;
  hn_error_set(error, HN_ERROR_MISSING, "cell %s has not run", name);
  return NULL;
}

/* Compares one cell of each, whose names are given, or the same as the other's. */
static bool compare_one(HnDiff *d, const char *const *cells, GError **error) {
  const HnResults *single = d->a->single ? d->a : d->b;
  g_autofree char *own = cells && *cells ? NULL : hn_result_name(single->cells->pdata[0]);
  const char *in_a = own ? own : cells[0], *in_b = own ? own : cells[1] ? cells[1] : cells[0];
  const HnResult *a = choose(d->a, in_a, error), *b = a ? choose(d->b, in_b, error) : NULL;
  if (!b) g_prefix_error(error, "in %s: ", a ? "B" : "A");
  if (b) add_pair(d, a, b);
  return b;
}

HnDiff *hn_diff(const HnResults *a, const HnResults *b, const char *const *cells, GError **error) {
  HnDiff *d = g_new0(HnDiff, 1);
  d->a = a, d->b = b;
  d->cells = g_ptr_array_new_with_free_func(cell_diff_free);
  d->only_a = g_ptr_array_new(), d->only_b = g_ptr_array_new();
  bool ok = true;
  if (a->single || b->single || (cells && *cells))
    ok = compare_one(d, cells, error);
  else
    compare_studies(d);
  if (ok && (d->cells->len || d->only_a->len || d->only_b->len)) return d;
  if (ok) hn_error_set(error, HN_ERROR_MISSING, "no cell of them has run");
  hn_diff_free(d);
  return NULL;
}

void hn_diff_free(HnDiff *d) {
  if (!d) return;
  g_ptr_array_unref(d->cells), g_ptr_array_unref(d->only_a), g_ptr_array_unref(d->only_b);
  g_free(d);
}
