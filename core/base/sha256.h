/* sha256.h - SHA-256 (FIPS 180-4), by the processor's own instructions where it has them (x86's SHA
 * extensions: some six times as fast as GLib, which does it elsewhere).  The digest is the same. */
#ifndef HN_SHA256_H
#define HN_SHA256_H
#include <glib.h>
#include <stdint.h>

enum { HN_SHA256_BYTES = 32, HN_SHA256_BLOCK = 64 };

/* Of what comes in parts, however it is cut. */
typedef struct HnSha256 {
  uint32_t state[8];
  uint64_t bytes;
  uint8_t rest[HN_SHA256_BLOCK]; /* the last bytes % HN_SHA256_BLOCK */
  GChecksum *sum;                /* GLib's, then nothing else is used; NULL: by instructions */
} HnSha256;
/* Ended by hn_sha256_end.  [any] */
HnSha256 hn_sha256_begin(void);
/* The same without the processor's instructions. */
HnSha256 hn_sha256_begin_plain(void);
void hn_sha256_add(HnSha256 *s, const void *data, gsize n);
/* Frees what s holds. */
void hn_sha256_end(HnSha256 *s, uint8_t digest[HN_SHA256_BYTES]);

/* In hexadecimal digits, of n bytes; of what is mapped; of a file, NULL if it cannot be read;
 * g_free. */
char *hn_sha256_text(const void *data, gsize n);
char *hn_sha256_mapped(GMappedFile *bytes);
char *hn_sha256_file(const char *path);
#endif
