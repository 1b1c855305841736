/* instance.h - an instance of a plugin: its state, the host's services, the arrays it keeps. */
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
  gsize allocated; /* bytes of those */
  GPtrArray *kept; /* HnArrayRecord * */
  guint metrics;   /* that it declares itself */
  guint infos;     /* in `info` */
  double *metric_sum, *metric_count;
  const char *odd_metric;        /* the first that was reported and not finite, or NULL */
  const HnColumn *info, *metric; /* of the plugin, behind those of what it holds */
  /* Of environments, by hn_env_create (env_layers.h): */
  struct HnInstance *inner, *outer; /* what a wrapper holds, what holds it; or NULL */
  guint depth;                      /* wrappers around it */
  bool created;
  HnEnvSpec own, spec; /* of it alone; with what it holds */
  HnEnv methods;       /* what its wrapper may call, and the view of it */
  HnInner view;
} HnInstance;

/* Zeroed instance state with the host's services, and those of what it holds; the plugin's create
 * has not been called. */
HnInstance *hn_instance_new(const HnPluginChoice *part, HnPool *pool, FILE *log);
/* Calls destroy when `created`, then frees all of its memory, and what it holds. */
void hn_instance_free(HnInstance *x, bool created);
/* Mean of a metric of x->metric since the last call, which is reset; NaN if none was reported. */
double hn_instance_metric(HnInstance *x, guint metric);
/* Bytes of an array that are in use. */
gsize hn_array_record_bytes(const HnArrayRecord *k);
gsize hn_type_size(HnType type);
guint hn_column_count(const HnColumn *columns);
#endif
