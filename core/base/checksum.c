/* checksum.c - see checksum.h.  Each step is a bijection of the lane for a given word and of the
 * word for a given lane, so one word that differs gives another sum. */
#include "checksum.h"
#include <inttypes.h>
#include <string.h>

enum { LANES = 4 };
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

uint64_t hn_checksum(const void *data, gsize n) {
  const char *p = data;
  uint64_t lane[LANES] = {1, 2, 3, 4}, sum = n;
  gsize at = 0;
  for (; at + 8 * LANES <= n; at += 8 * LANES)
    for (int k = 0; k < LANES; k++) lane[k] = step(lane[k], word_at(p + at + 8 * k, 8));
  for (; at < n; at += 8) lane[0] = step(lane[0], word_at(p + at, n - at));
  for (int k = 0; k < LANES; k++) sum = step(sum, lane[k]);
  return sum ^ sum >> 32;
}

char *hn_checksum_text(const void *data, gsize n) {
  return g_strdup_printf("%016" PRIx64, hn_checksum(data, n));
}

bool hn_checksum_file(const char *path, uint64_t *checksum, int64_t *size) {
  GMappedFile *file = g_mapped_file_new(path, FALSE, NULL);
  if (!file) return false;
  *size = (int64_t)g_mapped_file_get_length(file);
  *checksum = hn_checksum(g_mapped_file_get_contents(file), (gsize)*size);
  g_mapped_file_unref(file);
  return true;
}
