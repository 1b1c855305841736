/* intact.h - the first rung of verification: whether a package is as it was packed.  Nothing in it
 * is executed, and nothing is written. */
#ifndef HN_INTACT_H
#define HN_INTACT_H
#include "zip.h"
#include <json-glib/json-glib.h>

typedef struct HnIntact {
  HnZip *zip;
  JsonObject *facts; /* package.json; NULL where it is damaged */
  GPtrArray *wrong;  /* char *: what is not as it was packed, none where all is */
  guint files;       /* that are as the manifest says */
  char *sha256;      /* of the whole file, once hn_intact_sha256 was asked */
} HnIntact;

/* NULL with HN_ERROR_REFUSED or HN_ERROR_FILE, as hn_zip_open. */
HnIntact *hn_intact_read(const char *path, GError **error);
void hn_intact_free(HnIntact *x);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnIntact, hn_intact_free)
/* Of the whole file, in hexadecimal digits, computed once.  For the life of x. */
const char *hn_intact_sha256(HnIntact *x);
/* What the packer said that a reviewer must know: element i, or NULL behind the last. */
const char *hn_intact_note(const HnIntact *x, guint i);
#endif
