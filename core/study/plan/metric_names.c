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

/* The longer prefix first. */
static const HnMetricPlace places[] = {{"eval.drawn.", ", by drawn actions", true},
                                       {"eval.shuffled.", ", by other tasks' beliefs", true},
                                       {"eval.", "", true},
                                       {"train.", " while training", false},
                                       {"inference.", " of the inference", false},
                                       {"policy.", " of the policy", false}};

const HnMetricPlace *hn_metric_place(const char *column) {
  for (guint i = 0; i < G_N_ELEMENTS(places); i++)
    if (g_str_has_prefix(column, places[i].prefix)) return &places[i];
  return NULL;
}

const char *hn_metric_stem(const char *column) {
  const HnMetricPlace *place = hn_metric_place(column);
  return column + (place ? strlen(place->prefix) : 0);
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
