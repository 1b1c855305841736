/* fuzz_tensors.c - bytes become a safetensors file.  A refusal must come with a reason, and a
 * tensor that is listed must lie inside the file. */
#include "fuzz.h"
#include <safetensors.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  fuzz_folder_make();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autofree char *path = fuzz_write("weights.safetensors", data, size);
  g_autoptr(GError) error = NULL;
  HnStoredTensors *t = hn_stored_tensors_open(path, &error);
  g_assert_true(!t == (error != NULL));
  const char *begin = t ? g_mapped_file_get_contents(t->file) : NULL;
  for (guint i = 0; t && i < t->all->len; i++) {
    const HnStoredTensor *x = t->all->pdata[i];
    g_assert_true(x->data >= begin && x->bytes <= size - (gsize)(x->data - begin));
    g_assert_nonnull(x->label);
  }
  hn_stored_tensors_free(t);
  return 0;
}
