/* warm_start_match.h - matches the weights of a checkpoint with what plugins keep.
 *
 * Weights go by name, kind/NAME, into whatever plugin keeps the same names, so that a posterior can
 * be put on a network that another plugin trained.  Only tensors of role HN_WEIGHT count. */
#ifndef HN_WARM_START_MATCH_H
#define HN_WARM_START_MATCH_H
#include "checkpoint.h"

/* Why the weights of a checkpoint cannot be taken into a table: a line per tensor with its type,
 * its shape and, if it has no partner, the nearest name; empty if they fit.  g_ptr_array_unref. */
GPtrArray *hn_warm_start_misfits(const HnCell *cell, GPtrArray *states, const HnStoredTensors *t);
/* Copies the weights of a checkpoint file into the table; false with HN_ERROR_REFUSED if they do
 * not fit, and then nothing was changed. */
bool hn_warm_start_take(const HnCell *cell, GPtrArray *states, const char *path, GError **error);
#endif
