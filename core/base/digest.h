/* digest.h - 128-bit digests by which the bits of two runs are told apart: XXH3 (libxxhash), as
 * `xxhsum -H2` prints it, the same on every machine.  Against accident, not against forgery:
 * packages are sealed by SHA-256 (sha256.h). */
#ifndef HN_DIGEST_H
#define HN_DIGEST_H
#include <glib.h>
#include <stdint.h>

enum { HN_DIGEST_BYTES = 16 };

/* Of what comes in parts, however it is cut; ended by hn_digest_end.  [any] */
typedef struct HnDigest HnDigest;
HnDigest *hn_digest_begin(void);
void hn_digest_add(HnDigest *d, const void *data, gsize n);
/* Frees d. */
void hn_digest_end(HnDigest *d, uint8_t digest[HN_DIGEST_BYTES]);
#endif
