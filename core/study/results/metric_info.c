/* metric_info.c - see metric_info.h. */
#include "metric_info.h"
#include "json.h"

static const struct {
  const char *name, *unit;
  int better;
} known[] = {{"return", "reward per episode", 1},
             {"kl", "nats", 0},
             {"success", "", 1},
             {"success_rate", "", 1},
             {"log_predictive", "nats", 1},
             {"reward_l1", "reward", -1},
             {"reward_nll", "nats", -1},
             {"reward", "reward", 1},
             {"predict.cross_entropy", "nats", -1},
             {"predict.perplexity", "", -1},
             {"predict.l1", "observation units", -1},
             {"predict.l2", "observation units squared", -1},
             {"transition_l1", "observation units", -1},
             {"transition_nll", "nats", -1},
             {"entropy", "nats", 0},
             {"regret", "reward", -1}};

enum { KL = 1 }; /* its row */

static const char *stem(const char *column) {
  static const char *const prefixes[] = {"eval.", "train.", "inference.", "policy."};
  for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++)
    if (g_str_has_prefix(column, prefixes[i])) return column + strlen(prefixes[i]);
  return column;
}

static int known_index(const char *column) {
  const char *name = stem(column);
  for (guint i = 0; i < G_N_ELEMENTS(known); i++)
    if (g_str_equal(known[i].name, name)) return (int)i;
  return g_str_has_prefix(name, "return_") ? 0 : g_str_has_prefix(name, "kl_") ? KL : -1;
}

int hn_column_better(const char *column) {
  int i = known_index(column);
  return i < 0 ? 0 : known[i].better;
}

/* The entry of a column among what a cell's plugin of a kind declares, or NULL. */
static JsonObject *declared(const HnResult *c, const char *kind, const char *name) {
  JsonObject *plugin = hn_json_object(hn_json_object(c->facts, "plugins"), kind);
  JsonArray *all = hn_json_array(plugin, "info");
  for (guint i = 0; all && i < json_array_get_length(all); i++) {
    JsonNode *one = json_array_get_element(all, i);
    if (!JSON_NODE_HOLDS_OBJECT(one)) continue;
    JsonObject *o = json_node_get_object(one);
    if (!g_strcmp0(hn_json_string(o, "name", NULL), name)) return o;
  }
  return NULL;
}

HnColumnFacts hn_column_facts(const HnResults *r, const char *column) {
  static const char *const kinds[] = {"env", "inference", "policy"};
  const char *name = stem(column);
  for (guint i = 0; i < r->cells->len; i++)
    for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
      JsonObject *o = declared(r->cells->pdata[i], kinds[k], name);
      if (!o) continue;
      return (HnColumnFacts){.kind = kinds[k],
                             .unit = hn_json_string(o, "unit", ""),
                             .doc = hn_json_string(o, "doc", ""),
                             .fold = hn_json_string(o, "fold", "")};
    }
  return (HnColumnFacts){.unit = "", .doc = "", .fold = ""};
}

const char *hn_column_unit(const HnResults *r, const char *column) {
  HnColumnFacts f = hn_column_facts(r, column);
  if (*f.unit) return f.unit;
  int i = known_index(column);
  return i < 0 ? "" : known[i].unit;
}
