/* eval_split.c - see eval_split.h. */
#include "eval_split.h"
#include <string.h>

/* The environment's splits, "train|test", the first of which is trained on; NULL: run.json is from
 * before it said so. */
static const char *splits_of(const HnResult *c) {
  return hn_result_fact(c, "splits");
}

/* evaluation.split, or "". */
static const char *wanted_by(const HnResult *c) {
  const HnNode *block = c->config ? hn_node_get(c->config, "evaluation") : NULL;
  const HnNode *split = hn_node_get(block, "split");
  return split && split->kind == HN_NODE_TEXT ? split->text : "";
}

static char *first_of(const char *splits) {
  return g_strndup(splits, strcspn(splits, "|"));
}

static const char *last_of(const char *splits) {
  const char *bar = strrchr(splits, '|');
  return bar ? bar + 1 : splits;
}

static bool trained_on(const HnResult *c, const char *split) {
  g_autofree char *first = first_of(splits_of(c) ? splits_of(c) : "train");
  return g_str_equal(first, split);
}

/* Of an older cell that left the choice to its environment: that has held tasks out. */
static bool decided_in_training(const HnResult *c) {
  g_autofree char *wanted = first_of(wanted_by(c));
  const char *own = splits_of(c) ? last_of(splits_of(c)) : "";
  return trained_on(c, *wanted ? wanted : own);
}

char *hn_eval_split_chosen(const HnResult *c) {
  g_autofree char *wanted = first_of(wanted_by(c));
  const char *splits = splits_of(c);
  if (!*wanted || (splits && g_str_equal(wanted, last_of(splits)))) return NULL;
  return g_steal_pointer(&wanted);
}

const char *hn_eval_split_kind(const GPtrArray *cells) {
  bool training = false, held_out = false;
  for (guint i = 0; i < cells->len; i++) {
    const HnResult *c = cells->pdata[i];
    if (!c->config) continue;
    if (decided_in_training(c))
      training = true;
    else
      held_out = true;
  }
  return training == held_out ? "evaluated" : training ? "training" : "held-out";
}

char *hn_eval_split_further(const GPtrArray *cells, const char *column) {
  for (guint i = 0; i < cells->len; i++) {
    g_auto(GStrv) names = g_strsplit(wanted_by(cells->pdata[i]), "|", -1);
    for (guint k = 1; k < g_strv_length(names); k++) {
      g_autofree char *prefix = g_strdup_printf("eval.%s.", names[k]);
      if (g_str_has_prefix(column, prefix)) return g_strdup(names[k]);
    }
  }
  return NULL;
}

bool hn_eval_split_trained(const GPtrArray *cells, const char *split) {
  for (guint i = 0; i < cells->len; i++) {
    const HnResult *c = cells->pdata[i];
    if (c->config && trained_on(c, split)) return true;
  }
  return false;
}
