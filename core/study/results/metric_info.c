/* metric_info.c - see metric_info.h. */
#include "metric_info.h"
#include "eval_split.h"
#include "json.h"
#include "short_text.h"

static const char *const kinds[] = {"env", "inference", "policy"};

/* What the columns that most studies look at are called in a text. */
static const char *const words[][2] = {
    {"return", "return"},
    {"success", "success rate"},
    {"success_rate", "success rate"},
    {"success_last", "success rate in the last episode"},
    {"reward", "reward"},
    {"reward_l1", "absolute error of predicted rewards"},
    {"reward_nll", "negative log-likelihood of rewards"},
    {"transition_l1", "absolute error of predicted transitions"},
    {"transition_nll", "negative log-likelihood of transitions"},
    {"log_predictive", "log predictive density"},
    {"predict.cross_entropy", "cross-entropy of predicted answers"},
    {"predict.perplexity", "perplexity of predicted answers"},
    {"predict.l1", "absolute error of predicted answers"},
    {"predict.l2", "squared error of predicted answers"},
    {"kl", "KL from posterior to prior"}};

/* " on held-out tasks, by drawn actions", or "" of a column without a place. */
static char *where_of(const GPtrArray *cells, const char *column, const char *further) {
  const HnMetricPlace *place = hn_metric_place(column);
  if (further && !hn_eval_split_trained(cells, further))
    return g_strdup_printf(" on tasks of split %s", further);
  if (!place || !place->tasks) return g_strdup(place ? place->words : "");
  const char *kind = further ? "training" : hn_eval_split_kind(cells);
  return g_strdup_printf(" on %s tasks%s", kind, place->words);
}

char *hn_metric_words(const GPtrArray *cells, const char *column) {
  g_autofree char *further = hn_eval_split_further(cells, column),
                  *where = where_of(cells, column, further);
  const char *name = hn_metric_stem(column) + (further ? strlen(further) + 1 : 0);
  for (guint i = 0; i < G_N_ELEMENTS(words); i++)
    if (g_str_equal(words[i][0], name)) return g_strconcat(words[i][1], where, NULL);
  g_autofree char *spaced = g_strdelimit(g_strdup(name), "_", ' ');
  return g_strconcat(spaced, where, NULL);
}

/* The entry of a column in a list of what a plugin declares, "info" or "metrics", or NULL. */
static JsonObject *entry(JsonObject *plugin, const char *list, const char *name) {
  JsonArray *all = hn_json_array(plugin, list);
  for (guint i = 0; all && i < json_array_get_length(all); i++) {
    JsonNode *one = json_array_get_element(all, i);
    if (!JSON_NODE_HOLDS_OBJECT(one)) continue;
    JsonObject *o = json_node_get_object(one);
    if (!g_strcmp0(hn_json_string(o, "name", NULL), name)) return o;
  }
  return NULL;
}

/* The same of a cell's plugin of a kind, and of what that holds. */
static JsonObject *declared(const HnResult *c, const char *kind, const char *list,
                            const char *name) {
  JsonObject *plugin = hn_json_object(hn_json_object(c->facts, "plugins"), kind), *found = NULL;
  for (; plugin && !found; plugin = hn_json_object(plugin, "inner"))
    found = entry(plugin, list, name);
  return found;
}

/* The kind of plugin that reports "policy.loss" while it learns, or NULL: columns of infos. */
static const char *owner_of(const char *column) {
  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++)
    if (g_str_has_prefix(column, kinds[k]) && column[strlen(kinds[k])] == '.') return kinds[k];
  return NULL;
}

/* What the cell's plugin of a kind says of a column. */
static JsonObject *said_by(const HnResult *c, const char *kind, const char *owner,
                           const char *column) {
  const char *name = owner ? column + strlen(owner) + 1 : hn_metric_stem(column);
  if (owner && strcmp(owner, kind) != 0) return NULL;
  JsonObject *o = owner ? declared(c, kind, "metrics", name) : NULL;
  return o ? o : declared(c, kind, "info", name);
}

/* What a cell's plugins declare of a column; false: nothing. */
static bool declares(const HnResult *c, const char *column, HnMetricInfo *out) {
  const char *owner = owner_of(column);
  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
    JsonObject *o = said_by(c, kinds[k], owner, column);
    if (!o) continue;
    JsonObject *plugin = hn_json_object(hn_json_object(c->facts, "plugins"), kinds[k]);
    *out = (HnMetricInfo){.kind = kinds[k],
                          .unit = hn_json_string(o, "unit", ""),
                          .doc = hn_json_string(o, "doc", ""),
                          .fold = hn_json_string(o, "fold", ""),
                          .plugin = hn_json_string(plugin, "name", NULL)};
    return true;
  }
  return false;
}

HnMetricInfo hn_metric_info(const HnResults *r, const char *column) {
  HnMetricInfo info = {.unit = "", .doc = "", .fold = ""};
  for (guint i = 0; i < r->cells->len; i++)
    if (declares(r->cells->pdata[i], column, &info)) break;
  return info;
}

HnMetricInfo hn_metric_info_of(const HnResults *r, int64_t arm, const char *column) {
  HnMetricInfo info = {.unit = "", .doc = "", .fold = ""};
  for (int64_t s = 0; s < r->seeds; s++)
    if (declares(hn_results_cell(r, arm, s), column, &info)) break;
  return info;
}

const char *hn_metric_unit(const HnResults *r, const char *column) {
  HnMetricInfo f = hn_metric_info(r, column);
  return *f.unit ? f.unit : hn_metric_known_unit(column);
}

const char *hn_metric_unit_of(const HnResults *r, int64_t arm, const char *column) {
  HnMetricInfo f = hn_metric_info_of(r, arm, column);
  return *f.unit ? f.unit : hn_metric_known_unit(column);
}

/* What run.json says of a split; NULL: of the first that was evaluated, which decides. */
static JsonObject *tasks_taken(const HnResult *c, const char *split) {
  JsonArray *all = hn_json_array(c->facts, "tasks");
  for (guint i = 0; all && i < json_array_get_length(all); i++) {
    JsonNode *one = json_array_get_element(all, i);
    JsonObject *o = JSON_NODE_HOLDS_OBJECT(one) ? json_node_get_object(one) : NULL;
    if (!split || !g_strcmp0(hn_json_string(o, "split", NULL), split)) return o;
  }
  return NULL;
}

/* The smaller of what is known. */
static int64_t fewer(int64_t a, int64_t b) {
  return a > 0 && b > 0 ? MIN(a, b) : MAX(a, b);
}

HnMetricTasks hn_metric_tasks(const HnResults *r, const char *split) {
  HnMetricTasks t = {0};
  for (guint i = 0; i < r->cells->len; i++) {
    const HnResult *c = r->cells->pdata[i];
    const HnNode *block = hn_result_counts(c) ? hn_node_get(c->config, "evaluation") : NULL;
    const HnNode *tasks = hn_node_get(block, "tasks");
    if (!tasks || tasks->kind != HN_NODE_TEXT) continue;
    const double said = g_ascii_strtod(tasks->text, NULL);
    const int64_t rows = said >= 1 && said < 1e15 ? (int64_t)said : 0;
    JsonObject *taken = tasks_taken(c, split);
    t.rows = fewer(t.rows, rows);
    t.distinct = fewer(t.distinct, hn_json_int(taken, "distinct", rows));
    t.by_name = fewer(t.by_name, hn_json_int(taken, "by_name", rows));
  }
  return t;
}

char *hn_metric_tasks_text(const HnResults *r) {
  const HnMetricTasks t = hn_metric_tasks(r, NULL);
  if (!t.rows) return g_strdup("");
  g_autofree char *trials = t.distinct < t.rows
                                ? g_strdup_printf(" in %" G_GINT64_FORMAT " trials a seed", t.rows)
                                : NULL;
  return g_strdup_printf("%" G_GINT64_FORMAT " %s task%s%s", t.distinct,
                         hn_eval_split_kind(r->cells), hn_plural(t.distinct), trials ? trials : "");
}

double hn_metric_trials(const HnResults *r, const char *column) {
  const bool rate = g_str_has_prefix(hn_metric_stem(column), "success") ||
                    g_str_equal(hn_metric_info(r, column).fold, "max");
  if (!rate || *hn_metric_unit(r, column)) return 0;
  return g_str_has_prefix(column, "train.") ? 1 : (double)MAX(1, hn_metric_tasks(r, NULL).distinct);
}
