/* metric_names.c - see metric_names.h. */
#include "metric_names.h"
#include "record_columns.h"
#include <string.h>

/* Columns that plugins report by convention; the host's own are record_columns'. */
typedef struct Known {
  const char *name, *unit;
  int better;
} Known;
static const Known conventions[] = {{"kl", "nats", 0},
                                    {"success", "", 1},
                                    {"success_rate", "", 1},
                                    {"log_predictive", "nats", 1},
                                    {"reward_l1", "reward", -1},
                                    {"reward_nll", "nats", -1},
                                    {"transition_l1", "observation units", -1},
                                    {"transition_nll", "nats", -1},
                                    {"entropy", "nats", 0},
                                    {"regret", "reward", -1}};

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

/* Where a column was measured, the longer prefix first. */
static const char *const places[][2] = {
    {"eval.drawn.", " on held-out tasks, by drawn actions"},
    {"eval.shuffled.", " on held-out tasks, by other tasks' beliefs"},
    {"eval.", " on held-out tasks"},
    {"train.", " while training"},
    {"inference.", " of the inference"},
    {"policy.", " of the policy"}};

/* Its row, or NULL. */
static const char *const *place_of(const char *column) {
  for (guint i = 0; i < G_N_ELEMENTS(places); i++)
    if (g_str_has_prefix(column, places[i][0])) return places[i];
  return NULL;
}

const char *hn_metric_stem(const char *column) {
  const char *const *place = place_of(column);
  return column + (place ? strlen(place[0]) : 0);
}

static Known known(const char *column) {
  const HnRecordColumn *host = hn_record_find(column);
  const char *name =
      g_str_has_prefix(hn_metric_stem(column), "kl_") ? "kl" : hn_metric_stem(column);
  if (host) return (Known){host->name, host->unit, host->better};
  for (guint i = 0; i < G_N_ELEMENTS(conventions); i++)
    if (g_str_equal(conventions[i].name, name)) return conventions[i];
  return (Known){name, "", 0};
}

int hn_metric_better(const char *column) {
  return known(column).better;
}

const char *hn_metric_known_unit(const char *column) {
  return known(column).unit;
}

char *hn_metric_words(const char *column) {
  const char *const *place = place_of(column);
  const char *name = hn_metric_stem(column), *where = place ? place[1] : "";
  for (guint i = 0; i < G_N_ELEMENTS(words); i++)
    if (g_str_equal(words[i][0], name)) return g_strconcat(words[i][1], where, NULL);
  g_autofree char *spaced = g_strdelimit(g_strdup(name), "_", ' ');
  return g_strconcat(spaced, where, NULL);
}
