/* author.h - who made a package, and the pages that say how it is cited. */
#ifndef HN_AUTHOR_H
#define HN_AUTHOR_H
#include <glib.h>
#include <stdbool.h>

typedef struct HnAuthor {
  char *name, *family,
      *given;         /* the last word is the family's name, or what stands before a comma */
  char *orcid, *mail; /* at most one; else NULL */
} HnAuthor;

/* Reads "Name", "Name <0000-0002-1825-0097>" or "Name <mail@host>".  NULL with HN_ERROR_REFUSED: no
 * name, or what is in <> is neither. */
HnAuthor *hn_author_parse(const char *text, GError **error);
void hn_author_free(HnAuthor *author);

/* What a package is called. */
typedef struct HnCitation {
  const char *title, *abstract, *date; /* date: of the last result, "2026-01-02" */
  const char *license;                 /* SPDX, or NULL */
  const GPtrArray *authors;            /* HnAuthor *; none: anonymous */
} HnCitation;
/* CITATION.cff (1.2.0) and .zenodo.json (a deposition's metadata); g_free. */
char *hn_citation_cff(const HnCitation *c);
char *hn_citation_zenodo(const HnCitation *c);
/* Whether a text can be the identifier of a licence in SPDX's list or an expression of them. */
bool hn_license_is_id(const char *text);
#endif
