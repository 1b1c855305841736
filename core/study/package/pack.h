/* pack.h - writes a study as one file that proves itself elsewhere. */
#ifndef HN_PACK_H
#define HN_PACK_H
#include "author.h"
#include "gather.h"

#define HN_PACKAGE_FACTS "package.json"

typedef struct HnPackOptions {
  HnPackChoice choice;
  const char *title;   /* NULL: the study's name */
  const char *license; /* SPDX, or NULL */
  GPtrArray *authors;  /* HnAuthor * */
  const char *sign;    /* secret key for minisign, or NULL */
} HnPackOptions;

/* Writes the package beside `output`, verifies what it wrote, and renames; with `sign` also
 * OUTPUT.minisig.  The same folder gives the same bytes, wherever it lies.  What a reviewer must
 * know goes to notes (char *), where given.  HN_ERROR_REFUSED, HN_ERROR_MISSING (minisign),
 * HN_ERROR_FILE: nothing is at `output` that was not there before. */
bool hn_pack(const HnResults *r, const HnPackOptions *options, const char *output, GPtrArray *notes,
             GError **error);
#endif
