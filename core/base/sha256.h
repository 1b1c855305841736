/* sha256.h - SHA-256 of what is in memory and of files, as 64 hexadecimal digits. */
#ifndef HN_SHA256_H
#define HN_SHA256_H
#include <glib.h>

/* Of n bytes; of what is mapped; of a file, NULL if it cannot be read; g_free.  [any] */
char *hn_sha256_text(const void *data, gsize n);
char *hn_sha256_mapped(GMappedFile *bytes);
char *hn_sha256_file(const char *path);
#endif
