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
/* Of a file, with its size; NULL if it cannot be read; g_free. */
char *hn_checksum_file(const char *path, int64_t *size);

/* Of what comes in parts, however it is cut. */
enum { HN_CHECKSUM_LANES = 4, HN_CHECKSUM_BLOCK = 8 * HN_CHECKSUM_LANES };
typedef struct HnChecksum {
  uint64_t lane[HN_CHECKSUM_LANES], bytes;
  char rest[HN_CHECKSUM_BLOCK]; /* the last bytes % HN_CHECKSUM_BLOCK */
} HnChecksum;
HnChecksum hn_checksum_begin(void);
void hn_checksum_add(HnChecksum *c, const void *data, gsize n);
/* Of all so far; more may be added. */
uint64_t hn_checksum_so_far(const HnChecksum *c);
#endif
