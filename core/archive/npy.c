/* npy.c - see npy.h. */
#include "npy.h"
#include "error.h"
#include <inttypes.h>
#include <string.h>

enum { ALIGNMENT = 64, LETTER = 4 }; /* of the data; bytes of a character */
#define BYTES_MAX ((gsize)1 << 30)

static void put_bytes(GByteArray *out, const void *bytes, gsize n) {
  g_byte_array_append(out, bytes, (guint)n);
}

/* The magic, the version and a Python dictionary, padded so that the data are aligned; `width`:
 * bytes of an element. */
static GByteArray *begin(const char *type, int64_t n, gsize width, GError **error) {
  static const char magic[] = "\x93NUMPY\x01"; /* and a zero: version 1.0 */
  gsize bytes;
  if (!g_size_checked_mul(&bytes, width, (gsize)n) || bytes > BYTES_MAX) {
    hn_error_set(error, HN_ERROR_REFUSED, "%" PRId64 " values of type %s take more than 1 GiB", n,
                 type);
    return NULL;
  }
  g_autofree char *dict = g_strdup_printf(
      "{'descr': '%s', 'fortran_order': False, 'shape': (%" PRId64 ",), }", type, n);
  const gsize head = sizeof magic + 2, used = head + strlen(dict) + 1; /* a newline ends it */
  const gsize padded = (used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  const guint8 length[] = {(guint8)(padded - head), (guint8)((padded - head) >> 8)};
  GByteArray *out = g_byte_array_sized_new((guint)(padded + bytes));
  put_bytes(out, magic, sizeof magic), put_bytes(out, length, sizeof length);
  put_bytes(out, dict, strlen(dict));
  for (gsize i = used; i < padded; i++) put_bytes(out, " ", 1);
  put_bytes(out, "\n", 1);
  return out;
}

GBytes *hn_npy_reals(const double *x, int64_t n, GError **error) {
  GByteArray *out = begin("<f8", n, sizeof *x, error);
  for (int64_t i = 0; out && i < n; i++) {
    uint64_t bits;
    memcpy(&bits, x + i, sizeof bits);
    bits = GUINT64_TO_LE(bits);
    put_bytes(out, &bits, sizeof bits);
  }
  return out ? g_byte_array_free_to_bytes(out) : NULL;
}

/* Appends the characters of a text, and zeros up to the width. */
static void put_text(GByteArray *out, const char *text, gsize width) {
  glong letters = 0;
  g_autofree gunichar *wide = g_utf8_to_ucs4_fast(text, -1, &letters);
  for (glong i = 0; i < letters; i++) {
    const uint32_t letter = GUINT32_TO_LE(wide[i]);
    put_bytes(out, &letter, LETTER);
  }
  for (const uint32_t none = 0; width > (gsize)letters; width--) put_bytes(out, &none, LETTER);
}

GBytes *hn_npy_texts(const char *const *texts, int64_t n, GError **error) {
  g_autoptr(GPtrArray) valid = g_ptr_array_new_full((guint)n, g_free);
  gsize width = 1;
  for (int64_t i = 0; i < n; i++) {
    g_ptr_array_add(valid, g_utf8_make_valid(texts[i], -1));
    width = MAX(width, (gsize)g_utf8_strlen(valid->pdata[i], -1));
  }
  g_autofree char *type = g_strdup_printf("<U%" G_GSIZE_FORMAT, width);
  GByteArray *out = begin(type, n, width * LETTER, error);
  for (int64_t i = 0; out && i < n; i++) put_text(out, valid->pdata[i], width);
  return out ? g_byte_array_free_to_bytes(out) : NULL;
}
