/* fuzz_zip.c - bytes become a package.  A refusal must come with a reason; entries of what is taken
 * lie inside the file one behind another, under names that stay inside a folder; and whatever is
 * found intact packs to the same bytes again.  Half of the changes are to one file inside, with
 * headers and manifest made anew, so that what lies behind the checksums is read as well. */
#include "fuzz.h"
#include <intact.h>
#include <manifest.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  fuzz_folder_make();
  return 0;
}

/* Packs what was read, and compares. */
static void same_again(const HnZip *zip, const uint8_t *data, size_t size) {
  g_autoptr(GPtrArray) sources = hn_zip_sources_new();
  g_autofree char *path = g_build_filename(fuzz_folder, "again.zip", NULL), *again = NULL;
  gsize length;
  for (guint i = 0; i < zip->entries->len; i++) {
    const HnZipEntry *e = &g_array_index(zip->entries, HnZipEntry, i);
    g_autoptr(GBytes) bytes = g_bytes_new(e->data, e->size);
    hn_zip_add_bytes(sources, e->name, bytes);
  }
  g_assert_true(hn_zip_write(path, sources, NULL));
  g_assert_true(g_file_get_contents(path, &again, &length, NULL));
  g_assert_cmpmem(again, length, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autofree char *path = fuzz_write("package.zip", data, size);
  g_autoptr(GError) error = NULL;
  g_autoptr(HnIntact) x = hn_intact_read(path, &error);
  g_assert_true(!x == (error != NULL));
  if (!x) return 0;
  const char *at = g_mapped_file_get_contents(x->zip->file);
  bool damaged = false;
  for (guint i = 0; i < x->zip->entries->len; i++) {
    const HnZipEntry *e = &g_array_index(x->zip->entries, HnZipEntry, i);
    g_assert_null(hn_zip_name_refuse(e->name));
    g_assert_true(e->data >= at);
    at = e->data + e->size;
    damaged |= hn_zip_damaged(e);
  }
  g_assert_true(at <= g_mapped_file_get_contents(x->zip->file) + size);
  if (!damaged) same_again(x->zip, data, size);
  return 0;
}

/* The sources of an archive, with the content of entry `changed` mutated, without the manifest. */
static GPtrArray *sources_of(const HnZip *zip, guint changed, size_t most) {
  GPtrArray *sources = hn_zip_sources_new();
  for (guint i = 0; i < zip->entries->len; i++) {
    const HnZipEntry *e = &g_array_index(zip->entries, HnZipEntry, i);
    if (strcmp(e->name, HN_MANIFEST_FILE) == 0) continue;
    const size_t room = MIN(2 * e->size + 64, most);
    g_autofree uint8_t *copy = g_malloc0(MAX(room, e->size) + 1);
    if (e->size) memcpy(copy, e->data, e->size);
    const size_t size = i == changed ? LLVMFuzzerMutate(copy, MIN(e->size, room), room) : e->size;
    g_autoptr(GBytes) bytes = g_bytes_new(copy, size);
    hn_zip_add_bytes(sources, e->name, bytes);
  }
  return sources;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  g_autofree char *path = fuzz_write("mutated.zip", data, size), *again = NULL;
  g_autoptr(HnZip) zip = seed % 2 ? hn_zip_open(path, NULL) : NULL;
  if (!zip) return LLVMFuzzerMutate(data, size, most);
  g_autoptr(GPtrArray) sources = sources_of(zip, seed / 2 % zip->entries->len, most);
  gsize length;
  hn_zip_sort(sources);
  g_autofree char *manifest = hn_manifest_text(sources, NULL);
  hn_zip_add_text(sources, HN_MANIFEST_FILE, manifest);
  g_assert_true(hn_zip_write(path, sources, NULL));
  g_assert_true(g_file_get_contents(path, &again, &length, NULL));
  if (length > most) return LLVMFuzzerMutate(data, size, most);
  memcpy(data, again, length);
  return length;
}
