/* manifest.h - manifest.sha256, the list of a package's files that `sha256sum -c` reads: every file
 * but itself, in the order of names. */
#ifndef HN_MANIFEST_H
#define HN_MANIFEST_H
#include "zip.h"

#define HN_MANIFEST_FILE "manifest.sha256"

/* The list of sources (HnZipSource), which are sorted; g_free.  NULL with HN_ERROR_FILE. */
char *hn_manifest_text(const GPtrArray *sources, GError **error);
/* Notes in `wrong` (char *) what the manifest of a package and its contents disagree about. Returns
 * the number of files that agree. */
guint hn_manifest_check(const HnZip *zip, GPtrArray *wrong);
#endif
