/* checksum.c - see checksum.h.  Each step is a bijection of the lane for a given word and of the
 * word for a given lane, so one word that differs gives another sum. */
#include "checksum.h"
#include <inttypes.h>
#include <string.h>

static const uint64_t odd = 0x9E3779B97F4A7C15u; /* 2^64 over the golden ratio */

static uint64_t step(uint64_t lane, uint64_t word) {
  lane = (lane ^ word) * odd;
  return lane << 29 | lane >> 35;
}

static uint64_t word_at(const char *p, gsize n) {
  uint64_t word = 0;
  memcpy(&word, p, MIN(n, sizeof word));
  return GUINT64_FROM_LE(word);
}

HnChecksum hn_checksum_begin(void) {
  return (HnChecksum){.lane = {1, 2, 3, 4}};
}

/* Whole blocks; returns how many bytes they were. */
static gsize add_blocks(HnChecksum *c, const char *p, gsize n) {
  uint64_t lane[HN_CHECKSUM_LANES];
  gsize at = 0;
  memcpy(lane, c->lane, sizeof lane);
  for (; at + HN_CHECKSUM_BLOCK <= n; at += HN_CHECKSUM_BLOCK)
    for (int k = 0; k < HN_CHECKSUM_LANES; k++) lane[k] = step(lane[k], word_at(p + at + 8 * k, 8));
  memcpy(c->lane, lane, sizeof lane);
  return at;
}

void hn_checksum_add(HnChecksum *c, const void *data, gsize n) {
  const char *p = data;
  const gsize held = c->bytes % HN_CHECKSUM_BLOCK, fits = MIN(n, HN_CHECKSUM_BLOCK - held);
  c->bytes += n;
  if (held) {
    memcpy(c->rest + held, p, fits);
    if (held + fits < HN_CHECKSUM_BLOCK) return;
    add_blocks(c, c->rest, HN_CHECKSUM_BLOCK);
    p += fits, n -= fits;
  }
  const gsize done = add_blocks(c, p, n);
  if (n > done) memcpy(c->rest, p + done, n - done);
}

uint64_t hn_checksum_so_far(const HnChecksum *c) {
  const gsize held = c->bytes % HN_CHECKSUM_BLOCK;
  uint64_t first = c->lane[0], sum = c->bytes;
  for (gsize at = 0; at < held; at += 8) first = step(first, word_at(c->rest + at, held - at));
  sum = step(sum, first);
  for (int k = 1; k < HN_CHECKSUM_LANES; k++) sum = step(sum, c->lane[k]);
  return sum ^ sum >> 32;
}

uint64_t hn_checksum(const void *data, gsize n) {
  HnChecksum c = hn_checksum_begin();
  hn_checksum_add(&c, data, n);
  return hn_checksum_so_far(&c);
}

char *hn_checksum_text(const void *data, gsize n) {
  return g_strdup_printf("%016" PRIx64, hn_checksum(data, n));
}

char *hn_checksum_file(const char *path, int64_t *size) {
  GMappedFile *file = g_mapped_file_new(path, FALSE, NULL);
  if (!file) return NULL;
  *size = (int64_t)g_mapped_file_get_length(file);
  char *text = hn_checksum_text(g_mapped_file_get_contents(file), (gsize)*size);
  g_mapped_file_unref(file);
  return text;
}
