/* halving.c - see halving.h. */
#include "halving.h"
#include <math.h>

typedef struct Params {
  HN_HALVING_PARAMS(HN_FIELD)
} Params;
#define HALVING_ROW(kind, ...) HN_ROW_##kind(Params, __VA_ARGS__)
static const HnParam halving_params[] = {HN_HALVING_PARAMS(HALVING_ROW)};

HnSchema hn_halving_schema(void) {
  return (HnSchema){"halving",       halving_params, G_N_ELEMENTS(halving_params),
                    sizeof(HnParam), sizeof(Params), NULL};
}

static void read_rungs(HnHalving *h, const HnNode *at, HnDiag *d) {
  if (at->kind != HN_NODE_LIST || at->items->len < 2 || at->items->len > HN_HALVING_RUNGS_MAX) {
    hn_node_refuse(d, at, "'at:': expected a list of 2 to %d numbers of frames",
                   HN_HALVING_RUNGS_MAX);
    return;
  }
  for (guint i = 0; i < at->items->len; i++) {
    const HnNode *n = at->items->pdata[i];
    int64_t frames = 0;
    const char *why = hn_params_int(n, &frames);
    g_autofree char *shown = hn_params_shown("at", n);
    if (why)
      hn_node_refuse(d, n, "'%s': expected an integer%s", shown, why);
    else if (frames <= (i ? h->at[i - 1] : 0))
      hn_node_refuse(d, n, "'%s': expected frames that rise", shown);
    h->at[h->rungs++] = frames;
  }
}

HnHalving *hn_halving_read(const HnNode *block, HnDiag *d) {
  static const char *const more[] = {HN_HALVING_AT, NULL};
  const HnSchema schema = hn_halving_schema();
  const guint before = hn_diag_count(d);
  Params p;
  hn_params_fill(&schema, block, more, &p, d);
  if (hn_diag_count(d) > before) return NULL;
  const HnNode *root = hn_node_get(block, "root"), *at = hn_node_get(block, HN_HALVING_AT);
  if (!root || !at) {
    hn_node_refuse(d, block, "halving: missing key '%s': {root: 99, at: [1e5, 2e5]}, for example",
                   root ? HN_HALVING_AT : "root");
    return NULL;
  }
  const HnNode *metric = hn_node_get(block, "metric");
  HnHalving *h = g_new0(HnHalving, 1);
  h->at_root = hn_node_copy(root), h->at_rungs = hn_node_copy(at);
  h->at_metric = metric ? hn_node_copy(metric) : NULL;
  h->root = p.root, h->keep = p.keep, h->metric = g_strdup(p.metric);
  read_rungs(h, at, d);
  if (hn_diag_count(d) == before) return h;
  hn_halving_free(h);
  return NULL;
}

void hn_halving_free(HnHalving *h) {
  if (!h) return;
  hn_node_free(h->at_root), hn_node_free(h->at_rungs), hn_node_free(h->at_metric);
  g_free(h->metric);
  g_free(h);
}

guint hn_halving_kept(const HnHalving *h, guint candidates) {
  return MAX(1, (guint)ceil(h->keep * candidates - 1e-9));
}

double hn_halving_frames(const HnHalving *h, int64_t rung, double update) {
  const double asked = (double)h->at[rung];
  return update > 0 ? ceil(asked / update) * update : asked;
}
