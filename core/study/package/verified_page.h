/* verified_page.h - what verifying a package came to, as a page like the report. */
#ifndef HN_VERIFIED_PAGE_H
#define HN_VERIFIED_PAGE_H
#include "verified.h"

/* HTML, well-formed XML as well: the verdict, what was computed again and where it differs, on
 * which machines, and what the words mean.  Needs no network.  g_free. */
char *hn_verified_page(const HnVerified *v);
#endif
