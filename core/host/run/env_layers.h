/* env_layers.h - the environment of a cell, which may be wrappers around another: calls go to the
 * outermost, each of which calls what it holds.  The layers are instances, x, x->inner, ..; their
 * row memory, random streams, task and info are kept apart here and look like one from outside. */
#ifndef HN_ENV_LAYERS_H
#define HN_ENV_LAYERS_H
#include "instance.h"

/* What the host keeps of the rows of an environment, layer after layer, the outermost first. */
typedef struct HnEnvMemory {
  int64_t rows;
  char *state; /* row memory: [rows] of each layer, from hn_env_state on */
  HnRng *rng;  /* [layers, rows] */
} HnEnvMemory;

/* Creates what x holds, then x.  spec: in as the host says, out of all layers together, checked.
 * [instance] */
HnStatus hn_env_create(HnInstance *x, HnEnvSpec *spec);
/* The layer that numbers and names the tasks, or NULL.  [any] */
const HnInstance *hn_env_of_tasks(const HnInstance *x);
/* The layer whose methods reset and step answer the host.  [any] */
const HnInstance *hn_env_of_reset(const HnInstance *x);
const HnInstance *hn_env_of_step(const HnInstance *x);
bool hn_env_can_render(const HnInstance *x);
bool hn_env_can_query(const HnInstance *x);

/* Zeroed.  Free with hn_env_memory_free. */
HnEnvMemory hn_env_memory_new(const HnInstance *x, int64_t rows);
void hn_env_memory_free(HnEnvMemory *m);
/* Row memory of all rows of a layer of x.  [any] */
char *hn_env_state(const HnInstance *x, const HnEnvMemory *m, const HnInstance *layer);
/* The random streams of all rows of a layer.  [any] */
HnRng *hn_env_streams(const HnEnvMemory *m, const HnInstance *layer);
/* Zeroes what row i remembers.  [rows] */
void hn_env_forget(const HnInstance *x, const HnEnvMemory *m, int64_t i);
/* Row memory of row i as render and query take it, valid while this thread's scratch is; where
 * there is but one row, as long as the memory.  [any] */
const void *hn_env_row(const HnInstance *x, const HnEnvMemory *m, int64_t i);

/* As the methods of HnEnv, for rows [b->first, b->first + b->rows) of the memory; state and rng of
 * the batch are ignored, task and info are those of all layers.  [rows] */
HnStatus hn_env_reset(const HnInstance *x, const HnEnvMemory *m, const HnEnvBatch *b);
HnStatus hn_env_step(const HnInstance *x, const HnEnvMemory *m, const HnEnvBatch *b);
/* As the methods of HnEnv, of a row as hn_env_row gives it. */
HnStatus hn_env_render(const HnInstance *x, const void *row, int64_t width, int64_t height,
                       uint8_t *rgb);
HnStatus hn_env_query(const HnInstance *x, const void *row, int64_t n, const float *action,
                      float *obs);
#endif
