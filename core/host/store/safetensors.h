/* safetensors.h - what a safetensors file holds: names, types, shapes, bytes.  Nothing in it is
 * trusted: a tensor that is listed lies inside the file and is as long as its shape says.
 * Format: https://huggingface.co/docs/safetensors */
#ifndef HN_TENSORS_H
#define HN_TENSORS_H
#include <glib.h>
#include <hunch/plugin.h>

enum { HN_RANK_MAX = 4 };

typedef struct HnStoredTensor {
  char *name;
  HnType type;              /* 0: one that no plugin can keep */
  int rank;                 /* may exceed HN_RANK_MAX */
  int64_t dim[HN_RANK_MAX]; /* the first of them */
  char *label;              /* "F32 [128, 64]", as the file says it */
  const char *data;
  gsize bytes;
  bool weight; /* of role HN_WEIGHT, where the file tells */
} HnStoredTensor;

/* Metadata: the names of those tensors that are weights, a line each. */
#define HN_META_WEIGHTS "weights"

typedef struct HnStoredTensors {
  GPtrArray *all;   /* HnStoredTensor *, in the file's order */
  GHashTable *find; /* name to HnStoredTensor * */
  GHashTable *meta; /* string to string */
  bool told;        /* the file says which are weights */
  GMappedFile *file;
} HnStoredTensors;

/* NULL with HN_RUN_IO, naming the file, and every tensor of it that is not described rightly.  A
 * file that is cut short or none of its kind is such. */
HnStoredTensors *hn_stored_tensors_open(const char *path, GError **error);
void hn_stored_tensors_free(HnStoredTensors *t);
/* One without a file, and one more tensor in it of which only the name is filled in. */
HnStoredTensors *hn_stored_tensors_new(void);
HnStoredTensor *hn_stored_tensors_add(HnStoredTensors *t, const char *name);
/* "F32"; NULL if there is no such type. */
const char *hn_type_name(HnType type);
/* "F32 [128, 64]"; g_free. */
char *hn_tensor_label(HnType type, int rank, const int64_t *dim);
#endif
