/* checkpoint.h - all that a run must save, in one table, as safetensors: kept arrays of the three
 * plugins, row memory, streams, running episodes.  Written beside and renamed.
 *
 * Tensors are named inference/NAME, policy/NAME, env/NAME and host/NAME; metadata carries the
 * cell's identity, the update, the frames and how long each record was.  Widest types come first,
 * so every tensor is aligned to its type. */
#ifndef HN_CHECKPOINT_H
#define HN_CHECKPOINT_H
#include "score.h"

typedef struct HnState {
  char *name;
  HnType type;
  int rank;
  int64_t dim[4];
  int64_t *used; /* rows of dim[0] that hold something, or NULL: all */
  void *data;
  bool weight; /* hashed into trace.bin */
} HnState;

/* The table of a session and its training tally; elements HnState *, free with g_ptr_array_unref.
 */
GPtrArray *hn_states_of(HnSession *s, HnTally *tally);

/* meta: string to string. */
gboolean hn_checkpoint_write(const char *path, GPtrArray *states, GHashTable *meta, GError **error);
/* Restores into the same table.  Every missing, extra or misshapen tensor is named. */
gboolean hn_checkpoint_read(const char *path, GPtrArray *states, GHashTable *meta, GError **error);
/* SHA-256 of all weights, 32 bytes; false, naming the tensor, if one of them is not finite. */
gboolean hn_weights_digest(GPtrArray *states, guint8 digest[32], const char **not_finite);
#endif
