/* lighten.h - checkpoints as they leave the machine: weights alone, naming no place. */
#ifndef HN_LIGHTEN_H
#define HN_LIGHTEN_H
#include "portable.h"
#include "safetensors.h"

/* The weights of a checkpoint, in the order of their list, and its metadata, in which the places
 * that p knows are those of a package and of others only the last part stays.  `whole`, or where
 * the file does not say which tensors are weights: every other tensor as well.  Data are borrowed
 * from t; hn_stored_tensors_free.  NULL with HN_ERROR_REFUSED: a tensor has a type, or more
 * dimensions, that no plugin can keep. */
HnStoredTensors *hn_lighten(const HnStoredTensors *t, const HnPortable *p, bool whole,
                            GError **error);
#endif
