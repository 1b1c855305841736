/* unpack.h - results wherever they are: a study's folder, a cell's, or a package. */
#ifndef HN_UNPACK_H
#define HN_UNPACK_H
#include "intact.h"
#include "results.h"

/* Unpacks an intact package into a new temporary folder and reads the study in it, which executes
 * nothing.  False with HN_ERROR_REFUSED (its study cannot be read) or HN_ERROR_FILE, and then
 * *folder and *results are NULL.  Else hn_unpack_remove and hn_results_free. */
bool hn_unpack(const HnIntact *x, char **folder, HnResults **results, GError **error);
/* Removes the folder, and frees its name; of NULL nothing. */
void hn_unpack_remove(char *folder);

typedef struct HnOpened {
  HnResults *results;
  char *folder; /* where a package is unpacked until this is closed; else NULL */
} HnOpened;
/* What `path` names: a file is a package, which must be intact; a folder with a plan is a study,
 * one without is a cell's.  NULL with HN_ERROR_MISSING: nothing of that is there; HN_ERROR_REFUSED
 * or HN_ERROR_FILE: it cannot be read, or is damaged. */
HnOpened *hn_opened_new(const char *path, GError **error);
void hn_opened_free(HnOpened *o);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnOpened, hn_opened_free)
#endif
