/* instance.h - one plugin at work: what the host lends to it, and all it asked to keep. */
#ifndef HN_INSTANCE_H
#define HN_INSTANCE_H
#include "cell.h"
#include "pool.h"
#include <stdio.h>

typedef struct HnArrayRecord {
  HnArray array; /* name is a copy that lives as long as the instance */
  void *data;
  float *grad;      /* or NULL */
  gsize item_bytes; /* of one step along dim[0] */
} HnArrayRecord;

typedef struct HnInstance {
  const HnPlugin *plugin;
  HnHost host;
  void *self;
  const void *params;
  HnPool *pool;
  FILE *log;
  bool creating; /* alloc and keep are allowed */
  GPtrArray *blocks;
  GPtrArray *kept; /* HnArrayRecord * */
  guint metrics, infos;
  double *metric_sum, *metric_count;
} HnInstance;

/* Zeroed instance state with the host's services; the plugin's create has not been called. */
HnInstance *hn_instance_new(const HnPluginChoice *part, HnPool *pool, FILE *log);
/* Calls destroy when `created`, then frees all that was lent. */
void hn_instance_free(HnInstance *x, bool created);
/* Mean of a metric since the last call, NaN if none was reported; then forgets it. */
double hn_instance_metric(HnInstance *x, guint metric);
/* Bytes an array holds: all of it, or as far as it is used. */
gsize hn_array_record_bytes(const HnArrayRecord *k);
gsize hn_type_size(HnType type);
guint hn_column_count(const HnColumn *columns);
#endif
