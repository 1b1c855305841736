/* manifest.c - see manifest.h. */
#include "manifest.h"
#include <string.h>

static void add_line(GString *out, const char *sum, const char *name) {
  g_string_append_printf(out, "%s  %s\n", sum, name);
}

char *hn_manifest_text(const GPtrArray *sources, GError **error) {
  g_autoptr(GString) out = g_string_new(NULL);
  for (guint i = 0; i < sources->len; i++) {
    HnZipSource *s = sources->pdata[i];
    const char *sum = hn_zip_source_sha256(s, error);
    if (!sum) return NULL;
    add_line(out, sum, s->name);
  }
  return g_string_free(g_steal_pointer(&out), FALSE);
}

/* The line that a file should have, taken from `at` on if it is there. */
static bool take_line(const char **at, const char *end, HnZipEntry *e) {
  g_autoptr(GString) line = g_string_new(NULL);
  add_line(line, hn_zip_sha256(e), e->name);
  if ((gsize)(end - *at) < line->len || memcmp(*at, line->str, line->len) != 0) return false;
  *at += line->len;
  return true;
}

/* Goes on behind the line that names the file, where there is one with another hash. */
static bool skip_line(const char **at, const char *end, const HnZipEntry *e) {
  const gsize length = 66 + strlen(e->name);
  if ((gsize)(end - *at) <= length || memcmp(*at + 66, e->name, length - 66) != 0 ||
      (*at)[length] != '\n')
    return false;
  *at += length + 1;
  return true;
}

guint hn_manifest_check(const HnZip *zip, GPtrArray *wrong) {
  const HnZipEntry *manifest = hn_zip_find(zip, HN_MANIFEST_FILE);
  guint good = 0;
  if (!manifest) {
    g_ptr_array_add(wrong, g_strdup(HN_MANIFEST_FILE " is missing"));
    return 0;
  }
  const char *at = manifest->data, *end = at + manifest->size;
  bool lost = hn_zip_damaged(manifest);
  if (lost) g_ptr_array_add(wrong, g_strdup(HN_MANIFEST_FILE " is damaged"));
  for (guint i = 0; i < zip->entries->len; i++) {
    HnZipEntry *e = &g_array_index(zip->entries, HnZipEntry, i);
    if (e == manifest) continue;
    const bool damaged = hn_zip_damaged(e), listed = !lost && take_line(&at, end, e);
    good += listed && !damaged;
    if (damaged || (!listed && !lost))
      g_ptr_array_add(wrong,
                      g_strdup_printf("%s is %s", e->name,
                                      damaged ? "damaged" : "not as " HN_MANIFEST_FILE " says"));
    if (!listed && !lost) lost = !skip_line(&at, end, e);
  }
  if (!lost && at != end)
    g_ptr_array_add(wrong, g_strdup(HN_MANIFEST_FILE " lists files that are not there"));
  return good;
}
