/* safetensors.h - reads and writes safetensors files: names, types, shapes, bytes.  A file that is
 * read is not trusted: a listed tensor lies inside the file and is as long as its shape says. Files
 * written here carry checksums of every tensor and of the header, which are verified.
 * Format: https://huggingface.co/docs/safetensors */
#ifndef HN_SAFETENSORS_H
#define HN_SAFETENSORS_H
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
  bool weight; /* of role HN_WEIGHT, where the file says so */
} HnStoredTensor;

typedef struct HnStoredTensors {
  GPtrArray *all;     /* HnStoredTensor *, in the file's order */
  GHashTable *find;   /* name to HnStoredTensor * */
  GHashTable *meta;   /* string to string */
  bool lists_weights; /* the metadata say which are weights */
  GMappedFile *file;  /* or NULL */
} HnStoredTensors;

/* NULL with HN_ERROR_FILE, naming the file and every tensor whose description is wrong. */
HnStoredTensors *hn_stored_tensors_open(const char *path, GError **error);
/* Writes all tensors and the metadata beside `path` and renames.  Widest types come first, so that
 * every tensor is aligned to its type; otherwise the order stays.  HN_ERROR_FILE. */
bool hn_stored_tensors_write(const HnStoredTensors *t, const char *path, GError **error);
void hn_stored_tensors_free(HnStoredTensors *t);
/* HnStoredTensor *, the weights that the metadata list, in the order in which they are hashed,
 * which need not be that of the file; g_ptr_array_unref. */
GPtrArray *hn_stored_tensors_weights(const HnStoredTensors *t);
/* Copies the metadata into a map of strings. */
void hn_stored_tensors_meta(const HnStoredTensors *t, GHashTable *meta);

/* An empty list, to be filled; meta (string to string) may be NULL. */
HnStoredTensors *hn_stored_tensors_new(GHashTable *meta);
/* Adds a tensor of at most HN_RANK_MAX dimensions; `data` must outlive the list. */
HnStoredTensor *hn_stored_tensors_add(HnStoredTensors *t, const char *name, HnType type, int rank,
                                      const int64_t *dim, const void *data, bool weight);
/* "F32"; NULL if there is no such type. */
const char *hn_type_name(HnType type);
/* "F32 [128, 64]"; g_free. */
char *hn_tensor_label(HnType type, int rank, const int64_t *dim);
#endif
