/* checkpoint.h - everything that a run must save, in one table: kept arrays of the three plugins,
 * row memory, random streams, running episodes.
 *
 * Tensors are named inference/NAME, policy/NAME, env/NAME and host/NAME; metadata carry the cell's
 * identity, the update, the frames and how long each of the run's tables was. */
#ifndef HN_CHECKPOINT_H
#define HN_CHECKPOINT_H
#include "digest.h"
#include "episodes.h"
#include "safetensors.h"
#include "session.h"

typedef struct HnState {
  char *name;
  HnType type;
  int rank;
  int64_t dim[HN_RANK_MAX];
  int64_t *used; /* rows of dim[0] that hold something, or NULL: all */
  void *data;
  bool weight; /* hashed into trace.bin */
  /* The integers in [low, end), or low == end: any.  Of each row's last column alone, if so. */
  int64_t low, end;
  bool last_column;
} HnState;

/* The table of a session and the statistics of its training episodes; elements HnState *, free with
 * g_ptr_array_unref. */
GPtrArray *hn_states_of(HnSession *s, HnEpisodeStats *stats);
gsize hn_state_bytes(const HnState *x); /* as far as it is used */
/* Bytes of a file of the table at most: with all that has room used. */
gsize hn_states_most_bytes(GPtrArray *states);
/* The table as the tensors of a file; data stay where they are.  meta may be NULL. */
HnStoredTensors *hn_states_tensors(GPtrArray *states, GHashTable *meta);

/* meta: string to string.  HN_ERROR_PLUGIN, and no file: an integer is not in its declared range.
 */
bool hn_checkpoint_write(const char *path, GPtrArray *states, GHashTable *meta, GError **error);
/* Restores into the same table.  Every tensor that is missing, extra, misshapen or holds an integer
 * out of range is named, and then nothing was changed. */
bool hn_checkpoint_read(const char *path, GPtrArray *states, GHashTable *meta, GError **error);
/* The same of a file that is open; nothing is restored unless everything fits. */
bool hn_checkpoint_take(const HnStoredTensors *t, const char *path, GPtrArray *states,
                        GError **error);
/* Whether a run can go on from the file, as far as that can be said without its plugins: it is not
 * damaged, and holds more than weights.  HN_ERROR_FILE. */
bool hn_checkpoint_whole(const char *path, GError **error);
/* Why x cannot take a tensor of its name, or NULL; g_free. */
char *hn_state_misfit(const HnState *x, const HnStoredTensor *t);
/* Which of the integers at `data` (bytes: of the tensor) is not in x's range, or NULL; g_free. */
char *hn_state_out_of_range(const HnState *x, const void *data, gsize bytes);
/* Copies a tensor that fits and is in range. */
void hn_state_take(HnState *x, const HnStoredTensor *t);
/* Digest of all weights, in their order; false, naming the tensor, if one of them is not finite. */
bool hn_checkpoint_digest(GPtrArray *states, uint8_t digest[HN_DIGEST_BYTES],
                          const char **not_finite);
#endif
