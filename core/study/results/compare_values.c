/* compare_values.c - see compare_values.h. */
#include "compare_values.h"
#include "comparable.h"
#include "error.h"
#include "run_dir.h"
#include <math.h>
#include <string.h>

static const HnNode *config_of(const HnResults *r, int64_t arm) {
  const HnResult *cell = hn_results_first_done(r, arm);
  return cell ? cell->config : NULL;
}

/* ---- keys ---- */

/* Appends the paths of `key` in a configuration, and to `names` all keys that there are. */
static void find_paths(const HnNode *config, const char *key, GPtrArray *paths, GHashTable *names) {
  for (const char *const *name = hn_cell_blocks; *name; name++) {
    g_autoptr(GString) path = g_string_new(*name);
    const HnNode *block = hn_node_get(config, *name);
    for (; block && block->kind == HN_NODE_MAP; block = hn_node_get(block, "inner")) {
      for (guint i = 0; i < block->keys->len; i++)
        g_hash_table_add(names, ((HnNode *)block->keys->pdata[i])->text);
      g_autofree char *full = g_strdup_printf("%s.%s", path->str, key);
      if (hn_node_get(block, key) &&
          !g_ptr_array_find_with_equal_func(paths, full, g_str_equal, NULL))
        g_ptr_array_add(paths, g_steal_pointer(&full));
      g_string_append(path, ".inner");
    }
  }
}

static bool missing_key(const char *key, GHashTable *names, GError **error) {
  g_hash_table_add(names, (gpointer)(guintptr) "task"); /* what else a comparison can be by */
  g_autofree const char **all = (const char **)g_hash_table_get_keys_as_array(names, NULL);
  const char *near = hn_diag_nearest(key, all);
  return hn_error_set(error, HN_ERROR_MISSING, "no done cell has the key '%s'%s%s%s", key,
                      near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* The path that a key stands for, or NULL. */
static char *path_of(const HnResults *r, const char *key, GError **error) {
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  bool found = false;
  for (int64_t a = 0; a < r->arm_count; a++) {
    const HnNode *config = config_of(r, a);
    if (!config) continue;
    if (strchr(key, '.'))
      found |= hn_node_at(config, key) != NULL;
    else
      find_paths(config, key, paths, names);
  }
  if (found) return g_strdup(key);
  if (paths->len == 1) return g_strdup(paths->pdata[0]);
  if (paths->len == 0) {
    missing_key(key, names, error);
    return NULL;
  }
  hn_error_set(error, HN_ERROR_MISSING, "'%s' is in several blocks: say %s or %s", key,
               (char *)paths->pdata[0], (char *)paths->pdata[1]);
  return NULL;
}

const HnNode *hn_swept_parameters(const HnResults *r, HnNode **study) {
  g_autoptr(HnDiag) d = hn_diag_new();
  *study = hn_yaml_parse(HN_STUDY_SOURCE, r->source, strlen(r->source), d);
  return hn_node_get(hn_node_get(*study, "sweep"), "parameters");
}

/* Whether the sweep names all keys: then arms that the source names are not compared, as the sweep
 * did not make them. */
static bool all_swept(const GPtrArray *keys, const HnNode *parameters) {
  bool all = parameters != NULL;
  for (guint k = 0; k < keys->len; k++) all = all && hn_node_get(parameters, keys->pdata[k]);
  return all;
}

/* ---- rows ---- */

static void row_free(void *p) {
  HnValueRow *row = p;
  g_ptr_array_unref(row->values), g_array_unref(row->arms);
  g_free(row);
}

/* An arm's values of the keys as they are shown, or NULL where it lacks one; `as_are`: appends them
 * as they are, which tells files of one name apart. */
static GPtrArray *values_of(const HnResult *cell, const GPtrArray *keys, GString *as_are) {
  g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
  for (guint k = 0; k < keys->len; k++) {
    const char *key = keys->pdata[k];
    const HnNode *n = hn_node_at(cell->config, key);
    if (!n || n->kind != HN_NODE_TEXT) return NULL;
    g_ptr_array_add(values, hn_result_shown(cell, key, n));
    const bool plugin = g_str_has_suffix(key, ".plugin"); /* of one name they are one file */
    g_string_append_printf(as_are, "%s\n", plugin ? (char *)values->pdata[k] : n->text);
  }
  return g_steal_pointer(&values);
}

/* A done cell of the arm that all others are to measure the same as: of the baseline, or where it
 * has none of the first arm that has; NULL: no arm has. */
static const HnResult *measure_of(const HnComparison *c) {
  const HnResults *r = c->results;
  int64_t arm = config_of(r, c->baseline) ? c->baseline : 0;
  while (arm < r->arm_count && !config_of(r, arm)) arm++;
  return arm < r->arm_count ? hn_results_first_done(r, arm) : NULL;
}

/* Whether an arm measures something else, beyond what the keys themselves change; then it is left
 * out, which is said. */
static bool is_of_other_task(HnValueComparison *v, const HnResults *r, int64_t arm,
                             const HnResult *measure) {
  char *why = hn_comparable_task(hn_results_first_done(r, arm), measure, v->keys);
  if (!why) return false;
  g_ptr_array_add(v->other_task, g_strdup(r->arms[arm])), g_ptr_array_add(v->why, why);
  return true;
}

static void add_to_row(HnValueComparison *v, GHashTable *of, const char *key, GPtrArray *values,
                       int64_t arm) {
  HnValueRow *row = g_hash_table_lookup(of, key);
  if (!row) {
    row = g_new0(HnValueRow, 1);
    row->values = g_ptr_array_ref(values), row->best = arm;
    row->arms = g_array_new(FALSE, FALSE, sizeof(int64_t));
    g_ptr_array_add(v->rows, row);
    g_hash_table_insert(of, g_strdup(key), row);
  }
  g_array_append_val(row->arms, arm);
}

static void add_arms(HnValueComparison *v, const HnComparison *c) {
  const HnResults *r = c->results;
  const HnResult *measure = measure_of(c);
  g_autoptr(HnNode) study = NULL;
  const HnNode *parameters = hn_swept_parameters(r, &study);
  const HnNode *others = all_swept(v->keys, parameters) ? hn_node_get(study, "arms") : NULL;
  g_autoptr(GHashTable) of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  const char *length = NULL;
  for (int64_t a = 0; a < r->arm_count; a++) {
    const HnNode *config = config_of(r, a);
    if (!config) continue;
    g_autoptr(GString) key = g_string_new(NULL);
    g_autoptr(GPtrArray) values = hn_node_get(others, r->arms[a])
                                      ? NULL
                                      : values_of(hn_results_first_done(r, a), v->keys, key);
    if (!values) {
      g_ptr_array_add(v->without, g_strdup(r->arms[a]));
      continue;
    }
    if (is_of_other_task(v, r, a, measure)) continue;
    add_to_row(v, of, key->str, values, a);
    const HnNode *frames = hn_node_at(config, "run.frames");
    if (frames && !length) length = frames->text;
    v->lengths |= frames && g_strcmp0(length, frames->text) != 0;
  }
}

static int by_values(gconstpointer a, gconstpointer b) {
  const HnValueRow *x = *(const HnValueRow *const *)a, *y = *(const HnValueRow *const *)b;
  for (guint k = 0; k < x->values->len; k++) {
    const char *s = x->values->pdata[k], *t = y->values->pdata[k];
    char *end_s, *end_t;
    const double p = g_ascii_strtod(s, &end_s), q = g_ascii_strtod(t, &end_t);
    const bool numbers = *s && *t && !*end_s && !*end_t;
    const int order = numbers ? (p > q) - (p < q) : strcmp(s, t);
    if (order) return order;
  }
  return 0;
}

static bool beats(const HnCompared *m, int64_t arm, int64_t best) {
  const double x = m->estimate[arm][HN_VALUE].value, y = m->estimate[best][HN_VALUE].value;
  return isfinite(x) && (!isfinite(y) || (m->better < 0 ? x < y : x > y));
}

static void estimate(const HnComparison *c, const HnCompared *m, HnValueRow *row) {
  const int64_t seeds = c->results->seeds;
  g_autofree double *mean = g_new0(double, (gsize)seeds);
  for (guint i = 0; i < row->arms->len; i++) {
    const int64_t arm = g_array_index(row->arms, int64_t, i);
    if (beats(m, arm, row->best)) row->best = arm;
    for (int64_t s = 0; s < seeds; s++) mean[s] += m->final[arm * seeds + s] / row->arms->len;
  }
  row->mean = hn_statistics[HN_VALUE].of(c->stats, seeds, mean, NULL, m->trials);
}

static HnValueComparison *value_comparison_new(void) {
  HnValueComparison *v = g_new0(HnValueComparison, 1);
  v->keys = g_ptr_array_new_with_free_func(g_free);
  v->rows = g_ptr_array_new_with_free_func(row_free);
  v->without = g_ptr_array_new_with_free_func(g_free);
  v->other_task = g_ptr_array_new_with_free_func(g_free);
  v->why = g_ptr_array_new_with_free_func(g_free);
  return v;
}

static bool compare_values(HnValueComparison *v, const HnComparison *c, const char *keys,
                           GError **error) {
  g_auto(GStrv) part = g_strsplit(keys, ",", -1);
  for (char **key = part; *key; key++) {
    if (!**key) return hn_error_set(error, HN_ERROR_MISSING, "'%s' has a key without a name", keys);
    if (g_str_equal(*key, "task"))
      return hn_error_set(error, HN_ERROR_MISSING,
                          "'task' goes with no key: compare by task alone, or by keys");
    char *path = path_of(c->results, *key, error);
    if (!path) return false;
    g_ptr_array_add(v->keys, path);
  }
  if (!c->columns->len)
    return hn_error_set(error, HN_ERROR_MISSING, "no done cell has an evaluation yet");
  v->metric = c->columns->pdata[0];
  add_arms(v, c);
  if (v->rows->len < 2)
    return hn_error_set(error, HN_ERROR_MISSING, "all arms%s have the same %s",
                        v->other_task->len ? " that can be set against each other" : "", keys);
  g_ptr_array_sort(v->rows, by_values);
  for (guint i = 0; i < v->rows->len; i++) estimate(c, v->metric, v->rows->pdata[i]);
  return true;
}

HnValueComparison *hn_compare_values(const HnComparison *c, const char *keys, GError **error) {
  HnValueComparison *v = value_comparison_new();
  if (!compare_values(v, c, keys, error)) g_clear_pointer(&v, hn_value_comparison_free);
  return v;
}

void hn_value_comparison_free(HnValueComparison *v) {
  if (!v) return;
  g_ptr_array_unref(v->keys), g_ptr_array_unref(v->rows), g_ptr_array_unref(v->without);
  g_ptr_array_unref(v->other_task), g_ptr_array_unref(v->why);
  g_free(v);
}
