/* pages.h - large zeroed memory. */
#ifndef HN_PAGES_H
#define HN_PAGES_H
#include <glib.h>

/* Zeroed memory, 64-byte aligned; large blocks are mapped, so untouched pages cost nothing.  Aborts
 * when there is no more.  [any] */
void *hn_zeros(gsize bytes);
/* p may be NULL.  [any] */
void hn_zeros_free(void *p);
#endif
