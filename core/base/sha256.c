/* sha256.c - see sha256.h. */
#include "sha256.h"

char *hn_sha256_text(const void *data, gsize n) {
  return g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, n);
}

char *hn_sha256_mapped(GMappedFile *bytes) {
  return hn_sha256_text(g_mapped_file_get_contents(bytes), g_mapped_file_get_length(bytes));
}

char *hn_sha256_file(const char *path) {
  g_autoptr(GMappedFile) bytes = g_mapped_file_new(path, FALSE, NULL);
  return bytes ? hn_sha256_mapped(bytes) : NULL;
}
