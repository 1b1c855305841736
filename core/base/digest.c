/* digest.c - see digest.h. */
#include "digest.h"
#include <string.h>
#include <xxhash.h>

/* The library's own type, which only it can see into. */
static XXH3_state_t *state(HnDigest *d) {
  return (XXH3_state_t *)d;
}

HnDigest *hn_digest_begin(void) {
  XXH3_state_t *s = XXH3_createState();
  if (!s || XXH3_128bits_reset(s) != XXH_OK) g_error("out of memory for a digest");
  return (HnDigest *)s;
}

void hn_digest_add(HnDigest *d, const void *data, gsize n) {
  if (n > 0) XXH3_128bits_update(state(d), data, n);
}

void hn_digest_end(HnDigest *d, uint8_t digest[HN_DIGEST_BYTES]) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(state(d)));
  memcpy(digest, bytes.digest, HN_DIGEST_BYTES);
  XXH3_freeState(state(d));
}
