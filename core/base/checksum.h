/* checksum.h - 64-bit checksums against damage, not against forgery: every change that is confined
 * to eight aligned bytes is found, others are missed once in 2^64. */
#ifndef HN_CHECKSUM_H
#define HN_CHECKSUM_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Of n bytes; the same on every machine.  About 8 bytes a nanosecond.  [any] */
uint64_t hn_checksum(const void *data, gsize n);
/* As 16 hexadecimal digits; g_free. */
char *hn_checksum_text(const void *data, gsize n);
/* Of a file, with its size; false if it cannot be read. */
bool hn_checksum_file(const char *path, uint64_t *checksum, int64_t *size);
#endif
