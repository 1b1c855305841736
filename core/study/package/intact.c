/* intact.c - see intact.h. */
#include "intact.h"
#include "crate.h"
#include "error.h"
#include "json.h"
#include "manifest.h"
#include "pack.h"
#include "sha256.h"

/* The JSON object in an entry; NULL, noting why. */
static JsonObject *json_of(HnIntact *x, const char *name) {
  const HnZipEntry *e = hn_zip_find(x->zip, name);
  g_autoptr(GError) why = NULL;
  if (!e) {
    g_ptr_array_add(x->wrong, g_strdup_printf("%s is missing", name));
    return NULL;
  }
  JsonObject *o = hn_json_parse(name, e->data, e->size, &why);
  if (!o) g_ptr_array_add(x->wrong, g_strdup(why->message));
  return o;
}

static void check_facts(HnIntact *x) {
  if (!(x->facts = json_of(x, HN_PACKAGE_FACTS))) return;
  const gint64 format = hn_json_int(x->facts, "format", 0);
  if (format != 1)
    g_ptr_array_add(x->wrong, g_strdup_printf(HN_PACKAGE_FACTS " is of format %" G_GINT64_FORMAT
                                                               ", this program knows 1",
                                              format));
}

static void check_crate(HnIntact *x) {
  g_autoptr(JsonObject) crate = json_of(x, HN_CRATE_FILE);
  g_autofree char *why = crate ? hn_crate_refuse(x->zip, crate) : NULL;
  if (why) g_ptr_array_add(x->wrong, g_strdup_printf(HN_CRATE_FILE " %s", why));
}

HnIntact *hn_intact_read(const char *path, GError **error) {
  g_autoptr(HnZip) zip = hn_zip_open(path, error);
  if (!zip) return NULL;
  HnIntact *x = g_new0(HnIntact, 1);
  x->zip = g_steal_pointer(&zip);
  x->wrong = g_ptr_array_new_with_free_func(g_free);
  x->files = hn_manifest_check(x->zip, x->wrong);
  check_facts(x);
  check_crate(x);
  return x;
}

void hn_intact_free(HnIntact *x) {
  if (!x) return;
  hn_zip_free(x->zip);
  g_clear_pointer(&x->facts, json_object_unref);
  g_ptr_array_unref(x->wrong);
  g_free(x->sha256);
  g_free(x);
}

const char *hn_intact_sha256(HnIntact *x) {
  if (!x->sha256) x->sha256 = hn_sha256_mapped(x->zip->file);
  return x->sha256;
}

const char *hn_intact_note(const HnIntact *x, guint i) {
  JsonArray *notes = hn_json_array(x->facts, "notes");
  return notes ? hn_json_string_at(notes, i) : NULL;
}
