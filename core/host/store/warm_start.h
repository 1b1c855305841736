/* warm_start.h - the checkpoint that a cell starts from: where it lies, whether it fits, taking it.
 *
 * Weights go by name, kind/NAME, into whatever plugin keeps the same names: a posterior is put on
 * top of a network that another plugin trained.  Only tensors of role HN_WEIGHT count. */
#ifndef HN_WEIGHTS_H
#define HN_WEIGHTS_H
#include "checkpoint.h"

/* The checkpoint that cell->weights names, in the folder `study` of a study; NULL with
 * HN_RUN_WEIGHTS, and in *key the key of the block that is to blame.  g_free. */
char *hn_warm_start_find(const HnCell *cell, const char *study, const char **key, GError **error);
/* SHA-256 of a file in hex, g_free; NULL with HN_RUN_WEIGHTS.  Computed once for a path. */
char *hn_warm_start_sha256(const char *path, GError **error);

/* What keeps the weights of a checkpoint from being taken by a table, a line each without an end,
 * every tensor named with its type and shape and, if it has no partner, with the nearest name;
 * empty if they fit.  Free with g_ptr_array_unref. */
GPtrArray *hn_warm_start_misfits(const HnCell *cell, GPtrArray *states, const HnStoredTensors *t);
/* A table as if it had been written and read; no data. */
HnStoredTensors *hn_warm_start_pretend(GPtrArray *states);

/* Finds and takes the weights into the table of a session that has not begun; `dir` is the cell's
 * own folder.  Notes in meta what was taken.  HN_RUN_WEIGHTS: nothing was touched. */
gboolean hn_warm_start_load(const HnCell *cell, const char *dir, GPtrArray *states,
                            GHashTable *meta, GError **error);
#define HN_META_FROM        "weights from"
#define HN_META_FROM_SHA256 "weights from sha256"
#endif
