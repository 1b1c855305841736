/* checkpoint.h - all that a run must save, in one table, as safetensors: kept arrays of the three
 * plugins, row memory, streams, running episodes.  Written beside and renamed.
 *
 * Tensors are named inference/NAME, policy/NAME, env/NAME and host/NAME; metadata carries the
 * cell's identity, the update, the frames and how long each record was.  Widest types come first,
 * so every tensor is aligned to its type. */
#ifndef HN_CHECKPOINT_H
#define HN_CHECKPOINT_H
#include "episodes.h"
#include "safetensors.h"
#include "session.h"

typedef struct HnState {
  char *name;
  HnType type;
  int rank;
  int64_t dim[4];
  int64_t *used; /* rows of dim[0] that hold something, or NULL: all */
  void *data;
  bool weight; /* hashed into trace.bin */
} HnState;

/* The table of a session and its training stats; elements HnState *, free with g_ptr_array_unref.
 */
GPtrArray *hn_states_of(HnSession *s, HnEpisodeStats *stats);

/* Files of a run's folder: ckpt/NNNNNNNN.safetensors, complete ones, oldest first; free with
 * g_ptr_array_unref. */
GPtrArray *hn_checkpoint_list(const char *dir);
char *hn_checkpoint_path(const char *dir, int64_t update); /* g_free */
int64_t hn_checkpoint_update(const char *path);            /* -1: not named as a checkpoint */

/* meta: string to string; the names of the weights are added to it. */
gboolean hn_checkpoint_write(const char *path, GPtrArray *states, GHashTable *meta, GError **error);
/* Restores into the same table.  Every missing, extra or misshapen tensor is named. */
gboolean hn_checkpoint_read(const char *path, GPtrArray *states, GHashTable *meta, GError **error);
/* Why x cannot take a tensor of its name, or NULL; g_free. */
char *hn_state_misfit(const HnState *x, const HnStoredTensor *t);
/* Copies a tensor that fits. */
void hn_state_take(HnState *x, const HnStoredTensor *t);
/* SHA-256 of all weights, 32 bytes; false, naming the tensor, if one of them is not finite. */
gboolean hn_checkpoint_digest(GPtrArray *states, guint8 digest[32], const char **not_finite);
#endif
