/* sha256.c - see sha256.h. */
#include "sha256.h"
#include <stdbool.h>
#include <string.h>

/* ---- blocks ---- */

#if defined __x86_64__
#  include <cpuid.h>
#  include <immintrin.h>

/* Asked once: on a virtual machine the question takes microseconds. */
static bool has_instructions(void) {
  enum { HAS = 1, LACKS };
  static gsize known = 0;
  if (g_once_init_enter(&known)) {
    unsigned a, b, c, d;
    const bool has = __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
                     (b & bit_SHA);
    g_once_init_leave(&known, has ? HAS : LACKS);
  }
  return known == HAS;
}

/* FIPS 180-4, section 4.2.2 */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* Takes n blocks in.  The instructions hold the state as {a, b, e, f} and {c, d, g, h}, highest
 * word first; w[k % 4] are words 4 k .. 4 k + 3 of the message schedule. */
__attribute__((target("sha,sse4.1"))) static void take_blocks(uint32_t state[8], const uint8_t *p,
                                                              gsize n) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const __m128i dcba = _mm_loadu_si128((const void *)state);
  const __m128i hgfe = _mm_loadu_si128((const void *)(state + 4));
  const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0), w[4];
  for (; n > 0; n--, p += HN_SHA256_BLOCK) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
#  pragma GCC unroll 16
    for (int k = 0; k < 16; k++) {
      if (k < 4) {
        w[k] = _mm_shuffle_epi8(_mm_loadu_si128((const void *)(p + 16 * k)), swap);
      } else {
        const __m128i last = w[(k + 3) % 4];
        const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[k % 4], w[(k + 1) % 4]),
                                          _mm_alignr_epi8(last, w[(k + 2) % 4], 4));
        w[k % 4] = _mm_sha256msg2_epu32(sum, last);
      }
      const __m128i x = _mm_add_epi32(w[k % 4], _mm_loadu_si128((const void *)(constants + 4 * k)));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, x);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(x, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before), cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128((void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128((void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}
#else
static bool has_instructions(void) {
  return false;
}
static void take_blocks(uint32_t state[8], const uint8_t *p, gsize n) {
  (void)state, (void)p, (void)n;
}
#endif

/* ---- in parts ---- */

HnSha256 hn_sha256_begin_plain(void) {
  return (HnSha256){.sum = g_checksum_new(G_CHECKSUM_SHA256)};
}

HnSha256 hn_sha256_begin(void) {
  if (!has_instructions()) return hn_sha256_begin_plain();
  return (HnSha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                              0x9b05688c, 0x1f83d9ab, 0x5be0cd19}}; /* section 5.3.3 */
}

void hn_sha256_add(HnSha256 *s, const void *data, gsize n) {
  const uint8_t *p = data;
  if (n == 0) return;
  if (s->sum) {
    g_checksum_update(s->sum, p, (gssize)n);
    return;
  }
  const gsize held = s->bytes % HN_SHA256_BLOCK, fits = MIN(n, HN_SHA256_BLOCK - held);
  s->bytes += n;
  if (held) {
    memcpy(s->rest + held, p, fits);
    if (held + fits < HN_SHA256_BLOCK) return;
    take_blocks(s->state, s->rest, 1);
    p += fits, n -= fits;
  }
  const gsize whole = n / HN_SHA256_BLOCK * HN_SHA256_BLOCK;
  take_blocks(s->state, p, n / HN_SHA256_BLOCK);
  memcpy(s->rest, p + whole, n - whole);
}

void hn_sha256_end(HnSha256 *s, uint8_t digest[HN_SHA256_BYTES]) {
  if (s->sum) {
    gsize length = HN_SHA256_BYTES;
    g_checksum_get_digest(s->sum, digest, &length);
    g_checksum_free(s->sum);
    return;
  }
  /* section 5.1.1: a one bit, zeros, and the length in bits as the last eight bytes of a block */
  static const uint8_t padding[HN_SHA256_BLOCK] = {0x80};
  const uint64_t bits = GUINT64_TO_BE(8 * s->bytes);
  const gsize held = s->bytes % HN_SHA256_BLOCK, room = HN_SHA256_BLOCK - sizeof bits;
  hn_sha256_add(s, padding, (held < room ? room : HN_SHA256_BLOCK + room) - held);
  hn_sha256_add(s, &bits, sizeof bits);
  for (int k = 0; k < 8; k++) {
    const uint32_t word = GUINT32_TO_BE(s->state[k]);
    memcpy(digest + 4 * k, &word, sizeof word);
  }
}

/* ---- at once ---- */

char *hn_sha256_text(const void *data, gsize n) {
  HnSha256 s = hn_sha256_begin();
  uint8_t digest[HN_SHA256_BYTES];
  hn_sha256_add(&s, data, n);
  hn_sha256_end(&s, digest);
  GString *text = g_string_sized_new(2 * HN_SHA256_BYTES);
  for (int k = 0; k < HN_SHA256_BYTES; k++) g_string_append_printf(text, "%02x", digest[k]);
  return g_string_free(text, FALSE);
}

char *hn_sha256_mapped(GMappedFile *bytes) {
  return hn_sha256_text(g_mapped_file_get_contents(bytes), g_mapped_file_get_length(bytes));
}

char *hn_sha256_file(const char *path) {
  g_autoptr(GMappedFile) bytes = g_mapped_file_new(path, FALSE, NULL);
  return bytes ? hn_sha256_mapped(bytes) : NULL;
}
