/* crate.h - the description of a package for machines: RO-Crate 1.1, profile Process Run Crate 0.5.
 * Sources: w3id.org/ro/crate/1.1, w3id.org/ro/wfrun/process/0.5. */
#ifndef HN_CRATE_H
#define HN_CRATE_H
#include "author.h"
#include "gather.h"
#include "zip.h"

#define HN_CRATE_FILE "ro-crate-metadata.json"

/* The crate as JSON-LD: every gathered file with its size and SHA-256, and an action a cell;
 * g_free, NULL with HN_ERROR_FILE. */
char *hn_crate_text(const HnGathered *g, const HnCitation *c, GError **error);
/* What is wrong with the crate of a package, or NULL: it describes itself and the root, which has a
 * name, date, licence and description, and lists every file that there is, as it is, but for itself
 * and the manifest; and no other.  g_free. */
char *hn_crate_refuse(const HnZip *zip, JsonObject *crate);
#endif
